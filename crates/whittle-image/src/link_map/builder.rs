//! Collects what the lines of a map say and puts it in order.
//!
//! The readers report in the map's order, without looking back; here objects are interned, input sections are sorted
//! and cut so that they are disjoint, and the indices for lookups are made.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{
    Fill, InputIndex, InputObject, InputSection, LinkMap, LinkMapError, Linker, MapSymbol,
    ObjectIndex, OutputIndex, OutputSection, to_usize,
};

/// What both lld and mold write where a path would stand, for what they made themselves.
const LINKER_ITSELF: &str = "<internal>";
/// The same in GNU ld, for the code it puts between distant callers and callees.
const GNU_STUBS: &str = "linker stubs";

pub(super) struct Builder<'m> {
    linker: Linker,
    output_sections: Vec<OutputSection<'m>>,
    objects: Vec<InputObject<'m>>,
    /// Positions of `objects` by the text they were made from.
    interned: HashMap<&'m str, ObjectIndex>,
    /// The text of the line before, which is the same as this line's for most lines.
    latest: Option<(&'m str, Option<ObjectIndex>)>,
    sections: Vec<InputSection<'m>>,
    symbols: Vec<MapSymbol<'m>>,
    fills: Vec<Fill>,
    skipped_lines: usize,
    first_skipped_line: Option<usize>,
    /// Whether symbols that come now stand under the last of `sections`.
    section_is_open: bool,
    /// How many `symbols` there were when the last output section was opened.
    symbols_before: usize,
}

impl<'m> Builder<'m> {
    pub(super) fn new(linker: Linker) -> Self {
        Builder {
            linker,
            output_sections: Vec::new(),
            objects: Vec::new(),
            interned: HashMap::new(),
            latest: None,
            sections: Vec::new(),
            symbols: Vec::new(),
            fills: Vec::new(),
            skipped_lines: 0,
            first_skipped_line: None,
            section_is_open: false,
            symbols_before: 0,
        }
    }

    /// Counts a line that made no sense.
    pub(super) fn skip(&mut self, line: usize) {
        self.skipped_lines += 1;
        self.first_skipped_line.get_or_insert(line);
    }

    /// Opens an output section. `None` if its range passes the end of the address space.
    pub(super) fn output(
        &mut self,
        name: impl Into<Cow<'m, str>>,
        address: u64,
        size: u64,
    ) -> Option<OutputIndex> {
        self.section_is_open = false;
        address.checked_add(size)?;
        let index = OutputIndex(u32::try_from(self.output_sections.len()).ok()?);
        let first = u32::try_from(self.sections.len()).ok()?;
        self.output_sections.push(OutputSection {
            name: name.into(),
            address,
            size,
            sections: first..first,
        });
        self.symbols_before = self.symbols.len();
        Some(index)
    }

    /// Adds an input section to the output section opened last. `None` if it makes no sense there.
    ///
    /// Empty ones are left out, as is what lies past the end of the output section: GNU ld lists strings and notes
    /// that were merged into earlier ones with their former size.
    pub(super) fn section(
        &mut self,
        address: u64,
        size: u64,
        name: &'m str,
        object: Option<ObjectIndex>,
    ) -> Option<()> {
        self.section_is_open = false;
        let end = address.checked_add(size)?;
        let index = self.last_output()?;
        let output = self.output_sections.last_mut()?;
        if address < output.address || address > output.end() {
            return None;
        }
        let size = end.min(output.end()) - address;
        if size == 0 {
            return Some(());
        }
        output.sections.end = u32::try_from(self.sections.len()).ok()?.checked_add(1)?;
        self.sections.push(InputSection {
            address,
            size,
            name,
            output: index,
            object,
        });
        self.section_is_open = true;
        Some(())
    }

