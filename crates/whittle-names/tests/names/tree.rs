//! The tree says what the text says: writing it out by hand gives the short text.

use proptest::prelude::*;
use whittle_names::v0::{
    Argument, AssociatedType, Bound, Const, ConstKind, Field, Fields, FunctionType, Lifetime,
    Mutability, Namespace, Path, PathKind, Pattern, PatternKind, Type, TypeKind,
};
use whittle_names::{CrateRef, Name, Tree, legacy};

use super::attribution::legacy as legacy_symbol;
use super::grammar::{self, Encoder};

/// Writes a tree the way `{:#}` writes the name. None once it meets damage, or a lifetime that nothing binds.
#[derive(Default)]
struct Renderer {
    bound: u64,
}

impl Renderer {
    fn path(&mut self, path: Path<'_>, is_value: bool) -> Option<String> {
        Some(match path.kind() {
            PathKind::Crate(CrateRef { .. }) => {
                // The name as written; Punycode is decoded by the text only.
                format!("{path:#}")
            }
            PathKind::Nested {
                namespace,
                parent,
                disambiguator,
                name,
            } => {
                let parent = self.path(parent, is_value)?;
                let kind = match namespace {
                    Namespace::Closure => "closure".to_owned(),
                    Namespace::Shim => "shim".to_owned(),
                    Namespace::Other(letter) if letter.is_uppercase() => letter.to_string(),
                    _ if name.is_empty() => return Some(parent),
                    _ => return Some(format!("{parent}::{name}")),
                };
                let colon = if name.is_empty() { "" } else { ":" };
                format!("{parent}::{{{kind}{colon}{name}#{disambiguator}}}")
            }
            PathKind::InherentImpl { self_type, .. } => format!("<{}>", self.ty(self_type)?),
            PathKind::TraitImpl {
                self_type, trait_, ..
            }
            | PathKind::TraitDefinition { self_type, trait_ } => {
                let self_type = self.ty(self_type)?;
                format!("<{self_type} as {}>", self.path(trait_, false)?)
            }
            PathKind::Generic { base, arguments } => {
                let base = self.path(base, is_value)?;
                let colons = if is_value { "::" } else { "" };
                let arguments: Option<Vec<_>> = arguments.map(|one| self.argument(one)).collect();
                format!("{base}{colons}<{}>", arguments?.join(", "))
            }
            _ => return None,
        })
    }

    fn argument(&mut self, argument: Argument<'_>) -> Option<String> {
        match argument {
            Argument::Lifetime(lifetime) => self.lifetime(lifetime),
            Argument::Type(ty) => self.ty(ty),
            Argument::Const(value) => self.constant(value, false),
            _ => None,
        }
    }

    fn lifetime(&self, Lifetime(index): Lifetime) -> Option<String> {
        if index == 0 {
            return Some("'_".to_owned());
        }
        let depth = self.bound.checked_sub(index)?;
        Some(match u8::try_from(depth) {
            Ok(letter @ 0..26) => format!("'{}", char::from(b'a' + letter)),
            _ => format!("'_{depth}"),
        })
    }

    fn binder(&mut self, lifetimes: u64) -> Option<String> {
        if lifetimes == 0 {
            return Some(String::new());
        }
        let names: Option<Vec<_>> = (0..lifetimes)
            .map(|_| {
                self.bound += 1;
                self.lifetime(Lifetime(1))
            })
            .collect();
        Some(format!("for<{}> ", names?.join(", ")))
    }

