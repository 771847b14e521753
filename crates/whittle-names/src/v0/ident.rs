//! Identifiers and their Punycode.

use std::fmt;

use crate::text;

/// Longer identifiers stay encoded, as in `rustc-demangle`.
const MAX_DECODED: usize = 128;

/// One name in a path, as written: ASCII, or Punycode with `_` for the delimiter (RFC 3492, RFC 2603).
///
/// `Display` writes the decoded name; one that does not decode, or to more than 128 characters, appears as
/// `punycode{ascii-code}`. Control and invisible formatting characters appear as `\u{..}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ident<'a> {
    written: &'a str,
    is_punycode: bool,
}

impl<'a> Ident<'a> {
    #[inline]
    pub(super) fn plain(ascii: &'a str) -> Self {
        Self {
            written: ascii,
            is_punycode: false,
        }
    }

    /// `None` where nothing is encoded, which the grammar forbids.
    pub(super) fn punycode(written: &'a str) -> Option<Self> {
        let ident = Self {
            written,
            is_punycode: true,
        };
        (!ident.encoded().is_empty()).then_some(ident)
    }

    /// The name as the symbol spells it, Punycode undecoded.
    #[must_use]
    pub fn written(self) -> &'a str {
        self.written
    }

    /// The name, if it is written without Punycode.
    #[must_use]
    #[inline]
    pub fn as_plain(self) -> Option<&'a str> {
        (!self.is_punycode).then_some(self.written)
    }

    /// Whether it has no characters: unnamed items such as closures.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.written.is_empty()
    }

    /// The ASCII characters of the name; all of them unless there is Punycode.
    #[must_use]
    pub fn ascii(self) -> &'a str {
        self.split().0
    }

    /// The Punycode after the delimiter; empty in a plain name.
    #[must_use]
    pub fn encoded(self) -> &'a str {
        self.split().1
    }

    fn split(self) -> (&'a str, &'a str) {
        if self.is_punycode {
            self.written.rsplit_once('_').unwrap_or(("", self.written))
        } else {
            (self.written, "")
        }
    }

    /// The decoded characters, if there is Punycode and it decodes to at most [`MAX_DECODED`] of them.
    pub(super) fn decode(self) -> Option<Decoded> {
        let (ascii, encoded) = self.split();
        if encoded.is_empty() {
            return None;
        }
        let mut decoded = Decoded {
            chars: ['\0'; MAX_DECODED],
            len: 0,
        };
        for c in ascii.chars() {
            decoded.insert(decoded.len, c)?;
        }
        decode(encoded.as_bytes(), &mut decoded)?;
        Some(decoded)
    }
}

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(decoded) = self.decode() {
            return text::write_escaped(f, decoded.as_slice().iter().copied());
        }
        let (ascii, encoded) = self.split();
        if !self.is_punycode {
            return text::write_escaped(f, ascii.chars());
        }
        f.write_str("punycode{")?;
        if !ascii.is_empty() {
            text::write_escaped(f, ascii.chars())?;
            f.write_str("-")?;
        }
        text::write_escaped(f, encoded.chars())?;
        f.write_str("}")
    }
}

/// A short run of characters.
pub(super) struct Decoded {
    chars: [char; MAX_DECODED],
    len: usize,
}

impl Decoded {
    pub(super) fn as_slice(&self) -> &[char] {
        &self.chars[..self.len]
    }

    fn insert(&mut self, at: usize, c: char) -> Option<()> {
        if self.len == MAX_DECODED || at > self.len {
            return None;
        }
        self.chars.copy_within(at..self.len, at + 1);
        self.chars[at] = c;
        self.len += 1;
        Some(())
    }
}

/// The decoding procedure of RFC 3492, section 6.2, on top of the ASCII characters already in `decoded`.
fn decode(code: &[u8], decoded: &mut Decoded) -> Option<()> {
    const BASE: usize = 36;
    const T_MIN: usize = 1;
    const T_MAX: usize = 26;
    const SKEW: usize = 38;

    let mut damp = 700;
    let mut bias = 72;
    let mut at: usize = 0;
    let mut code_point: usize = 0x80;
    let mut rest = code.iter();
    loop {
        let mut delta: usize = 0;
        let mut weight: usize = 1;
        let mut k: usize = 0;
        loop {
            k += BASE;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            let digit = match rest.next()? {
                letter @ b'a'..=b'z' => usize::from(letter - b'a'),
                digit @ b'0'..=b'9' => usize::from(digit - b'0') + 26,
                _ => return None,
            };
            delta = delta.checked_add(digit.checked_mul(weight)?)?;
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }

        let len = decoded.len + 1;
        at = at.checked_add(delta)?;
        code_point = code_point.checked_add(at / len)?;
        at %= len;
        decoded.insert(at, char::from_u32(u32::try_from(code_point).ok()?)?)?;
        at += 1;
        if rest.as_slice().is_empty() {
            return Some(());
        }

        delta /= damp;
        damp = 2;
        delta += delta / len;
        let mut k = 0;
        while delta > ((BASE - T_MIN) * T_MAX) / 2 {
            delta /= BASE - T_MIN;
            k += BASE;
        }
        bias = k + ((BASE - T_MIN + 1) * delta) / (delta + SKEW);
    }
}
