//! Types and traits in legacy names, and what they tell about the place of an `impl` block.

use std::fmt;

use super::escape::{Pieces, write_without_arguments};
use crate::crates::cannot_name;
use crate::text::Sink;
use crate::{CrateRef, DefiningCrate};

/// A type or trait as a legacy name writes it: generic parameters by name, nothing substituted.
///
/// `Display` decodes it; control and invisible formatting characters appear as `\u{..}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeText<'a> {
    raw: &'a str,
}

impl<'a> TypeText<'a> {
    /// The text as the symbol spells it.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    pub(super) fn write_without_arguments<W: fmt::Write + ?Sized>(
        self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        write_without_arguments(Pieces::new(self.raw), out)
    }
}

impl fmt::Display for TypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sink::run(f, false, |out| {
            Pieces::new(self.raw).try_for_each(|piece| piece.write(out))
        })
    }
}

/// `<Type as Trait>` or `<Type>`: an `impl` block that stands in the module of its type or in that of its trait; for
/// others rustc prints the module (`rustc_middle::ty::print::default_print_impl_path`).
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) self_type: TypeText<'a>,
    pub(super) trait_: Option<TypeText<'a>>,
}

/// The crate that the outermost constructor of a type comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head<'a> {
    /// A path; this is its first segment.
    Crate(&'a str),
    /// A type of the language or a generic parameter.
    Language,
    /// The text is not clear enough.
    Unclear,
}

/// How many headers are looked into for a type that is defined inside a method of a block. Real names have one or two.
const MAX_NESTING: usize = 8;

/// ` as `.
const AS: &str = "$u20$as$u20$";
/// ` for `.
const FOR: &str = "$u20$for$u20$";

impl<'a> Header<'a> {
    /// From the text between the angle brackets.
    pub(super) fn new(inside: &'a str) -> Self {
        let (self_type, trait_) = match find_outside_brackets(inside, AS) {
            Some(at) => (&inside[..at], Some(&inside[at + AS.len()..])),
            None => (inside, None),
        };
        Self {
            self_type: TypeText { raw: self_type },
            trait_: trait_.map(|raw| TypeText { raw }),
        }
    }

    /// From the text behind `<impl `: `Trait for Type` or `Type`.
    pub(super) fn of_block(inside: &'a str) -> Self {
        let (trait_, self_type) = match find_outside_brackets(inside, FOR) {
            Some(at) => (Some(&inside[..at]), &inside[at + FOR.len()..]),
            None => (None, inside),
        };
        Self {
            self_type: TypeText { raw: self_type },
            trait_: trait_.map(|raw| TypeText { raw }),
        }
    }

    pub(super) fn defining_crate(self) -> DefiningCrate<'a> {
        self.defining_crate_at(0)
    }

    fn defining_crate_at(self, nesting: usize) -> DefiningCrate<'a> {
        if nesting > MAX_NESTING {
            return DefiningCrate::Unknown;
        }
        // Nothing but the function around it can name an item that is local to a function.
        let local = [Some(self.self_type), self.trait_]
            .into_iter()
            .flatten()
            .find_map(|part| part.local_to(nesting));
        if let Some(place) = local {
            return place;
        }
        let Some(trait_) = self.trait_ else {
            // The language allows inherent methods in the type's own crate only.
            return match self.self_type.head() {
                Head::Crate(name) => DefiningCrate::Exact(named(name)),
                Head::Language | Head::Unclear => DefiningCrate::Unknown,
            };
        };
        match (self.self_type.head(), trait_.head()) {
            (Head::Crate(type_), Head::Crate(trait_)) => {
                if type_ == trait_ || cannot_name(trait_, type_) {
                    DefiningCrate::Exact(named(type_))
                } else if cannot_name(type_, trait_) {
                    DefiningCrate::Exact(named(trait_))
                } else {
                    DefiningCrate::OneOf {
                        self_type: Some(named(type_)),
                        trait_: Some(named(trait_)),
                    }
                }
            }
            (Head::Language, Head::Crate(trait_)) => DefiningCrate::Exact(named(trait_)),
            (Head::Unclear, Head::Crate(trait_)) => DefiningCrate::OneOf {
                self_type: None,
                trait_: Some(named(trait_)),
            },
            (Head::Crate(type_), _) => DefiningCrate::OneOf {
                self_type: Some(named(type_)),
                trait_: None,
            },
            _ => DefiningCrate::Unknown,
        }
    }

    /// Writes the module of the type, or the trait's if the type has none or its crate cannot name the trait.
    pub(super) fn write_module<W: fmt::Write + ?Sized>(self, out: &mut Sink<'_, W>) -> fmt::Result {
        let mut header = self;
        for _ in 0..=MAX_NESTING {
            let place = header.place();
            let Some(inner) = place.stem().header else {
                return place.write_path_module(out);
            };
            header = inner;
        }
        Ok(())
    }

    fn place(self) -> TypeText<'a> {
        let Some(trait_) = self.trait_ else {
            return self.self_type;
        };
        if self.self_type.local_to(MAX_NESTING).is_some() {
            return self.self_type;
        }
        if trait_.local_to(MAX_NESTING).is_some() {
            return trait_;
        }
        match (self.self_type.head(), trait_.head()) {
            (Head::Crate(type_), Head::Crate(trait_crate)) if cannot_name(type_, trait_crate) => {
                trait_
            }
            (Head::Crate(_), _) => self.self_type,
            _ => trait_,
        }
    }
}