    fn ty(&mut self, ty: Type<'_>) -> Option<String> {
        Some(match ty.kind() {
            TypeKind::Primitive(name) => name.to_owned(),
            TypeKind::Named(path) => self.path(path, false)?,
            TypeKind::Reference {
                lifetime,
                mutability,
                target,
            } => {
                let lifetime = match lifetime {
                    Lifetime(0) => String::new(),
                    other => self.lifetime(other)? + " ",
                };
                let mutability = match mutability {
                    Mutability::Shared => "",
                    Mutability::Mut => "mut ",
                };
                format!("&{lifetime}{mutability}{}", self.ty(target)?)
            }
            TypeKind::Pointer { mutability, target } => {
                let mutability = match mutability {
                    Mutability::Shared => "const",
                    Mutability::Mut => "mut",
                };
                format!("*{mutability} {}", self.ty(target)?)
            }
            TypeKind::Array { element, length } => {
                let element = self.ty(element)?;
                format!("[{element}; {}]", self.constant(length, true)?)
            }
            TypeKind::Slice(element) => format!("[{}]", self.ty(element)?),
            TypeKind::Tuple(elements) => {
                let elements: Option<Vec<_>> = elements.map(|one| self.ty(one)).collect();
                tuple(&elements?)
            }
            TypeKind::Function(function) => {
                let outside = self.bound;
                let text = self.function(function)?;
                self.bound = outside;
                text
            }
            TypeKind::Dyn {
                binder,
                bounds,
                lifetime,
            } => {
                let outside = self.bound;
                let binder = self.binder(binder)?;
                let bounds: Option<Vec<_>> = bounds.map(|one| self.bound(one)).collect();
                self.bound = outside;
                let lifetime = match lifetime {
                    Lifetime(0) => String::new(),
                    other => format!(" + {}", self.lifetime(other)?),
                };
                format!("dyn {binder}{}{lifetime}", bounds?.join(" + "))
            }
            TypeKind::Pattern { base, pattern } => {
                let base = self.ty(base)?;
                format!("{base} is {}", self.pattern(pattern)?)
            }
            TypeKind::Splat(target) => format!("#[splat] {}", self.ty(target)?),
            _ => return None,
        })
    }

    fn function(&mut self, function: FunctionType<'_>) -> Option<String> {
        let mut text = self.binder(function.binder)?;
        if function.is_unsafe {
            text.push_str("unsafe ");
        }
        if let Some(abi) = function.abi {
            text.push_str(&format!("extern \"{}\" ", abi.replace('_', "-")));
        }
        let parameters: Option<Vec<_>> = function.parameters.map(|one| self.ty(one)).collect();
        text.push_str(&format!("fn({})", parameters?.join(", ")));
        let output = self.ty(function.output)?;
        // The text leaves out a result that is written as `()`; one that is reached by reference it shows.
        if output != "()" {
            text.push_str(&format!(" -> {output}"));
        }
        Some(text)
    }

    fn bound(&mut self, bound: Bound<'_>) -> Option<String> {
        let trait_ = self.path(bound.trait_(), false)?;
        let associated: Option<Vec<_>> = bound
            .associated_types()
            .map(|one| match one {
                AssociatedType::Type(name, ty) => Some(format!("{name} = {}", self.ty(ty)?)),
                AssociatedType::Const(name, value) => {
                    Some(format!("{name} = {}", self.constant(value, false)?))
                }
                _ => None,
            })
            .collect();
        let associated = associated?.join(", ");
        Some(if associated.is_empty() {
            trait_
        } else if matches!(bound.trait_().kind(), PathKind::Generic { .. }) {
            let open = trait_
                .strip_suffix('>')
                .expect("generic arguments are closed");
            format!("{open}, {associated}>")
        } else {
            format!("{trait_}<{associated}>")
        })
    }

    fn pattern(&mut self, pattern: Pattern<'_>) -> Option<String> {
        Some(match pattern.kind() {
            PatternKind::Range { start, end } => {
                let start = self.constant(start, false)?;
                format!("{start}..={}", self.constant(end, false)?)
            }
            PatternKind::Or(alternatives) => {
                let all: Option<Vec<_>> = alternatives.map(|one| self.pattern(one)).collect();
                all?.join(" | ")
            }
            PatternKind::NotNull => "!null".to_owned(),
            _ => return None,
        })
    }

