//! Numbers for people: grouped digits, binary units, shares.

use whittle_ledger::Totals;

/// A number with commas between groups of three digits: `6,303,792`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A change of bytes, with its sign: `+6,303,792`, `-1`, `0`.
pub(crate) fn signed(bytes: i64) -> String {
    let sign = match bytes {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", grouped(bytes.unsigned_abs()))
}

/// A number of bytes to three digits in the unit that suits it: `6.01 MiB`, `486 KiB`, `812 bytes`.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    match bytes {
        0 => return "0 bytes".to_owned(),
        1 => return "1 byte".to_owned(),
        2..1024 => return format!("{bytes} bytes"),
        _ => {}
    }
    let mut unit: u128 = 1024;
    for (index, name) in UNITS.iter().enumerate() {
        // What rounds up to 1024 of a unit is 1 of the next.
        if rounded(u128::from(bytes), unit) >= 1024 && index + 1 < UNITS.len() {
            unit *= 1024;
            continue;
        }
        let hundredths = rounded(u128::from(bytes) * 100, unit);
        if hundredths < 1_000 {
            return format!("{}.{:02} {name}", hundredths / 100, hundredths % 100);
        }
        let tenths = rounded(u128::from(bytes) * 10, unit);
        if tenths < 1_000 {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        return format!("{} {name}", rounded(u128::from(bytes), unit));
    }
    grouped(bytes)
}

/// Both sizes of a file, in words that say which is which.
pub(crate) fn sizes(totals: &Totals) -> String {
    let disk = match totals.file {
        small @ 0..1024 => human(small),
        large => format!("{} bytes", grouped(large)),
    };
    let rounded = match totals.file {
        0..1024 => String::new(),
        large => format!(" ({})", human(large)),
    };
    format!(
        "{disk} on disk{rounded}, {} in memory",
        human(totals.memory)
    )
}

/// A share in per cent, to one digit behind the point. What is not nothing never reads as 0.0, what is not all never
/// as 100.0.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0.0 %".to_owned();
    }
    match rounded(u128::from(part) * 1_000, u128::from(whole)) {
        0 if part > 0 => "<0.1 %".to_owned(),
        1_000 if part < whole => ">99.9 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// The quotient, rounded half up.
fn rounded(number: u128, by: u128) -> u128 {
    (number + by / 2) / by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(6_303_792), "6,303,792");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn changes_have_a_sign() {
        assert_eq!(signed(0), "0");
        assert_eq!(signed(1_234), "+1,234");
        assert_eq!(signed(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn units_show_three_digits() {
        assert_eq!(human(0), "0 bytes");
        assert_eq!(human(1), "1 byte");
        assert_eq!(human(1_023), "1023 bytes");
        assert_eq!(human(1_024), "1.00 KiB");
        assert_eq!(human(10_239), "10.0 KiB");
        assert_eq!(human(351_027), "343 KiB");
        // 1 MiB - 1: 1024.0 KiB would be an odd thing to say.
        assert_eq!(human(1_048_575), "1.00 MiB");
        assert_eq!(human(6_303_792), "6.01 MiB");
        assert_eq!(human(157_286_400), "150 MiB");
        assert_eq!(human(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn sizes_say_which_they_are() {
        let sizes = |file, memory| {
            sizes(&Totals {
                file,
                memory,
                ..Totals::default()
            })
        };
        assert_eq!(sizes(64, 0), "64 bytes on disk, 0 bytes in memory");
        assert_eq!(
            sizes(6_303_792, 4_910_204),
            "6,303,792 bytes on disk (6.01 MiB), 4.68 MiB in memory"
        );
    }

    #[test]
    fn shares_do_not_round_to_nothing_or_to_all() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 10), "0.0 %");
        assert_eq!(percent(1, 1_000_000), "<0.1 %");
        assert_eq!(percent(999_999, 1_000_000), ">99.9 %");
        assert_eq!(percent(10, 10), "100.0 %");
        assert_eq!(percent(0, 0), "0.0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0 %");
    }
}
