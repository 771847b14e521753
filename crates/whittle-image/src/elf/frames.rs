//! Unwind entries: `.eh_frame` and `.eh_frame_hdr` (Linux Standard Base 5, "Exception Frames"; pointer encodings:
//! DWARF 4 and the LSB's "DWARF Extensions"), and the index of 32-bit ARM (`.ARM.exidx`, Exception Handling ABI for
//! the Arm Architecture, section 6).
//!
//! The entries are walked here and not by a DWARF library since the ledger needs the place of each field: in an
//! object file the field itself is empty and a relocation says what will stand there.

use std::collections::HashMap;

use crate::image::{Endianness, FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::relocation::{RelocationTable, RelocationTarget};
use crate::section::{Section, SectionRole};
use crate::unwind::{Described, UnwindEntry, UnwindIndex, UnwindTable};

/// Reads every unwind table and every search table.
pub(super) fn read(image: &mut Image<'_>) {
    let (mut tables, mut indexes) = (Vec::new(), Vec::new());
    let mut damaged = Vec::new();
    for section in &image.sections {
        match section.role {
            SectionRole::UnwindTable => {
                let (table, complete) = read_table(image, section);
                if let Err(offset) = complete {
                    damaged.push((section.name.to_string(), offset));
                }
                tables.push(table);
            }
            SectionRole::UnwindIndex => {
                let index = if section.name.contains("exidx") {
                    read_arm_index(image, section)
                } else {
                    read_index(image, section)
                };
                indexes.extend(index);
            }
            _ => {}
        }
    }
    image.unwind_tables = tables;
    image.unwind_indexes = indexes;
    for (name, offset) in damaged {
        image.warnings.push(
            name,
            Some(offset),
            "unwind entries cannot be followed from here on",
        );
    }
}

/// A cursor over one section's bytes in the file's byte order.
pub(super) struct Cursor<'bytes> {
    bytes: &'bytes [u8],
    /// Bytes from the start of the section.
    pub(super) at: usize,
    little: bool,
    wide: bool,
}

/// How a pointer is written: `DW_EH_PE_*`.
#[derive(Clone, Copy)]
struct Encoding(u8);

impl Encoding {
    const OMIT: u8 = 0xff;
    const ABSOLUTE: u8 = 0x00;
    const PC_RELATIVE: u8 = 0x10;
    const DATA_RELATIVE: u8 = 0x30;
}

