//! Names of the legacy scheme, the default before Rust 1.97: `_ZN`, segments with their lengths, a hash, `E`.
//!
//! They hold the path of the definition. Generic arguments, the instantiating crate and crate disambiguators went into
//! the hash and are lost.

mod escape;
mod segment;
mod type_text;

use std::fmt;

pub use segment::{Segment, SegmentKind};
pub use type_text::TypeText;

use crate::text::Sink;
use crate::{DefiningCrate, Genericity, Shape, shape};
use escape::Pieces;
use type_text::{Header, is_no_module, named};

/// A checked encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding<'a> {
    /// From behind `_ZN` to before `E`.
    sym: &'a str,
    /// Whether the last segment is a hash as rustc writes it.
    has_hash: bool,
}

impl<'a> Encoding<'a> {
    /// Reads the encoding at the start of `sym`; returns it and what follows it.
    pub(crate) fn parse(sym: &'a str) -> Option<(Self, &'a str)> {
        if !sym.is_ascii() {
            return None;
        }
        let mut rest = sym;
        let mut last = "";
        while !rest.starts_with('E') {
            let (_, after) = split_segment(rest)?;
            if after.is_empty() {
                return None;
            }
            last = &rest[..rest.len() - after.len()];
            rest = after;
        }
        let encoding = Self {
            sym: &sym[..sym.len() - rest.len()],
            has_hash: hash(last).is_some(),
        };
        Some((encoding, &rest[1..]))
    }

    /// Whether rustc could have written it: C++ has nested names without parameters in the same shape.
    pub(crate) fn is_surely_rust(&self) -> bool {
        self.has_hash || self.sym.contains("..") || escape::has_escape(self.sym)
    }

    pub(crate) fn path(&self) -> Path<'a> {
        Path {
            sym: self.sym,
            has_hash: self.has_hash,
        }
    }

    /// The segments without the hash.
    fn items(&self) -> Segments<'a> {
        self.path().segments()
    }

    pub(crate) fn defining_crate(&self) -> DefiningCrate<'a> {
        let mut segments = self.items();
        let Some(first) = segments.next() else {
            return DefiningCrate::Unknown;
        };
        match first.kind() {
            SegmentKind::Name if first.is_word() && segments.next().is_some() => {
                DefiningCrate::Exact(named(first.raw()))
            }
            SegmentKind::Qualified { self_type, trait_ } => {
                Header { self_type, trait_ }.defining_crate()
            }
            _ => DefiningCrate::Unknown,
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        // One more than any path that is asked for has.
        let mut ancestors = [""; 5];
        let mut last = "";
        for (index, segment) in self.items().enumerate() {
            if index > 0
                && let Some(ancestor) = ancestors.get_mut(index - 1)
            {
                *ancestor = last;
            }
            last = segment.raw();
        }
        let segment = Segment::new(last);
        if let SegmentKind::Special(name) = segment.kind() {
            return of_special(name);
        }
        if let Some((_, mark)) = last
            .strip_suffix("$u7d$$u7d$")
            .and_then(|name| name.rsplit_once("$u7b$$u7b$"))
        {
            return of_special(mark);
        }
        let name = last.split_once("$LT$").map_or(last, |(name, _)| name);
        if shape::is_drop_glue(name) && ancestors == ["core", "ptr", "", "", ""] {
            return Shape::DropGlue;
        }
        if let Some(trait_) = shape::call_trait(name)
            && ancestors == ["core", "ops", "function", trait_, ""]
        {
            return Shape::FnOnceShim;
        }
        shape::of_value(name)
    }

    pub(crate) fn write_full<W: fmt::Write + ?Sized>(&self, out: &mut Sink<'_, W>) -> fmt::Result {
        write_joined(raw_segments(self.sym), out, Segment::write)
    }

    pub(crate) fn write_short<W: fmt::Write + ?Sized>(&self, out: &mut Sink<'_, W>) -> fmt::Result {
        let mut segments = raw_segments(self.sym).peekable();
        let shown = std::iter::from_fn(|| {
            let segment = segments.next()?;
            // The last segment is dropped for less than a whole hash, as in `rustc-demangle`.
            let is_hash = segments.peek().is_none()
                && segment.raw().strip_prefix('h').is_some_and(is_hexadecimal);
            (!is_hash).then_some(segment)
        });
        write_joined(shown, out, Segment::write)
    }

    pub(crate) fn write_family<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        write_joined(self.items(), out, Segment::write_without_arguments)
    }

    /// Drop glue is the one item whose generic argument a legacy name shows.
    fn drop_glue_argument(&self) -> Option<&'a str> {
        if self.shape() != Shape::DropGlue {
            return None;
        }
        let last = self.items().last()?.raw();
        let (_, argument) = last.split_once("$LT$")?;
        argument.strip_suffix("$GT$")
    }

    pub(crate) fn genericity(&self) -> Genericity {
        match self.drop_glue_argument() {
            Some(_) => Genericity::Generic,
            None => Genericity::Unwritten,
        }
    }

    pub(crate) fn write_arguments<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        let Some(argument) = self.drop_glue_argument() else {
            return Ok(());
        };
        out.put("<")?;
        Pieces::new(argument).try_for_each(|piece| piece.write(out))?;
        out.put(">")
    }

    pub(crate) fn write_implemented_trait<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        // A function in a block can have a block of its own; the innermost counts.
        let trait_ = self
            .items()
            .fold(None, |found, segment| match segment.kind() {
                SegmentKind::Qualified { trait_, .. } | SegmentKind::Block { trait_, .. } => trait_,
                _ => found,
            });
        match trait_ {
            Some(trait_) => trait_.write_without_arguments(out),
            None => Ok(()),
        }
    }

    /// Writes nothing where no module can be told.
    pub(crate) fn write_module<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        let mut segments = self.items().peekable();
        if let Some(SegmentKind::Qualified { self_type, trait_ }) =
            segments.peek().copied().map(Segment::kind)
        {
            return Header { self_type, trait_ }.write_module(out);
        }
        let mut is_first = true;
        while let Some(segment) = segments.next() {
            // Directly in front of a block stands its module; in front of a closure, the function around it; and the
            // last segment is the item itself.
            let is_item = match segments.peek().copied().map(Segment::kind) {
                None | Some(SegmentKind::Special(_)) => true,
                Some(_) => false,
            };
            if is_item || !segment.is_word() || (!is_first && is_no_module(segment.raw())) {
                break;
            }
            if !is_first {
                out.put("::")?;
            }
            segment.write(out)?;
            is_first = false;
        }
        Ok(())
    }
}

