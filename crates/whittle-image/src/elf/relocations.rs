//! Relocations: gABI 4.1, "Relocation", with the packed relative form (`SHT_RELR`) of its later drafts. The numbers of
//! relocation types are those of each processor's own supplement.

use object::elf;
use object::read::elf::{FileHeader, Rel as _, Rela as _, Relr as _, SectionHeader as _};

use super::Elf;
use crate::image::{Endianness, FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::section::Compression;

/// Reads all relocation tables.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    for (number, header) in (0_u32..).zip(file.sections) {
        let section = SectionIndex(number);
        let table = match header.sh_type(file.endian) {
            elf::SHT_RELA => read_with_addends(file, image, header, section),
            elf::SHT_REL => read_without_addends(file, image, header, section),
            elf::SHT_RELR => read_packed(file, image, header, section),
            _ => continue,
        };
        match table {
            Ok(table) => image.relocation_tables.push(table),
            Err(error) => {
                let name = image
                    .section(section)
                    .map(|section| section.name.to_string())
                    .unwrap_or_default();
                image
                    .warnings
                    .push(name, None, format!("relocations not read: {error}"));
            }
        }
    }
}

type TableResult = Result<RelocationTable, object::read::Error>;

fn read_with_addends<'data, H>(
    file: &Elf<'data, H>,
    image: &Image<'data>,
    header: &'data H::SectionHeader,
    section: SectionIndex,
) -> TableResult
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    let entries: &[H::Rela] = header.data_as_array(endian, file.data)?;
    let mips64el = file.header.is_mips64el(endian);
    let patched_section = patched_section::<H>(file, image, header);
    Ok(table::<H::Rela>(
        file,
        image,
        header,
        section,
        RelocationEncoding::WithAddend,
        |table| {
            for (entry, start) in entries.iter().zip(table.entry_starts()) {
                let addend: i64 = entry.r_addend(endian).into();
                table.push(Raw {
                    entry: start,
                    offset: entry.r_offset(endian).into(),
                    symbol: entry.r_sym(endian, mips64el),
                    kind: relocation_kind(
                        file.header.e_machine(endian),
                        entry.r_type(endian, mips64el).0,
                    ),
                    addend: Some(addend),
                    patched_section,
                });
            }
        },
    ))
}

fn read_without_addends<'data, H>(
    file: &Elf<'data, H>,
    image: &Image<'data>,
    header: &'data H::SectionHeader,
    section: SectionIndex,
) -> TableResult
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    let entries: &[H::Rel] = header.data_as_array(endian, file.data)?;
    let patched_section = patched_section::<H>(file, image, header);
    Ok(table::<H::Rel>(
        file,
        image,
        header,
        section,
        RelocationEncoding::AddendInPlace,
        |table| {
            for (entry, start) in entries.iter().zip(table.entry_starts()) {
                table.push(Raw {
                    entry: start,
                    offset: entry.r_offset(endian).into(),
                    symbol: entry.r_sym(endian),
                    kind: relocation_kind(file.header.e_machine(endian), entry.r_type(endian).0),
                    addend: None,
                    patched_section,
                });
            }
        },
    ))
}

fn read_packed<'data, H>(
    file: &Elf<'data, H>,
    image: &Image<'data>,
    header: &'data H::SectionHeader,
    section: SectionIndex,
) -> TableResult
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    let entries: &[H::Relr] = header.data_as_array(endian, file.data)?;
    let word = u64::from(image.target.bits / 8);
    let bits = u64::from(<H::Relr as object::read::elf::Relr>::COUNT);
    Ok(table::<H::Relr>(
        file,
        image,
        header,
        section,
        RelocationEncoding::Packed,
        |table| {
            // The address of the next word that a bitmap can name.
            let mut base = 0_u64;
            for (entry, start) in entries.iter().zip(table.entry_starts()) {
                let value: u64 = entry.get(endian).into();
                let mut push = |offset: u64| {
                    table.push(Raw {
                        entry: start,
                        offset,
                        symbol: 0,
                        kind: RelocationKind::Relative,
                        addend: None,
                        patched_section: None,
                    });
                };
                if value & 1 == 0 {
                    push(value);
                    base = value.wrapping_add(word);
                } else {
                    for bit in (0..bits).filter(|bit| value >> (bit + 1) & 1 == 1) {
                        push(base.wrapping_add(bit * word));
                    }
                    base = base.wrapping_add(bits * word);
                }
            }
        },
    ))
}

/// The section that a static relocation table patches; loaded tables name addresses instead.
fn patched_section<H>(
    file: &Elf<'_, H>,
    image: &Image<'_>,
    header: &H::SectionHeader,
) -> Option<SectionIndex>
where
    H: FileHeader<Endian = object::Endianness>,
{
    (image.target.kind == FileKind::Object).then(|| SectionIndex(header.sh_info(file.endian)))
}

/// An entry as it is written.
struct Raw {
    entry: u64,
    offset: u64,
    symbol: u32,
    kind: RelocationKind,
    addend: Option<i64>,
    patched_section: Option<SectionIndex>,
}

/// A table being filled.
struct Filling<'image, 'data> {
    image: &'image Image<'data>,
    entry_size: u64,
    relocations: Vec<Relocation>,
}

fn table<'data, E>(
    file: &Elf<'data, impl FileHeader<Endian = object::Endianness>>,
    image: &Image<'data>,
    header: &impl object::read::elf::SectionHeader<Endian = object::Endianness>,
    section: SectionIndex,
    encoding: RelocationEncoding,
    fill: impl FnOnce(&mut Filling<'_, 'data>),
) -> RelocationTable {
    let entry_size = u64::try_from(size_of::<E>()).unwrap_or(u64::MAX);
    let mut filling = Filling {
        image,
        entry_size,
        relocations: Vec::new(),
    };
    fill(&mut filling);
    let symbols = SectionIndex(header.sh_link(file.endian));
    RelocationTable {
        section,
        encoding,
        entry_size,
        symbols: image
            .symbol_tables
            .iter()
            .position(|table| table.section == symbols),
        relocations: filling.relocations,
    }
}

