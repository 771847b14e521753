//! Values of constant generic parameters.

use std::fmt;

use super::{Position, Printer, Style};
use crate::v0::hex::Hex;
use crate::v0::parser::{Damage, Parser, primitive};

impl<'a, W: fmt::Write + ?Sized> Printer<'a, '_, '_, W> {
    pub(in crate::v0) fn constant(&mut self, position: Position) -> fmt::Result {
        let Some(tag) = self.read(Parser::byte)? else {
            return Ok(());
        };
        if self.read(Parser::enter)?.is_none() {
            return Ok(());
        }
        // Literals alone need no braces as generic arguments.
        let braces = position == Position::Argument
            && match tag {
                b'e' | b'Q' | b'A' | b'T' | b'V' => true,
                b'R' => !self.parser.is_ok_and(|parser| parser.peek() == Some(b'e')),
                _ => false,
            };
        if braces {
            self.out.put("{")?;
        }
        match tag {
            b'p' => self.out.put("_")?,
            b'h' | b't' | b'm' | b'y' | b'o' | b'j' => self.integer(tag)?,
            b'a' | b's' | b'l' | b'x' | b'n' | b'i' => {
                if self.eat(b'n') {
                    self.out.put("-")?;
                }
                self.integer(tag)?;
            }
            b'b' => {
                let Some(value) =
                    self.read(|parser| parser.hex()?.to_bool().ok_or(Damage::Syntax))?
                else {
                    return Ok(());
                };
                self.out.put(if value { "true" } else { "false" })?;
            }
            b'c' => {
                let Some(value) =
                    self.read(|parser| parser.hex()?.to_char().ok_or(Damage::Syntax))?
                else {
                    return Ok(());
                };
                self.quoted('\'', [value])?;
            }
            b'e' => {
                self.out.put("*")?;
                self.string()?;
            }
            b'R' if self.eat(b'e') => self.string()?,
            b'R' | b'Q' => {
                self.out.put(if tag == b'R' { "&" } else { "&mut " })?;
                self.constant(Position::Value)?;
            }
            b'A' => {
                self.out.put("[")?;
                self.list(", ", |this| this.constant(Position::Value))?;
                self.out.put("]")?;
            }
            b'T' => {
                self.out.put("(")?;
                let count = self.list(", ", |this| this.constant(Position::Value))?;
                self.out.put(if count == 1 { ",)" } else { ")" })?;
            }
            b'V' => {
                self.path(Position::Value)?;
                if self.fields()?.is_none() {
                    return Ok(());
                }
            }
            b'B' => self.back_reference(|this| this.constant(position))?,
            _ => return self.spoil(Damage::Syntax),
        }
        if braces {
            self.out.put("}")?;
        }
        self.leave();
        Ok(())
    }

    /// The fields of a constant of a named type; `None` after damage that was noticed here.
    fn fields(&mut self) -> Result<Option<()>, fmt::Error> {
        let Some(tag) = self.read(Parser::byte)? else {
            return Ok(None);
        };
        match tag {
            b'U' => {}
            b'T' => {
                self.out.put("(")?;
                self.list(", ", |this| this.constant(Position::Value))?;
                self.out.put(")")?;
            }
            b'S' => {
                self.out.put(" { ")?;
                self.list(", ", |this| {
                    let Some((_, name)) = this.read(Parser::disambiguated_ident)? else {
                        return Ok(());
                    };
                    this.ident(name)?;
                    this.out.put(": ")?;
                    this.constant(Position::Value)
                })?;
                self.out.put(" }")?;
            }
            _ => {
                self.spoil(Damage::Syntax)?;
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    fn integer(&mut self, tag: u8) -> fmt::Result {
        let Some(value) = self.read(Parser::hex)? else {
            return Ok(());
        };
        if let Some(value) = value.to_u64() {
            self.out.decimal(value)?;
        } else {
            self.out.put("0x")?;
            self.out.put(value.digits())?;
        }
        if self.style == Style::Full {
            self.out.put(primitive(tag).unwrap_or_default())?;
        }
        Ok(())
    }

    fn string(&mut self) -> fmt::Result {
        let Some(value) = self.read(|parser| {
            let value: Hex<'a> = parser.hex()?;
            value.is_utf8().then_some(value).ok_or(Damage::Syntax)
        })?
        else {
            return Ok(());
        };
        self.quoted('"', value.chars().flatten())
    }

    fn quoted(&mut self, quote: char, chars: impl IntoIterator<Item = char>) -> fmt::Result {
        self.out.put_char(quote)?;
        for c in chars {
            if matches!((quote, c), ('\'', '"') | ('"', '\'')) {
                self.out.put_char(c)?;
            } else {
                for escaped in c.escape_debug() {
                    self.out.put_char(escaped)?;
                }
            }
        }
        self.out.put_char(quote)
    }
}