/// The path of a legacy name.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    sym: &'a str,
    has_hash: bool,
}

impl<'a> Path<'a> {
    /// The segments in order, without the hash.
    #[must_use]
    pub fn segments(self) -> Segments<'a> {
        let hash_len = self.hash().map_or(0, |hash| "17h".len() + hash.len());
        Segments {
            rest: &self.sym[..self.sym.len() - hash_len],
        }
    }

    /// The 16 hexadecimal digits at the end, without the `h`; only names that rustc did not write have none.
    #[must_use]
    pub fn hash(self) -> Option<&'a str> {
        if !self.has_hash {
            return None;
        }
        self.sym.get(self.sym.len().checked_sub(16)?..)
    }
}

/// The segments of a [`Path`].
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let (segment, after) = split_segment(self.rest)?;
        self.rest = after;
        Some(Segment::new(segment))
    }
}

/// All segments, the hash included.
fn raw_segments(sym: &str) -> Segments<'_> {
    Segments { rest: sym }
}

/// A decimal length and that many bytes.
fn split_segment(text: &str) -> Option<(&str, &str)> {
    let digits = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let len: usize = text[..digits].parse().ok()?;
    text[digits..].split_at_checked(len)
}

/// The digits of a hash as rustc writes it, from a segment with its length.
fn hash(encoded: &str) -> Option<&str> {
    encoded
        .strip_prefix("17h")
        .filter(|digits| digits.len() == 16 && is_hexadecimal(digits))
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What stands between double braces.
fn of_special(name: &str) -> Shape {
    match name {
        "closure" => Shape::Closure,
        "constructor" => Shape::Constructor,
        "vtable.shim" => Shape::VtableShim,
        "tls.shim" => Shape::ThreadLocalShim,
        _ if name.starts_with("reify.shim") => Shape::ReifyShim,
        _ if name.ends_with("shim") => Shape::OtherShim,
        _ => Shape::Other,
    }
}

fn write_joined<'a, W: fmt::Write + ?Sized>(
    segments: impl Iterator<Item = Segment<'a>>,
    out: &mut Sink<'_, W>,
    mut write: impl FnMut(Segment<'a>, &mut Sink<'_, W>) -> fmt::Result,
) -> fmt::Result {
    for (index, segment) in segments.enumerate() {
        if index > 0 {
            out.put("::")?;
        }
        write(segment, out)?;
    }
    Ok(())
}
