//! References by where they lead: which places mention a place.

use rayon::slice::ParallelSliceMut as _;
use whittle_image::{Place, SectionIndex};

use crate::reference::Reference;

/// The references of a file in the order of where they lead.
///
/// It takes four bytes a reference beside the list it borrows; making it sorts once.
#[derive(Clone, Debug)]
pub struct Incoming<'references> {
    list: &'references [Reference],
    /// Positions in the list, ascending by target, then by position.
    order: Vec<u32>,
}

impl<'references> Incoming<'references> {
    /// `list` is in ascending order.
    pub(crate) fn of(list: &'references [Reference]) -> Self {
        // Target and position in one number: sorted twice as fast as a tuple. More than 2^32 references would take
        // 128 GiB.
        let key = |(reference, position): (&Reference, u32)| {
            let Place { section, offset } = reference.to();
            u128::from(section.0) << 96 | u128::from(offset) << 32 | u128::from(position)
        };
        let mut keys: Vec<u128> = list.iter().zip(0..=u32::MAX).map(key).collect();
        keys.par_sort_unstable();
        let position = |key: u128| u32::try_from(key & u128::from(u32::MAX)).unwrap_or_default();
        Self {
            list,
            order: keys.into_iter().map(position).collect(),
        }
    }

    /// The references to the `len` bytes that start at `start`, in ascending order of where they lead, then of where
    /// they are from.
    ///
    /// One may lead to the end of a section: it is to the byte behind the last one.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use whittle_code::References;
    /// use whittle_image::{Image, Place};
    ///
    /// let bytes = std::fs::read(std::env::current_exe()?)?;
    /// # if bytes.starts_with(b"\x7fELF") {
    /// let image = Image::parse(&bytes)?;
    /// let references = References::find(&image);
    /// let incoming = references.incoming();
    /// let constants = image.section_by_name(".rodata").ok_or("no constants")?;
    /// // Constants start where something leads.
    /// for offset in incoming.targets(constants.index).take(10) {
    ///     let start = Place { section: constants.index, offset };
    ///     println!("{start:?} has {} users", incoming.within(start, 1).len());
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn within(
        &self,
        start: Place,
        len: u64,
    ) -> impl ExactSizeIterator<Item = &'references Reference> {
        let end = Place {
            offset: start.offset.saturating_add(len),
            ..start
        };
        let first = self.position(|to| to < start);
        // Not more than where the section ends, whatever the length.
        let behind = self.position(|to| to < end).max(first);
        self.order[first..behind]
            .iter()
            .map(|&position| reference(self.list, position))
    }

    /// The offsets in a section that references lead to, each once, in ascending order. The last may be the section's
    /// end.
    pub fn targets(&self, section: SectionIndex) -> impl Iterator<Item = u64> {
        let first = self.position(|to| to.section < section);
        let behind = self.position(|to| to.section <= section);
        let mut last = None;
        self.order[first..behind]
            .iter()
            .map(|&position| reference(self.list, position).to().offset)
            .filter(move |&offset| last.replace(offset) != Some(offset))
    }

    /// How many references lead to a place that is `before` something.
    fn position(&self, before: impl Fn(Place) -> bool) -> usize {
        self.order
            .partition_point(|&position| before(reference(self.list, position).to()))
    }
}

fn reference(list: &[Reference], position: u32) -> &Reference {
    &list[usize::try_from(position).unwrap_or(usize::MAX)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::reference::{Certainty, ReferenceKind};

    fn place(section: u32, offset: u64) -> Place {
        Place {
            section: SectionIndex(section),
            offset,
        }
    }

    fn pointers(ends: &[(Place, Place)]) -> Vec<Reference> {
        let mut list: Vec<Reference> = ends
            .iter()
            .map(|&(from, to)| Reference::new(from, to, ReferenceKind::Pointer, Certainty::Exact))
            .collect();
        list.sort_unstable();
        list.dedup();
        list
    }

    #[test]
    fn nothing_leads_nowhere() {
        let incoming = Incoming::of(&[]);
        assert_eq!(incoming.within(place(0, 0), u64::MAX).len(), 0);
        assert_eq!(incoming.targets(SectionIndex(u32::MAX)).next(), None);
    }

    #[test]
    fn users_of_a_place_come_in_order() {
        let list = pointers(&[
            (place(3, 8), place(1, 4)),
            (place(2, 0), place(1, 4)),
            (place(2, 8), place(1, 5)),
            (place(2, 16), place(2, 4)),
        ]);
        let incoming = Incoming::of(&list);
        let from = |start, len| -> Vec<Place> {
            incoming.within(start, len).map(Reference::from).collect()
        };
        assert_eq!(from(place(1, 4), 1), [place(2, 0), place(3, 8)]);
        assert_eq!(from(place(1, 4), 0), []);
        // A length goes to the end of the section, not into the next.
        assert_eq!(
            from(place(1, 0), u64::MAX),
            [place(2, 0), place(3, 8), place(2, 8)]
        );
        assert_eq!(
            incoming.targets(SectionIndex(1)).collect::<Vec<_>>(),
            [4, 5]
        );
    }

    fn any_place() -> impl Strategy<Value = Place> {
        let section = prop_oneof![0..4_u32, Just(u32::MAX)];
        let offset = prop_oneof![0..20_u64, Just(u64::MAX)];
        (section, offset).prop_map(|(section, offset)| place(section, offset))
    }

    proptest! {
        #[test]
        fn queries_agree_with_the_list(
            ends in prop::collection::vec((any_place(), any_place()), 0..80),
            start in any_place(),
            len in prop_oneof![0..20_u64, Just(u64::MAX)],
        ) {
            let list = pointers(&ends);
            let incoming = Incoming::of(&list);
            let end = start.offset.saturating_add(len);
            let is_inside = |to: Place| {
                to.section == start.section && (start.offset..end).contains(&to.offset)
            };
            let mut expected: Vec<&Reference> =
                list.iter().filter(|it| is_inside(it.to())).collect();
            expected.sort_by_key(|it| (it.to(), it.from()));
            prop_assert_eq!(incoming.within(start, len).collect::<Vec<_>>(), expected);

            let targets: BTreeSet<u64> = list
                .iter()
                .filter(|it| it.to().section == start.section)
                .map(|it| it.to().offset)
                .collect();
            prop_assert_eq!(
                incoming.targets(start.section).collect::<Vec<_>>(),
                targets.into_iter().collect::<Vec<_>>()
            );
        }
    }
}
