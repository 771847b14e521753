//! Instructions of 64-bit Arm.
//!
//! An address is made in two steps: `ADRP` puts a page into a register, and a later instruction adds the rest. The two
//! may be far apart, so that the registers are followed through the function.

mod callee;
mod instruction;
mod pages;

#[cfg(test)]
mod tests;

use self::instruction::{Flow, Instruction, Registers};
use self::pages::{Joins, Pages};
use crate::finder::Finder;
use crate::patch::Patch;
use crate::reference::{Certainty, ReferenceKind};
use crate::region::Region;

/// Bytes of an instruction.
const LEN: u64 = 4;

/// How often a function is read at most: again when a loop's end told what its start was reached with.
const MAX_PASSES: u32 = 3;

/// Reads code of a linked file.
pub(crate) fn linked(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    for region in regions {
        if !finder.enter(region) {
            continue;
        }
        let (found, bytes) = (finder.found.len(), finder.bytes);
        let mut joins = Joins::of(region);
        for _ in 0..MAX_PASSES {
            finder.found.truncate(found);
            finder.bytes = bytes;
            read_region(finder, region, &mut joins);
            if !joins.learned() {
                break;
            }
        }
    }
}

/// Reads code of an object file: where there are relocations they say what an instruction names.
pub(crate) fn object(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    let patches = finder.patches();
    for region in regions {
        if !finder.enter(region) {
            finder.unread_patches(&patches, region.start, region.end, Certainty::Exact);
            continue;
        }
        for (at, word) in words(finder.code(), region) {
            let instruction = Instruction::decode(word);
            let patches = patches.between(region.section, at, at.saturating_add(LEN));
            if let Instruction::Branch { distance, flow } = instruction
                && patches.is_empty()
            {
                let target = finder.address(at).wrapping_add_signed(distance);
                finder.branch(at, target, branch_kind(flow));
            }
            for patch in patches {
                patched_operand(finder, instruction, at, patch);
            }
        }
    }
}

/// The instructions of a region, with their offsets in the section.
fn words<'data>(
    code: &'data [u8],
    region: &Region,
) -> impl Iterator<Item = (u64, u32)> + use<'data> {
    let start = region.start.next_multiple_of(LEN);
    let bytes = usize::try_from(start)
        .ok()
        .zip(usize::try_from(region.end).ok())
        .and_then(|(start, end)| code.get(start..end))
        .unwrap_or_default();
    // Instructions are little-endian in files of either byte order.
    let words = bytes
        .chunks_exact(4)
        .filter_map(|bytes| bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)));
    (0_u64..).map(move |number| start + number * LEN).zip(words)
}

fn branch_kind(flow: Flow) -> ReferenceKind {
    match flow {
        Flow::Call => ReferenceKind::Call,
        Flow::Jump | Flow::Conditional | Flow::Return => ReferenceKind::Jump,
    }
}

/// Reads a region once.
fn read_region(finder: &mut Finder<'_, '_>, region: &Region, joins: &mut Joins) {
    let mut pages = Pages::default();
    // Whether the instruction before goes on here.
    let mut falls_through = true;
    // Whether the instruction before made the first argument of a call through a thread-local descriptor.
    let mut has_descriptor = false;
    for (at, word) in words(finder.code(), region) {
        joins.arrive(at, &mut pages, falls_through);
        falls_through = true;
        let calls_descriptor = std::mem::take(&mut has_descriptor);
        let pc = finder.address(at);
        match Instruction::decode(word) {
            Instruction::Branch { distance, flow } => {
                let target = pc.wrapping_add_signed(distance);
                finder.branch(at, target, branch_kind(flow));
                match flow {
                    Flow::Call if pages.is_empty() => {}
                    Flow::Call => {
                        let start = at.wrapping_add_signed(distance);
                        pages.forget(callee::lost_in_call(finder, start));
                    }
                    Flow::Jump | Flow::Conditional | Flow::Return => {
                        joins.leave(at, at.wrapping_add_signed(distance), &pages);
                        falls_through = flow == Flow::Conditional;
                    }
                }
            }
            Instruction::Indirect { flow } => match flow {
                Flow::Call if calls_descriptor => pages.forget(Registers::LOST_IN_DESCRIPTORS),
                Flow::Call => pages.forget(Registers::LOST_IN_CALLS),
                Flow::Jump | Flow::Conditional | Flow::Return => {
                    if flow == Flow::Jump {
                        joins.leave_anywhere(&pages);
                    }
                    falls_through = false;
                }
            },
            Instruction::Page { register, distance } => {
                let page = (pc & !0xfff).wrapping_add_signed(distance);
                pages.set(register, page, Certainty::Exact);
            }
            Instruction::Address { register, distance } => {
                finder.address_taken(at, pc.wrapping_add_signed(distance), Certainty::Exact);
                pages.forget(Registers::one(register));
            }
            Instruction::Add { to, from, number } => {
                if let Some((page, certainty)) = pages.get(from) {
                    let address = page.wrapping_add(number);
                    finder.address_taken(at, address, certainty);
                    has_descriptor = to == 0 && finder.is_descriptor(address);
                }
                pages.forget(Registers::one(to));
            }
            Instruction::Move { to, from } => match pages.get(from) {
                Some((page, certainty)) => pages.set(to, page, certainty),
                None => pages.forget(Registers::one(to)),
            },
            Instruction::Access {
                base,
                offset,
                writes,
            } => {
                if let Some((page, certainty)) = pages.get(base) {
                    finder.access(at, page.wrapping_add(offset), certainty);
                }
                pages.forget(writes);
            }
            Instruction::Literal { distance, writes } => {
                finder.access(at, pc.wrapping_add_signed(distance), Certainty::Exact);
                pages.forget(writes);
            }
            Instruction::Other { writes } => pages.forget(writes),
        }
    }
}

/// Finds what the operand leads to that a relocation patches.
fn patched_operand(finder: &mut Finder<'_, '_>, instruction: Instruction, at: u64, patch: &Patch) {
    let Some(to) = patch.target(0) else {
        return;
    };
    let is_code = finder
        .image()
        .section(to.section)
        .is_some_and(|section| section.access.executable);
    match instruction {
        Instruction::Branch { flow, .. } => finder.branch_to(at, to, branch_kind(flow)),
        // Code is not read: the operand is a slot, which the linker will make, with its address.
        Instruction::Access { .. } | Instruction::Literal { .. } if !is_code => {
            finder.refer(at, to, ReferenceKind::Access, Certainty::Exact);
        }
        // A mark for the linker, on the call through a thread-local descriptor.
        Instruction::Indirect { .. } => {}
        _ => finder.refer(at, to, ReferenceKind::Address, Certainty::Exact),
    }
}
