//! What unwind information leads to: the handler of a function, and the pieces of code that the handler runs when the stack
//! unwinds. These are functions of their own with entries of their own, and nothing else mentions them.
//!
//! The tables are those of Microsoft's handlers, as `ehdata.h` and `winnt.h` of its compiler have them: `FuncInfo` with the maps
//! of states and of `try` blocks (`__CxxFrameHandler3`, which Rust uses), and the table of scopes (`__C_specific_handler`). The
//! packed form of newer C++ (`__CxxFrameHandler4`) is not read.

use super::{Pe, Rvas, word};
use crate::description::Link;
use crate::image::Image;

/// No function has more states, `try` blocks or scopes.
const MAX_ENTRIES: u32 = 1 << 12;

/// Adds the links of a function. `unwind` is its unwind information, which ends with the handler; `code` is the function.
/// `left` is how many entries of tables may still be read: in a hostile file many functions share the same long ones.
pub(super) fn links(
    pe: &Pe<'_>,
    unwind: &Rvas,
    code: &Rvas,
    left: &mut usize,
    image: &mut Image<'_>,
) {
    let mut found = Links { pe, image, left };
    let Some(handler) = unwind.end.checked_sub(4) else {
        return;
    };
    if found.add(handler).is_none() {
        return;
    }
    let Some(info) = found.word(unwind.end) else {
        return;
    };
    match found.word(info) {
        // The lowest bits are the version; those above are flags.
        Some(0x1993_0520..=0x1993_0522) => {
            found.states(info);
        }
        _ => {
            found.scopes(unwind.end, code);
        }
    }
}

struct Links<'a, 'pe, 'data> {
    pe: &'a Pe<'pe>,
    image: &'a mut Image<'data>,
    left: &'a mut usize,
}

impl Links<'_, '_, '_> {
    fn word(&self, rva: u32) -> Option<u32> {
        word(self.pe.bytes(rva, self.image.data), 0)
    }

    /// Links the word at an address to what it leads to; nothing if no more may be read.
    fn add(&mut self, rva: u32) -> Option<()> {
        *self.left = self.left.checked_sub(1)?;
        let to = self
            .word(rva)
            .filter(|&to| to != 0)
            .and_then(|to| self.pe.place(to, self.image));
        if let (Some(from), Some(to)) = (self.pe.place(rva, self.image), to) {
            self.image.links.push(Link { from, to });
        }
        Some(())
    }

    /// `FuncInfo`: a number, how many states, their map, how many `try` blocks, their map, and more that names no code.
    fn states(&mut self, info: u32) -> Option<()> {
        let field = |this: &Self, at: u32| this.word(info.checked_add(at)?);
        let (states, map) = (field(self, 4)?, field(self, 8)?);
        let (blocks, tries) = (field(self, 12)?, field(self, 16)?);
        // The state to go to, what cleans up.
        for number in 0..states.min(MAX_ENTRIES) {
            self.add(map.checked_add(number * 8 + 4)?)?;
        }
        for number in 0..blocks.min(MAX_ENTRIES) {
            *self.left = self.left.checked_sub(1)?;
            // Lowest, highest and last state, how many handlers, where they are.
            let block = tries.checked_add(number * 20)?;
            let count = self.word(block.checked_add(12)?)?;
            let handlers = self.word(block.checked_add(16)?)?;
            for handler in 0..count.min(MAX_ENTRIES) {
                // What it is, its type, where the caught object goes, its code, where its frame is.
                let handler = handlers.checked_add(handler.checked_mul(20)?)?;
                self.add(handler.checked_add(4)?)?;
                self.add(handler.checked_add(12)?)?;
            }
        }
        Some(())
    }

    /// A table of scopes: how many, and for each its start and end in the function, a filter or what cleans up, and where to
    /// go on.
    fn scopes(&mut self, table: u32, code: &Rvas) -> Option<()> {
        let count = self.word(table)?;
        for number in 0..count.min(MAX_ENTRIES) {
            let scope = table.checked_add(4 + number * 16)?;
            let (start, end) = (self.word(scope)?, self.word(scope.checked_add(4)?)?);
            let is_inside = code.contains(&start) && start < end && end <= code.end;
            // Else it is a table of some other handler.
            if !is_inside {
                break;
            }
            self.add(scope.checked_add(8)?)?;
        }
        Some(())
    }
}
