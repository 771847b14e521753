//! Instructions of x86: 64 bit in all files, 32 bit in object files.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use crate::finder::Finder;
use crate::patch::{Patch, Patches};
use crate::reference::{Certainty, ReferenceKind};
use crate::region::Region;

/// Reads code of a linked file that may be loaded anywhere: what its instructions name is relative to themselves.
pub(crate) fn relocatable(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    each_instruction(finder, regions, 64, |finder, _, instruction, at| {
        relative_operands(finder, instruction, at);
    });
}

/// Reads code of a linked file with a fixed address: numbers in its instructions may be addresses.
pub(crate) fn fixed(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    each_instruction(finder, regions, 64, |finder, _, instruction, at| {
        // `mov qword ptr [rip+x], address` has both.
        if !relative_operands(finder, instruction, at) {
            absolute_operands(finder, instruction, at);
        }
    });
}

/// Reads code of a 64-bit object file.
pub(crate) fn object_64(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    object(finder, regions, 64);
}

/// Reads code of a 32-bit object file.
pub(crate) fn object_32(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    object(finder, regions, 32);
}

/// Reads code of an object file: where there are relocations they say what an instruction names.
fn object(finder: &mut Finder<'_, '_>, regions: &[Region], bits: u32) {
    let patches = finder.patches();
    each_instruction(finder, regions, bits, |finder, decoder, instruction, at| {
        let end = at.saturating_add(u64::try_from(instruction.len()).unwrap_or_default());
        let of_instruction = patches.between(finder.section.index, at, end);
        if of_instruction.is_empty() && is_branch(instruction) {
            finder.branch(
                at,
                instruction.near_branch_target(),
                branch_kind(instruction),
            );
        }
        for patch in of_instruction {
            patched_operand(finder, decoder, instruction, at, patch);
        }
    });
}