    /// Takes back the input sections of the output section opened last: their places turned out to be unknown.
    pub(super) fn forget_sections(&mut self) {
        if let Some(output) = self.output_sections.last_mut() {
            let first = output.sections.start;
            output.sections.end = first;
            self.sections.truncate(to_usize(first));
            self.section_is_open = false;
            for symbol in &mut self.symbols[self.symbols_before..] {
                symbol.section = None;
            }
        }
    }

    /// Adds a symbol under the input section that came last.
    pub(super) fn symbol(&mut self, address: u64, size: u64, name: &'m str) {
        let section = self
            .section_is_open
            .then(|| self.sections.len().checked_sub(1))
            .flatten()
            .and_then(|last| u32::try_from(last).ok())
            .map(InputIndex);
        self.symbols.push(MapSymbol {
            address,
            size,
            name,
            section,
        });
    }

    /// Adds filling to the output section opened last. `None` if it makes no sense there.
    pub(super) fn fill(&mut self, address: u64, size: u64) -> Option<()> {
        self.section_is_open = false;
        let end = address.checked_add(size)?;
        let output = self.last_output()?;
        let bounds = self.output_sections.last()?;
        if address < bounds.address || end > bounds.end() {
            return None;
        }
        if size > 0 {
            self.fills.push(Fill {
                address,
                size,
                output,
            });
        }
        Some(())
    }

    /// The output section opened last.
    pub(super) fn last_output(&self) -> Option<OutputIndex> {
        let last = self.output_sections.len().checked_sub(1)?;
        u32::try_from(last).ok().map(OutputIndex)
    }

    /// The object that a map calls `path` or `archive(member)`; `None` for the linker itself.
    pub(super) fn object(&mut self, text: &'m str) -> Option<ObjectIndex> {
        if let Some((latest, index)) = self.latest
            && latest == text
        {
            return index;
        }
        let index = if text == LINKER_ITSELF || text == GNU_STUBS {
            None
        } else if let Some(&known) = self.interned.get(text) {
            Some(known)
        } else {
            let index = ObjectIndex(u32::try_from(self.objects.len()).ok()?);
            self.objects.push(split_member(text));
            self.interned.insert(text, index);
            Some(index)
        };
        self.latest = Some((text, index));
        index
    }

