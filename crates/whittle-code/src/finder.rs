//! From the addresses that instructions name to references: through slots and stubs, out of the function.

use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use whittle_image::{Image, Place, Section};

use crate::coverage::CodeBytes;
use crate::dispatch::Targets;
use crate::function::Function;
use crate::patch::Patches;
use crate::pointer::{may_be_addressed, place_or_end};
use crate::reference::{Certainty, Reference, ReferenceKind, SlotNumber};
use crate::region::{Content, Region, Regions};
use crate::slot::{self, Slots};

/// What is known of a file before its code is read.
pub(crate) struct Program<'image, 'data> {
    pub(crate) image: &'image Image<'data>,
    pub(crate) functions: &'image [Function],
    pub(crate) regions: &'image Regions,
    pub(crate) slots: &'image Slots,
    pub(crate) patches: Patches<'image>,
    pub(crate) dispatches: &'image Targets,
}

/// What is found in code.
#[derive(Default)]
pub(crate) struct Found {
    /// In order, and so are the lists.
    pub(crate) references: Vec<Vec<Reference>>,
    /// Calls that go to any function of a kind: where they are, and the number of the kind.
    pub(crate) dispatched: Vec<(Place, u32)>,
    pub(crate) bytes: CodeBytes,
}

/// Reads the instructions of a run of regions.
pub(crate) type ReadChunk = fn(&mut Finder<'_, '_>, &[Region]);

impl Program<'_, '_> {
    /// Reads all code, in parallel.
    pub(crate) fn find(&self, read: ReadChunk) -> Found {
        let chunks: Vec<Finder<'_, '_>> = self
            .regions
            .chunks()
            .into_par_iter()
            .filter_map(|chunk| {
                let section = self.image.section(chunk.first()?.section)?;
                let mut finder = Finder::new(self, section);
                read(&mut finder, chunk);
                finder.found.sort_unstable();
                finder.found.dedup();
                finder.found.shrink_to_fit();
                Some(finder)
            })
            .collect();
        let mut found = Found::default();
        for chunk in chunks {
            found.bytes.add(chunk.bytes);
            found.references.push(chunk.found);
            found.dispatched.extend(chunk.dispatched);
        }
        found
    }
}

/// Collects the references of one chunk.
pub(crate) struct Finder<'image, 'data> {
    program: &'image Program<'image, 'data>,
    pub(crate) section: &'image Section<'data>,
    region: Region,
    /// The range of the function that the region is part of.
    function: (u64, u64),
    pub(crate) found: Vec<Reference>,
    dispatched: Vec<(Place, u32)>,
    pub(crate) bytes: CodeBytes,
}

impl<'image, 'data> Finder<'image, 'data> {
    fn new(program: &'image Program<'image, 'data>, section: &'image Section<'data>) -> Self {
        Self {
            program,
            section,
            region: Region {
                section: section.index,
                start: 0,
                end: 0,
                content: Content::Unclaimed,
            },
            function: (0, 0),
            found: Vec::new(),
            dispatched: Vec::new(),
            bytes: CodeBytes::default(),
        }
    }

    pub(crate) fn image(&self) -> &'image Image<'data> {
        self.program.image
    }