/// Decodes the regions one after the other, and hands on each instruction with its offset in the section.
///
/// Behind bytes that are no instruction nothing is read up to the end of the region: where the next instruction
/// starts is not known.
fn each_instruction(
    finder: &mut Finder<'_, '_>,
    regions: &[Region],
    bits: u32,
    mut each: impl FnMut(&mut Finder<'_, '_>, &Decoder<'_>, &Instruction, u64),
) {
    let mut decoder = Decoder::new(bits, finder.code(), DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let patches: Patches<'_> = finder.patches();
    for region in regions {
        if !finder.enter(region) {
            finder.unread_patches(&patches, region.start, region.end, Certainty::Exact);
            continue;
        }
        let position = usize::try_from(region.start);
        let Some(end) = usize::try_from(region.end)
            .ok()
            .filter(|_| position.is_ok_and(|position| decoder.set_position(position).is_ok()))
        else {
            continue;
        };
        decoder.set_ip(finder.address(region.start));
        let mut at = region.start;
        while at < region.end {
            decoder.decode_out(&mut instruction);
            if instruction.is_invalid() || decoder.position() > end {
                finder.bytes.skipped += region.end - at;
                finder.unread_patches(&patches, at, region.end, Certainty::Inferred);
                break;
            }
            each(finder, &decoder, &instruction, at);
            at = at.saturating_add(u64::try_from(instruction.len()).unwrap_or_default());
        }
    }
}

/// Whether an instruction names its target by the distance to it.
fn is_branch(instruction: &Instruction) -> bool {
    matches!(
        instruction.op0_kind(),
        OpKind::NearBranch64 | OpKind::NearBranch32
    )
}

fn branch_kind(instruction: &Instruction) -> ReferenceKind {
    match instruction.mnemonic() {
        Mnemonic::Call => ReferenceKind::Call,
        _ => ReferenceKind::Jump,
    }
}

/// Finds the operand that is relative to the instruction. Whether that was a branch's, which has no other.
#[inline]
fn relative_operands(finder: &mut Finder<'_, '_>, instruction: &Instruction, at: u64) -> bool {
    let is_branch = is_branch(instruction);
    if is_branch {
        finder.branch(
            at,
            instruction.near_branch_target(),
            branch_kind(instruction),
        );
    } else if instruction.is_ip_rel_memory_operand() {
        relative_memory(finder, instruction, at);
    }
    is_branch
}

/// Finds what an operand in memory leads to that is relative to the instruction.
fn relative_memory(finder: &mut Finder<'_, '_>, instruction: &Instruction, at: u64) {
    let address = instruction.ip_rel_memory_address();
    match instruction.mnemonic() {
        Mnemonic::Lea => finder.address_taken(at, address, Certainty::Exact),
        Mnemonic::Call | Mnemonic::Jmp => {
            finder.branch_through(at, address, branch_kind(instruction));
        }
        // A `nop` names nothing, whatever its operand.
        Mnemonic::Nop => {}
        _ => finder.access(at, address, Certainty::Exact),
    }
}

/// Finds the operands that are numbers, in a program at a fixed address.
fn absolute_operands(finder: &mut Finder<'_, '_>, instruction: &Instruction, at: u64) {
    // Offsets in thread-local storage count from these.
    let is_thread_local = matches!(instruction.memory_segment(), Register::FS | Register::GS);
    // A shorter displacement is a distance in a structure.
    if instruction.memory_displ_size() >= 4
        && !instruction.is_ip_rel_memory_operand()
        && !is_thread_local
    {
        let kind = match instruction.mnemonic() {
            Mnemonic::Lea => ReferenceKind::Address,
            _ => ReferenceKind::Access,
        };
        if instruction.mnemonic() != Mnemonic::Nop {
            finder.number(at, instruction.memory_displacement64(), kind);
        }
    }
    let operand = match instruction.mnemonic() {
        Mnemonic::Push => 0,
        // What compilers do with addresses: load, store, compare with an end, add to an index.
        Mnemonic::Mov | Mnemonic::Cmp | Mnemonic::Add | Mnemonic::Sub => 1,
        _ => return,
    };
    let number = match instruction.op_kind(operand) {
        OpKind::Immediate32 => instruction.immediate32().into(),
        OpKind::Immediate32to64 => instruction.immediate32to64().cast_unsigned(),
        OpKind::Immediate64 => instruction.immediate64(),
        _ => return,
    };
    finder.number(at, number, ReferenceKind::Address);
}

/// Finds what the operand leads to that a relocation patches.
///
/// Relative operands count from the end of the instruction, relocations from the patched bytes: compilers put the
/// difference into the addend (AMD64 ABI 1.0, "Relocation Types": `S + A - P`).
fn patched_operand(
    finder: &mut Finder<'_, '_>,
    decoder: &Decoder<'_>,
    instruction: &Instruction,
    at: u64,
    patch: &Patch,
) {
    let field = usize::try_from(patch.from.offset.saturating_sub(at)).unwrap_or(usize::MAX);
    let to_end = i64::try_from(instruction.len().saturating_sub(field)).unwrap_or_default();
    let offsets = decoder.get_constant_offsets(instruction);
    let is_displacement = offsets.has_displacement() && offsets.displacement_offset() == field;
    if is_branch(instruction) {
        if let Some(to) = patch.target(to_end) {
            finder.branch_to(at, to, branch_kind(instruction));
        }
        return;
    }
    let is_relative = is_displacement && instruction.is_ip_rel_memory_operand();
    let Some(to) = patch.target(if is_relative { to_end } else { 0 }) else {
        return;
    };
    let is_code = finder
        .image()
        .section(to.section)
        .is_some_and(|section| section.access.executable);
    let kind = match instruction.mnemonic() {
        // Code is not read: the operand is a slot, which the linker will make, with its address.
        Mnemonic::Call | Mnemonic::Jmp if is_displacement && is_code => branch_kind(instruction),
        Mnemonic::Lea => ReferenceKind::Address,
        _ if is_displacement && !is_code => ReferenceKind::Access,
        _ => ReferenceKind::Address,
    };
    finder.refer(at, to, kind, Certainty::Exact);
}
