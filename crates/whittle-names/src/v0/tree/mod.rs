//! A v0 name as a tree of places in its encoding.

mod constant;
mod path;
mod ty;

use std::fmt;
use std::marker::PhantomData;

pub use constant::{Const, ConstKind, Field, Fields};
pub use path::{Argument, Lifetime, Namespace, Path, PathKind};
pub use ty::{
    AssociatedType, Bound, FunctionType, Mutability, Pattern, PatternKind, Type, TypeKind,
};

use super::parser::{Damage, Parser};
use super::print::{Position, Printer, Style};
use crate::text::{self, Sink};

/// Where a node starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) parser: Parser<'a>,
    /// Lifetimes bound by the `for<..>` around the node.
    pub(super) bound: u64,
}

impl<'a> Place<'a> {
    pub(super) fn root(parser: Parser<'a>) -> Self {
        Self { parser, bound: 0 }
    }

    /// The place that `parser` has come to, inside the same binders.
    fn moved(self, parser: Parser<'a>) -> Self {
        Self { parser, ..self }
    }

    /// Writes the node: `{}` in full, `{:#}` without crate disambiguators and types of constants.
    fn write(self, production: Production, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = if f.alternate() {
            Style::Short
        } else {
            Style::Full
        };
        let is_printable = text::is_printable_ascii(self.parser.sym);
        Sink::run(f, is_printable, |out| {
            let mut printer = Printer::new(self.parser, self.bound, style, out);
            match production {
                Production::Path(position) => printer.path(position),
                Production::Type => printer.ty(),
                Production::Const => printer.constant(Position::Value),
            }
        })
    }
}

/// What to read at a [`Place`].
#[derive(Clone, Copy)]
enum Production {
    Path(Position),
    Type,
    Const,
}

/// What can be an element of a [`List`].
pub(super) trait Element<'a>: Sized {
    /// The element at a place; it reports its own damage when it is read.
    fn at(place: Place<'a>) -> Self;

    /// Moves behind the element.
    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage>;

    /// Whether the list is over here; an end mark is consumed.
    fn is_end(parser: &mut Parser<'a>) -> bool {
        parser.eat(b'E')
    }
}

/// Nodes side by side. Ends early, after a damaged element, where the encoding is damaged.
#[derive(Clone, Copy, Debug)]
pub struct List<'a, T> {
    rest: Option<Place<'a>>,
    element: PhantomData<T>,
}

impl<'a, T> List<'a, T> {
    fn new(place: Place<'a>) -> Self {
        Self {
            rest: Some(place),
            element: PhantomData,
        }
    }
}

impl<'a, T: Element<'a>> Iterator for List<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let mut place = self.rest.take()?;
        if T::is_end(&mut place.parser) {
            return None;
        }
        let element = T::at(place);
        if T::skip(&mut place.parser).is_ok() {
            self.rest = Some(place);
        }
        Some(element)
    }
}
