//! How a legacy name escapes the characters that a symbol may not have.

use std::fmt;

use crate::text::Sink;

/// A decoded part of a segment.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    /// Unchanged from the symbol.
    Raw(&'a str),
    /// What an escape stands for.
    Text(&'static str),
    /// What a numeric escape stands for.
    Char(char),
}

impl Piece<'_> {
    pub(super) fn write<W: fmt::Write + ?Sized>(self, out: &mut Sink<'_, W>) -> fmt::Result {
        match self {
            Piece::Raw(text) => out.name(text),
            Piece::Text(text) => out.put(text),
            Piece::Char(c) => out.chars([c]),
        }
    }

    fn last_char(self) -> Option<char> {
        match self {
            Piece::Raw(text) | Piece::Text(text) => text.chars().next_back(),
            Piece::Char(c) => Some(c),
        }
    }
}

/// Splits a segment at its escapes. From the first escape that is not one on, the rest is taken as it is.
pub(super) struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(super) fn of_segment(raw: &'a str) -> Self {
        // The underscore is there because an identifier must not start with an escape.
        Self::new(if raw.starts_with("_$") {
            &raw[1..]
        } else {
            raw
        })
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.rest;
        let first = *rest.as_bytes().first()?;
        if first == b'.' {
            let is_separator = rest.as_bytes().get(1) == Some(&b'.');
            self.rest = &rest[if is_separator { 2 } else { 1 }..];
            return Some(Piece::Text(if is_separator { "::" } else { "." }));
        }
        if first == b'$' {
            if let Some((escape, after)) = rest[1..].split_once('$')
                && let Some(piece) = unescape(escape)
            {
                self.rest = after;
                return Some(piece);
            }
            self.rest = "";
            return Some(Piece::Raw(rest));
        }
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b'$' | b'.'))
            .unwrap_or(rest.len());
        self.rest = &rest[end..];
        Some(Piece::Raw(&rest[..end]))
    }
}

/// Whether any escape occurs; C++ has a single `$` in names of its own.
pub(super) fn has_escape(text: &str) -> bool {
    let mut parts = text.split('$').skip(1).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_some() && unescape(part).is_some() {
            return true;
        }
    }
    false
}

/// The escapes of `rustc_symbol_mangling::legacy::sanitize`.
fn unescape(escape: &str) -> Option<Piece<'static>> {
    Some(Piece::Text(match escape {
        "SP" => "@",
        "BP" => "*",
        "RF" => "&",
        "LT" => "<",
        "GT" => ">",
        "LP" => "(",
        "RP" => ")",
        "C" => ",",
        _ => {
            let digits = escape.strip_prefix('u')?;
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            if !digits.bytes().all(is_hex) {
                return None;
            }
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            return (!c.is_control()).then_some(Piece::Char(c));
        }
    }))
}

/// Leaves out each list in angle brackets that follows a name; those around `<Type as Trait>` follow none.
pub(super) fn write_without_arguments<'a, W: fmt::Write + ?Sized>(
    pieces: Pieces<'a>,
    out: &mut Sink<'_, W>,
) -> fmt::Result {
    let mut depth: usize = 0;
    let mut before: Option<Piece<'a>> = None;
    for piece in pieces {
        let last = before.and_then(Piece::last_char);
        match piece {
            Piece::Text("<") if depth > 0 => depth += 1,
            Piece::Text("<")
                if last.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '}')) =>
            {
                depth = 1;
            }
            // `-` is written as `.`, so this is the end of an arrow.
            Piece::Text(">") if depth > 0 && !matches!(before, Some(Piece::Text("."))) => {
                depth -= 1;
            }
            _ if depth == 0 => piece.write(out)?,
            _ => {}
        }
        before = Some(piece);
    }
    Ok(())
}