    fn constant(&mut self, value: Const<'_>, is_nested: bool) -> Option<String> {
        let text = match value.kind() {
            ConstKind::Placeholder => return Some("_".to_owned()),
            ConstKind::Integer {
                is_negative, value, ..
            } => {
                let sign = if is_negative { "-" } else { "" };
                return Some(match value.to_u64() {
                    Some(value) => format!("{sign}{value}"),
                    None => format!("{sign}0x{}", value.digits()),
                });
            }
            ConstKind::Bool(value) => return Some(value.to_string()),
            ConstKind::Char('"') => return Some("'\"'".to_owned()),
            ConstKind::Char(value) => return Some(format!("'{}'", value.escape_debug())),
            ConstKind::Str(value) => format!("*{}", quote(value.digits())),
            ConstKind::Reference { mutability, target } => match target.kind() {
                // A literal; only where it is written in place, which a reference behind it would hide.
                ConstKind::Str(value) if mutability == Mutability::Shared => {
                    return Some(quote(value.digits()));
                }
                _ => {
                    let mutability = match mutability {
                        Mutability::Shared => "&",
                        Mutability::Mut => "&mut ",
                    };
                    format!("{mutability}{}", self.constant(target, true)?)
                }
            },
            ConstKind::Array(values) => {
                let values: Option<Vec<_>> = values.map(|one| self.constant(one, true)).collect();
                format!("[{}]", values?.join(", "))
            }
            ConstKind::Tuple(values) => {
                let values: Option<Vec<_>> = values.map(|one| self.constant(one, true)).collect();
                tuple(&values?)
            }
            ConstKind::Named { path, fields } => {
                let path = self.path(path, true)?;
                match fields {
                    Fields::Unit => path,
                    Fields::Tuple(values) => {
                        let values: Option<Vec<_>> =
                            values.map(|one| self.constant(one, true)).collect();
                        format!("{path}({})", values?.join(", "))
                    }
                    Fields::Struct(fields) => {
                        let fields: Option<Vec<_>> = fields
                            .map(|field| match field {
                                Field::Value(name, value) => {
                                    Some(format!("{name}: {}", self.constant(value, true)?))
                                }
                                _ => None,
                            })
                            .collect();
                        format!("{path} {{ {} }}", fields?.join(", "))
                    }
                }
            }
            _ => return None,
        };
        Some(if is_nested {
            text
        } else {
            format!("{{{text}}}")
        })
    }
}

fn tuple(elements: &[String]) -> String {
    match elements {
        [one] => format!("({one},)"),
        more => format!("({})", more.join(", ")),
    }
}

fn quote(digits: &str) -> String {
    let bytes: Vec<u8> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect();
    let text = String::from_utf8(bytes).expect("checked by the parser");
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '\'' => "'".to_owned(),
            other => other.escape_debug().to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn root(symbol: &str) -> Path<'_> {
    let Some(Tree::V0(path)) = Name::parse(symbol).map(|name| name.tree()) else {
        panic!("{symbol} is a v0 name");
    };
    path
}

/// Whether the tree of a name can be compared: the text marks damage, and shows where a reference hides `()` or a
/// literal.
fn is_comparable(text: &str) -> bool {
    !text.contains("{invalid syntax}") && !text.contains(" -> ()") && !text.contains("&*\"")
}

#[test]
fn rendering_the_trees_of_known_names_gives_their_short_texts() {
    let mut count = 0;
    for symbol in include_str!("known.txt").lines() {
        let Some(name) = Name::parse(symbol) else {
            continue;
        };
        let Tree::V0(path) = name.tree() else {
            continue;
        };
        let text = format!("{name:#}");
        let text = text.strip_suffix(name.suffix()).unwrap_or(&text);
        if is_comparable(text) && !text.contains("{recursion limit") {
            let rendered = Renderer::default().path(path, true);
            assert_eq!(rendered.as_deref(), Some(text), "{symbol}");
            count += 1;
        }
    }
    assert!(count > 100, "only {count} comparable names");
}

