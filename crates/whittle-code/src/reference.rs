//! One reference: a place that mentions another place.

use whittle_image::{Place, SectionIndex};

/// A place that mentions another place.
///
/// References order by where they are from, then by where they lead. One takes 32 bytes: a large file has millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    from_section: SectionIndex,
    from_offset: u64,
    to_section: SectionIndex,
    to_offset: u64,
    kind: ReferenceKind,
    certainty: Certainty,
    slot: SlotNumber,
}

/// How a place mentions another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReferenceKind {
    /// A call instruction.
    Call,
    /// A jump to another function, conditional or not, and the jump of a stub.
    Jump,
    /// An instruction that makes the address, to use it or to hand it on.
    Address,
    /// An instruction that reads or writes there.
    Access,
    /// An instruction of which only the relocation was read (object files): one of the above.
    Operand,
    /// Data that holds the address: tables of functions, constants that point at others, address slots.
    Pointer,
    /// An unwind entry that names the exception table of its function.
    ExceptionTable,
    /// An unwind entry that names the function deciding what a frame does when the stack unwinds, or the slot with
    /// that function's address.
    Personality,
}

/// Whether a reference is there for certain.
///
/// The whole list of what makes one [`Inferred`](Self::Inferred): it was read in bytes of a code section that no
/// function claims, which may be data; it is a plain number that happens to be the address of something loaded (in
/// programs with a fixed address, which need no relocations; in data, of some thousands one is wrong); it is an address
/// made in two steps with a jump by a table between them, which may go elsewhere (`aarch64`); it is the distance to a
/// place in the read-only data of an object file, whose target may be off by the distance between its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The file says so.
    Exact,
    /// It looks so.
    Inferred,
}

/// The number of an address slot in [`References`](crate::References), if the reference leads through one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotNumber(u32);

impl SlotNumber {
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The slot of that position in the list of slots; none if there are too many to count.
    pub(crate) fn new(position: usize) -> Self {
        u32::try_from(position).map_or(Self::NONE, Self)
    }

    pub(crate) fn position(self) -> Option<usize> {
        (self != Self::NONE)
            .then(|| usize::try_from(self.0).ok())
            .flatten()
    }
}

impl Reference {
    pub(crate) fn new(from: Place, to: Place, kind: ReferenceKind, certainty: Certainty) -> Self {
        Self {
            from_section: from.section,
            from_offset: from.offset,
            to_section: to.section,
            to_offset: to.offset,
            kind,
            certainty,
            slot: SlotNumber::NONE,
        }
    }

    pub(crate) fn through(self, slot: SlotNumber) -> Self {
        Self { slot, ..self }
    }

    /// Where it stands: the first byte of the instruction, of the pointer, of the unwind entry. In object files whose
    /// instructions are not decoded: the first patched byte.
    #[must_use]
    pub fn from(&self) -> Place {
        Place {
            section: self.from_section,
            offset: self.from_offset,
        }
    }

    /// Where it leads. It may be the end of a section.
    ///
    /// What goes through an address slot or a stub leads to what is behind it if that is in this file. What is in
    /// another file leads to the slot, or to the stub that was called.
    #[must_use]
    pub fn to(&self) -> Place {
        Place {
            section: self.to_section,
            offset: self.to_offset,
        }
    }

    /// How it mentions the other place.
    #[must_use]
    pub fn kind(&self) -> ReferenceKind {
        self.kind
    }

    /// Whether it is there for certain.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// The same in a file where sections and slots have other numbers.
    pub(crate) fn moved(
        &self,
        place: impl Fn(Place) -> Place,
        slot: impl Fn(usize) -> usize,
    ) -> Self {
        let position = self.slot.position();
        Self {
            slot: position.map_or(SlotNumber::NONE, |at| SlotNumber::new(slot(at))),
            ..Self::new(
                place(self.from()),
                place(self.to()),
                self.kind,
                self.certainty,
            )
        }
    }

    pub(crate) fn slot(&self) -> SlotNumber {
        self.slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_takes_32_bytes() {
        assert_eq!(size_of::<Reference>(), 32);
    }
}
