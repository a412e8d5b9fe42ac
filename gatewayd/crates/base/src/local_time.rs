//! Wall-clock time for people: hours, minutes and seconds in the zone of this machine.

use crate::clock::UnixMs;

/// `14:03:59` in the local time zone.
#[must_use]
pub fn hms(at: UnixMs) -> String {
    match jiff::Timestamp::from_millisecond(at) {
        Ok(time) => time.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

/// `2026-01-29` in the local time zone.
#[must_use]
pub fn date(at: UnixMs) -> String {
    zoned(at).map_or_else(|| at.to_string(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// When the local day of `at` began.
#[must_use]
pub fn start_of_day(at: UnixMs) -> UnixMs {
    zoned(at).and_then(|time| time.start_of_day().ok()).map_or(at, |start| start.timestamp().as_millisecond())
}

fn zoned(at: UnixMs) -> Option<jiff::ZonedDateTime> {
    Some(jiff::Timestamp::from_millisecond(at).ok()?.to_zoned_datetime(jiff::tz::TimeZone::system()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_has_the_form_of_a_clock() {
        let text = super::hms(1_769_685_937_869);
        let parts: Vec<_> = text.split(':').map(|p| p.parse::<u8>().expect("a number")).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[2], 37);
    }
}
