//! A reader of numbers as unwind and exception tables write them. Pointer encodings: Linux Standard Base 5, "DWARF
//! Extensions"; variable-length numbers: DWARF 5, section 7.6.

use crate::image::{Endianness, Image};

/// A position in some bytes, and how the file writes numbers.
#[derive(Clone)]
pub(super) struct Cursor<'bytes> {
    bytes: &'bytes [u8],
    at: usize,
    little: bool,
    wide: bool,
}

/// How a pointer is written (`DW_EH_PE_*`): form in the low four bits, base in the next three, then "indirect".
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding(pub(super) u8);

impl Encoding {
    pub(super) const OMIT: Self = Self(0xff);
    pub(super) const ABSOLUTE: Self = Self(0x00);

    const FORM: u8 = 0x0f;
    const BASE: u8 = 0x70;
    /// Form bit of the numbers that have a sign.
    const SIGNED: u8 = 0x08;

    /// The same form for a plain number: a length has no base and no sign.
    pub(super) fn as_length(self) -> Self {
        Self(self.0 & Self::FORM & !Self::SIGNED)
    }

    /// What an encoded number counts from.
    pub(super) fn base(self) -> Option<Base> {
        match self.0 & Self::BASE {
            0x00 => Some(Base::Zero),
            0x10 => Some(Base::Field),
            0x20 => Some(Base::Text),
            0x30 => Some(Base::Data),
            0x40 => Some(Base::Function),
            // 0x50 is "aligned", which pads the field itself; no compiler writes it.
            _ => None,
        }
    }
}

/// What an encoded number counts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// It is an address.
    Zero,
    /// The address of the number itself.
    Field,
    /// The start of the code, as the processor's supplement has it.
    Text,
    /// The start of the search table, or of the address slots, as the processor's supplement has it.
    Data,
    /// The start of the function.
    Function,
}

impl<'bytes> Cursor<'bytes> {
    /// A cursor over a whole section, `at` bytes from its start.
    pub(super) fn new(bytes: &'bytes [u8], at: usize, image: &Image<'_>) -> Self {
        Self {
            bytes,
            at,
            little: image.target.endianness == Endianness::Little,
            wide: image.target.bits == 64,
        }
    }

    /// Bytes from the start of the section.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether there is nothing left to read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The same position with nothing to read behind `end`.
    pub(super) fn until(&self, end: usize) -> Option<Self> {
        Some(Self {
            bytes: self.bytes.get(..end)?,
            ..self.clone()
        })
    }

    /// Goes to `at` bytes from the start of the section.
    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn skip(&mut self, len: usize) -> Option<()> {
        self.at = self
            .at
            .checked_add(len)
            .filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = *self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(bytes)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take()?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let bytes = self.take()?;
        Some(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let bytes = self.take()?;
        Some(if self.little {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }

    /// Bytes up to a zero byte, which is skipped.
    pub(super) fn text(&mut self) -> Option<&'bytes [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let len = memchr::memchr(0, rest)?;
        self.at += len + 1;
        Some(&rest[..len])
    }

    /// A number in groups of seven bits, the least significant first (LEB128), without sign.
    pub(super) fn uleb(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.u8()?;
            let group = u64::from(byte & 0x7f);
            let shifted = group.checked_shl(shift)?;
            if shifted >> shift != group {
                return None;
            }
            value |= shifted;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    }

    /// The same with a sign.
    pub(super) fn sleb(&mut self) -> Option<i64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                let unused = 64_u32.saturating_sub(shift);
                return Some((value << unused).cast_signed() >> unused);
            }
        }
    }

    /// An encoded number as it stands there, with its sign where the form has one; the base is not added.
    pub(super) fn encoded(&mut self, encoding: Encoding) -> Option<u64> {
        Some(match encoding.0 & Encoding::FORM {
            0x00 | 0x08 if self.wide => self.u64()?,
            0x00 | 0x03 => self.u32()?.into(),
            0x01 => self.uleb()?,
            0x02 => self.u16()?.into(),
            0x04 | 0x0c => self.u64()?,
            0x08 | 0x0b => i64::from(self.u32()?.cast_signed()).cast_unsigned(),
            0x09 => self.sleb()?.cast_unsigned(),
            0x0a => i64::from(self.u16()?.cast_signed()).cast_unsigned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    fn cursor(bytes: &[u8]) -> Cursor<'_> {
        Cursor {
            bytes,
            at: 0,
            little: true,
            wide: true,
        }
    }

    /// The examples of DWARF 5, tables 7.7 and 7.8 (figures C.1 and C.2 give the algorithm).
    #[test]
    fn variable_length_numbers_are_those_of_the_standard() {
        for (value, bytes) in [
            (2, &[2][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (129, &[0x81, 1]),
            (12857, &[0xb9, 0x64]),
        ] {
            assert_eq!(cursor(bytes).uleb(), Some(value));
        }
        for (value, bytes) in [
            (2, &[2][..]),
            (-2, &[0x7e]),
            (127, &[0xff, 0]),
            (-127, &[0x81, 0x7f]),
            (128, &[0x80, 1]),
            (-128, &[0x80, 0x7f]),
            (129, &[0x81, 1]),
            (-129, &[0xff, 0x7e]),
        ] {
            assert_eq!(cursor(bytes).sleb(), Some(value));
        }
    }

    #[test]
    fn the_largest_numbers_are_read_and_larger_ones_are_not() {
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(cursor(&max).uleb(), Some(u64::MAX));
        let mut above = max;
        above[9] = 0x02;
        assert_eq!(cursor(&above).uleb(), None);
        let min = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(cursor(&min).sleb(), Some(i64::MIN));
        assert_eq!(cursor(&[0x80; 20]).uleb(), None);
        assert_eq!(cursor(&[0x80; 20]).sleb(), None);
        assert_eq!(cursor(&[0x80]).uleb(), None);
    }
}
