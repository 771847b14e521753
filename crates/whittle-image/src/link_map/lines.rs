//! Lines and fields of a map.

use memchr::memchr;

/// The lines of a text with their numbers, counted from 1, without their ends.
pub(super) struct Lines<'m> {
    rest: &'m [u8],
    number: usize,
}

impl<'m> Lines<'m> {
    pub(super) fn new(text: &'m [u8]) -> Self {
        Lines {
            rest: text,
            number: 0,
        }
    }
}

impl<'m> Iterator for Lines<'m> {
    type Item = (usize, &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.rest) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        self.number += 1;
        Some((self.number, line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// Splits off the first word: the word and what follows it, its leading space included. The word is empty at the end.
pub(super) fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    text.split_at(text.find(' ').unwrap_or(text.len()))
}

/// A number in hexadecimal after `0x`.
pub(super) fn prefixed_hex(word: &str) -> Option<u64> {
    hex(word.strip_prefix("0x")?)
}

/// A number in bare hexadecimal.
pub(super) fn hex(word: &str) -> Option<u64> {
    digits(word, 16)
}

/// A number in decimal.
pub(super) fn decimal(word: &str) -> Option<u64> {
    digits(word, 10)
}

fn digits(word: &str, radix: u32) -> Option<u64> {
    // `from_str_radix` also takes a sign, which no linker writes.
    if word.starts_with('+') {
        return None;
    }
    u64::from_str_radix(word, radix).ok()
}
