//! The reading head over a v0 encoding: single tokens, and skipping of whole productions.
//!
//! Grammar: <https://doc.rust-lang.org/rustc/symbol-mangling/v0.html>, "Syntax summary", with the extensions that
//! `rustc-demangle` 0.1.28 reads (structural constants, pattern types, `#[splat]`). What is accepted, the depth
//! at which reading stops, and the order in which the two kinds of damage are noticed follow that crate, so that both
//! print the same text for a damaged name.

use super::hex::Hex;
use super::ident::Ident;

/// How deeply productions may nest, as in `rustc-demangle`.
const MAX_DEPTH: u32 = 500;

/// What is wrong with an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Damage {
    /// The bytes do not follow the grammar.
    Syntax,
    /// Productions nest more than 500 deep, counting those reached by back-reference.
    Depth,
}

impl Damage {
    /// The words that stand in the text for the part that could not be read.
    pub(super) fn marker(self) -> &'static str {
        match self {
            Self::Syntax => "{invalid syntax}",
            Self::Depth => "{recursion limit reached}",
        }
    }
}

/// A position in an encoding. Cheap to copy, so looking ahead is copying.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parser<'a> {
    /// Everything after `_R`; back-references count from its start. ASCII only.
    pub(super) sym: &'a str,
    /// Offset of the next unread byte.
    pub(super) at: usize,
    /// Productions entered and not left, across back-references.
    pub(super) depth: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(sym: &'a str) -> Self {
        Self {
            sym,
            at: 0,
            depth: 0,
        }
    }

    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), Damage> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Damage::Depth);
        }
        Ok(())
    }

    /// Enters a production and reads its tag.
    #[inline]
    pub(super) fn enter_tagged(&mut self) -> Result<u8, Damage> {
        self.enter()?;
        self.byte()
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.sym.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Damage> {
        let byte = self.peek().ok_or(Damage::Syntax)?;
        self.at += 1;
        Ok(byte)
    }

    /// `<base-62-number>`: `_` is 0, `0_` is 1.
    pub(super) fn base_62(&mut self) -> Result<u64, Damage> {
        if self.eat(b'_') {
            return Ok(0);
        }
        let mut value: u64 = 0;
        loop {
            let digit = match self.byte()? {
                b'_' => return value.checked_add(1).ok_or(Damage::Syntax),
                digit @ b'0'..=b'9' => digit - b'0',
                digit @ b'a'..=b'z' => digit - b'a' + 10,
                digit @ b'A'..=b'Z' => digit - b'A' + 36,
                _ => return Err(Damage::Syntax),
            };
            value = value
                .checked_mul(62)
                .and_then(|value| value.checked_add(u64::from(digit)))
                .ok_or(Damage::Syntax)?;
        }
    }

    /// A base-62 number behind `tag`, plus one; 0 where the tag is absent.
    pub(super) fn tagged_62(&mut self, tag: u8) -> Result<u64, Damage> {
        if !self.eat(tag) {
            return Ok(0);
        }
        self.base_62()?.checked_add(1).ok_or(Damage::Syntax)
    }

    pub(super) fn disambiguator(&mut self) -> Result<u64, Damage> {
        self.tagged_62(b's')
    }

    pub(super) fn namespace(&mut self) -> Result<u8, Damage> {
        let byte = self.byte()?;
        if byte.is_ascii_alphabetic() {
            Ok(byte)
        } else {
            Err(Damage::Syntax)
        }
    }

    /// Reads what follows the tag `B` and returns a head at the place it names, which lies before the tag.
    pub(super) fn back_reference(&mut self) -> Result<Self, Damage> {
        let tag_at = self.at.saturating_sub(1);
        let target = usize::try_from(self.base_62()?).map_err(|_| Damage::Syntax)?;
        if target >= tag_at {
            return Err(Damage::Syntax);
        }
        let mut there = Self {
            at: target,
            ..*self
        };
        there.enter()?;
        Ok(there)
    }

    /// `<undisambiguated-identifier>`.
    pub(super) fn ident(&mut self) -> Result<Ident<'a>, Damage> {
        let is_punycode = self.eat(b'u');
        let len = self.ident_len()?;
        let end = self.at.checked_add(len).ok_or(Damage::Syntax)?;
        let written = self.sym.get(self.at..end).ok_or(Damage::Syntax)?;
        self.at = end;
        if is_punycode {
            Ident::punycode(written).ok_or(Damage::Syntax)
        } else {
            Ok(Ident::plain(written))
        }
    }

    /// The length of an identifier, and the underscore that keeps it apart from a digit.
    #[inline]
    fn ident_len(&mut self) -> Result<usize, Damage> {
        let mut len = match self.byte()? {
            digit @ b'0'..=b'9' => usize::from(digit - b'0'),
            _ => return Err(Damage::Syntax),
        };
        if len != 0 {
            while let Some(digit @ b'0'..=b'9') = self.peek() {
                self.at += 1;
                len = len
                    .checked_mul(10)
                    .and_then(|len| len.checked_add(usize::from(digit - b'0')))
                    .ok_or(Damage::Syntax)?;
            }
        }
        self.eat(b'_');
        Ok(len)
    }

    /// `<identifier>`.
    #[inline]
    pub(super) fn disambiguated_ident(&mut self) -> Result<(u64, Ident<'a>), Damage> {
        Ok((self.disambiguator()?, self.ident()?))
    }

    /// Hexadecimal digits up to `_`, which is consumed.
    pub(super) fn hex(&mut self) -> Result<Hex<'a>, Damage> {
        let start = self.at;
        loop {
            match self.byte()? {
                b'0'..=b'9' | b'a'..=b'f' => {}
                b'_' => return Ok(Hex::new(&self.sym[start..self.at - 1])),
                _ => return Err(Damage::Syntax),
            }
        }
    }

    /// The calling convention after `K`; `-` is written as `_`.
    pub(super) fn abi(&mut self) -> Result<&'a str, Damage> {
        if self.eat(b'C') {
            return Ok("C");
        }
        let name = self.ident()?;
        match name.as_plain() {
            Some(abi) if !abi.is_empty() => Ok(abi),
            _ => Err(Damage::Syntax),
        }
    }
}

