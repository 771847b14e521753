//! Unwind entries: `.eh_frame` (Linux Standard Base 5, "Exception Frames", which extends DWARF's `.debug_frame`).
//!
//! The entries are walked here and not by a DWARF library since the place of each field is needed: in an object file
//! the field itself is empty and a relocation says what will stand there.

use std::collections::HashMap;

use super::cursor::{Base, Cursor, Encoding};
use super::{Allowance, to_u64};
use crate::error::Warnings;
use crate::image::{FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::relocation::{RelocationKind, RelocationTable, place_of};
use crate::section::{Section, SectionRole};
use crate::unwind::{Described, UnwindEntry, UnwindTable};

/// Reads every unwind table.
pub(crate) fn read(image: &mut Image<'_>) {
    let mut warnings = Warnings::default();
    let mut allowance = Allowance::of(image);
    let fields = Fields::of(image);
    let mut tables = Vec::new();
    for section in &image.sections {
        if section.role == SectionRole::UnwindTable && allowance.covers(section, &mut warnings) {
            let pointers = Pointers::of(section, image, &fields);
            tables.push(read_table(&pointers, &mut warnings));
        }
    }
    image.unwind_tables = tables;
    image.warnings.extend(&warnings);
}

/// What the relocations of an object file put into the fields of its unwind tables; of other files nothing.
pub(super) struct Fields<'image> {
    tables: HashMap<SectionIndex, Vec<&'image RelocationTable>>,
}

impl<'image> Fields<'image> {
    pub(super) fn of(image: &'image Image<'_>) -> Self {
        let mut tables: HashMap<_, Vec<_>> = HashMap::new();
        if image.target.kind == FileKind::Object {
            for table in &image.relocation_tables {
                // A table of an object file patches one section.
                let patched = table.relocations.iter().find_map(|it| it.patched);
                if let Some(patched) = patched {
                    tables.entry(patched.section).or_default().push(table);
                }
            }
        }
        Self { tables }
    }

    fn of_section(&self, image: &Image<'_>, section: SectionIndex) -> HashMap<u64, Place> {
        let mut places = HashMap::new();
        for table in self.tables.get(&section).into_iter().flatten() {
            for relocation in &table.relocations {
                if let Some(field) = relocation.patched
                    && relocation.kind != RelocationKind::Nothing
                    && let Some(target) = place_of(image, table, relocation.target)
                {
                    // RISC-V and LoongArch write a difference as two: the address, then what is taken from it.
                    places.entry(field.offset).or_insert(target);
                }
            }
        }
        places
    }
}

/// Finds what the pointers of one section point at.
pub(super) struct Pointers<'image, 'data> {
    image: &'image Image<'data>,
    section: &'image Section<'data>,
    /// In an object file: where each field will point at.
    relocated: HashMap<u64, Place>,
}

/// A pointer that was read.
#[derive(Clone, Copy)]
pub(super) enum Pointer {
    /// It leads to a place.
    To(Place),
    /// It is null.
    Null,
    /// It leads to no place of this file, or from a base that is not known.
    Nowhere,
}

impl Pointer {
    pub(super) fn place(self) -> Option<Place> {
        match self {
            Self::To(place) => Some(place),
            Self::Null | Self::Nowhere => None,
        }
    }
}

impl<'image, 'data> Pointers<'image, 'data> {
    pub(super) fn of(
        section: &'image Section<'data>,
        image: &'image Image<'data>,
        fields: &Fields<'_>,
    ) -> Self {
        Self {
            image,
            section,
            relocated: fields.of_section(image, section.index),
        }
    }

