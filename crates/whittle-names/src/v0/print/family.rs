//! The text that all monomorphizations of one source item share.
//!
//! Generic arguments are dropped. What remains are the places where an instance shows a type that the source may have
//! written as a parameter: the self type of an `impl`. Of a type that is put together from others only the outermost
//! constructor is kept (`&_`, `[_]`, `(_, _)`), because `impl<T> Trait for &T` shows as `&u8` in one instance and as
//! `&str` in the next. A self type that the crate of the `impl` cannot name is a parameter for certain and becomes `_`.

use std::fmt;

use super::{Position, Printer};
use crate::v0::parser::{Parser, primitive};
use crate::v0::self_type;

impl<W: fmt::Write + ?Sized> Printer<'_, '_, '_, W> {
    /// What follows `M`, `X` or `Y`.
    pub(super) fn family_implementation(&mut self, tag: u8) -> fmt::Result {
        if tag == b'Y' {
            self.skip(Parser::skip_type)?;
            return self.path(Position::Argument);
        }
        let block = self.parser;
        self.skip(Parser::skip_impl_path)?;
        let (Ok(block), Ok(self_type)) = (block, self.parser) else {
            return self.out.put("?");
        };
        if tag == b'M' {
            return if self_type::has_name(self_type) {
                self.self_type()
            } else {
                self.out.put("<")?;
                self.self_type()?;
                self.out.put(">")
            };
        }
        self.out.put("<")?;
        if self_type::is_surely_parameter(block, self_type, &mut self.fuel) {
            self.out.put("_")?;
            self.skip(Parser::skip_type)?;
        } else {
            self.self_type()?;
        }
        self.out.put(" as ")?;
        self.path(Position::Argument)?;
        self.out.put(">")
    }

    /// Skips the arguments after the path that they belong to.
    pub(super) fn skip_arguments(&mut self) -> fmt::Result {
        while self.parser.is_ok() && !self.eat(b'E') {
            self.skip(Parser::skip_argument)?;
        }
        Ok(())
    }

    /// A type by its outermost constructor.
    fn self_type(&mut self) -> fmt::Result {
        let Some(tag) = self.read(|parser| {
            parser.eat(b'w');
            parser.byte()
        })?
        else {
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
                self.out.put(if tag == b'R' { "&_" } else { "&mut _" })?;
                self.skip(|parser| {
                    if parser.eat(b'L') {
                        parser.base_62()?;
                    }
                    parser.skip_type()
                })?;
            }
            b'P' | b'O' => {
                self.out
                    .put(if tag == b'P' { "*const _" } else { "*mut _" })?;
                self.skip(Parser::skip_type)?;
            }
            b'S' => {
                self.out.put("[_]")?;
                self.skip(Parser::skip_type)?;
            }
            b'A' => {
                self.out.put("[_; _]")?;
                self.skip(|parser| {
                    parser.skip_type()?;
                    parser.skip_const()
                })?;
            }
            b'T' => {
                self.out.put("(")?;
                let count = self.placeholders()?;
                self.out.put(if count == 1 { ",)" } else { ")" })?;
            }
            b'F' => {
                self.skip(|parser| {
                    parser.tagged_62(b'G')?;
                    parser.eat(b'U');
                    if parser.eat(b'K') {
                        parser.abi()?;
                    }
                    Ok(())
                })?;
                self.out.put("fn(")?;
                self.placeholders()?;
                self.out.put(")")?;
                if !self.eat(b'u') {
                    self.out.put(" -> _")?;
                    self.skip(Parser::skip_type)?;
                }
            }
            b'D' => {
                self.out.put("dyn ")?;
                self.skip(|parser| parser.tagged_62(b'G').map(drop))?;
                self.list(" + ", |this| {
                    let Ok(bound) = this.parser else {
                        return this.out.put("?");
                    };
                    this.skip(Parser::skip_bound)?;
                    let after = std::mem::replace(&mut this.parser, Ok(bound));
                    this.path(Position::Argument)?;
                    this.parser = after;
                    Ok(())
                })?;
                self.skip(|parser| {
                    parser.eat(b'L');
                    parser.base_62().map(drop)
                })?;
            }
            b'B' => self.back_reference(Self::self_type)?,
            b'W' => {
                self.self_type()?;
                self.skip(Parser::skip_pattern)?;
            }
            _ => {
                if let Ok(parser) = &mut self.parser {
                    parser.at -= 1;
                }
                self.path(Position::Argument)?;
            }
        }
        self.leave();
        Ok(())
    }

    fn placeholders(&mut self) -> Result<usize, fmt::Error> {
        self.list(", ", |this| {
            this.skip(Parser::skip_type)?;
            this.out.put("_")
        })
    }
}
