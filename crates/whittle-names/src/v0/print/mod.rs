//! Text of a v0 name in one pass over its encoding.
//!
//! [`Style::Full`] and [`Style::Short`] give byte for byte what `rustc-demangle` 0.1.28 gives, including its markers
//! for damaged parts; where that crate would print forever-growing text, see [`crate::MAX_TEXT`].

mod arguments;
mod constant;
mod definition;
mod family;
mod implemented;
mod module;
mod path;
mod ty;

use std::fmt;

pub(in crate::v0) use module::Last;

use super::crates::Fuel;
use super::ident::Ident;
use super::parser::{Damage, Parser};
use crate::text::Sink;

/// What is written and what is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// With crate disambiguators and the types of integer constants.
    Full,
    /// Without both.
    Short,
    /// As short, and without what differs between the monomorphizations of one source item.
    Family,
}

pub(super) struct Printer<'a, 's, 'w, W: ?Sized> {
    /// The reading head, or what stopped it: after damage nothing more can be read, but the brackets that are open are
    /// still closed around `?`.
    pub(super) parser: Result<Parser<'a>, Damage>,
    pub(super) out: &'s mut Sink<'w, W>,
    style: Style,
    /// Lifetimes bound by the `for<..>` around this place.
    bound: u64,
    /// For the look-ups of crates on the way.
    pub(super) fuel: Fuel,
}

/// Whether a constant stands where only a literal needs no braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// A generic argument.
    Argument,
    /// A part of another constant.
    Value,
}

impl<'a, 's, 'w, W: fmt::Write + ?Sized> Printer<'a, 's, 'w, W> {
    pub(super) fn new(
        parser: Parser<'a>,
        bound: u64,
        style: Style,
        out: &'s mut Sink<'w, W>,
    ) -> Self {
        Self {
            parser: Ok(parser),
            out,
            style,
            bound,
            fuel: Fuel::for_encoding(parser.sym),
        }
    }

    /// Reads a token. `None` if that is impossible, with the reason written.
    #[inline]
    pub(super) fn read<T>(
        &mut self,
        token: impl FnOnce(&mut Parser<'a>) -> Result<T, Damage>,
    ) -> Result<Option<T>, fmt::Error> {
        let Ok(parser) = &mut self.parser else {
            self.out.put("?")?;
            return Ok(None);
        };
        let start = parser.at;
        let result = token(parser);
        // One more, so that a chain of tokens that consume nothing is bounded too.
        self.out.spend(parser.at.saturating_sub(start) + 1)?;
        match result {
            Ok(token) => Ok(Some(token)),
            Err(damage) => {
                self.spoil(damage)?;
                Ok(None)
            }
        }
    }

    pub(super) fn spoil(&mut self, damage: Damage) -> fmt::Result {
        self.parser = Err(damage);
        self.out.put(damage.marker())
    }

    /// Reads without writing; damage shows in what is read next.
    pub(super) fn skip(
        &mut self,
        production: impl FnOnce(&mut Parser<'a>) -> Result<(), Damage>,
    ) -> fmt::Result {
        let Ok(parser) = &mut self.parser else {
            return Ok(());
        };
        let start = parser.at;
        let result = production(parser);
        let read = parser.at.saturating_sub(start);
        if let Err(damage) = result {
            self.parser = Err(damage);
        }
        self.out.spend(read + 1)
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        self.parser.as_mut().is_ok_and(|parser| parser.eat(byte))
    }

    pub(super) fn leave(&mut self) {
        if let Ok(parser) = &mut self.parser {
            parser.leave();
        }
    }

    /// Writes what a back-reference stands for, after its tag.
    pub(super) fn back_reference<T: Default>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, fmt::Error>,
    ) -> Result<T, fmt::Error> {
        let Some(there) = self.read(Parser::back_reference)? else {
            return Ok(T::default());
        };
        let here = std::mem::replace(&mut self.parser, Ok(there));
        let result = write(self);
        self.parser = here;
        result
    }

    /// Items up to `E`; returns how many there were.
    pub(super) fn list(
        &mut self,
        separator: &str,
        mut write_one: impl FnMut(&mut Self) -> fmt::Result,
    ) -> Result<usize, fmt::Error> {
        let mut count = 0;
        while self.parser.is_ok() && !self.eat(b'E') {
            if count > 0 {
                self.out.put(separator)?;
            }
            write_one(self)?;
            count += 1;
        }
        Ok(count)
    }

    pub(super) fn ident(&mut self, ident: Ident<'a>) -> fmt::Result {
        if let Some(plain) = ident.as_plain() {
            return self.out.name(plain);
        }
        if let Some(decoded) = ident.decode() {
            return self.out.chars(decoded.as_slice().iter().copied());
        }
        self.out.put("punycode{")?;
        if !ident.ascii().is_empty() {
            self.out.name(ident.ascii())?;
            self.out.put("-")?;
        }
        self.out.name(ident.encoded())?;
        self.out.put("}")
    }

    fn lifetime(&mut self, index: u64) -> fmt::Result {
        self.out.put("'")?;
        if index == 0 {
            return self.out.put("_");
        }
        let Some(depth) = self.bound.checked_sub(index) else {
            return self.spoil(Damage::Syntax);
        };
        if let Ok(letter @ 0..26) = u8::try_from(depth) {
            return self.out.put_char(char::from(b'a' + letter));
        }
        self.out.put("_")?;
        self.out.decimal(depth)
    }

    /// Reads an optional binder and makes its lifetimes visible to `write`.
    fn in_binder(&mut self, write: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        let Some(lifetimes) = self.read(|parser| parser.tagged_62(b'G'))? else {
            return Ok(());
        };
        let outside = self.bound;
        if lifetimes > 0 {
            self.out.put("for<")?;
            for index in 0..lifetimes {
                if index > 0 {
                    self.out.put(", ")?;
                }
                self.bound = self.bound.saturating_add(1);
                self.lifetime(1)?;
            }
            self.out.put("> ")?;
        }
        write(self)?;
        self.bound = outside;
        Ok(())
    }
}
