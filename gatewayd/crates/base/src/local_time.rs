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
