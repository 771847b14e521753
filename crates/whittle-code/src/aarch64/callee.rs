//! What a called function changes.
//!
//! Functions keep the callee's registers of the calling convention. The pieces that LLVM cuts out of several functions
//! when it optimizes for size (`OUTLINED_FUNCTION_0`) do not: they are part of their callers, and write what these wrote.

use super::instruction::{Instruction, Registers};
use super::{LEN, words};
use crate::finder::Finder;
use crate::region::Region;

/// How many instructions of a called function are read at most. A piece has no branches, and is rarely longer.
const MAX_LEN: u64 = 64;

/// The registers that hold something else when the function has returned that stands at an offset in the section.
///
/// The function is read up to its first branch or call, which may have been cut out as well and save registers. What it
/// writes before without having saved it is lost, beside what any function may change; if it returns before it
/// branches, nothing else is.
pub(super) fn lost_in_call(finder: &Finder<'_, '_>, start: u64) -> Registers {
    let Some(region) = finder.region_at(start) else {
        return Registers::LOST_IN_CALLS;
    };
    let end = region.end.min(start.saturating_add(MAX_LEN * LEN));
    let region = Region {
        start,
        end,
        ..*region
    };
    let mut saved = Registers::NONE;
    let mut lost = Registers::NONE;
    for (_, word) in words(finder.code(), &region) {
        let instruction = Instruction::decode(word);
        match instruction {
            // The link register is written by the call.
            Instruction::Indirect { .. } if is_return(word) => {
                return lost.and(Registers::LINK);
            }
            Instruction::Branch { .. } | Instruction::Indirect { .. } => break,
            _ => {}
        }
        saved = saved.and(Registers::saved_by(word).except(lost));
        lost = lost.and(instruction.writes().except(saved));
    }
    lost.and(Registers::LOST_IN_CALLS)
}

fn is_return(word: u32) -> bool {
    const RETURN: u32 = 0xd65f_0000;
    const RETURN_AUTHENTICATED: [u32; 2] = [0xd65f_0bff, 0xd65f_0fff];
    word & 0xffff_fc1f == RETURN || RETURN_AUTHENTICATED.contains(&word)
}
