//! One segment of a legacy name, and how its characters are escaped.

use std::fmt;

use crate::text::Sink;

/// One segment of a legacy path, as written.
///
/// `Display` decodes it the way `rustc-demangle` does; control and invisible formatting characters appear as `\u{..}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment<'a> {
    raw: &'a str,
}

/// What a segment stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SegmentKind<'a> {
    /// A crate, module, type or item; also one with generic parameters or a shim's mark behind it.
    Name,
    /// `<Type>` or `<Type as Trait>`: a method's `impl` block, which stands in the module of the type or of the trait.
    Qualified {
        /// The type that the block is for.
        self_type: TypeText<'a>,
        /// The implemented trait, if the block is not inherent.
        trait_: Option<TypeText<'a>>,
    },
    /// `<impl Type>` or `<impl Trait for Type>`: an `impl` block in the module that the segments before it name.
    Block,
    /// `{{closure}}`, `{{constructor}}`, `{{impl}}` and the like; the text between the braces.
    Special(&'a str),
    /// `h` and 16 hexadecimal digits at the end of the path.
    Hash(&'a str),
}

/// A type or trait as a legacy name writes it: generic parameters by name, nothing substituted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeText<'a> {
    raw: &'a str,
}

/// The crate that the outermost constructor of a [`TypeText`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// It is a path; this is its first segment.
    Crate(&'a str),
    /// A type of the language or a generic parameter.
    Language,
    /// The text is not clear enough.
    Unclear,
}

impl<'a> Segment<'a> {
    pub(super) fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The segment as the symbol spells it.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// What the segment stands for. Only the last segment of a path can be a hash.
    #[must_use]
    pub fn kind(self) -> SegmentKind<'a> {
        let Some(escaped) = self
            .raw
            .strip_prefix('_')
            .filter(|raw| raw.starts_with('$'))
        else {
            return SegmentKind::Name;
        };
        if let Some(inside) = strip(escaped, "$u7b$$u7b$", "$u7d$$u7d$") {
            return SegmentKind::Special(inside);
        }
        let Some(inside) = strip(escaped, "$LT$", "$GT$") else {
            return SegmentKind::Name;
        };
        if inside.starts_with("impl$u20$") {
            return SegmentKind::Block;
        }
        let (self_type, trait_) = match find_as(inside) {
            Some(at) => (&inside[..at], Some(&inside[at + AS.len()..])),
            None => (inside, None),
        };
        SegmentKind::Qualified {
            self_type: TypeText { raw: self_type },
            trait_: trait_.map(|raw| TypeText { raw }),
        }
    }

    /// Whether it is an identifier that needs no escapes.
    pub(super) fn is_word(self) -> bool {
        !self.raw.is_empty() && self.raw.bytes().all(is_word_byte)
    }

    pub(super) fn starts_with_capital(self) -> bool {
        self.raw.starts_with(|c: char| c.is_ascii_uppercase())
    }

    pub(super) fn write<W: fmt::Write + ?Sized>(self, out: &mut Sink<'_, W>) -> fmt::Result {
        Pieces::of_segment(self.raw).try_for_each(|piece| piece.write(out))
    }

    pub(super) fn write_without_arguments<W: fmt::Write + ?Sized>(
        self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        write_without_arguments(Pieces::of_segment(self.raw), out)
    }
}

impl<'a> TypeText<'a> {
    /// The text as the symbol spells it.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// Without references, pointers, brackets and `dyn` in front. The second value says whether what is left is
    /// certainly the whole of what decides where an `impl` block belongs.
    fn stem(self) -> (&'a str, bool) {
        const FRONT: [&str; 6] = [
            "$RF$",
            "$BP$const$u20$",
            "$BP$mut$u20$",
            "mut$u20$",
            "$u5b$",
            "dyn$u20$",
        ];
        let mut rest = self.raw;
        let mut is_clear = true;
        'front: loop {
            for front in FRONT {
                if let Some(stripped) = rest.strip_prefix(front) {
                    rest = stripped;
                    continue 'front;
                }
            }
            if let Some((_, stripped)) = rest
                .strip_prefix("$u27$")
                .and_then(|lifetime| lifetime.split_once("$u20$"))
            {
                rest = stripped;
            } else if let Some(stripped) = rest.strip_prefix("$LP$") {
                // Of a tuple the first element that has a home counts.
                is_clear = false;
                rest = stripped;
            } else {
                return (rest, is_clear);
            }
        }
    }

    pub(super) fn head(self) -> Head<'a> {
        let (stem, is_clear) = self.stem();
        let word_end = stem
            .bytes()
            .position(|byte| !is_word_byte(byte))
            .unwrap_or(stem.len());
        let (word, after) = stem.split_at(word_end);
        if !word.is_empty() && after.starts_with("..") {
            return Head::Crate(word);
        }
        if matches!(self.raw, "$LP$$RP$" | "$u21$") {
            return Head::Language;
        }
        let is_whole = after.is_empty() || after.starts_with("$u5d$") || after.starts_with("$u3b$");
        if is_clear && !word.is_empty() && is_whole {
            return Head::Language;
        }
        Head::Unclear
    }

    /// Writes the path up to where a type could begin; nothing if it is not a path.
    pub(super) fn write_module<W: fmt::Write + ?Sized>(self, out: &mut Sink<'_, W>) -> fmt::Result {
        let (stem, _) = self.stem();
        let path = &stem[..stem.find('$').unwrap_or(stem.len())];
        let mut segments = path.split("..").peekable();
        let mut is_first = true;
        while let Some(segment) = segments.next() {
            let is_item = segments.peek().is_none();
            if is_item || (!is_first && segment.starts_with(|c: char| c.is_ascii_uppercase())) {
                break;
            }
            if !is_first {
                out.put("::")?;
            }
            out.name(segment)?;
            is_first = false;
        }
        Ok(())
    }
}

/// ` as `.
const AS: &str = "$u20$as$u20$";

/// Where the ` as ` between a type and its trait stands, outside all angle brackets.
fn find_as(inside: &str) -> Option<usize> {
    let mut depth: usize = 0;
    let mut at = 0;
    while let Some(offset) = inside[at..].find('$') {
        at += offset;
        let rest = &inside[at..];
        if rest.starts_with("$LT$") {
            depth += 1;
            at += 4;
        } else if rest.starts_with("$GT$") {
            // `-` is written as `.`, so this one can be the end of an arrow.
            if !inside[..at].ends_with("$u20$.") {
                depth = depth.saturating_sub(1);
            }
            at += 4;
        } else if depth == 0 && rest.starts_with(AS) {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

fn strip<'a>(text: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.strip_suffix(suffix)
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sink::run(f, false, |out| self.write(out))
    }
}

impl fmt::Display for TypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sink::run(f, false, |out| {
            Pieces { rest: self.raw }.try_for_each(|piece| piece.write(out))
        })
    }
}

/// A decoded part of a segment.
#[derive(Clone, Copy)]
enum Piece<'a> {
    /// Unchanged from the symbol.
    Raw(&'a str),
    /// What an escape stands for.
    Text(&'static str),
    /// What a numeric escape stands for.
    Char(char),
}

impl Piece<'_> {
    fn write<W: fmt::Write + ?Sized>(self, out: &mut Sink<'_, W>) -> fmt::Result {
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
struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    fn of_segment(raw: &'a str) -> Self {
        // The underscore is there because an identifier must not start with an escape.
        let rest = if raw.starts_with("_$") {
            &raw[1..]
        } else {
            raw
        };
        Self { rest }
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
fn write_without_arguments<'a, W: fmt::Write + ?Sized>(
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
                if last.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '}')) =>
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
