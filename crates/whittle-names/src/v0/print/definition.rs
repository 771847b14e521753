//! The definition that all monomorphizations of one source item share, and no other item has.

use std::fmt;

use super::Printer;
use crate::v0::parser::{Damage, Parser};

impl<W: fmt::Write + ?Sized> Printer<'_, '_, '_, W> {
    /// Writes the path the way rustc writes a `DefPath`: `impl` blocks by their number in the module, items of the same
    /// name apart, no types.
    pub(in crate::v0) fn definition(&mut self) -> fmt::Result {
        let Some(tag) = self.read(Parser::enter_tagged)? else {
            return Ok(());
        };
        match tag {
            b'C' => {
                let Some((disambiguator, name)) = self.read(Parser::disambiguated_ident)? else {
                    return Ok(());
                };
                self.ident(name)?;
                self.out.put("[")?;
                self.out.hexadecimal(disambiguator)?;
                self.out.put("]")?;
            }
            b'N' => {
                let Some(namespace) = self.read(Parser::namespace)? else {
                    return Ok(());
                };
                self.definition()?;
                let Some((disambiguator, name)) = self.read(Parser::disambiguated_ident)? else {
                    return Ok(());
                };
                if namespace.is_ascii_uppercase() {
                    return self.special_name(namespace, disambiguator, name);
                }
                if !name.is_empty() {
                    self.out.put("::")?;
                    self.ident(name)?;
                    if disambiguator != 0 {
                        self.out.put("#")?;
                        self.out.decimal(disambiguator)?;
                    }
                }
            }
            b'M' | b'X' => {
                let Some(disambiguator) = self.read(Parser::disambiguator)? else {
                    return Ok(());
                };
                self.definition()?;
                self.skip(Parser::skip_type)?;
                if tag == b'X' {
                    self.skip(Parser::skip_path)?;
                }
                self.out.put("::{impl#")?;
                self.out.decimal(disambiguator)?;
                self.out.put("}")?;
            }
            b'Y' => {
                self.skip(Parser::skip_type)?;
                self.definition()?;
            }
            b'I' => {
                self.definition()?;
                self.skip_arguments()?;
            }
            b'B' => self.back_reference(Self::definition)?,
            _ => return self.spoil(Damage::Syntax),
        }
        self.leave();
        Ok(())
    }
}
