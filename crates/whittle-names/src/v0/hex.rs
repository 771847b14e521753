//! The values of constants, written as hexadecimal digits.

/// Lower-case hexadecimal digits, most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hex<'a> {
    digits: &'a str,
}

impl<'a> Hex<'a> {
    pub(super) fn new(digits: &'a str) -> Self {
        Self { digits }
    }

    /// The digits as written, without `0x`.
    #[must_use]
    pub fn digits(self) -> &'a str {
        self.digits
    }

    /// The value, or `None` where 64 bits do not hold it.
    #[must_use]
    pub fn to_u64(self) -> Option<u64> {
        let digits = self.digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(0);
        }
        u64::from_str_radix(digits, 16).ok()
    }

    pub(super) fn to_bool(self) -> Option<bool> {
        match self.to_u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn to_char(self) -> Option<char> {
        char::from_u32(u32::try_from(self.to_u64()?).ok()?)
    }

    /// Whether the digits are pairs that spell UTF-8.
    pub(super) fn is_utf8(self) -> bool {
        self.digits.len().is_multiple_of(2) && self.chars().all(|decoded| decoded.is_some())
    }

    /// The characters that the digits, read as UTF-8 bytes, spell; ends after a `None` where they do not.
    pub(super) fn chars(self) -> impl Iterator<Item = Option<char>> + 'a {
        let mut bytes = self.digits.as_bytes().chunks_exact(2).map(|pair| {
            let nibble = |digit: u8| match digit {
                b'a'..=b'f' => digit - b'a' + 10,
                _ => digit.wrapping_sub(b'0') & 0xf,
            };
            nibble(pair[0]) << 4 | nibble(pair[1])
        });
        let mut damaged = false;
        std::iter::from_fn(move || {
            if damaged {
                return None;
            }
            let mut buffer = [bytes.next()?, 0, 0, 0];
            let len = match buffer[0] {
                0x00..=0x7f => 1,
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 0,
            };
            let decoded = (|| {
                let encoded = buffer.get_mut(..len)?;
                for byte in encoded.iter_mut().skip(1) {
                    *byte = bytes.next()?;
                }
                std::str::from_utf8(encoded).ok()?.chars().next()
            })();
            damaged = decoded.is_none();
            Some(decoded)
        })
    }
}
