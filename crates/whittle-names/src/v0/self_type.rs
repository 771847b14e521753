//! What the type that an `impl` block is for tells about the block.

use super::crates::{self, Fuel};
use super::parser::{Parser, primitive};
use crate::crates::cannot_name;

/// Whether the type is a path or has a name of its own, so that an associated function reads `Type::function`.
pub(super) fn has_name(mut at: Parser<'_>) -> bool {
    loop {
        match at.byte() {
            Ok(b'B') => match at.back_reference() {
                Ok(there) => at = there,
                Err(_) => return false,
            },
            Ok(b'C' | b'I' | b'M' | b'N' | b'X' | b'Y') => return true,
            Ok(tag) => return !matches!(tag, b'u' | b'z' | b'p') && primitive(tag).is_some(),
            Err(_) => return false,
        }
    }
}

/// Whether an `impl` block is for a type that its crate cannot know, as only a generic parameter can bring one in.
pub(super) fn is_surely_parameter(
    mut block: Parser<'_>,
    self_type: Parser<'_>,
    fuel: &mut Fuel,
) -> bool {
    if block.disambiguator().is_err() {
        return false;
    }
    let home = crates::of_path(block, fuel);
    let head = crates::of_type(self_type, fuel);
    matches!((home, head), (Some(home), Some(head)) if cannot_name(home.name, head.name))
}

/// Whether the family shows the type in full: it is a name without generic arguments.
pub(super) fn is_plain(mut at: Parser<'_>, fuel: &mut Fuel) -> bool {
    loop {
        let start = at.at;
        match at.byte() {
            Ok(b'N') if at.namespace().is_ok() => {}
            Ok(b'C') => return true,
            Ok(b'B') => match at.back_reference() {
                Ok(there) => {
                    at = there;
                    continue;
                }
                Err(_) => return false,
            },
            Ok(tag) => return primitive(tag).is_some(),
            Err(_) => return false,
        }
        if fuel.burn(at.at.saturating_sub(start)).is_err() {
            return false;
        }
    }
}