    pub(super) fn cursor(&self) -> Cursor<'data> {
        Cursor::new(self.section.stored(), 0, self.image)
    }

    pub(super) fn section(&self) -> &'image Section<'data> {
        self.section
    }

    pub(super) fn image(&self) -> &'image Image<'data> {
        self.image
    }

    /// Where a relocation lets the field at an offset point, in an object file.
    pub(super) fn relocated(&self, field: usize) -> Option<Place> {
        self.relocated.get(&to_u64(field)).copied()
    }

    /// The place at an address, of which a 32-bit file has the low 32 bits.
    pub(super) fn place_at(&self, address: u64) -> Option<Place> {
        self.image.place_at(match self.image.target.bits {
            32 => address & 0xffff_ffff,
            _ => address,
        })
    }

    /// The address of a position in the section.
    pub(super) fn address_of(&self, at: usize) -> u64 {
        self.section.address.wrapping_add(to_u64(at))
    }

    /// Reads a pointer; nothing if it cannot be read.
    ///
    /// An indirect pointer names a slot that holds the address; it leads to the slot.
    pub(super) fn read(&self, cursor: &mut Cursor<'_>, encoding: Encoding) -> Option<Pointer> {
        if encoding == Encoding::OMIT {
            return Some(Pointer::Null);
        }
        let field = cursor.at();
        let base = encoding.base()?;
        let value = cursor.encoded(encoding)?;
        if self.image.target.kind == FileKind::Object {
            return Some(self.relocated(field).map_or(Pointer::Nowhere, Pointer::To));
        }
        let address = match base {
            // Null whatever it counts from, but code may stand at address 0: absolute pointers are looked up.
            Base::Field | Base::Data if value == 0 => return Some(Pointer::Null),
            Base::Zero => value,
            Base::Field => self.address_of(field).wrapping_add(value),
            Base::Data if self.section.role == SectionRole::UnwindIndex => {
                self.section.address.wrapping_add(value)
            }
            Base::Data | Base::Text | Base::Function => return Some(Pointer::Nowhere),
        };
        Some(match self.place_at(address) {
            Some(place) => Pointer::To(place),
            None if value == 0 => Pointer::Null,
            None => Pointer::Nowhere,
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

fn read_table(pointers: &Pointers<'_, '_>, warnings: &mut Warnings) -> UnwindTable {
    let mut entries: Vec<UnwindEntry> = Vec::new();
    let mut commons = HashMap::new();
    let mut cursor = pointers.cursor();
    while !cursor.is_at_end() {
        let start = cursor.at();
        let Some(describes) = read_entry(&mut cursor, pointers, &mut commons) else {
            warnings.push(
                &*pointers.section.name,
                Some(to_u64(start)),
                "unwind entries cannot be followed from here on",
            );
            break;
        };
        let len = to_u64(cursor.at() - start);
        match entries.last_mut() {
            // A run of zeros is one mark.
            Some(last) if last.describes == Described::End && describes == Described::End => {
                last.len += len;
            }
            _ => entries.push(UnwindEntry {
                offset: to_u64(start),
                len,
                describes,
            }),
        }
    }
    UnwindTable {
        section: pointers.section.index,
        entries,
    }
}

/// Reads one entry and goes to the next; nothing if the entry does not end inside the section.
fn read_entry(
    cursor: &mut Cursor<'_>,
    pointers: &Pointers<'_, '_>,
    commons: &mut HashMap<usize, Common>,
) -> Option<Described> {
    let start = cursor.at();
    let len = match cursor.u32()? {
        0 => return Some(Described::End),
        0xffff_ffff => cursor.u64()?,
        len => len.into(),
    };
    let id_field = cursor.at();
    let end = id_field.checked_add(usize::try_from(len).ok()?)?;
    let mut body = cursor.until(end)?;
    cursor.seek(end);
    // The field has four bytes in entries of either length; in those of code it is the distance back from itself to
    // the common entry's start.
    let Some(back) = body.u32().and_then(|back| usize::try_from(back).ok()) else {
        return Some(Described::Nothing);
    };
    if back == 0 {
        let mut personality = Pointer::Null;
        if let Some(common) = read_common(&mut body, pointers, &mut personality) {
            commons.insert(start, common);
        }
        return Some(Described::Common {
            personality: personality.place(),
        });
    }
    let described = id_field
        .checked_sub(back)
        .and_then(|start| commons.get(&start))
        .and_then(|&common| read_code(&mut body, pointers, common));
    Some(described.unwrap_or(Described::Nothing))
}

fn read_common(
    cursor: &mut Cursor<'_>,
    pointers: &Pointers<'_, '_>,
    personality: &mut Pointer,
) -> Option<Common> {
    let version = cursor.u8()?;
    let augmentation = cursor.text()?;
    let mut common = Common {
        code: Encoding::ABSOLUTE,
        exceptions: Encoding::OMIT,
        has_augmentation: false,
    };
    if augmentation.starts_with(b"eh") {
        // A pointer of GCC 2's own.
        cursor.encoded(Encoding::ABSOLUTE)?;
    }
    if version >= 4 {
        // Sizes of an address and of a segment selector.
        cursor.skip(2)?;
    }
    cursor.uleb()?;
    cursor.sleb()?;
    if version == 1 {
        cursor.u8()?;
    } else {
        cursor.uleb()?;
    }
    let Some(letters) = augmentation.strip_prefix(b"z") else {
        return Some(common);
    };
    common.has_augmentation = true;
    cursor.uleb()?;
    for letter in letters {
        match letter {
            b'L' => common.exceptions = Encoding(cursor.u8()?),
            b'R' => common.code = Encoding(cursor.u8()?),
            b'P' => {
                let encoding = Encoding(cursor.u8()?);
                *personality = pointers.read(cursor, encoding)?;
            }
            // Signal frame; pointer authentication and memory tagging of AArch64.
            b'S' | b'B' | b'G' => {}
            // What follows an unknown letter cannot be read, but what was read stands.
            _ => break,
        }
    }
    Some(common)
}

fn read_code(
    cursor: &mut Cursor<'_>,
    pointers: &Pointers<'_, '_>,
    common: Common,
) -> Option<Described> {
    let start = pointers.read(cursor, common.code)?;
    let len_field = cursor.at();
    let len = cursor.encoded(common.code.as_length())?;
    let mut exceptions = Pointer::Null;
    if common.has_augmentation {
        cursor.uleb()?;
        exceptions = pointers.read(cursor, common.exceptions)?;
    }
    let start = start.place()?;
    let section = pointers.image().section(start.section)?;
    // Where the linker may shorten code, the length is the difference of two relocations, of which the end is known.
    let len = pointers
        .relocated(len_field)
        .filter(|end| end.section == start.section)
        .and_then(|end| end.offset.checked_sub(start.offset))
        .unwrap_or(len);
    Some(Described::Code {
        start,
        len: len.min(section.size.saturating_sub(start.offset)),
        exceptions: exceptions.place(),
    })
}