impl Filling<'_, '_> {
    /// Where each entry starts, in bytes from the start of the table.
    fn entry_starts(&self) -> impl Iterator<Item = u64> + use<> {
        let entry_size = self.entry_size;
        (0_u64..).map(move |number| number.saturating_mul(entry_size))
    }

    fn push(&mut self, raw: Raw) {
        let patched = match raw.patched_section {
            Some(section) => self
                .image
                .section(section)
                .filter(|patched| raw.offset < patched.size)
                .map(|_| Place {
                    section,
                    offset: raw.offset,
                }),
            None => self.image.place_at(raw.offset),
        };
        let target = match raw.kind {
            RelocationKind::Relative | RelocationKind::IndirectRelative => raw
                .addend
                .map(i64::cast_unsigned)
                .or_else(|| patched.and_then(|place| self.word_at(place)))
                .map_or(RelocationTarget::None, |address| {
                    // A 32-bit addend is written with a sign, an address is not.
                    RelocationTarget::Address(if self.image.target.bits == 32 {
                        address & 0xffff_ffff
                    } else {
                        address
                    })
                }),
            _ if raw.symbol != 0 => RelocationTarget::Symbol {
                index: raw.symbol,
                addend: raw.addend.unwrap_or_default(),
            },
            _ => RelocationTarget::None,
        };
        self.relocations.push(Relocation {
            entry: raw.entry,
            patched,
            kind: raw.kind,
            target,
        });
    }

    /// The word of the target's size that the file stores at a place.
    fn word_at(&self, place: Place) -> Option<u64> {
        let section = self.image.section(place.section)?;
        if section.compression != Compression::None {
            return None;
        }
        let rest = section
            .stored()
            .get(usize::try_from(place.offset).ok()?..)?;
        let little = self.image.target.endianness == Endianness::Little;
        if self.image.target.bits == 64 {
            let bytes = *rest.first_chunk::<8>()?;
            Some(if little {
                u64::from_le_bytes(bytes)
            } else {
                u64::from_be_bytes(bytes)
            })
        } else {
            let bytes = *rest.first_chunk::<4>()?;
            Some(u64::from(if little {
                u32::from_le_bytes(bytes)
            } else {
                u32::from_be_bytes(bytes)
            }))
        }
    }
}

/// The kinds of dynamic relocations, by machine: (relative, indirect relative, slot, jump slot, copy, thread-local…).
struct DynamicKinds {
    relative: u32,
    indirect: u32,
    slot: u32,
    jump_slot: u32,
    copy: u32,
    thread_local: &'static [u32],
}

/// Sources: AMD64 ABI 1.0; i386 psABI 1.1; ELF for the Arm 64-bit and 32-bit Architectures 2024Q3; RISC-V psABI 1.0;
/// Power ABI 1.5; z/Architecture ABI supplement 1.6; MIPS ABI supplement; `LoongArch` ABI 2.30; SPARC compliance 2.4.
fn dynamic_kinds(machine: elf::Machine) -> Option<DynamicKinds> {
    let kinds = |relative, indirect, slot, jump_slot, copy, thread_local| DynamicKinds {
        relative,
        indirect,
        slot,
        jump_slot,
        copy,
        thread_local,
    };
    Some(match machine {
        elf::EM_X86_64 => kinds(8, 37, 6, 7, 5, &[16, 17, 18, 36]),
        elf::EM_386 => kinds(8, 42, 6, 7, 5, &[14, 35, 36, 37, 41]),
        elf::EM_AARCH64 => kinds(1027, 1032, 1025, 1026, 1024, &[1028, 1029, 1030, 1031]),
        elf::EM_ARM => kinds(23, 160, 21, 22, 20, &[13, 17, 18, 19]),
        elf::EM_RISCV => kinds(3, 58, u32::MAX, 5, 4, &[6, 7, 8, 9, 10, 11, 12]),
        elf::EM_PPC64 => kinds(22, 248, 20, 21, 19, &[68, 73, 78]),
        elf::EM_PPC => kinds(22, 248, 20, 21, 19, &[68, 73, 78]),
        elf::EM_S390 => kinds(12, 61, 10, 11, 9, &[54, 55, 56]),
        elf::EM_LOONGARCH => kinds(3, 12, u32::MAX, 5, 4, &[6, 7, 8, 9, 10, 11, 13, 14]),
        elf::EM_SPARC | elf::EM_SPARCV9 | elf::EM_SPARC32PLUS => {
            kinds(22, 249, 20, 21, 19, &[74, 75, 76, 77, 78, 79])
        }
        elf::EM_MIPS => kinds(3, u32::MAX, 51, 127, 126, &[38, 39, 40, 41, 47, 48]),
        _ => return None,
    })
}

fn relocation_kind(machine: elf::Machine, number: u32) -> RelocationKind {
    let Some(kinds) = dynamic_kinds(machine) else {
        return RelocationKind::Other;
    };
    match number {
        number if number == kinds.relative => RelocationKind::Relative,
        number if number == kinds.indirect => RelocationKind::IndirectRelative,
        number if number == kinds.slot => RelocationKind::Slot,
        number if number == kinds.jump_slot => RelocationKind::JumpSlot,
        number if number == kinds.copy => RelocationKind::Copy,
        number if kinds.thread_local.contains(&number) => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}