/// Skipping. Back-references are checked, not followed: the bytes of the production itself are what is consumed.
impl Parser<'_> {
    pub(super) fn skip_path(&mut self) -> Result<(), Damage> {
        self.enter()?;
        match self.byte()? {
            b'C' => self.skip_disambiguated_ident()?,
            b'N' => {
                self.namespace()?;
                self.skip_path()?;
                self.skip_disambiguated_ident()?;
            }
            b'M' => {
                self.skip_impl_path()?;
                self.skip_type()?;
            }
            b'X' => {
                self.skip_impl_path()?;
                self.skip_type()?;
                self.skip_path()?;
            }
            b'Y' => {
                self.skip_type()?;
                self.skip_path()?;
            }
            b'I' => {
                self.skip_path()?;
                self.skip_list(Self::skip_argument)?;
            }
            b'B' => {
                self.back_reference()?;
            }
            _ => return Err(Damage::Syntax),
        }
        self.leave();
        Ok(())
    }

    /// `<impl-path>`: where the `impl` block stands, and which of the blocks there it is.
    pub(super) fn skip_impl_path(&mut self) -> Result<(), Damage> {
        self.disambiguator()?;
        self.skip_path()
    }

    /// Items up to `E`, which is consumed.
    pub(super) fn skip_list(
        &mut self,
        mut skip_one: impl FnMut(&mut Self) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        while !self.eat(b'E') {
            skip_one(self)?;
        }
        Ok(())
    }

    pub(super) fn skip_argument(&mut self) -> Result<(), Damage> {
        if self.eat(b'L') {
            self.base_62()?;
            Ok(())
        } else if self.eat(b'K') {
            self.skip_const()
        } else {
            self.skip_type()
        }
    }

    pub(super) fn skip_type(&mut self) -> Result<(), Damage> {
        self.eat(b'w');
        let tag = self.byte()?;
        if primitive(tag).is_some() {
            return Ok(());
        }
        self.enter()?;
        match tag {
            b'R' | b'Q' => {
                if self.eat(b'L') {
                    self.base_62()?;
                }
                self.skip_type()?;
            }
            b'P' | b'O' | b'S' => self.skip_type()?,
            b'A' => {
                self.skip_type()?;
                self.skip_const()?;
            }
            b'T' => self.skip_list(Self::skip_type)?,
            b'F' => {
                self.tagged_62(b'G')?;
                self.eat(b'U');
                if self.eat(b'K') {
                    self.abi()?;
                }
                self.skip_list(Self::skip_type)?;
                self.skip_type()?;
            }
            b'D' => {
                self.tagged_62(b'G')?;
                self.skip_list(Self::skip_bound)?;
                if !self.eat(b'L') {
                    return Err(Damage::Syntax);
                }
                self.base_62()?;
            }
            b'B' => {
                self.back_reference()?;
            }
            b'W' => {
                self.skip_type()?;
                self.skip_pattern()?;
            }
            _ => {
                self.at -= 1;
                self.skip_path()?;
            }
        }
        self.leave();
        Ok(())
    }

    /// `<dyn-trait>`: a trait and its associated types.
    pub(super) fn skip_bound(&mut self) -> Result<(), Damage> {
        self.skip_bound_path()?;
        while self.eat(b'p') {
            self.skip_associated()?;
        }
        Ok(())
    }

    /// The generic arguments of a bound stay open for its associated types, so a bound's own `I` and `B` are not a
    /// path of their own and do not count as a level.
    pub(super) fn skip_bound_path(&mut self) -> Result<(), Damage> {
        if self.eat(b'B') {
            self.back_reference()?;
            Ok(())
        } else if self.eat(b'I') {
            self.skip_path()?;
            self.skip_list(Self::skip_argument)
        } else {
            self.skip_path()
        }
    }

    /// An associated type of a bound, behind its `p`.
    pub(super) fn skip_associated(&mut self) -> Result<(), Damage> {
        self.ident()?;
        if self.eat(b'K') {
            self.skip_const()
        } else {
            self.skip_type()
        }
    }

    pub(super) fn skip_pattern(&mut self) -> Result<(), Damage> {
        match self.byte()? {
            b'R' => {
                self.skip_const()?;
                self.skip_const()
            }
            b'O' => {
                self.enter()?;
                self.skip_pattern()?;
                self.skip_list(Self::skip_pattern)?;
                self.leave();
                Ok(())
            }
            b'N' => Ok(()),
            _ => Err(Damage::Syntax),
        }
    }

    pub(super) fn skip_const(&mut self) -> Result<(), Damage> {
        let tag = self.byte()?;
        self.enter()?;
        match tag {
            b'p' => {}
            b'h' | b't' | b'm' | b'y' | b'o' | b'j' => {
                self.hex()?;
            }
            b'a' | b's' | b'l' | b'x' | b'n' | b'i' => {
                self.eat(b'n');
                self.hex()?;
            }
            b'b' => {
                self.hex()?.to_bool().ok_or(Damage::Syntax)?;
            }
            b'c' => {
                self.hex()?.to_char().ok_or(Damage::Syntax)?;
            }
            b'e' => self.skip_str()?,
            b'R' if self.eat(b'e') => self.skip_str()?,
            b'R' | b'Q' => self.skip_const()?,
            b'A' | b'T' => self.skip_list(Self::skip_const)?,
            b'V' => {
                self.skip_path()?;
                match self.byte()? {
                    b'U' => {}
                    b'T' => self.skip_list(Self::skip_const)?,
                    b'S' => self.skip_list(Self::skip_field)?,
                    _ => return Err(Damage::Syntax),
                }
            }
            b'B' => {
                self.back_reference()?;
            }
            _ => return Err(Damage::Syntax),
        }
        self.leave();
        Ok(())
    }

    /// `<identifier>`: most of the bytes of an encoding, passed over without a look at them.
    #[inline]
    fn skip_disambiguated_ident(&mut self) -> Result<(), Damage> {
        self.disambiguator()?;
        if self.peek() == Some(b'u') {
            return self.ident().map(drop);
        }
        let len = self.ident_len()?;
        if len > self.sym.len() - self.at {
            return Err(Damage::Syntax);
        }
        self.at += len;
        Ok(())
    }

    fn skip_str(&mut self) -> Result<(), Damage> {
        if self.hex()?.is_utf8() {
            Ok(())
        } else {
            Err(Damage::Syntax)
        }
    }

    pub(super) fn skip_field(&mut self) -> Result<(), Damage> {
        self.skip_disambiguated_ident()?;
        self.skip_const()
    }
}

/// The types with a letter of their own (`<basic-type>`).
pub(super) fn primitive(tag: u8) -> Option<&'static str> {
    Some(match tag {
        b'a' => "i8",
        b'b' => "bool",
        b'c' => "char",
        b'd' => "f64",
        b'e' => "str",
        b'f' => "f32",
        b'h' => "u8",
        b'i' => "isize",
        b'j' => "usize",
        b'l' => "i32",
        b'm' => "u32",
        b'n' => "i128",
        b'o' => "u128",
        b'p' => "_",
        b's' => "i16",
        b't' => "u16",
        b'u' => "()",
        b'v' => "...",
        b'x' => "i64",
        b'y' => "u64",
        b'z' => "!",
        _ => return None,
    })
}
