//! Paths.

use std::fmt;

use super::{Const, Element, List, Place, Production, Type};
use crate::CrateRef;
use crate::v0::crates::{self, Fuel};
use crate::v0::ident::Ident;
use crate::v0::parser::{Damage, Parser};
use crate::v0::print::Position;

/// A path: what a symbol names, a named type, a trait.
///
/// `Display` writes it as in the text of a whole symbol: `{}` in full, `{:#}` without disambiguators.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    place: Place<'a>,
    position: Position,
}

/// What a [`Path`] is made of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum PathKind<'a> {
    /// The root of a crate.
    Crate(CrateRef<'a>),
    /// An item in another: `parent::name`.
    Nested {
        /// What the name is for.
        namespace: Namespace,
        /// The item around it.
        parent: Path<'a>,
        /// Tells items of the same name apart: 0, 1, …; the number of a closure.
        disambiguator: u64,
        /// Empty for unnamed items.
        name: Ident<'a>,
    },
    /// An inherent `impl` block: `<Type>`.
    InherentImpl {
        /// The item that contains the block, most often a module.
        parent: Path<'a>,
        /// Tells blocks in the same parent apart.
        disambiguator: u64,
        /// The type it is for, generic parameters substituted.
        self_type: Type<'a>,
    },
    /// An `impl` block of a trait: `<Type as Trait>`.
    TraitImpl {
        /// The item that contains the block, most often a module.
        parent: Path<'a>,
        /// Tells blocks in the same parent apart.
        disambiguator: u64,
        /// The type it is for, generic parameters substituted.
        self_type: Type<'a>,
        /// The trait, with its arguments.
        trait_: Path<'a>,
    },
    /// A trait's own definition, for a type that uses what it provides: `<Type as Trait>`.
    TraitDefinition {
        /// The type in the place of `Self`.
        self_type: Type<'a>,
        /// The trait, with its arguments.
        trait_: Path<'a>,
    },
    /// A path with generic arguments: `base::<arguments>`.
    Generic {
        /// The path in front of the arguments.
        base: Path<'a>,
        /// The arguments.
        arguments: List<'a, Argument<'a>>,
    },
    /// The encoding is damaged here.
    Damaged(Damage),
}

/// What a name in a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Namespace {
    /// `t`: modules, types, traits.
    Type,
    /// `v`: functions, statics, constants.
    Value,
    /// `C`: closures and bodies of `async` code.
    Closure,
    /// `S`: functions made by the compiler.
    Shim,
    /// Another letter. Upper-case ones are shown with their number like closures; lower-case ones are the compiler's
    /// own, such as `c` for constructors.
    Other(char),
}

/// One generic argument.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Argument<'a> {
    /// A lifetime.
    Lifetime(Lifetime),
    /// A type.
    Type(Type<'a>),
    /// The value of a constant parameter.
    Const(Const<'a>),
    /// The encoding is damaged here.
    Damaged(Damage),
}

/// A lifetime by its index: 0 is erased (`'_`), 1 is the one that the nearest `for<..>` bound last, counting outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lifetime(pub u64);

impl<'a> Path<'a> {
    pub(in crate::v0) fn new(place: Place<'a>, position: Position) -> Self {
        Self { place, position }
    }

    /// What the path is made of.
    #[must_use]
    pub fn kind(self) -> PathKind<'a> {
        self.read().unwrap_or_else(PathKind::Damaged)
    }

    /// The crate whose source defines the item. None if the path is damaged on the way there.
    #[must_use]
    pub fn defining_crate(self) -> Option<CrateRef<'a>> {
        let parser = self.place.parser;
        crates::of_path(parser, &mut Fuel::for_encoding(parser.sym))
    }

    fn read(self) -> Result<PathKind<'a>, Damage> {
        let here = |parser| Self::new(self.place.moved(parser), self.position);
        let mut at = self.place.parser;
        loop {
            at.enter()?;
            let tag = at.byte()?;
            return Ok(match tag {
                b'C' => {
                    let disambiguator = at.disambiguator()?;
                    PathKind::Crate(CrateRef {
                        name: at.ident()?.written(),
                        disambiguator: Some(disambiguator),
                    })
                }
                b'N' => {
                    let namespace = Namespace::new(at.namespace()?);
                    let parent = here(at);
                    at.skip_path()?;
                    PathKind::Nested {
                        namespace,
                        parent,
                        disambiguator: at.disambiguator()?,
                        name: at.ident()?,
                    }
                }
                b'M' | b'X' => {
                    let disambiguator = at.disambiguator()?;
                    let parent = here(at);
                    at.skip_path()?;
                    let self_type = Type::at(self.place.moved(at));
                    if tag == b'M' {
                        PathKind::InherentImpl {
                            parent,
                            disambiguator,
                            self_type,
                        }
                    } else {
                        at.skip_type()?;
                        PathKind::TraitImpl {
                            parent,
                            disambiguator,
                            self_type,
                            trait_: Self::new(self.place.moved(at), Position::Argument),
                        }
                    }
                }
                b'Y' => {
                    let self_type = Type::at(self.place.moved(at));
                    at.skip_type()?;
                    PathKind::TraitDefinition {
                        self_type,
                        trait_: Self::new(self.place.moved(at), Position::Argument),
                    }
                }
                b'I' => {
                    let base = here(at);
                    at.skip_path()?;
                    PathKind::Generic {
                        base,
                        arguments: List::new(self.place.moved(at)),
                    }
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

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.write(Production::Path(self.position), f)
    }
}

impl Namespace {
    fn new(letter: u8) -> Self {
        match letter {
            b't' => Self::Type,
            b'v' => Self::Value,
            b'C' => Self::Closure,
            b'S' => Self::Shim,
            other => Self::Other(char::from(other)),
        }
    }
}

impl<'a> Element<'a> for Argument<'a> {
    fn at(mut place: Place<'a>) -> Self {
        if place.parser.eat(b'L') {
            match place.parser.base_62() {
                Ok(index) => Self::Lifetime(Lifetime(index)),
                Err(damage) => Self::Damaged(damage),
            }
        } else if place.parser.eat(b'K') {
            Self::Const(Const::at(place))
        } else {
            Self::Type(Type::at(place))
        }
    }

    fn skip(parser: &mut Parser<'a>) -> Result<(), Damage> {
        parser.skip_argument()
    }
}