    pub(crate) fn patches(&self) -> Patches<'image> {
        self.program.patches
    }

    /// The bytes of the section from its start.
    pub(crate) fn code(&self) -> &'data [u8] {
        self.section.stored()
    }

    /// The address of an offset in the section; in object files the offset itself.
    pub(crate) fn address(&self, offset: u64) -> u64 {
        self.section.address.wrapping_add(offset)
    }

    /// Goes to the next region. Whether there is code in it.
    pub(crate) fn enter(&mut self, region: &Region) -> bool {
        self.region = *region;
        self.function = match region.content {
            Content::Function(number) => self
                .function(number)
                .map_or((0, 0), |function| (function.place.offset, function.end())),
            Content::Unclaimed | Content::Data => (region.start, region.end),
        };
        let len = region.end - region.start;
        match region.content {
            Content::Data => self.bytes.data += len,
            Content::Unclaimed => self.bytes.unclaimed += len,
            Content::Function(_) => self.bytes.functions += len,
        }
        region.content != Content::Data
    }

    /// The region of the section that holds an offset.
    pub(crate) fn region_at(&self, offset: u64) -> Option<&'image Region> {
        self.program.regions.at(Place {
            section: self.section.index,
            offset,
        })
    }

    fn function(&self, number: u32) -> Option<&'image Function> {
        self.program.functions.get(usize::try_from(number).ok()?)
    }

    /// The certainty of what is read in this region: bytes that no function claims may be data.
    pub(crate) fn certainty(&self) -> Certainty {
        match self.region.content {
            Content::Function(_) => Certainty::Exact,
            Content::Unclaimed | Content::Data => Certainty::Inferred,
        }
    }

    /// An instruction at `at` calls or jumps to an address.
    pub(crate) fn branch(&mut self, at: u64, address: u64, kind: ReferenceKind) {
        // Most stay where they are.
        let own = address.wrapping_sub(self.section.address);
        if (self.region.start..self.region.end).contains(&own) {
            return;
        }
        match self.target(address) {
            Some(to) => self.branch_to(at, to, kind),
            None => self.bytes.leads_nowhere(),
        }
    }

    /// An instruction at `at` calls or jumps to a place.
    pub(crate) fn branch_to(&mut self, at: u64, to: Place, kind: ReferenceKind) {
        let is_executable = |section: &Section<'_>| section.access.executable;
        if !self.image().section(to.section).is_some_and(is_executable) || !self.may_enter(to) {
            self.bytes.leads_nowhere();
            return;
        }
        self.refer(at, to, kind, Certainty::Exact);
    }

    /// An instruction at `at` calls or jumps to what stands at an address.
    pub(crate) fn branch_through(&mut self, at: u64, address: u64, kind: ReferenceKind) {
        let Some(place) = self.target(address) else {
            self.bytes.leads_nowhere();
            return;
        };
        match self.program.slots.slot(place) {
            Some((number, slot::Content::Address(to, certainty))) => {
                self.push(at, to, kind, certainty, number);
            }
            Some((_, slot::Content::Other)) => self.refer(at, place, kind, Certainty::Exact),
            // A variable that holds a function's address.
            None => self.refer(at, place, ReferenceKind::Access, Certainty::Exact),
        }
    }

    /// An instruction at `at` reads or writes at an address. What it reads from a slot is an address.
    pub(crate) fn access(&mut self, at: u64, address: u64, certainty: Certainty) {
        let Some(place) = self.target(address) else {
            self.bytes.leads_nowhere();
            return;
        };
        match self.program.slots.slot(place) {
            Some((number, slot::Content::Address(to, known))) => {
                self.push(at, to, ReferenceKind::Address, certainty.max(known), number);
            }
            _ => self.refer(at, place, ReferenceKind::Access, certainty),
        }
    }

    /// An instruction at `at` makes an address.
    pub(crate) fn address_taken(&mut self, at: u64, address: u64, certainty: Certainty) {
        match self.target(address) {
            Some(to) => self.refer(at, to, ReferenceKind::Address, certainty),
            None => self.bytes.leads_nowhere(),
        }
    }

    /// An instruction at `at` names a number that is the address of something loaded.
    pub(crate) fn number(&mut self, at: u64, number: u64, kind: ReferenceKind) {
        if let Some(to) = self.target(number)
            && may_be_addressed(self.image(), to)
            && !self.is_inside_function(to)
        {
            self.refer(at, to, kind, Certainty::Inferred);
        }
    }

    /// An instruction of WebAssembly at `at` names a number that is an address of linear memory, where code has none.
    /// `data` are the numbers of the sections with the contents of that memory.
    pub(crate) fn linear(&mut self, at: u64, address: u64, data: &Range<u32>, kind: ReferenceKind) {
        if let Some(to) = self.image().place_at(address)
            && data.contains(&to.section.0)
        {
            self.refer(at, to, kind, Certainty::Inferred);
        }
    }

    /// An instruction at `at` calls whatever function of a type stands in a table, both by number.
    pub(crate) fn dispatch(&mut self, at: u64, table: u32, of_type: u32) {
        let code = self.section.index;
        match self.program.dispatches.number(code, table, of_type) {
            Some(number) => {
                let from = Place {
                    section: code,
                    offset: at,
                };
                self.dispatched.push((from, number));
            }
            None => self.bytes.leads_nowhere(),
        }
    }

    /// Whether what stands at an address is a slot that holds no address of this file: maybe a thread-local descriptor.
    pub(crate) fn is_descriptor(&self, address: u64) -> bool {
        let slot = self
            .image()
            .place_at(address)
            .and_then(|place| self.program.slots.slot(place));
        matches!(slot, Some((_, slot::Content::Other)))
    }

    /// Refers to a place, or to what is behind it if it is a stub.
    pub(crate) fn refer(&mut self, at: u64, to: Place, kind: ReferenceKind, certainty: Certainty) {
        match self.program.slots.behind_stub(to) {
            Some((behind, known, slot)) => self.push(at, behind, kind, certainty.max(known), slot),
            None => self.push(at, to, kind, certainty, SlotNumber::NONE),
        }
    }

    fn push(
        &mut self,
        at: u64,
        to: Place,
        kind: ReferenceKind,
        certainty: Certainty,
        slot: SlotNumber,
    ) {
        let (start, end) = self.function;
        let is_own = to.section == self.section.index && (start..end).contains(&to.offset);
        if is_own && self.is_same_function(to) {
            return;
        }
        let from = Place {
            section: self.section.index,
            offset: at,
        };
        // The weaker of the two.
        let certainty = certainty.max(self.certainty());
        self.found
            .push(Reference::new(from, to, kind, certainty).through(slot));
    }

    /// Whether a place between the function's start and end is its own, and not of another function inside.
    fn is_same_function(&self, place: Place) -> bool {
        let region = &self.region;
        if (region.start..region.end).contains(&place.offset) {
            return true;
        }
        let other = self.program.regions.at(place).map(|other| other.content);
        other.is_none_or(|content| content == region.content || content == Content::Data)
    }

    /// Whether code of this region can go to a place. Bytes that may be data do not jump into the middle of a function.
    fn may_enter(&self, to: Place) -> bool {
        matches!(self.region.content, Content::Function(_)) || !self.is_inside_function(to)
    }

    fn is_inside_function(&self, to: Place) -> bool {
        let program = self.program;
        program.regions.is_inside_function(to, program.functions)
    }

    /// The place at an address of a linked file.
    fn target(&self, address: u64) -> Option<Place> {
        // Most are in the same section.
        let own = address.wrapping_sub(self.section.address);
        if own < self.section.size {
            return Some(Place {
                section: self.section.index,
                offset: own,
            });
        }
        place_or_end(self.image(), address)
    }
}
