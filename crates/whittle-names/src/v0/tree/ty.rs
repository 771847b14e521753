//! Types.

use std::fmt;

use super::{Const, Element, Lifetime, List, Path, Place, Production};
use crate::v0::ident::Ident;
use crate::v0::parser::{Damage, Parser, primitive};
use crate::v0::print::Position;

/// A type. `Display` writes it as in the text of a whole symbol: `{}` in full, `{:#}` without disambiguators.
#[derive(Clone, Copy, Debug)]
pub struct Type<'a> {
    place: Place<'a>,
}

/// What a [`Type`] is made of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TypeKind<'a> {
    /// A type of the language with a name of its own: `u8`, `str`, `()`, `!`; also the placeholder `_` and `...`.
    Primitive(&'static str),
    /// A struct, enum, union, closure or foreign type.
    Named(Path<'a>),
    /// `&T`, `&mut T`.
    Reference {
        /// Erased lifetimes have index 0.
        lifetime: Lifetime,
        /// Whether it is `&mut`.
        mutability: Mutability,
        /// The type behind it.
        target: Type<'a>,
    },
    /// `*const T`, `*mut T`.
    Pointer {
        /// Whether it is `*mut`.
        mutability: Mutability,
        /// The type behind it.
        target: Type<'a>,
    },
    /// `[T; N]`.
    Array {
        /// The type of the elements.
        element: Type<'a>,
        /// How many there are.
        length: Const<'a>,
    },
    /// `[T]`.
    Slice(Type<'a>),
    /// `(A, B)`; the empty tuple is a primitive.
    Tuple(List<'a, Type<'a>>),
    /// `fn(A) -> B`.
    Function(FunctionType<'a>),
    /// `dyn Trait + 'a`.
    Dyn {
        /// How many lifetimes `for<..>` binds.
        binder: u64,
        /// The traits.
        bounds: List<'a, Bound<'a>>,
        /// The bound on the lifetime; 0 if there is none to show.
        lifetime: Lifetime,
    },
    /// A type whose values a pattern restricts: `u32 is 1..=9`.
    Pattern {
        /// The type without the restriction.
        base: Type<'a>,
        /// The restriction.
        pattern: Pattern<'a>,
    },
    /// `#[splat] (A, B)`: a tuple whose elements are passed as separate arguments (unstable).
    Splat(Type<'a>),
    /// The encoding is damaged here.
    Damaged(Damage),
}

/// Whether what is pointed to can be changed through a reference or pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// `&`, `*const`, `&` constants.
    Shared,
    /// `&mut`, `*mut`.
    Mut,
}

/// A function pointer type.
#[derive(Clone, Copy, Debug)]
pub struct FunctionType<'a> {
    /// How many lifetimes `for<..>` binds.
    pub binder: u64,
    /// Whether it is `unsafe`.
    pub is_unsafe: bool,
    /// The calling convention as the symbol spells it, with `_` for `-`. None for Rust's own.
    pub abi: Option<&'a str>,
    /// The types of the parameters.
    pub parameters: List<'a, Type<'a>>,
    /// The type of the result.
    pub output: Type<'a>,
}

/// A trait in a `dyn` type.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    place: Place<'a>,
}

/// `Name = Type` or `NAME = constant` in a trait of a `dyn` type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AssociatedType<'a> {
    /// An associated type.
    Type(Ident<'a>, Type<'a>),
    /// An associated constant.
    Const(Ident<'a>, Const<'a>),
    /// The encoding is damaged here.
    Damaged(Damage),
}

/// The restriction of a pattern type.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    place: Place<'a>,
}

/// What a [`Pattern`] is made of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum PatternKind<'a> {
    /// `start..=end`.
    Range {
        /// The smallest value.
        start: Const<'a>,
        /// The largest value.
        end: Const<'a>,
    },
    /// `a | b`.
    Or(List<'a, Pattern<'a>>),
    /// `!null`.
    NotNull,
    /// The encoding is damaged here.
    Damaged(Damage),
}

