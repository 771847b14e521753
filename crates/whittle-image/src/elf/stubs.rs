//! Stubs of the procedure linkage table: which address slot each one jumps through.

use object::elf;
use object::read::elf::{FileHeader, SectionHeader as _};

use super::{Allowance, Elf, to_u64};
use crate::image::{Image, Stub};
use crate::place::Place;
use crate::section::{Section, SectionRole};

/// Finds the stubs of `.plt` and its relatives by decoding their one indirect jump (x86-64 and 64-bit Arm).
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let decode = match file.header.e_machine(file.endian) {
        elf::EM_X86_64 => x86_64,
        elf::EM_AARCH64 => aarch64,
        _ => return,
    };
    let mut stubs = Vec::new();
    let mut allowance = Allowance::of(image);
    for (header, section) in file.sections.iter().zip(&image.sections) {
        if section.role == SectionRole::Stubs && allowance.covers(section, &mut image.warnings) {
            let found = decode(section, header.sh_entsize(file.endian).into());
            stubs.extend(found.into_iter().filter_map(|found| {
                Some(Stub {
                    place: Place {
                        section: section.index,
                        offset: found.offset,
                    },
                    len: found.len,
                    slot: image.place_at(found.slot)?,
                })
            }));
        }
    }
    image.stubs = stubs;
}

/// A stub in its section, in bytes.
struct Found {
    offset: u64,
    len: u64,
    /// The address of its slot.
    slot: u64,
}

/// AMD64 ABI 1.0, "Procedure Linkage Table": 16 bytes a stub, each with `jmp *slot(%rip)`. GNU linkers have stubs of 8
/// bytes as well: in `.plt.got`, whose header says so, and for the indirect functions of statically linked programs,
/// whose header says nothing.
fn x86_64(section: &Section<'_>, entry_size: u64) -> Vec<Found> {
    const PUSH_SLOT: &[u8] = b"\xff\x35";
    const JUMP_SLOT: &[u8] = b"\xff\x25";
    const SHORT_JUMP_LEN: usize = JUMP_SLOT.len() + 4;
    const FILL: &[u8] = b"\x66\x90";
    let code = section.stored();
    let behind_jump = code.get(SHORT_JUMP_LEN..).unwrap_or_default();
    let is_short = code.starts_with(JUMP_SLOT) && behind_jump.starts_with(FILL);
    let stub_len = if entry_size == 8 || is_short { 8 } else { 16 };
    let mut stubs = Vec::new();
    for (number, stub) in code.chunks(stub_len).enumerate() {
        let Some(jump) = memchr::memmem::find(stub, JUMP_SLOT) else {
            continue;
        };
        // The first stub of a table that binds late pushes the link map, then jumps to the loader.
        if memchr::memmem::find(stub, PUSH_SLOT).is_some_and(|push| push < jump) {
            continue;
        }
        let displacement = jump + JUMP_SLOT.len();
        let Some(bytes) = stub.get(displacement..).and_then(<[u8]>::first_chunk) else {
            continue;
        };
        let offset = to_u64(number * stub_len);
        let next = section
            .address
            .wrapping_add(offset)
            .wrapping_add(to_u64(displacement + bytes.len()));
        stubs.push(Found {
            offset,
            len: to_u64(stub.len()),
            slot: next.wrapping_add_signed(i32::from_le_bytes(*bytes).into()),
        });
    }
    stubs
}

/// ELF for the Arm 64-bit Architecture, "Procedure Linkage Table": after a header of 32 bytes, stubs of 16 bytes:
/// `adrp x16, page; ldr x17, [x16, offset]; add x16, …; br x17`, or of 24 with a landing pad before.
fn aarch64(section: &Section<'_>, _: u64) -> Vec<Found> {
    const LANDING_PAD: u32 = 0xd503_245f;
    const JUMP: u32 = 0xd61f_0220;
    let words: Vec<u32> = section
        .stored()
        .chunks_exact(4)
        .filter_map(|word| word.first_chunk())
        .map(|word| u32::from_le_bytes(*word))
        .collect();
    let mut stubs = Vec::new();
    for (number, code) in words.windows(4).enumerate() {
        let &[page, load, _, jump] = code else {
            continue;
        };
        // With pointer authentication, `autia1716` stands before the jump.
        let is_stub = page & 0x9f00_001f == 0x9000_0010 && load & 0xffc0_03ff == 0xf940_0211;
        // The table's own header loads a slot in the same way.
        let before = number.checked_sub(1).and_then(|before| words.get(before));
        let is_header = before == Some(&PUSH_PAIR);
        if !is_stub || is_header {
            continue;
        }
        let landing_pad = before == Some(&LANDING_PAD);
        let start = number - usize::from(landing_pad);
        let len = match (landing_pad, jump == JUMP) {
            (false, true) => 16,
            _ => 24,
        };
        let offset = to_u64(number * 4);
        let pages = (page >> 5 & 0x7_ffff) << 2 | page >> 29 & 3;
        // 21 bits with sign.
        let pages = i64::from((pages << 11).cast_signed() >> 11);
        let base = section.address.wrapping_add(offset) & !0xfff;
        stubs.push(Found {
            offset: to_u64(start * 4),
            len: u64::min(len, to_u64((words.len() - start) * 4)),
            slot: base
                .wrapping_add_signed(pages << 12)
                .wrapping_add(u64::from(load >> 10 & 0xfff) * 8),
        });
    }
    stubs
}

/// `stp x16, x30, [sp, #-16]!`, with which the header of a table begins.
const PUSH_PAIR: u32 = 0xa9bf_7bf0;
