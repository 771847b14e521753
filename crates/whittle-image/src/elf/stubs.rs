//! Stubs of the procedure linkage table: which address slot each one jumps through.

use crate::image::{Image, Stub};
use crate::place::Place;
use crate::section::{Section, SectionRole};

/// Finds the stubs of `.plt` and its relatives by decoding their one indirect jump (x86-64 and AArch64).
pub(super) fn read(image: &mut Image<'_>) {
    let mut stubs = Vec::new();
    for section in image
        .sections
        .iter()
        .filter(|section| section.role == SectionRole::Stubs)
    {
        match image.target.architecture.as_str() {
            "x86_64" | "x86_64-x32" => x86_64(image, section, &mut stubs),
            "aarch64" => aarch64(image, section, &mut stubs),
            _ => {}
        }
    }
    image.stubs = stubs;
}

/// AMD64 ABI 1.0, "Procedure Linkage Table": 16 bytes a stub (8 in `.plt.got`), each with `jmp *slot(%rip)`: `ff 25`.
fn x86_64(image: &Image<'_>, section: &Section<'_>, stubs: &mut Vec<Stub>) {
    let stub_len = if section.name == ".plt.got" && section.size % 16 != 0 {
        8
    } else {
        16
    };
    for (start, stub) in (0_u64..)
        .step_by(stub_len)
        .zip(section.stored().chunks(stub_len))
    {
        // The first stub of a lazy table starts by pushing the link map instead: `ff 35`.
        if stub.starts_with(b"\xff\x35") {
            continue;
        }
        let Some(jump) = stub.windows(2).position(|bytes| bytes == b"\xff\x25") else {
            continue;
        };
        let Some(displacement) = stub
            .get(jump + 2..)
            .and_then(|rest| rest.first_chunk::<4>())
        else {
            continue;
        };
        let next = section
            .address
            .wrapping_add(start)
            .wrapping_add(u64::try_from(jump).unwrap_or(0) + 6);
        let slot = next.wrapping_add_signed(i64::from(i32::from_le_bytes(*displacement)));
        push(image, section, start, stub.len(), slot, stubs);
    }
}

/// ELF for the Arm 64-bit Architecture, "Procedure Linkage Table": 16 bytes a stub after a header of 32:
/// `adrp x16, page; ldr x17, [x16, offset]; add …; br x17`.
fn aarch64(image: &Image<'_>, section: &Section<'_>, stubs: &mut Vec<Stub>) {
    for (start, stub) in (0_u64..).step_by(16).zip(section.stored().chunks_exact(16)) {
        let word = |at: usize| {
            stub.get(at..)
                .and_then(|rest| rest.first_chunk::<4>())
                .map(|word| u32::from_le_bytes(*word))
        };
        let (Some(adrp), Some(ldr)) = (word(0), word(4)) else {
            continue;
        };
        if adrp & 0x9f00_001f != 0x9000_0010 || ldr & 0xffc0_03ff != 0xf940_0211 {
            continue;
        }
        let pages = (adrp >> 5 & 0x7_ffff) << 2 | adrp >> 29 & 3;
        // 21 bits with sign.
        let pages = i64::from((pages << 11).cast_signed() >> 11);
        let page = (section.address.wrapping_add(start) & !0xfff).wrapping_add_signed(pages << 12);
        let slot = page.wrapping_add(u64::from(ldr >> 10 & 0xfff) * 8);
        push(image, section, start, stub.len(), slot, stubs);
    }
}

fn push(
    image: &Image<'_>,
    section: &Section<'_>,
    offset: u64,
    len: usize,
    slot: u64,
    stubs: &mut Vec<Stub>,
) {
    if let Some(slot) = image.place_at(slot) {
        let place = Place {
            section: section.index,
            offset,
        };
        stubs.push(Stub {
            place,
            len: u64::try_from(len).unwrap_or(0),
            slot,
        });
    }
}
