//! Relocations: gABI 4.1, "Relocation", with the packed relative form (`SHT_RELR`) of its later drafts.

use object::elf::{self, RelocationType};
use object::read::elf::{FileHeader, Rel as _, Rela as _, Relr, SectionHeader as _};

use super::relocation_kinds::{addend_bits, relocation_kind};
use super::{Allowance, Elf, entries, to_u64};
use crate::error::Warnings;
use crate::image::{Endianness, FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::section::{Compression, Section};

/// Reads all relocation tables.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let mut tables = Vec::new();
    let mut warnings = Warnings::default();
    let mut allowance = Allowance::of(image);
    // Each patches a word that the file stores, and no word needs it twice.
    let mut packed_left = image.file_len() / u64::from(image.target.bits / 8);
    for (header, section) in file.sections.iter().zip(&image.sections) {
        let kind = header.sh_type(file.endian);
        if !matches!(kind, elf::SHT_RELA | elf::SHT_REL | elf::SHT_RELR)
            || !allowance.covers(section, &mut warnings)
        {
            continue;
        }
        let mut reader = Reader {
            file,
            image,
            patched_section: (image.target.kind == FileKind::Object)
                .then(|| SectionIndex(header.sh_info(file.endian))),
            relocations: Vec::new(),
        };
        let (encoding, entry_size) = match kind {
            elf::SHT_RELA => {
                reader.with_addends(entries(section, &mut warnings));
                (RelocationEncoding::WithAddend, size_of::<H::Rela>())
            }
            elf::SHT_REL => {
                reader.addends_in_place(entries(section, &mut warnings));
                (RelocationEncoding::AddendInPlace, size_of::<H::Rel>())
            }
            _ => {
                let words = entries(section, &mut warnings);
                if let Err(at) = reader.packed(words, &mut packed_left) {
                    warnings.push(
                        &*section.name,
                        Some(at),
                        "packed relocations patch what the file does not store; not read from here on",
                    );
                }
                (RelocationEncoding::Packed, size_of::<H::Relr>())
            }
        };
        let relocations = reader.relocations;
        let symbols = SectionIndex(header.sh_link(file.endian));
        tables.push(RelocationTable {
            section: section.index,
            encoding,
            entry_size: to_u64(entry_size),
            symbols: image
                .symbol_tables
                .iter()
                .position(|table| table.section == symbols),
            relocations,
        });
    }
    image.relocation_tables = tables;
    image.warnings.extend(&warnings);
}

/// Reads the entries of one table.
struct Reader<'image, 'data, H: FileHeader> {
    file: &'image Elf<'data, H>,
    image: &'image Image<'data>,
    /// The section that a table of an object file patches; elsewhere entries name addresses.
    patched_section: Option<SectionIndex>,
    relocations: Vec<Relocation>,
}

/// An entry as it is written.
#[derive(Clone, Copy)]
struct Raw {
    /// Where it stands in the table.
    entry: u64,
    offset: u64,
    symbol: u32,
    number: RelocationType,
    addend: Option<i64>,
}

