//! One segment of a legacy name, and how its characters are escaped.

use std::fmt;

use super::escape::{Pieces, write_without_arguments};
use super::type_text::{Header, TypeText, is_word_byte};
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
    Block {
        /// The type that the block is for.
        self_type: TypeText<'a>,
        /// The implemented trait, if the block is not inherent.
        trait_: Option<TypeText<'a>>,
    },
    /// `{{closure}}`, `{{constructor}}`, `{{impl}}` and the like; the text between the braces.
    Special(&'a str),
    /// `h` and 16 hexadecimal digits at the end of the path.
    Hash(&'a str),
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
        if let Some(block) = inside.strip_prefix("impl$u20$") {
            let Header { self_type, trait_ } = Header::of_block(block);
            return SegmentKind::Block { self_type, trait_ };
        }
        let Header { self_type, trait_ } = Header::new(inside);
        SegmentKind::Qualified { self_type, trait_ }
    }

    /// Whether it is an identifier that needs no escapes.
    pub(super) fn is_word(self) -> bool {
        !self.raw.is_empty() && self.raw.bytes().all(is_word_byte)
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

fn strip<'a>(text: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.strip_suffix(suffix)
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sink::run(f, false, |out| self.write(out))
    }
}
