//! Types.

use std::fmt;

use super::{Position, Printer};
use crate::v0::parser::{Damage, Parser, primitive};

impl<W: fmt::Write + ?Sized> Printer<'_, '_, '_, W> {
    pub(in crate::v0) fn ty(&mut self) -> fmt::Result {
        if self.eat(b'w') {
            self.out.put("#[splat] ")?;
        }
        let Some(tag) = self.read(Parser::byte)? else {
            return Ok(());
        };
        if let Some(name) = primitive(tag) {
            return self.out.put(name);
        }
        if self.read(Parser::enter)?.is_none() {
            return Ok(());
        }
        match tag {
            b'R' | b'Q' => {
                self.out.put("&")?;
                if self.eat(b'L') {
                    let Some(index) = self.read(Parser::base_62)? else {
                        return Ok(());
                    };
                    if index != 0 {
                        self.lifetime(index)?;
                        self.out.put(" ")?;
                    }
                }
                if tag == b'Q' {
                    self.out.put("mut ")?;
                }
                self.ty()?;
            }
            b'P' | b'O' => {
                self.out
                    .put(if tag == b'P' { "*const " } else { "*mut " })?;
                self.ty()?;
            }
            b'A' | b'S' => {
                self.out.put("[")?;
                self.ty()?;
                if tag == b'A' {
                    self.out.put("; ")?;
                    self.constant(Position::Value)?;
                }
                self.out.put("]")?;
            }
            b'T' => {
                self.out.put("(")?;
                let count = self.list(", ", Self::ty)?;
                self.out.put(if count == 1 { ",)" } else { ")" })?;
            }
            b'F' => self.in_binder(Self::function)?,
            b'D' => {
                self.out.put("dyn ")?;
                self.in_binder(|this| this.list(" + ", Self::bound).map(drop))?;
                if !self.eat(b'L') {
                    return self.spoil(Damage::Syntax);
                }
                let Some(index) = self.read(Parser::base_62)? else {
                    return Ok(());
                };
                if index != 0 {
                    self.out.put(" + ")?;
                    self.lifetime(index)?;
                }
            }
            b'B' => self.back_reference(Self::ty)?,
            b'W' => {
                self.ty()?;
                self.out.put(" is ")?;
                self.pattern()?;
            }
            _ => {
                // The tag belongs to the path.
                if let Ok(parser) = &mut self.parser {
                    parser.at -= 1;
                }
                self.path(Position::Argument)?;
            }
        }
        self.leave();
        Ok(())
    }

    /// A function type behind its binder.
    fn function(&mut self) -> fmt::Result {
        let is_unsafe = self.eat(b'U');
        let abi = if self.eat(b'K') {
            match self.read(Parser::abi)? {
                Some(abi) => Some(abi),
                None => return Ok(()),
            }
        } else {
            None
        };
        if is_unsafe {
            self.out.put("unsafe ")?;
        }
        if let Some(abi) = abi {
            self.out.put("extern \"")?;
            for (index, part) in abi.split('_').enumerate() {
                if index > 0 {
                    self.out.put("-")?;
                }
                self.out.name(part)?;
            }
            self.out.put("\" ")?;
        }
        self.out.put("fn(")?;
        self.list(", ", Self::ty)?;
        self.out.put(")")?;
        if !self.eat(b'u') {
            self.out.put(" -> ")?;
            self.ty()?;
        }
        Ok(())
    }

    /// A trait of a `dyn` type; its associated types stand between the same angle brackets as its arguments.
    fn bound(&mut self) -> fmt::Result {
        let mut open = self.path_with_open_arguments()?;
        while self.eat(b'p') {
            self.out.put(if open { ", " } else { "<" })?;
            open = true;
            let Some(name) = self.read(Parser::ident)? else {
                return Ok(());
            };
            self.ident(name)?;
            self.out.put(" = ")?;
            if self.eat(b'K') {
                self.constant(Position::Argument)?;
            } else {
                self.ty()?;
            }
        }
        if open {
            self.out.put(">")?;
        }
        Ok(())
    }

    /// Returns whether a `<` waits for its `>`.
    fn path_with_open_arguments(&mut self) -> Result<bool, fmt::Error> {
        if self.eat(b'B') {
            self.back_reference(Self::path_with_open_arguments)
        } else if self.eat(b'I') {
            self.path(Position::Argument)?;
            self.out.put("<")?;
            self.list(", ", Self::argument)?;
            Ok(true)
        } else {
            self.path(Position::Argument)?;
            Ok(false)
        }
    }

    fn pattern(&mut self) -> fmt::Result {
        let Some(tag) = self.read(Parser::byte)? else {
            return Ok(());
        };
        match tag {
            b'R' => {
                self.constant(Position::Argument)?;
                self.out.put("..=")?;
                self.constant(Position::Argument)
            }
            b'O' => {
                if self.read(Parser::enter)?.is_none() {
                    return Ok(());
                }
                self.pattern()?;
                while !self.eat(b'E') {
                    if self.parser.is_err() {
                        return self.spoil(Damage::Syntax);
                    }
                    self.out.put(" | ")?;
                    self.pattern()?;
                }
                self.leave();
                Ok(())
            }
            b'N' => self.out.put("!null"),
            _ => self.spoil(Damage::Syntax),
        }
    }
}
