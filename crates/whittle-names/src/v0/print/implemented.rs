//! The trait of the `impl` block that an item belongs to.

use std::fmt;

use super::{Position, Printer};
use crate::v0::parser::Damage;

impl<W: fmt::Write + ?Sized> Printer<'_, '_, '_, W> {
    /// Writes the trait without arguments; nothing for items outside such blocks.
    pub(in crate::v0) fn implemented_trait(&mut self) -> fmt::Result {
        // One branch of the path is followed, so there is no need to return from a back-reference.
        loop {
            let mut tag = 0;
            self.skip(|parser| {
                tag = parser.byte()?;
                match tag {
                    b'I' => {}
                    b'N' => {
                        parser.namespace()?;
                    }
                    b'B' => *parser = parser.back_reference()?,
                    b'X' => {
                        parser.skip_impl_path()?;
                        parser.skip_type()?;
                    }
                    _ => return Err(Damage::Syntax),
                }
                Ok(())
            })?;
            if self.parser.is_err() {
                return Ok(());
            }
            if tag == b'X' {
                return self.path(Position::Argument);
            }
        }
    }
}
