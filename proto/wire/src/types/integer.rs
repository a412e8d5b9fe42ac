//! Integers as the original reads them: `3.0` is 3. Numbers beyond the range of the type are admitted by the
//! schemas too, and become the nearest value the type has.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a required integer.
pub(super) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Integer)
}

/// Reads an integer that may be absent; goes with `#[serde(default)]`.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    required(deserializer).map(Some)
}

/// The integer that a number without a fraction stands for.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast goes to the nearest value"
)]
pub(super) fn from_float(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then_some(number as u64)
}

struct Integer;

impl Visitor<'_> for Integer {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        Ok(u64::try_from(number).unwrap_or(0))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        from_float(number).ok_or_else(|| E::custom("must be integer"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{from_str, json};

    #[derive(Deserialize)]
    struct Both {
        #[serde(deserialize_with = "super::required")]
        a: u64,
        #[serde(default, deserialize_with = "super::optional")]
        b: Option<u64>,
    }

    #[test]
    fn a_zero_fraction_is_an_integer() {
        for (given, want) in [("3", 3), ("3.0", 3), ("3e2", 300), ("0", 0), ("-0.0", 0), ("-5", 0)] {
            let both: Both = from_str(&format!(r#"{{"a":{given},"b":{given}}}"#)).unwrap();
            assert_eq!((both.a, both.b), (want, Some(want)), "{given}");
        }
        let big: Both = from_str(r#"{"a":1e300,"b":18446744073709551616}"#).unwrap();
        assert_eq!((big.a, big.b), (u64::MAX, Some(u64::MAX)));
    }

    #[test]
    fn other_values_are_not() {
        for given in
            [json!({"a": 3.5}), json!({"a": "3"}), json!({"a": null}), json!({}), json!({"a": 1, "b": 0.1})]
        {
            assert!(serde_json::from_value::<Both>(given).is_err());
        }
        assert_eq!(serde_json::from_value::<Both>(json!({"a": 1})).unwrap().b, None);
    }
}
