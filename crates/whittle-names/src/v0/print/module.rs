//! The module that an item is defined in.

use std::fmt;

use super::Printer;
use crate::v0::parser::{Damage, Parser};

/// What the last segment of a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::v0) enum Last {
    /// The item or the trait itself, which is not a part of its module.
    Item,
    /// Perhaps a module.
    Segment,
}

impl<W: fmt::Write + ?Sized> Printer<'_, '_, '_, W> {
    /// Writes the crate and then the segments that can be modules. Returns whether a further one could be.
    ///
    /// Modules and types share a namespace; what starts with a capital letter is taken for a type or trait.
    pub(in crate::v0) fn module(&mut self, last: Last) -> Result<bool, fmt::Error> {
        let Some(tag) = self.read(Parser::enter_tagged)? else {
            return Ok(false);
        };
        let open = match tag {
            b'C' => {
                let Some((_, name)) = self.read(Parser::disambiguated_ident)? else {
                    return Ok(false);
                };
                self.ident(name)?;
                true
            }
            b'N' => {
                let Some(namespace) = self.read(Parser::namespace)? else {
                    return Ok(false);
                };
                let parent_open = self.module(Last::Segment)?;
                let Some((_, name)) = self.read(Parser::disambiguated_ident)? else {
                    return Ok(false);
                };
                let is_module = parent_open
                    && last == Last::Segment
                    && namespace == b't'
                    && !name.written().starts_with(|c: char| c.is_ascii_uppercase());
                if is_module && !name.is_empty() {
                    self.out.put("::")?;
                    self.ident(name)?;
                }
                is_module
            }
            b'M' | b'X' => {
                self.skip(|parser| parser.disambiguator().map(drop))?;
                self.module(Last::Segment)?;
                self.skip(Parser::skip_type)?;
                if tag == b'X' {
                    self.skip(Parser::skip_path)?;
                }
                false
            }
            b'Y' => {
                self.skip(Parser::skip_type)?;
                self.module(Last::Item)?;
                false
            }
            b'I' => {
                let open = self.module(last)?;
                self.skip_arguments()?;
                open
            }
            b'B' => self.back_reference(|this| this.module(last))?,
            _ => {
                self.spoil(Damage::Syntax)?;
                return Ok(false);
            }
        };
        self.leave();
        Ok(open)
    }
}
