//! Values of constant generic parameters.

use std::fmt;

use super::{Element, List, Mutability, Path, Place, Production};
use crate::v0::hex::Hex;
use crate::v0::ident::Ident;
use crate::v0::parser::{Damage, Parser, primitive};
use crate::v0::print::Position;

/// The value of a constant. `Display` writes it as in the text of a whole symbol: `{}` with the types of integers,
/// `{:#}` without.
#[derive(Clone, Copy, Debug)]
pub struct Const<'a> {
    place: Place<'a>,
}

/// What a [`Const`] is made of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ConstKind<'a> {
    /// `_`: a value that the symbol leaves out.
    Placeholder,
    /// An integer.
    Integer {
        /// Whether a minus sign stands in front.
        is_negative: bool,
        /// The magnitude.
        value: Hex<'a>,
        /// `u8`, `isize`, …
        type_: &'static str,
    },
    /// `true` or `false`.
    Bool(bool),
    /// A character.
    Char(char),
    /// The `str` that a string literal refers to; its bytes in UTF-8.
    Str(Hex<'a>),
    /// `&value`, `&mut value`. A string literal is a reference to a [`Self::Str`].
    Reference {
        /// Whether it is `&mut`.
        mutability: Mutability,
        /// The value behind it.
        target: Const<'a>,
    },
    /// `[a, b]`.
    Array(List<'a, Const<'a>>),
    /// `(a, b)`.
    Tuple(List<'a, Const<'a>>),
    /// A value of a struct or enum.
    Named {
        /// The struct or variant.
        path: Path<'a>,
        /// Its fields.
        fields: Fields<'a>,
    },
    /// The encoding is damaged here.
    Damaged(Damage),
}

/// The fields of a [`ConstKind::Named`].
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// None: `Unit`.
    Unit,
    /// By position: `Tuple(a, b)`.
    Tuple(List<'a, Const<'a>>),
    /// By name: `Struct { a: 1 }`.
    Struct(List<'a, Field<'a>>),
}

/// A named field of a constant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Field<'a> {
    /// Its name and value.
    Value(Ident<'a>, Const<'a>),
    /// The encoding is damaged here.
    Damaged(Damage),
}

impl<'a> Const<'a> {
    /// What the constant is made of.
    #[must_use]
    pub fn kind(self) -> ConstKind<'a> {
        self.read().unwrap_or_else(ConstKind::Damaged)
    }

    fn read(self) -> Result<ConstKind<'a>, Damage> {
        let place = |parser| self.place.moved(parser);
        let mut at = self.place.parser;
        loop {
            let tag = at.byte()?;
            at.enter()?;
            return Ok(match tag {
                b'p' => ConstKind::Placeholder,
                b'h' | b't' | b'm' | b'y' | b'o' | b'j' | b'a' | b's' | b'l' | b'x' | b'n'
                | b'i' => {
                    let is_signed = matches!(tag, b'a' | b's' | b'l' | b'x' | b'n' | b'i');
                    ConstKind::Integer {
                        is_negative: is_signed && at.eat(b'n'),
                        value: at.hex()?,
                        type_: primitive(tag).ok_or(Damage::Syntax)?,
                    }
                }
                b'b' => ConstKind::Bool(at.hex()?.to_bool().ok_or(Damage::Syntax)?),
                b'c' => ConstKind::Char(at.hex()?.to_char().ok_or(Damage::Syntax)?),
                b'e' => {
                    let value = at.hex()?;
                    if !value.is_utf8() {
                        return Err(Damage::Syntax);
                    }
                    ConstKind::Str(value)
                }
                b'R' | b'Q' => ConstKind::Reference {
                    mutability: Mutability::new(tag == b'Q'),
                    target: Self::at(place(at)),
                },
                b'A' => ConstKind::Array(List::new(place(at))),
                b'T' => ConstKind::Tuple(List::new(place(at))),
                b'V' => {
                    let path = Path::new(place(at), Position::Value);
                    at.skip_path()?;
                    let fields = match at.byte()? {
                        b'U' => Fields::Unit,
                        b'T' => Fields::Tuple(List::new(place(at))),
                        b'S' => Fields::Struct(List::new(place(at))),
                        _ => return Err(Damage::Syntax),
                    };
                    ConstKind::Named { path, fields }
                }
                b'B' => {
                    at = at.back_reference()?;
                    continue;
                }
                _ => return Err(Damage::Syntax),
            });
        }
    }
}

impl fmt::Display for Const<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.write(Production::Const, f)
    }
}

impl<'a> Element<'a> for Const<'a> {
    fn at(place: Place<'a>) -> Self {
        Self { place }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.skip_const()
    }
}

impl<'a> Element<'a> for Field<'a> {
    fn at(mut place: Place<'a>) -> Self {
        let at = &mut place.parser;
        match at.disambiguator().and_then(|_| at.ident()) {
            Ok(name) => Self::Value(name, Const::at(place)),
            Err(damage) => Self::Damaged(damage),
        }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.skip_field()
    }
}
