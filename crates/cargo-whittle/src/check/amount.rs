//! Amounts of bytes as people write them.

use std::str::FromStr;

use serde::Deserialize;
use whittle_ledger::Bound;

/// Units and their bytes (IEC 80000-13 for those with an `i`).
const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// `3.5 MiB`, `20 kB`, `1%`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Amount {
    pub(crate) bound: Bound,
    /// The unit as it was written; of a share `%`.
    pub(crate) unit: Unit,
}

/// The name of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit(pub(crate) &'static str);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no size such as `3.5 MiB`, `20 kB` or `1%`");
        let trimmed = text.trim();
        let end = trimmed
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, unit) = trimmed.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // More digits than any size has would not change it.
        if whole.is_empty() || fraction.contains('.') || whole.len() > 19 || fraction.len() > 9 {
            return Err(wrong());
        }
        let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
        let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| wrong())?);
        let of = |unit: u64| u64::try_from(digits * u128::from(unit) / scale).map_err(|_| wrong());
        let unit = unit.trim();
        if unit == "%" {
            return Ok(Self {
                bound: Bound::Share(of(10_000)?),
                unit: Unit("%"),
            });
        }
        let (unit, bytes) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        Ok(Self {
            bound: Bound::Bytes(of(bytes)?),
            unit: Unit(unit),
        })
    }
}

impl TryFrom<String> for Amount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Bytes in a unit, rounded up to hundredths: the amount is never less than the bytes.
pub(crate) fn in_unit(bytes: u64, unit: &str) -> String {
    let of_unit = UNITS.iter().find(|(name, _)| *name == unit);
    let size = u128::from(of_unit.map_or(1, |(_, size)| *size));
    if size == 1 {
        return format!("{bytes} B");
    }
    let hundredths = (u128::from(bytes) * 100).div_ceil(size);
    format!("{}.{:02} {unit}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        let bytes = |text: &str| text.parse::<Amount>().map(|amount| amount.bound);
        assert_eq!(bytes("12 B"), Ok(Bound::Bytes(12)));
        assert_eq!(bytes("20kB"), Ok(Bound::Bytes(20_000)));
        assert_eq!(bytes("1.5 KiB"), Ok(Bound::Bytes(1_536)));
        assert_eq!(bytes("3.25 MiB"), Ok(Bound::Bytes(3_407_872)));
        assert_eq!(bytes("0.5%"), Ok(Bound::Share(5_000)));
        for wrong in [
            "",
            "12",
            "MiB",
            "-1 B",
            "1 mb",
            "1.2.3 B",
            "1 K",
            "99999999999999999999 B",
            "1..2 B",
        ] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_amount_in_a_unit_is_never_too_small() {
        for bytes in [
            0,
            1,
            1_023,
            1_024,
            1_025,
            3_407_872,
            3_407_873,
            u64::MAX / 1_024,
        ] {
            for unit in ["B", "kB", "KiB", "MiB"] {
                let text = in_unit(bytes, unit);
                let read: Amount = text.parse().expect("it is an amount");
                let Bound::Bytes(read) = read.bound else {
                    panic!("{text}")
                };
                assert!(read >= bytes, "{bytes} {text}");
            }
        }
        assert_eq!(in_unit(3_407_872, "MiB"), "3.25 MiB");
    }
}