/// What is left of a type without references, pointers, brackets and `dyn` in front.
struct Stem<'a> {
    text: &'a str,
    /// Whether it alone decides to which crate the type belongs.
    is_whole: bool,
    /// The header at its start.
    header: Option<Header<'a>>,
}

impl<'a> TypeText<'a> {
    fn stem(self) -> Stem<'a> {
        const FRONT: [&str; 6] = [
            "$RF$",
            "$BP$const$u20$",
            "$BP$mut$u20$",
            "mut$u20$",
            "$u5b$",
            "dyn$u20$",
        ];
        let mut text = self.raw;
        let mut is_whole = true;
        loop {
            if let Some(stripped) = FRONT.iter().find_map(|front| text.strip_prefix(front)) {
                text = stripped;
            } else if let Some((_, stripped)) = text
                .strip_prefix("$u27$")
                .and_then(|lifetime| lifetime.split_once("$u20$"))
            {
                text = stripped;
            } else if let Some(stripped) = text.strip_prefix("$LP$") {
                // Of a tuple the first element that has a home counts.
                is_whole = false;
                text = stripped;
            } else {
                break;
            }
        }
        let header = text
            .strip_prefix("$LT$")
            .and_then(|opened| Some(Header::new(&opened[..find_close(opened)?])));
        Stem {
            text,
            is_whole,
            header,
        }
    }

    /// For an item that is local to a function in an `impl` block: where the block stands.
    fn local_to(self, nesting: usize) -> Option<DefiningCrate<'a>> {
        let stem = self.stem();
        if let Some(header) = stem.header {
            return Some(header.defining_crate_at(nesting + 1));
        }
        let path_end = stem.text.find('$')?;
        let (path, rest) = stem.text.split_at(path_end);
        if !path.ends_with("..") || !rest.starts_with("$LT$impl$u20$") {
            return None;
        }
        Some(DefiningCrate::Exact(named(path.split("..").next()?)))
    }

    fn head(self) -> Head<'a> {
        let stem = self.stem();
        let word_end = stem
            .text
            .bytes()
            .position(|byte| !is_word_byte(byte))
            .unwrap_or(stem.text.len());
        let (word, after) = stem.text.split_at(word_end);
        if !word.is_empty() && after.starts_with("..") {
            return Head::Crate(word);
        }
        if self.raw == "$u21$" || self.is_tuple_of_words() {
            return Head::Language;
        }
        // The end, or that of a slice or array.
        let is_end = after.is_empty() || after.starts_with("$u5d$") || after.starts_with("$u3b$");
        if stem.is_whole && !word.is_empty() && is_end {
            return Head::Language;
        }
        Head::Unclear
    }

    /// `()`, `(A, u8)`.
    fn is_tuple_of_words(self) -> bool {
        let inside = self
            .raw
            .strip_prefix("$LP$")
            .and_then(|opened| opened.strip_suffix("$RP$"));
        inside.is_some_and(|inside| {
            inside
                .split("$C$")
                .all(|element| element.bytes().all(is_word_byte))
        })
    }

    /// Writes a path up to where a type could begin; nothing if the text is not a path.
    fn write_path_module<W: fmt::Write + ?Sized>(self, out: &mut Sink<'_, W>) -> fmt::Result {
        let text = self.stem().text;
        let path = &text[..text.find('$').unwrap_or(text.len())];
        let Some((module, _)) = path.rsplit_once("..") else {
            return Ok(());
        };
        for (index, segment) in module.split("..").enumerate() {
            if index > 0 {
                if is_no_module(segment) {
                    break;
                }
                out.put("::")?;
            }
            out.name(segment)?;
        }
        Ok(())
    }
}

/// Where the bracket that was opened in front of `opened` is closed.
fn find_close(opened: &str) -> Option<usize> {
    find_outside_brackets(opened, "$GT$")
}

/// Where an escape first stands that is not inside angle brackets opened in `text`.
fn find_outside_brackets(text: &str, escape: &str) -> Option<usize> {
    let mut depth: usize = 0;
    let mut at = 0;
    while let Some(offset) = text[at..].find('$') {
        at += offset;
        let rest = &text[at..];
        // `-` is written as `.`, so a bracket behind one is the end of an arrow.
        let is_arrow = || text[..at].ends_with("$u20$.");
        if depth == 0 && rest.starts_with(escape) && !is_arrow() {
            return Some(at);
        }
        if rest.starts_with("$LT$") {
            depth += 1;
            at += "$LT$".len();
        } else if rest.starts_with("$GT$") {
            if !is_arrow() {
                depth = depth.saturating_sub(1);
            }
            at += "$GT$".len();
        } else {
            at += 1;
        }
    }
    None
}

/// Whether a segment is a type by its capital letter, or an unnamed constant.
pub(super) fn is_no_module(segment: &str) -> bool {
    segment == "_" || segment.starts_with(|c: char| c.is_ascii_uppercase())
}

pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn named(name: &str) -> CrateRef<'_> {
    CrateRef {
        name,
        disambiguator: None,
    }
}
