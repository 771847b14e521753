//! What kind of item a path ends in.

use super::crates::Fuel;
use super::ident::Ident;
use super::parser::{Damage, Parser};
use super::self_type;
use crate::{Genericity, Shape, shape};

/// Whether the path shows generic arguments.
///
/// `is_instance`: there is an instantiating crate. Without one, arguments of a self type are the source's own.
/// With one there need not be arguments: without optimization, `#[inline]` functions have one too.
pub(super) fn genericity(mut at: Parser<'_>, is_instance: bool, fuel: &mut Fuel) -> Genericity {
    loop {
        if fuel.burn(1).is_err() {
            return Genericity::Plain;
        }
        match at.byte() {
            Ok(b'N') if at.namespace().is_ok() => {}
            Ok(b'B') => match at.back_reference() {
                Ok(there) => at = there,
                Err(_) => return Genericity::Plain,
            },
            Ok(b'I' | b'Y') => return Genericity::Generic,
            Ok(tag @ (b'M' | b'X')) if is_instance => {
                return if has_generic_header(at, tag, fuel) {
                    Genericity::Generic
                } else {
                    Genericity::Plain
                };
            }
            _ => return Genericity::Plain,
        }
    }
}

/// Whether there are arguments between the angle brackets of `<Type as Trait>`.
fn has_generic_header(mut at: Parser<'_>, tag: u8, fuel: &mut Fuel) -> bool {
    let block = at;
    if at.skip_impl_path().is_err() {
        return false;
    }
    if !self_type::is_plain(at, fuel) || self_type::is_surely_parameter(block, at, fuel) {
        return true;
    }
    tag == b'X' && at.skip_type().is_ok() && at.peek() == Some(b'I')
}

pub(super) fn of_path(at: Parser<'_>, fuel: &mut Fuel) -> Shape {
    find(at, fuel).unwrap_or(Shape::Other)
}

fn find(at: Parser<'_>, fuel: &mut Fuel) -> Result<Shape, Damage> {
    let (namespace, parent, name) = last_segment(at, fuel)?;
    let Some(name) = name.as_plain() else {
        return Ok(match namespace {
            b'v' => Shape::Function,
            _ => Shape::Other,
        });
    };
    Ok(match namespace {
        b'C' => Shape::Closure,
        b'S' => match name {
            "vtable" => Shape::VtableShim,
            "reify" | "reify_fnptr" | "reify_vtable" => Shape::ReifyShim,
            "tls" => Shape::ThreadLocalShim,
            _ => Shape::OtherShim,
        },
        b'c' => Shape::Constructor,
        b'n' => Shape::Static,
        b'v' if shape::is_drop_glue(name) && is_core_item(parent, &["ptr"], fuel)? => {
            Shape::DropGlue
        }
        b'v' if shape::call_trait(name).is_some() => {
            let trait_ = shape::call_trait(name).unwrap_or_default();
            match provided_by(parent, fuel)? {
                Some(of) if is_core_item(of, &[trait_, "function", "ops"], fuel)? => {
                    Shape::FnOnceShim
                }
                _ => Shape::Function,
            }
        }
        b'v' => shape::of_value(name),
        _ => Shape::Other,
    })
}

/// The namespace, the parent and the name of the last segment; arguments behind it are passed over.
fn last_segment<'a>(
    mut at: Parser<'a>,
    fuel: &mut Fuel,
) -> Result<(u8, Parser<'a>, Ident<'a>), Damage> {
    loop {
        fuel.burn(1)?;
        match at.byte()? {
            b'I' => {}
            b'B' => at = at.back_reference()?,
            b'N' => {
                let namespace = at.namespace()?;
                let parent = at;
                at.skip_path()?;
                fuel.burn(at.at.saturating_sub(parent.at))?;
                at.disambiguator()?;
                return Ok((namespace, parent, at.ident()?));
            }
            _ => return Err(Damage::Syntax),
        }
    }
}

/// The trait of `<Type as Trait>`, if that is what the path is and the method is the trait's own.
fn provided_by<'a>(mut at: Parser<'a>, fuel: &mut Fuel) -> Result<Option<Parser<'a>>, Damage> {
    loop {
        let start = at.at;
        match at.byte()? {
            b'B' => at = at.back_reference()?,
            b'Y' => {
                at.skip_type()?;
                fuel.burn(at.at.saturating_sub(start))?;
                return Ok(Some(at));
            }
            _ => return Ok(None),
        }
    }
}

/// Whether the path consists of the crate `core` and these segments, the last one first.
fn is_core_item(mut at: Parser<'_>, segments: &[&str], fuel: &mut Fuel) -> Result<bool, Damage> {
    for segment in segments {
        let Ok((b't', parent, name)) = last_segment(at, fuel) else {
            return Ok(false);
        };
        if name.as_plain() != Some(*segment) {
            return Ok(false);
        }
        at = parent;
    }
    loop {
        match at.byte()? {
            b'B' => at = at.back_reference()?,
            b'C' => {
                at.disambiguator()?;
                return Ok(at.ident()?.as_plain() == Some("core"));
            }
            _ => return Ok(false),
        }
    }
}
