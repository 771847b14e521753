//! What tells the monomorphizations of one source item apart: everything that its family leaves out.

use std::fmt;

use super::Printer;
use crate::v0::parser::{Damage, Parser};
use crate::v0::self_type;

impl<W: fmt::Write + ?Sized> Printer<'_, '_, '_, W> {
    /// Writes the lists of generic arguments along a path, in the order of the full text, with a blank between them.
    pub(in crate::v0) fn argument_lists(&mut self) -> fmt::Result {
        let Some(tag) = self.read(Parser::enter_tagged)? else {
            return Ok(());
        };
        match tag {
            b'C' => self.skip(|parser| parser.disambiguated_ident().map(drop))?,
            b'N' => {
                self.skip(|parser| parser.namespace().map(drop))?;
                self.argument_lists()?;
                self.skip(|parser| parser.disambiguated_ident().map(drop))?;
            }
            b'M' | b'X' | b'Y' => {
                let block = self.parser;
                if tag != b'Y' {
                    self.skip(Parser::skip_impl_path)?;
                }
                let is_told = match (block, self.parser) {
                    (Ok(block), Ok(self_type)) if tag == b'X' => {
                        self_type::is_surely_parameter(block, self_type, &mut self.fuel)
                            || !self_type::is_plain(self_type, &mut self.fuel)
                    }
                    (_, Ok(self_type)) if tag == b'M' => {
                        !self_type::is_plain(self_type, &mut self.fuel)
                    }
                    _ => true,
                };
                if is_told {
                    self.separate()?;
                    self.out.put("<Self = ")?;
                    self.ty()?;
                    self.out.put(">")?;
                } else {
                    self.skip(Parser::skip_type)?;
                }
                if tag != b'M' {
                    self.argument_lists()?;
                }
            }
            b'I' => {
                self.argument_lists()?;
                self.separate()?;
                self.out.put("<")?;
                self.list(", ", Self::argument)?;
                self.out.put(">")?;
            }
            b'B' => self.back_reference(Self::argument_lists)?,
            _ => return self.spoil(Damage::Syntax),
        }
        self.leave();
        Ok(())
    }

    fn separate(&mut self) -> fmt::Result {
        if self.out.is_empty() {
            return Ok(());
        }
        self.out.put(" ")
    }
}
