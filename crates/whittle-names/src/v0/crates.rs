//! Which crate a path belongs to, found without reading the rest of it.

use super::parser::{Damage, Parser};
use crate::CrateRef;

/// How many bytes of encoding a search may read. Back-references can send it over the same bytes again and again.
pub(super) struct Fuel(usize);

impl Fuel {
    /// Enough to read every byte of an encoding several times, which no compiler's names ask for.
    pub(super) fn for_encoding(sym: &str) -> Self {
        Self(sym.len().saturating_mul(4))
    }

    pub(super) fn burn(&mut self, bytes: usize) -> Result<(), Damage> {
        self.0 = self.0.checked_sub(bytes).ok_or(Damage::Depth)?;
        Ok(())
    }
}

/// The crate whose source defines the item: the root of the path; of an `impl` block the crate that contains the
/// block; of a provided method the trait's.
pub(super) fn of_path<'a>(at: Parser<'a>, fuel: &mut Fuel) -> Option<CrateRef<'a>> {
    walk(at, fuel).ok()
}

/// Each turn moves forward in the encoding or, at a back-reference, counts as a level: the end comes soon.
fn walk<'a>(mut at: Parser<'a>, fuel: &mut Fuel) -> Result<CrateRef<'a>, Damage> {
    loop {
        let start = at.at;
        match at.byte()? {
            b'C' => {
                let disambiguator = at.disambiguator()?;
                let ident = at.ident()?;
                return Ok(CrateRef {
                    name: ident.written(),
                    disambiguator: Some(disambiguator),
                });
            }
            b'N' => {
                at.namespace()?;
            }
            b'M' | b'X' => {
                at.disambiguator()?;
            }
            b'Y' => at.skip_type()?,
            b'I' => {}
            b'B' => {
                at = at.back_reference()?;
                continue;
            }
            _ => return Err(Damage::Syntax),
        }
        fuel.burn(at.at.saturating_sub(start))?;
    }
}

/// The crate that the outermost constructor of a type comes from; `None` for those of the language.
pub(super) fn of_type<'a>(mut at: Parser<'a>, fuel: &mut Fuel) -> Option<CrateRef<'a>> {
    loop {
        match at.peek()? {
            b'B' => {
                at.at += 1;
                at = at.back_reference().ok()?;
            }
            b'C' | b'I' | b'M' | b'N' | b'X' | b'Y' => return of_path(at, fuel),
            _ => return None,
        }
    }
}