impl<H> Reader<'_, '_, H>
where
    H: FileHeader<Endian = object::Endianness>,
{
    fn with_addends(&mut self, entries: &[H::Rela]) {
        let endian = self.file.endian;
        let is_mips64el = self.file.header.is_mips64el(endian);
        self.relocations.reserve_exact(entries.len());
        for (start, entry) in starts::<H::Rela>().zip(entries) {
            self.push(&Raw {
                entry: start,
                offset: entry.r_offset(endian).into(),
                symbol: entry.r_sym(endian, is_mips64el),
                number: entry.r_type(endian, is_mips64el),
                addend: Some(entry.r_addend(endian).into()),
            });
        }
    }

    fn addends_in_place(&mut self, entries: &[H::Rel]) {
        let endian = self.file.endian;
        let is_mips64el = self.file.header.is_mips64el(endian);
        self.relocations.reserve_exact(entries.len());
        for (start, entry) in starts::<H::Rel>().zip(entries) {
            let (symbol, number) = if is_mips64el {
                // The symbol's four bytes stand first, then the three types, the last one first.
                let [s0, s1, s2, s3, _, third, second, first] =
                    u64::to_le_bytes(entry.r_info(endian).into());
                (
                    u32::from_le_bytes([s0, s1, s2, s3]),
                    RelocationType(u32::from_le_bytes([first, second, third, 0])),
                )
            } else {
                (entry.r_sym(endian), entry.r_type(endian))
            };
            self.push(&Raw {
                entry: start,
                offset: entry.r_offset(endian).into(),
                symbol,
                number,
                addend: None,
            });
        }
    }

    /// Unpacks a table.
    ///
    /// A word is an address, or, with the lowest bit set, says for each of the words behind the last one named whether
    /// it is patched too: 8 bytes can stand for 63 relocations. What patches nothing that is stored is an error, with
    /// its position, so that a few bytes cannot fill memory.
    fn packed(&mut self, words: &[H::Relr], left: &mut u64) -> Result<(), u64> {
        let word_size = u64::from(self.image.target.bits / 8);
        let bits = u64::from(<H::Relr as Relr>::COUNT);
        // The address that the lowest bit of a bitmap stands for.
        let mut base = 0_u64;
        for (start, word) in starts::<H::Relr>().zip(words) {
            let word: u64 = word.get(self.file.endian).into();
            let (bitmap, step) = if word & 1 == 0 {
                base = word;
                (1, word_size)
            } else {
                (word >> 1, bits * word_size)
            };
            for bit in (0..bits).filter(|bit| bitmap >> bit & 1 == 1) {
                let patched = self.image.place_at(base.wrapping_add(bit * word_size));
                let target = patched.and_then(|place| self.address_at(place));
                *left = left.checked_sub(1).ok_or(start)?;
                self.relocations.push(Relocation {
                    entry: start,
                    patched,
                    kind: RelocationKind::Relative,
                    target: RelocationTarget::Address(target.ok_or(start)?),
                });
            }
            base = base.wrapping_add(step);
        }
        Ok(())
    }

    fn push(&mut self, raw: &Raw) {
        let machine = self.file.header.e_machine(self.file.endian);
        let patched = self.patched_place(raw.offset);
        let kind = match relocation_kind(machine, raw.number) {
            // MIPS has one type for "relative" and for "the address of a symbol".
            RelocationKind::Relative if raw.symbol != 0 && machine == elf::EM_MIPS => {
                RelocationKind::Other
            }
            kind => kind,
        };
        let target = match kind {
            RelocationKind::Relative | RelocationKind::IndirectRelative => raw
                .addend
                .map(|addend| self.address(addend.cast_unsigned()))
                .or_else(|| self.address_at(patched?))
                .map_or(RelocationTarget::None, RelocationTarget::Address),
            _ if raw.symbol != 0 => RelocationTarget::Symbol {
                index: raw.symbol,
                addend: raw
                    .addend
                    .or_else(|| self.addend_at(patched?, raw.number))
                    .unwrap_or_default(),
            },
            _ => RelocationTarget::None,
        };
        self.relocations.push(Relocation {
            entry: raw.entry,
            patched,
            kind,
            target,
        });
    }

    fn patched_place(&self, offset: u64) -> Option<Place> {
        let Some(index) = self.patched_section else {
            return self.image.place_at(offset);
        };
        let section = self.image.section(index)?;
        (offset < section.size).then_some(Place {
            section: index,
            offset,
        })
    }

    /// A 32-bit addend is written with a sign, an address is not.
    fn address(&self, value: u64) -> u64 {
        match self.image.target.bits {
            32 => value & 0xffff_ffff,
            _ => value,
        }
    }

    /// The address that the file stores at a place.
    fn address_at(&self, place: Place) -> Option<u64> {
        if self.image.target.bits == 64 {
            self.word_at(place)
        } else {
            self.half_word_at(place).map(u64::from)
        }
    }

    /// The addend that the file stores at a place, if it is a plain number.
    fn addend_at(&self, place: Place, number: RelocationType) -> Option<i64> {
        let machine = self.file.header.e_machine(self.file.endian);
        let bits = addend_bits(machine, number, self.image.target.bits == 64)?;
        if bits == 64 {
            return self.word_at(place).map(u64::cast_signed);
        }
        // The bits above the addend are not its own.
        let unused = 32_u32.checked_sub(bits)?;
        let word = self.half_word_at(place)?;
        Some(i64::from((word << unused).cast_signed() >> unused))
    }

    fn word_at(&self, place: Place) -> Option<u64> {
        let bytes = *self.stored_at(place)?.first_chunk::<8>()?;
        Some(match self.image.target.endianness {
            Endianness::Little => u64::from_le_bytes(bytes),
            Endianness::Big => u64::from_be_bytes(bytes),
        })
    }

    fn half_word_at(&self, place: Place) -> Option<u32> {
        let bytes = *self.stored_at(place)?.first_chunk::<4>()?;
        Some(match self.image.target.endianness {
            Endianness::Little => u32::from_le_bytes(bytes),
            Endianness::Big => u32::from_be_bytes(bytes),
        })
    }

    /// What the file stores from a place on.
    fn stored_at(&self, place: Place) -> Option<&[u8]> {
        let stored = |section: &Section<'_>| section.compression == Compression::None;
        let section = self.image.section(place.section).filter(|it| stored(it))?;
        section.stored().get(usize::try_from(place.offset).ok()?..)
    }
}

/// Where each entry of a table starts, in bytes from its start.
fn starts<E>() -> impl Iterator<Item = u64> {
    let size = to_u64(size_of::<E>());
    (0_u64..).map(move |number| number.saturating_mul(size))
}
