//! All references of a file.

use std::ops::Range;

use whittle_image::{FileKind, Format, Image, Place, SectionIndex, Warnings};

use crate::coverage::{Coverage, Method};
use crate::dispatch::{Dispatch, Targets};
use crate::finder::{Found, Program, ReadChunk};
use crate::function::{Function, functions};
use crate::incoming::Incoming;
use crate::patch::{self, Patches};
use crate::reference::Reference;
use crate::region::Regions;
use crate::slot::Slots;
use crate::{aarch64, pointer, wasm, x86};

/// Which places of a file mention which others.
#[derive(Clone, Debug, Default)]
pub struct References {
    list: Vec<Reference>,
    /// By number.
    slots: Vec<Place>,
    functions: Vec<Function>,
    dispatches: Vec<Dispatch>,
    coverage: Coverage,
    warnings: Warnings,
}

impl References {
    /// Finds the references of `image`.
    ///
    /// What stays within one function is left out: its jumps, its tables of jump targets, its calls of itself. Also
    /// left out is what has no address: offsets in thread-local storage, and what is in other files, unless it is
    /// reached through a slot or stub of this one.
    ///
    /// Code is read on all threads of the current `rayon` pool; the result does not depend on their number. Time and
    /// memory are proportional to the length of the file.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use whittle_code::References;
    /// use whittle_image::Image;
    ///
    /// let bytes = std::fs::read(std::env::current_exe()?)?;
    /// # if bytes.starts_with(b"\x7fELF") {
    /// let image = Image::parse(&bytes)?;
    /// let references = References::find(&image);
    /// for function in references.functions().iter().take(10) {
    ///     let mentions = references.within(function.place, function.len);
    ///     println!("{:?} mentions {} places", function.place, mentions.len());
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// In a container those of its members: none leads from one to another.
    #[must_use]
    pub fn find(image: &Image<'_>) -> Self {
        if image.is_container() {
            return Self::of_parts(image);
        }
        let mut warnings = Warnings::default();
        let functions = functions(image);
        let regions = Regions::of(image, &functions, &mut warnings);
        let is_object = image.target.kind == FileKind::Object;
        let slots = if is_object {
            Slots::default()
        } else {
            Slots::of(image)
        };
        let patches = patch::patches(image);
        let targets = Targets::of(image);
        let program = Program {
            image,
            functions: &functions,
            regions: &regions,
            slots: &slots,
            patches: Patches::new(&patches),
            dispatches: &targets,
        };
        let (method, read) = method(image);
        let in_code = read.map_or_else(Found::default, |read| program.find(read));
        let mut in_data = if is_object {
            patch::pointers(image)
        } else {
            pointer::pointers(image, &regions, &functions)
        };
        in_data.extend(pointer::unwind_references(image));
        in_data.extend(pointer::stub_references(image, &slots));
        // Stable sorting makes use of the order in which linkers write their tables.
        in_data.sort();
        in_data.dedup();
        Self {
            list: merge(in_code.references, &in_data),
            slots: slots.into_places(),
            functions,
            dispatches: targets.with_callers(in_code.dispatched),
            coverage: Coverage {
                method,
                code: in_code.bytes,
            },
            warnings,
        }
    }

    /// Those of all members, one after the other.
    fn of_parts(image: &Image<'_>) -> Self {
        let mut all = Self::default();
        let mut poorest = None;
        for part in image.parts() {
            let Some(of_part) = part.image else { continue };
            let found = Self::find(of_part);
            let has_code = |it: &whittle_image::Section<'_>| it.access.executable && it.size > 0;
            if of_part.sections.iter().any(has_code) {
                let method = found.coverage.method;
                poorest = Some(poorest.map_or(method, |other| method.poorer(other)));
            }
            all.append(&found, part.first_section);
        }
        // Without any code nothing is left unread.
        all.coverage.method = poorest.unwrap_or(Method::DecodedWithRelocations);
        all
    }

    fn append(&mut self, other: &Self, first_section: u32) {
        let moved = |place: Place| Place {
            section: SectionIndex(place.section.0.saturating_add(first_section)),
            ..place
        };
        let slots = self.slots.len();
        let list = other.list.iter();
        self.list
            .extend(list.map(|it| it.moved(moved, |slot| slot + slots)));
        self.slots
            .extend(other.slots.iter().map(|&slot| moved(slot)));
        self.functions
            .extend(other.functions.iter().map(|it| Function {
                place: moved(it.place),
                ..*it
            }));
        let dispatches = other.dispatches.iter();
        self.dispatches
            .extend(dispatches.map(|dispatch| dispatch.moved(moved)));
        self.coverage.code.add(other.coverage.code);
        self.warnings.extend(&other.warnings);
    }