    /// Puts everything in order. `last_line` is for the error only.
    pub(super) fn finish(mut self, last_line: usize) -> Result<LinkMap<'m>, LinkMapError> {
        if self.output_sections.is_empty() {
            return Err(LinkMapError::NoSections { line: last_line });
        }
        self.order_sections();
        let by_name = self.index_by_name();
        let by_address = self.index_by_address();
        self.sections.shrink_to_fit();
        self.symbols.shrink_to_fit();
        Ok(LinkMap {
            linker: self.linker,
            output_sections: self.output_sections,
            objects: self.objects,
            sections: self.sections,
            symbols: self.symbols,
            fills: self.fills,
            skipped_lines: self.skipped_lines,
            first_skipped_line: self.first_skipped_line,
            by_name,
            by_address,
        })
    }

    /// Sorts the input sections within each output section and makes them disjoint.
    ///
    /// One that reaches into the next is cut where the next starts, and one that starts where the next starts goes:
    ///
    /// ```text
    ///   .rodata.str1.1   |------|             what GNU ld lists for strings it merged into earlier ones,
    ///   .rodata.other    |---------|          and what it puts in the same place
    /// ```
    fn order_sections(&mut self) {
        let mut order: Vec<u32> = (0..).take(self.sections.len()).collect();
        for output in &self.output_sections {
            let own = to_usize(output.sections.start)..to_usize(output.sections.end);
            // Stable, so that of two in one place the one listed later stays the later; linear when already sorted.
            order[own].sort_by_key(|&index| self.sections[to_usize(index)].address);
        }

        let mut kept: Vec<InputSection<'m>> = Vec::with_capacity(self.sections.len());
        let mut moved: Vec<Option<InputIndex>> = vec![None; self.sections.len()];
        for output in &mut self.output_sections {
            let own = to_usize(output.sections.start)..to_usize(output.sections.end);
            let first = kept.len();
            for (position, &index) in order[own.clone()].iter().enumerate() {
                let mut section = self.sections[to_usize(index)].clone();
                if let Some(&next) = order[own.clone()].get(position + 1) {
                    let room = self.sections[to_usize(next)].address - section.address;
                    section.size = section.size.min(room);
                }
                if section.size > 0 {
                    moved[to_usize(index)] = u32::try_from(kept.len()).ok().map(InputIndex);
                    kept.push(section);
                }
            }
            // As many fit into 32 bits before.
            let bound = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
            output.sections = bound(first)..bound(kept.len());
        }
        self.sections = kept;
        for symbol in &mut self.symbols {
            symbol.section = symbol.section.and_then(|index| moved[to_usize(index.0)]);
        }
    }

    fn index_by_name(&self) -> Vec<OutputIndex> {
        let mut indices = self.output_indices();
        let key = |index: &OutputIndex| {
            let output = &self.output_sections[to_usize(index.0)];
            (&*output.name, output.address)
        };
        indices.sort_by(|a, b| key(a).cmp(&key(b)));
        indices
    }

    fn index_by_address(&self) -> Vec<OutputIndex> {
        let mut indices = self.output_indices();
        indices.retain(|index| is_addressable(&self.output_sections[to_usize(index.0)]));
        indices.sort_by_key(|index| self.output_sections[to_usize(index.0)].address);
        let mut end = 0;
        indices.retain(|index| {
            let output = &self.output_sections[to_usize(index.0)];
            let free = output.address >= end;
            if free {
                end = output.end();
            }
            free
        });
        indices
    }

    fn output_indices(&self) -> Vec<OutputIndex> {
        (0..)
            .take(self.output_sections.len())
            .map(OutputIndex)
            .collect()
    }
}

/// Whether a section's addresses are its own. Maps do not say what is loaded, and a program for bare metal may have its
/// vectors at 0, where everything that is not loaded is as well: there the name has to tell.
fn is_addressable(output: &OutputSection<'_>) -> bool {
    const NOT_LOADED: [&str; 8] = [
        ".comment",
        ".debug",
        ".zdebug",
        ".stab",
        ".symtab",
        ".strtab",
        ".shstrtab",
        ".gnu",
    ];
    let not_loaded = output.address == 0
        && (NOT_LOADED
            .iter()
            .any(|prefix| output.name.starts_with(prefix))
            || output.name.ends_with(".attributes"));
    let thread_local = output.name == ".tbss" || output.name.starts_with(".tbss.");
    output.size > 0 && !not_loaded && !thread_local
}

/// Apple's newer linker writes `libb.a[2](b.o)`.
fn without_number(path: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // Linkers know these files by exactly these endings.
    let is_library = |path: &str| {
        let ending = path.rsplit_once('.').map(|(_, ending)| ending);
        matches!(ending, Some("a" | "rlib"))
    };
    let split = path
        .strip_suffix(']')
        .and_then(|path| path.rsplit_once('['));
    match split {
        Some((path, number)) if is_number(number) && is_library(path) => path,
        _ => path,
    }
}

/// Takes `archive(member)` apart. Paths and members may have parentheses of their own: the member starts at the
/// parenthesis that matches the last one.
fn split_member(text: &str) -> InputObject<'_> {
    let whole = InputObject {
        path: text,
        member: None,
    };
    let Some(inside) = text.strip_suffix(')') else {
        return whole;
    };
    let mut depth = 1_usize;
    for (position, byte) in inside.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let (path, member) = (&inside[..position], &inside[position + 1..]);
            if path.is_empty() || member.is_empty() {
                return whole;
            }
            return InputObject {
                path: without_number(path),
                member: Some(member),
            };
        }
    }
    whole
}
