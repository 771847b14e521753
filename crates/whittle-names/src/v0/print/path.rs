//! Paths and their generic arguments.

use std::fmt;

use super::{Position, Printer, Style};
use crate::v0::ident::Ident;
use crate::v0::parser::{Damage, Parser};

impl<'a, W: fmt::Write + ?Sized> Printer<'a, '_, '_, W> {
    pub(in crate::v0) fn path(&mut self, position: Position) -> fmt::Result {
        let Some(tag) = self.read(Parser::enter_tagged)? else {
            return Ok(());
        };
        match tag {
            b'C' => {
                let Some((disambiguator, name)) = self.read(Parser::disambiguated_ident)? else {
                    return Ok(());
                };
                self.ident(name)?;
                if self.style == Style::Full && disambiguator != 0 {
                    self.out.put("[")?;
                    self.out.hexadecimal(disambiguator)?;
                    self.out.put("]")?;
                }
            }
            b'N' => return self.nested(position),
            b'M' | b'X' | b'Y' => self.implementation(tag)?,
            b'I' => {
                self.path(position)?;
                if self.style == Style::Family {
                    self.skip_arguments()?;
                } else {
                    if position == Position::Value {
                        self.out.put("::")?;
                    }
                    self.out.put("<")?;
                    self.list(", ", Self::argument)?;
                    self.out.put(">")?;
                }
            }
            b'B' => self.back_reference(|this| this.path(position))?,
            _ => return self.spoil(Damage::Syntax),
        }
        self.leave();
        Ok(())
    }

    fn nested(&mut self, position: Position) -> fmt::Result {
        let Some(namespace) = self.read(Parser::namespace)? else {
            return Ok(());
        };
        self.path(position)?;
        if self.parser.is_err() {
            // What follows prints as `?`, without a separator of its own.
            self.out.put("::")?;
        }
        let Some((disambiguator, name)) = self.read(Parser::disambiguated_ident)? else {
            return Ok(());
        };
        if namespace.is_ascii_uppercase() {
            return self.special_name(namespace, disambiguator, name);
        }
        if !name.is_empty() {
            self.out.put("::")?;
            self.ident(name)?;
        }
        self.leave();
        Ok(())
    }

    /// Closes a path that ends in a closure, a shim or the like.
    pub(super) fn special_name(
        &mut self,
        namespace: u8,
        disambiguator: u64,
        name: Ident<'a>,
    ) -> fmt::Result {
        self.out.put("::{")?;
        match namespace {
            b'C' => self.out.put("closure")?,
            b'S' => self.out.put("shim")?,
            other => self.out.put_char(char::from(other))?,
        }
        if !name.is_empty() {
            self.out.put(":")?;
            self.ident(name)?;
        }
        self.out.put("#")?;
        self.out.decimal(disambiguator)?;
        self.out.put("}")?;
        self.leave();
        Ok(())
    }

    /// `<Type>`, `<Type as Trait>`; the trait alone for a family of provided methods.
    fn implementation(&mut self, tag: u8) -> fmt::Result {
        if self.style == Style::Family {
            return self.family_implementation(tag);
        }
        if tag != b'Y' {
            if self.read(Parser::disambiguator)?.is_none() {
                return Ok(());
            }
            self.skip(Parser::skip_path)?;
        }
        self.out.put("<")?;
        self.ty()?;
        if tag != b'M' {
            self.out.put(" as ")?;
            self.path(Position::Argument)?;
        }
        self.out.put(">")
    }

    pub(super) fn argument(&mut self) -> fmt::Result {
        if self.eat(b'L') {
            match self.read(Parser::base_62)? {
                Some(index) => self.lifetime(index),
                None => Ok(()),
            }
        } else if self.eat(b'K') {
            self.constant(Position::Argument)
        } else {
            self.ty()
        }
    }
}