proptest! {
    #[test]
    fn rendering_the_tree_gives_the_short_text(path in grammar::path()) {
        let mut encoder = Encoder::default();
        encoder.path(&path);
        let symbol = format!("_R{}", encoder.text);
        let name = Name::parse(&symbol).expect("it follows the grammar");
        let text = format!("{name:#}");
        if is_comparable(&text) {
            let rendered = Renderer::default().path(root(&symbol), true);
            prop_assert_eq!(rendered.as_deref(), Some(&*text), "{}", symbol);
        }
        prop_assert_eq!(root(&symbol).to_string(), name.to_string());
        prop_assert_eq!(root(&symbol).defining_crate(), name.defining_crate().exact());
    }
}

#[test]
fn parts_print_as_in_the_whole() {
    let symbol =
        "_RINvNtCs1_4demo4work3runDG_INtNtNtCs2_4core3ops8function2FnTRL0_hEEp6OutputuEL_Kj2a_E";
    let name = Name::parse(symbol).expect("v0");
    assert_eq!(
        format!("{name:#}"),
        "demo::work::run::<dyn for<'a> core::ops::function::Fn<(&'a u8,), Output = ()>, 42>"
    );
    let PathKind::Generic { base, arguments } = root(symbol).kind() else {
        panic!("generic");
    };
    assert_eq!(format!("{base:#}"), "demo::work::run");
    assert_eq!(base.to_string(), "demo[3]::work::run");
    let arguments: Vec<_> = arguments.collect();
    let [Argument::Type(dyn_), Argument::Const(value)] = arguments[..] else {
        panic!("{arguments:?}");
    };
    assert_eq!(value.to_string(), "42usize");
    assert_eq!(format!("{value:#}"), "42");
    let TypeKind::Dyn {
        mut bounds, binder, ..
    } = dyn_.kind()
    else {
        panic!("{dyn_}");
    };
    assert_eq!(binder, 1);
    let bound = bounds.next().expect("one trait");
    assert!(bounds.next().is_none());
    // The lifetime is bound outside of the part that is printed.
    assert_eq!(
        format!("{:#}", bound.trait_()),
        "core::ops::function::Fn<(&'a u8,)>"
    );
    let associated: Vec<_> = bound.associated_types().collect();
    let [AssociatedType::Type(name, ty)] = associated[..] else {
        panic!("{associated:?}");
    };
    assert_eq!(
        (name.to_string(), ty.to_string()),
        ("Output".to_owned(), "()".to_owned())
    );
}

#[test]
fn damage_behind_a_reference_is_a_node() {
    // The crate's name hides a letter that starts no type.
    let symbol = "_RIC2GZB2_E";
    let name = Name::parse(symbol).expect("the reference itself is well formed");
    assert_eq!(name.to_string(), "GZ::<{invalid syntax}>");
    let PathKind::Generic { mut arguments, .. } = root(symbol).kind() else {
        panic!("generic");
    };
    let Some(Argument::Type(ty)) = arguments.next() else {
        panic!("one type");
    };
    assert!(matches!(
        ty.kind(),
        TypeKind::Damaged(whittle_names::v0::Damage::Syntax)
    ));
    assert!(arguments.next().is_none());
}

#[test]
fn legacy_segments_are_told_apart() {
    let symbol = legacy_symbol(&["demo", "<impl core::Any for demo::A>", "foo", "{{closure}}"]);
    let Some(Tree::Legacy(path)) = Name::parse(&symbol).map(|name| name.tree()) else {
        panic!("legacy");
    };
    assert_eq!(path.hash(), Some("0123456789abcdef"));
    let segments: Vec<_> = path.segments().collect();
    let texts: Vec<_> = segments.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["demo", "<impl core::Any for demo::A>", "foo", "{{closure}}"]
    );
    let kinds: Vec<_> = segments.iter().map(|segment| segment.kind()).collect();
    let [
        legacy::SegmentKind::Name,
        legacy::SegmentKind::Block {
            self_type,
            trait_: Some(trait_),
        },
        legacy::SegmentKind::Name,
        legacy::SegmentKind::Special("closure"),
    ] = kinds[..]
    else {
        panic!("{kinds:?}");
    };
    assert_eq!(
        (self_type.to_string(), trait_.to_string()),
        ("demo::A".to_owned(), "core::Any".to_owned())
    );
}
