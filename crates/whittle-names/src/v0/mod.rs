//! Names of the v0 scheme (RFC 2603), the default since Rust 1.97, as trees.
//!
//! Parsing checks an encoding once, without memory of its own; every question is answered by reading the encoding
//! again, from the start or along one branch. A node of the tree is a place in the encoding: its kind is read when
//! asked for, back-references followed. One step down costs at most one pass over the node's own encoding.
//!
//! Back-references are checked only when they are followed, so a name that parsed can still be damaged behind one; and
//! they let a short name stand for a huge tree, even for one without end: what lies deeper than 500 levels is
//! [`Damage::Depth`]. Whoever walks a whole tree of unknown origin should count the nodes. The texts of this crate have
//! their own limits.

mod crates;
mod hex;
mod ident;
mod parser;
mod print;
mod self_type;
mod shape;
mod tree;

use std::fmt;

pub use hex::Hex;
pub use ident::Ident;
pub use parser::Damage;
pub use tree::{
    Argument, AssociatedType, Bound, Const, ConstKind, Field, Fields, FunctionType, Lifetime, List,
    Mutability, Namespace, Path, PathKind, Pattern, PatternKind, Type, TypeKind,
};

use crate::text::Sink;
use crate::{CrateRef, Genericity, Shape};
use crates::Fuel;
use parser::Parser;
use print::{Last, Position, Printer, Style};
use tree::Place;

/// A checked encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding<'a> {
    /// From behind `_R` to the end of the symbol; back-references count from its start.
    sym: &'a str,
    /// Where the path of the instantiating crate starts, or where it would.
    path_end: usize,
    has_instantiating_crate: bool,
}

impl<'a> Encoding<'a> {
    /// Reads the encoding at the start of `sym`; returns it and what follows it.
    pub(crate) fn parse(sym: &'a str) -> Option<(Self, &'a str)> {
        if !matches!(sym.as_bytes().first(), Some(b'A'..=b'Z')) || !sym.is_ascii() {
            return None;
        }
        let mut parser = Parser::new(sym);
        parser.skip_path().ok()?;
        let path_end = parser.at;
        let has_instantiating_crate = matches!(parser.peek(), Some(b'A'..=b'Z'));
        if has_instantiating_crate {
            parser.skip_path().ok()?;
        }
        let encoding = Self {
            sym,
            path_end,
            has_instantiating_crate,
        };
        Some((encoding, &sym[parser.at..]))
    }

    fn start(&self) -> Parser<'a> {
        Parser::new(self.sym)
    }

    pub(crate) fn path(&self) -> Path<'a> {
        Path::new(Place::root(self.start()), Position::Value)
    }

    pub(crate) fn defining_crate(&self) -> Option<CrateRef<'a>> {
        crates::of_path(self.start(), &mut Fuel::for_encoding(self.sym))
    }

    pub(crate) fn instantiating_crate(&self) -> Option<CrateRef<'a>> {
        if !self.has_instantiating_crate {
            return None;
        }
        let mut at = self.start();
        at.at = self.path_end;
        crates::of_path(at, &mut Fuel::for_encoding(self.sym))
    }

    /// The path, without the instantiating crate.
    pub(crate) fn instance(&self) -> &'a str {
        self.sym.get(..self.path_end).unwrap_or(self.sym)
    }

    pub(crate) fn genericity(&self) -> Genericity {
        shape::genericity(
            self.start(),
            self.has_instantiating_crate,
            &mut Fuel::for_encoding(self.sym),
        )
    }

    pub(crate) fn shape(&self) -> Shape {
        shape::of_path(self.start(), &mut Fuel::for_encoding(self.sym))
    }

    fn printer<'s, 'w, W: fmt::Write + ?Sized>(
        &self,
        style: Style,
        out: &'s mut Sink<'w, W>,
    ) -> Printer<'a, 's, 'w, W> {
        Printer::new(self.start(), 0, style, out)
    }

    pub(crate) fn write_full<W: fmt::Write + ?Sized>(&self, out: &mut Sink<'_, W>) -> fmt::Result {
        self.printer(Style::Full, out).path(Position::Value)
    }

    pub(crate) fn write_short<W: fmt::Write + ?Sized>(&self, out: &mut Sink<'_, W>) -> fmt::Result {
        self.printer(Style::Short, out).path(Position::Value)
    }

    pub(crate) fn write_family<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        self.printer(Style::Family, out).path(Position::Value)
    }

    pub(crate) fn write_definition<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        self.printer(Style::Full, out).definition()
    }

    pub(crate) fn write_module<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        self.printer(Style::Short, out).module(Last::Item).map(drop)
    }

    pub(crate) fn write_implemented_trait<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        self.printer(Style::Family, out).implemented_trait()
    }

    pub(crate) fn write_arguments<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        self.printer(Style::Short, out).argument_lists()
    }
}