impl<'a> Type<'a> {
    /// What the type is made of.
    #[must_use]
    pub fn kind(self) -> TypeKind<'a> {
        self.read().unwrap_or_else(TypeKind::Damaged)
    }

    fn read(self) -> Result<TypeKind<'a>, Damage> {
        let place = |parser| self.place.moved(parser);
        let mut at = self.place.parser;
        loop {
            let start = at;
            let tag = at.byte()?;
            if let Some(name) = primitive(tag) {
                return Ok(TypeKind::Primitive(name));
            }
            if tag == b'w' {
                return Ok(TypeKind::Splat(Self::at(place(at))));
            }
            at.enter()?;
            return Ok(match tag {
                b'R' | b'Q' => {
                    let lifetime = if at.eat(b'L') { at.base_62()? } else { 0 };
                    TypeKind::Reference {
                        lifetime: Lifetime(lifetime),
                        mutability: Mutability::new(tag == b'Q'),
                        target: Self::at(place(at)),
                    }
                }
                b'P' | b'O' => TypeKind::Pointer {
                    mutability: Mutability::new(tag == b'O'),
                    target: Self::at(place(at)),
                },
                b'A' => {
                    let element = Self::at(place(at));
                    at.skip_type()?;
                    TypeKind::Array {
                        element,
                        length: Const::at(place(at)),
                    }
                }
                b'S' => TypeKind::Slice(Self::at(place(at))),
                b'T' => TypeKind::Tuple(List::new(place(at))),
                b'F' => TypeKind::Function(self.function(at)?),
                b'D' => self.dyn_(at)?,
                b'W' => {
                    let base = Self::at(place(at));
                    at.skip_type()?;
                    TypeKind::Pattern {
                        base,
                        pattern: Pattern::at(place(at)),
                    }
                }
                b'B' => {
                    at = at.back_reference()?;
                    continue;
                }
                b'C' | b'I' | b'M' | b'N' | b'X' | b'Y' => {
                    let path = Parser {
                        depth: at.depth,
                        ..start
                    };
                    TypeKind::Named(Path::new(place(path), Position::Argument))
                }
                _ => return Err(Damage::Syntax),
            });
        }
    }

    /// The place behind a binder, and how many lifetimes it binds.
    fn bind(self, at: &mut Parser<'a>) -> Result<(u64, Place<'a>), Damage> {
        let lifetimes = at.tagged_62(b'G')?;
        let place = Place {
            parser: *at,
            bound: self.place.bound.saturating_add(lifetimes),
        };
        Ok((lifetimes, place))
    }

    fn function(self, mut at: Parser<'a>) -> Result<FunctionType<'a>, Damage> {
        let (binder, place) = self.bind(&mut at)?;
        let is_unsafe = at.eat(b'U');
        let abi = if at.eat(b'K') { Some(at.abi()?) } else { None };
        let parameters = List::new(place.moved(at));
        at.skip_list(Parser::skip_type)?;
        Ok(FunctionType {
            binder,
            is_unsafe,
            abi,
            parameters,
            output: Self::at(place.moved(at)),
        })
    }

    fn dyn_(self, mut at: Parser<'a>) -> Result<TypeKind<'a>, Damage> {
        let (binder, place) = self.bind(&mut at)?;
        at.skip_list(Parser::skip_bound)?;
        if !at.eat(b'L') {
            return Err(Damage::Syntax);
        }
        Ok(TypeKind::Dyn {
            binder,
            bounds: List::new(place),
            lifetime: Lifetime(at.base_62()?),
        })
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.write(Production::Type, f)
    }
}

impl<'a> Element<'a> for Type<'a> {
    fn at(place: Place<'a>) -> Self {
        Self { place }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.skip_type()
    }
}

impl Mutability {
    pub(super) fn new(is_mut: bool) -> Self {
        if is_mut { Self::Mut } else { Self::Shared }
    }
}

impl<'a> Bound<'a> {
    /// The trait, with its arguments.
    #[must_use]
    pub fn trait_(self) -> Path<'a> {
        Path::new(self.place, Position::Argument)
    }

    /// What is said about its associated types and constants.
    #[must_use]
    pub fn associated_types(self) -> List<'a, AssociatedType<'a>> {
        let mut place = self.place;
        if place.parser.skip_bound_path().is_err() {
            // Read by nobody: the trait itself reports the damage.
            place.parser.at = place.parser.sym.len();
        }
        List::new(place)
    }
}

impl<'a> Element<'a> for Bound<'a> {
    fn at(place: Place<'a>) -> Self {
        Self { place }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.skip_bound()
    }
}

impl<'a> Element<'a> for AssociatedType<'a> {
    fn at(mut place: Place<'a>) -> Self {
        let at = &mut place.parser;
        at.eat(b'p');
        match at.ident() {
            Ok(name) if at.eat(b'K') => Self::Const(name, Const::at(place)),
            Ok(name) => Self::Type(name, Type::at(place)),
            Err(damage) => Self::Damaged(damage),
        }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.eat(b'p');
        parser.skip_associated()
    }

    fn is_end(parser: &mut Parser<'a>) -> bool {
        parser.peek() != Some(b'p')
    }
}

impl<'a> Pattern<'a> {
    /// What the pattern is made of.
    #[must_use]
    pub fn kind(self) -> PatternKind<'a> {
        self.read().unwrap_or_else(PatternKind::Damaged)
    }

    fn read(self) -> Result<PatternKind<'a>, Damage> {
        let mut at = self.place.parser;
        Ok(match at.byte()? {
            b'R' => {
                let start = Const::at(self.place.moved(at));
                at.skip_const()?;
                PatternKind::Range {
                    start,
                    end: Const::at(self.place.moved(at)),
                }
            }
            b'O' => {
                at.enter()?;
                PatternKind::Or(List::new(self.place.moved(at)))
            }
            b'N' => PatternKind::NotNull,
            _ => return Err(Damage::Syntax),
        })
    }
}

impl<'a> Element<'a> for Pattern<'a> {
    fn at(place: Place<'a>) -> Self {
        Self { place }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.skip_pattern()
    }
}