impl<'bytes> Cursor<'bytes> {
    pub(super) fn new(bytes: &'bytes [u8], at: usize, image: &Image<'_>) -> Self {
        Self {
            bytes,
            at,
            little: image.target.endianness == Endianness::Little,
            wide: image.target.bits == 64,
        }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
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

    fn u64(&mut self) -> Option<u64> {
        let bytes = self.take()?;
        Some(if self.little {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }

    /// A number in groups of seven bits, least significant first (LEB128), without sign.
    pub(super) fn uleb(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(value);
            }
            if shift > 63 {
                return None;
            }
        }
    }

    /// The same with a sign.
    pub(super) fn sleb(&mut self) -> Option<i64> {
        let start = self.at;
        let value = self.uleb()?;
        let bits = u32::try_from(self.at - start).ok()?.saturating_mul(7);
        let unused = 64_u32.saturating_sub(bits);
        Some((value << unused).cast_signed() >> unused)
    }

    fn skip(&mut self, len: u64) -> Option<()> {
        self.at = self
            .at
            .checked_add(usize::try_from(len).ok()?)
            .filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    /// The number of a pointer as it is written, with its sign where the encoding has one.
    fn encoded(&mut self, encoding: Encoding) -> Option<u64> {
        Some(match encoding.0 & 0x0f {
            0x00 if self.wide => self.u64()?,
            0x00 => self.u32()?.into(),
            0x01 => self.uleb()?,
            0x02 => self.u16()?.into(),
            0x03 => self.u32()?.into(),
            0x04 | 0x0c => self.u64()?,
            0x09 => self.sleb()?.cast_unsigned(),
            0x0a => i64::from(self.u16()?.cast_signed()).cast_unsigned(),
            0x0b => i64::from(self.u32()?.cast_signed()).cast_unsigned(),
            _ => return None,
        })
    }
}

/// What the entries of one group have in common.
#[derive(Clone, Copy)]
struct Common {
    code: Encoding,
    exceptions: Encoding,
    has_augmentation: bool,
}

/// Resolves the pointers of one section.
struct Pointers<'image, 'data> {
    image: &'image Image<'data>,
    section: &'image Section<'data>,
    /// In an object file: the relocation at each field.
    relocated: HashMap<u64, Place>,
}

impl<'image, 'data> Pointers<'image, 'data> {
    fn new(image: &'image Image<'data>, section: &'image Section<'data>) -> Self {
        let mut relocated = HashMap::new();
        if image.target.kind == FileKind::Object {
            for table in &image.relocation_tables {
                for relocation in &table.relocations {
                    let Some(field) = relocation
                        .patched
                        .filter(|place| place.section == section.index)
                    else {
                        continue;
                    };
                    if let Some(target) = relocation_place(image, table, relocation.target) {
                        relocated.insert(field.offset, target);
                    }
                }
            }
        }
        Self {
            image,
            section,
            relocated,
        }
    }

    /// Reads a pointer and finds the place it points at. The outer option is the reading, the inner one the place.
    fn read(&self, cursor: &mut Cursor<'_>, encoding: Encoding) -> Option<Option<Place>> {
        if encoding.0 == Encoding::OMIT {
            return Some(None);
        }
        let field = u64::try_from(cursor.at).ok()?;
        let value = cursor.encoded(encoding)?;
        if self.image.target.kind == FileKind::Object {
            return Some(self.relocated.get(&field).copied());
        }
        if value == 0 {
            return Some(None);
        }
        let base = match encoding.0 & 0x70 {
            Encoding::ABSOLUTE => 0,
            Encoding::PC_RELATIVE => self.section.address.wrapping_add(field),
            Encoding::DATA_RELATIVE => self.section.address,
            _ => return Some(None),
        };
        let mut address = base.wrapping_add(value);
        if self.image.target.bits == 32 {
            address &= 0xffff_ffff;
        }
        // An indirect pointer names a slot that holds the address; the slot is all that can be told here.
        Some(self.image.place_at(address))
    }
}

/// The place that a relocation of an object file refers to.
fn relocation_place(
    image: &Image<'_>,
    table: &RelocationTable,
    target: RelocationTarget,
) -> Option<Place> {
    let RelocationTarget::Symbol { index, addend } = target else {
        return None;
    };
    let symbol = image
        .symbol_tables
        .get(table.symbols?)?
        .symbols
        .get(usize::try_from(index).ok()?)?;
    let place = symbol.place?;
    Some(Place {
        offset: place.offset.checked_add_signed(addend)?,
        ..place
    })
}

/// Reads an `.eh_frame` section; the second value is where reading had to stop, if it did.
fn read_table(image: &Image<'_>, section: &Section<'_>) -> (UnwindTable, Result<(), u64>) {
    let bytes = section.stored();
    let pointers = Pointers::new(image, section);
    let mut entries = Vec::new();
    let mut commons: HashMap<usize, Option<Common>> = HashMap::new();
    let mut cursor = Cursor::new(bytes, 0, image);
    let mut complete = Ok(());
    while cursor.at < bytes.len() {
        let start = cursor.at;
        match read_entry(&mut cursor, &pointers, &mut commons) {
            Some((describes, end)) if end <= bytes.len() => {
                entries.push(UnwindEntry {
                    offset: offset(start),
                    len: offset(end - start),
                    describes,
                });
                cursor.at = end;
            }
            _ => {
                complete = Err(offset(start));
                break;
            }
        }
    }
    (
        UnwindTable {
            section: section.index,
            entries,
        },
        complete,
    )
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

/// Reads one entry: what it describes and where the next one starts.
fn read_entry(
    cursor: &mut Cursor<'_>,
    pointers: &Pointers<'_, '_>,
    commons: &mut HashMap<usize, Option<Common>>,
) -> Option<(Described, usize)> {
    let len = match cursor.u32()? {
        0 => return Some((Described::End, cursor.at)),
        0xffff_ffff => cursor.u64()?,
        len => len.into(),
    };
    let body = cursor.at;
    let end = body.checked_add(usize::try_from(len).ok()?)?;
    let back = usize::try_from(cursor.u32()?).ok()?;
    if back == 0 {
        let (common, personality) = read_common(cursor, pointers).unzip();
        commons.insert(body, common);
        return Some((
            Described::Common {
                personality: personality.flatten(),
            },
            end,
        ));
    }
    // The field holds the distance back to the common entry's length field. That entry was read before.
    let common = body.checked_sub(back).and_then(|start| {
        let after_length = [4, 12]
            .into_iter()
            .find_map(|length_field| commons.get(&(start + length_field)));
        after_length.copied().flatten()
    });
    let described = common
        .and_then(|common| read_code(cursor, pointers, common))
        .unwrap_or(Described::Nothing);
    Some((described, end))
}

fn read_common(
    cursor: &mut Cursor<'_>,
    pointers: &Pointers<'_, '_>,
) -> Option<(Common, Option<Place>)> {
    let version = cursor.u8()?;
    let start = cursor.at;
    while cursor.u8()? != 0 {}
    let augmentation = cursor.bytes.get(start..cursor.at - 1)?;
    let mut common = Common {
        code: Encoding(0),
        exceptions: Encoding(Encoding::OMIT),
        has_augmentation: false,
    };
    let mut personality = None;
    if augmentation.starts_with(b"eh") {
        cursor.skip(if cursor.wide { 8 } else { 4 })?;
    }
    cursor.uleb()?;
    cursor.sleb()?;
    if version == 1 {
        cursor.u8()?;
    } else {
        cursor.uleb()?;
    }
    if let Some(letters) = augmentation.strip_prefix(b"z") {
        common.has_augmentation = true;
        cursor.uleb()?;
        for letter in letters {
            match letter {
                b'L' => common.exceptions = Encoding(cursor.u8()?),
                b'R' => common.code = Encoding(cursor.u8()?),
                b'P' => {
                    let encoding = Encoding(cursor.u8()?);
                    personality = pointers.read(cursor, encoding)?;
                }
                b'S' | b'B' | b'G' => {}
                _ => break,
            }
        }
    }
    Some((common, personality))
}

fn read_code(
    cursor: &mut Cursor<'_>,
    pointers: &Pointers<'_, '_>,
    common: Common,
) -> Option<Described> {
    let start = pointers.read(cursor, common.code)?;
    // The length has the pointer's form but is a plain number.
    let len = cursor.encoded(Encoding(common.code.0 & 0x07))?;
    let mut exceptions = None;
    if common.has_augmentation {
        cursor.uleb()?;
        exceptions = pointers.read(cursor, common.exceptions)?;
    }
    Some(start.map_or(Described::Nothing, |start| Described::Code {
        start,
        len,
        exceptions,
    }))
}

/// Reads an `.eh_frame_hdr` section.
fn read_index(image: &Image<'_>, section: &Section<'_>) -> Option<UnwindIndex> {
    let bytes = section.stored();
    let pointers = Pointers::new(image, section);
    let mut cursor = Cursor::new(bytes, 0, image);
    let _version = cursor.u8().filter(|&version| version == 1)?;
    let [table, count, entry] = cursor.take::<3>()?.map(Encoding);
    pointers.read(&mut cursor, table)?;
    if count.0 == Encoding::OMIT || entry.0 == Encoding::OMIT {
        return None;
    }
    let count = cursor.encoded(count)?;
    let header_len = cursor.at;
    let mut entries = Vec::new();
    let mut entry_size = 0;
    for _ in 0..count {
        let start = cursor.at;
        let Some(code) = pointers.read(&mut cursor, entry) else {
            break;
        };
        let Some(_) = pointers.read(&mut cursor, entry) else {
            break;
        };
        if entry_size != 0 && cursor.at - start != entry_size {
            break;
        }
        entry_size = cursor.at - start;
        entries.push(code);
    }
    Some(UnwindIndex {
        section: section.index,
        header_len: offset(header_len),
        entry_size: offset(entry_size),
        entries,
        exceptions: Vec::new(),
    })
}

/// Reads an `.ARM.exidx` section: pairs of words, the function and either its unwind program or where that stands.
fn read_arm_index(image: &Image<'_>, section: &Section<'_>) -> Option<UnwindIndex> {
    /// The second word of a function that cannot be unwound.
    const CANNOT_UNWIND: u32 = 1;
    if image.target.kind == FileKind::Object {
        return None;
    }
    let mut cursor = Cursor::new(section.stored(), 0, image);
    let (mut entries, mut exceptions) = (Vec::new(), Vec::new());
    // A 31-bit offset from the word itself, with sign.
    let prel31 = |at: usize, word: u32| {
        let offset_from_word = i64::from((word << 1).cast_signed() >> 1);
        let address = section
            .address
            .checked_add(offset(at))?
            .checked_add_signed(offset_from_word)?;
        image.place_at(address & 0xffff_ffff)
    };
    while let (at, Some(function), Some(unwind)) = (cursor.at, cursor.u32(), cursor.u32()) {
        let code = prel31(at, function);
        entries.push(code);
        if unwind != CANNOT_UNWIND && unwind & 0x8000_0000 == 0 {
            if let Some(table) = prel31(at + 4, unwind) {
                exceptions.push((table, code));
            }
        }
    }
    Some(UnwindIndex {
        section: section.index,
        header_len: 0,
        entry_size: 8,
        entries,
        exceptions,
    })
}

/// Where a section's exception data may stand, for the reader of exception tables.
pub(super) fn exception_places(image: &Image<'_>) -> Vec<Place> {
    let from_entries = image
        .unwind_tables
        .iter()
        .flat_map(|table| &table.entries)
        .filter_map(|entry| {
            if let Described::Code { exceptions, .. } = entry.describes {
                exceptions
            } else {
                None
            }
        });
    let from_indexes = image
        .unwind_indexes
        .iter()
        .flat_map(|index| &index.exceptions)
        .map(|&(place, _)| place);
    let mut places: Vec<Place> = from_entries.chain(from_indexes).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Whether a section's entries are of the kind that this module reads.
pub(super) fn is_arm_exceptions(image: &Image<'_>, section: SectionIndex) -> bool {
    image
        .section(section)
        .is_some_and(|section| section.name.contains("extab"))
}