    /// Those of a member of a container, as [`Self::find`] would give them for it alone. `sections` are its own among
    /// those of the container.
    #[must_use]
    pub fn of_part(&self, sections: &Range<u32>) -> Self {
        let moved = |place: Place| Place {
            section: SectionIndex(place.section.0.wrapping_sub(sections.start)),
            ..place
        };
        let list = of_sections(&self.list, Reference::from, sections);
        // Members come one after the other, and so do their slots.
        let slots = of_sections(&self.slots, |&slot| slot, sections);
        let functions = of_sections(&self.functions, |it| it.place, sections);
        let first_slot = slots.start;
        let of = |range: Range<usize>| self.list.get(range).unwrap_or_default();
        Self {
            list: of(list)
                .iter()
                .filter(|it| sections.contains(&it.to().section.0))
                .map(|it| it.moved(moved, |slot| slot.wrapping_sub(first_slot)))
                .collect(),
            slots: self.slots[slots].iter().map(|&slot| moved(slot)).collect(),
            functions: self.functions[functions]
                .iter()
                .map(|it| Function {
                    place: moved(it.place),
                    ..*it
                })
                .collect(),
            dispatches: self
                .dispatches
                .iter()
                .filter(|it| {
                    it.functions
                        .iter()
                        .all(|it| sections.contains(&it.section.0))
                })
                .map(|dispatch| dispatch.moved(moved))
                .collect(),
            coverage: self.coverage,
            warnings: Warnings::default(),
        }
    }

    /// All references, in ascending order of where they are from, each once.
    #[must_use]
    pub fn list(&self) -> &[Reference] {
        &self.list
    }

    /// The references from the `len` bytes that start at `start`.
    #[must_use]
    pub fn within(&self, start: Place, len: u64) -> &[Reference] {
        let end = Place {
            offset: start.offset.saturating_add(len),
            ..start
        };
        let first = self.list.partition_point(|it| it.from() < start);
        let rest = self.list.get(first..).unwrap_or_default();
        let count = rest.partition_point(|it| it.from() < end);
        rest.get(..count).unwrap_or_default()
    }

    /// The references by where they lead. This sorts them: ask once.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming::of(&self.list)
    }

    /// The address slot (of the global offset table) that a reference goes through, directly or by a stub, if it leads
    /// to what is behind the slot.
    #[must_use]
    pub fn slot(&self, reference: &Reference) -> Option<Place> {
        self.slots.get(reference.slot().position()?).copied()
    }

    /// The functions of the file in ascending order, one a place. They may overlap where symbols do.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Calls through tables of functions: which functions each can reach only the types say. They are none of
    /// [`Self::list`].
    #[must_use]
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// How much of the code was read, and how.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// What could not be read as it claims to be.
    #[must_use]
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }
}

/// Where what is in some sections stands in a list that has the sections of each member together.
fn of_sections<T>(list: &[T], place: impl Fn(&T) -> Place, sections: &Range<u32>) -> Range<usize> {
    let before = |bound: u32| list.partition_point(|it| place(it).section.0 < bound);
    let first = before(sections.start);
    first..before(sections.end).max(first)
}

/// How the code of a file is read.
fn method(image: &Image<'_>) -> (Method, Option<ReadChunk>) {
    let is_object = image.target.kind == FileKind::Object;
    let decoded = if is_object {
        Method::DecodedWithRelocations
    } else {
        Method::Decoded
    };
    let read: ReadChunk = match (image.target.format, image.target.architecture.as_str()) {
        (Format::Elf | Format::MachO | Format::Pe, "x86_64") => match image.target.kind {
            FileKind::Object => x86::object_64,
            FileKind::Executable => x86::fixed,
            _ => x86::relocatable,
        },
        (Format::Elf | Format::Pe, "i686") if is_object => x86::object_32,
        (Format::Elf | Format::MachO | Format::Pe, "aarch64" | "aarch64_be") => {
            if is_object {
                aarch64::object
            } else {
                aarch64::linked
            }
        }
        (Format::Wasm, _) => return (Method::Decoded, Some(wasm::module)),
        _ if is_object => return (Method::Relocations, Some(patch::undecoded)),
        _ => return (Method::Unread, None),
    };
    (decoded, Some(read))
}

/// Merges lists of which each is in order, and which follow each other, with one more list in order.
///
/// Code and data are in different sections but for tables among code, so that most of a list goes in one piece. The
/// lists are given back to memory one by one: together they are as large as the result.
fn merge(lists: Vec<Vec<Reference>>, other: &[Reference]) -> Vec<Reference> {
    let count = lists.iter().map(Vec::len).sum::<usize>() + other.len();
    let mut merged: Vec<Reference> = Vec::with_capacity(count);
    let mut other = other;
    for list in lists {
        let mut list = &list[..];
        while let Some(first) = list.first() {
            let (before, behind) = other.split_at(other.partition_point(|it| it < first));
            merged.extend_from_slice(before);
            other = behind;
            let count = match other.first() {
                Some(next) => list.partition_point(|it| it <= next),
                None => list.len(),
            };
            let (before, behind) = list.split_at(count);
            merged.extend_from_slice(before);
            list = behind;
        }
    }
    merged.extend_from_slice(other);
    merged
}
