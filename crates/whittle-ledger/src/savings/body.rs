//! What stands at a place without what it mentions, so that copies at other places compare as equal.

use rustc_hash::FxHashMap;
use whittle_code::{Reference, References};
use whittle_image::{Image, Place, SectionIndex, SectionRole};

use super::equivalence::{Equivalence, hash};
use crate::constants::bytes_of;

/// Where a function or constant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extent {
    pub(crate) place: Place,
    pub(crate) len: u64,
}

impl Extent {
    pub(super) fn end(&self) -> u64 {
        self.place.offset.saturating_add(self.len)
    }
}

/// Reads bodies.
pub(crate) struct Bodies<'a> {
    image: &'a Image<'a>,
    references: &'a References,
    encoding: Encoding,
    word: usize,
    /// The address slot of each function that has one.
    slots: FxHashMap<Place, Place>,
}

/// How instructions hold what they mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// As the distance from their end, or as the address, in four bytes somewhere in them.
    X86,
    /// In bit fields of four bytes.
    Aarch64,
    /// It is not known here: equal code at different places looks different.
    Other,
}

impl<'a> Bodies<'a> {
    pub(crate) fn new(image: &'a Image<'a>, references: &'a References) -> Self {
        let encoding = match image.target.architecture.as_str() {
            "x86_64" => Encoding::X86,
            // Big-endian programs have little-endian code.
            "aarch64" | "aarch64_be" => Encoding::Aarch64,
            _ => Encoding::Other,
        };
        let slots = image
            .sections
            .iter()
            .filter(|section| section.role == SectionRole::AddressSlots)
            .flat_map(|section| {
                let start = Place {
                    section: section.index,
                    offset: 0,
                };
                references.within(start, section.size)
            })
            .map(|slot| (slot.to(), slot.from()))
            .collect();
        Self {
            image,
            references,
            encoding,
            word: usize::from(image.target.bits / 8),
            slots,
        }
    }

    /// Which of these are equal: classes of several, as numbers in the list.
    ///
    /// The list is in ascending order and nothing in it overlaps. Members of a class have the same bytes but for what
    /// they mention; what they mention is the same place, or the same offset in members of one class.
    pub(super) fn classes(&self, list: &[Extent]) -> Vec<Vec<u32>> {
        let mut equivalence = Equivalence::default();
        let mut bytes = Vec::new();
        let mut mentions = Vec::new();
        for (extent, number) in list.iter().zip(0_u64..) {
            mentions.clear();
            let fixed = self
                .fixed(extent, list, &mut bytes, &mut mentions)
                // What cannot be read is equal to nothing.
                .unwrap_or_else(|| hash([u64::MAX, number]));
            equivalence.push(fixed, &mentions);
        }
        equivalence.classes()
    }

    /// The hash of all that is fixed in a body. What it mentions of the list is appended to `mentions`.
    fn fixed(
        &self,
        extent: &Extent,
        list: &[Extent],
        bytes: &mut Vec<u8>,
        mentions: &mut Vec<u32>,
    ) -> Option<u64> {
        self.normalised(extent, bytes)?;
        let outer = self.references.within(extent.place, extent.len);
        let mut keys = Vec::with_capacity(outer.len());
        for reference in outer {
            let at = reference.from().offset - extent.place.offset;
            // Two slots may lead to functions that are folded; the linker then folds what calls through them.
            let target = reference.to();
            let inside = position(list, target).filter(|&number| u32::try_from(number).is_ok());
            keys.push(match inside {
                Some(number) => {
                    mentions.push(u32::try_from(number).unwrap_or(u32::MAX));
                    (at, u64::MAX, target.offset - list[number].place.offset)
                }
                None => (at, u64::from(target.section.0), target.offset),
            });
        }
        let section = u64::from(extent.place.section.0);
        Some(hash([hash([bytes.as_slice()]), hash(keys), section]))
    }

    /// The bytes of a body, with zeros where it holds what it mentions.
    pub(crate) fn normalised(&self, extent: &Extent, bytes: &mut Vec<u8>) -> Option<()> {
        let stored = bytes_of(self.image, extent.place, extent.len)?;
        bytes.clear();
        bytes.extend_from_slice(stored);
        let section = self.image.section(extent.place.section)?;
        for reference in self.references.within(extent.place, extent.len) {
            let at = usize::try_from(reference.from().offset - extent.place.offset).ok()?;
            let Some(bytes) = bytes.get_mut(at..) else {
                continue;
            };
            if !section.access.executable {
                // Elsewhere in data are distances, which say the same only at the same place.
                if section.role == SectionRole::RelocatedReadOnlyData {
                    bytes.iter_mut().take(self.word).for_each(|it| *it = 0);
                }
                continue;
            }
            match self.encoding {
                Encoding::X86 => self.clear_x86(reference, bytes),
                Encoding::Aarch64 => clear_branch(bytes),
                Encoding::Other => {}
            }
        }
        if self.encoding == Encoding::X86 && section.access.executable {
            self.clear_own_slot(extent, bytes);
        }
        if self.encoding == Encoding::Aarch64 && section.access.executable {
            let address = self.image.address_of(extent.place)?;
            clear_pages(bytes, address);
        }
        Some(())
    }

    /// Clears the calls of a function to itself that go through its slot. References leave out what a function does
    /// with itself, and each copy of it has a slot of its own.
    fn clear_own_slot(&self, extent: &Extent, bytes: &mut [u8]) {
        let slot = self.slots.get(&extent.place);
        let (Some(from), Some(to)) = (
            self.image.address_of(extent.place),
            slot.and_then(|slot| self.image.address_of(*slot)),
        ) else {
            return;
        };
        for at in 0..bytes.len().saturating_sub(3) {
            if let Some(field) = bytes.get_mut(at..at + 4)
                && distance(field, from, at).is_some_and(|(_, leads)| leads == to)
            {
                field.fill(0);
            }
        }
    }

    /// Clears the four bytes of an instruction that lead where the reference does.
    fn clear_x86(&self, reference: &Reference, instruction: &mut [u8]) {
        // Intel SDM 2.1: at most 15 bytes; in front of a displacement is an opcode at least, behind it an immediate
        // number of up to four bytes.
        const LONGEST: usize = 15;
        const IMMEDIATES: [u64; 4] = [0, 1, 4, 2];
        let to = self.references.slot(reference).unwrap_or(reference.to());
        let (Some(from), Some(to)) = (
            self.image.address_of(reference.from()),
            self.image.address_of(to),
        ) else {
            return;
        };
        let len = instruction.len().min(LONGEST);
        for at in 1..len.saturating_sub(3) {
            let Some(field) = instruction.get_mut(at..at + 4) else {
                return;
            };
            let Some((value, leads)) = distance(field, from, at) else {
                return;
            };
            let is_distance = IMMEDIATES.iter().any(|it| leads.wrapping_add(*it) == to);
            if is_distance || u64::from(value) == to {
                field.fill(0);
                return;
            }
        }
    }
}

/// What a field of an instruction holds, and the address it leads to if that is a distance from the field's end.
fn distance(field: &[u8], from: u64, at: usize) -> Option<(u32, u64)> {
    let value = i32::from_le_bytes(field.try_into().ok()?);
    let behind = from.wrapping_add(u64::try_from(at).ok()?.checked_add(4)?);
    let leads = behind.wrapping_add_signed(i64::from(value));
    Some((value.cast_unsigned(), leads))
}

/// Clears the distance of a branch (Arm ARM C4.1: unconditional branch, immediate).
fn clear_branch(instruction: &mut [u8]) {
    if let Some(bytes) = instruction.first_chunk_mut::<4>() {
        let word = u32::from_le_bytes(*bytes);
        if word & 0x7c00_0000 == 0x1400_0000 {
            *bytes = (word & 0xfc00_0000).to_le_bytes();
        }
    }
}

/// Writes the number of the page itself where an instruction holds the distance to it (Arm ARM C6.2, ADRP): the same page
/// is then the same number wherever the code stands.
fn clear_pages(code: &mut [u8], address: u64) {
    for (bytes, at) in code.chunks_exact_mut(4).zip((0_u64..).step_by(4)) {
        let Ok(word) = <[u8; 4]>::try_from(&*bytes).map(u32::from_le_bytes) else {
            return;
        };
        if word & 0x9f00_0000 == 0x9000_0000 {
            let pages = (word >> 29 & 3) | (word >> 3 & 0x1f_fffc);
            let here = u32::try_from(address.wrapping_add(at) >> 12 & 0x1f_ffff).unwrap_or(0);
            let page = pages.wrapping_add(here) & 0x1f_ffff;
            let field = (page & 3) << 29 | (page & 0x1f_fffc) << 3;
            bytes.copy_from_slice(&(word & 0x9f00_001f | field).to_le_bytes());
        }
    }
}

/// Which of a list in ascending order, without overlaps, covers a place.
fn position(list: &[Extent], place: Place) -> Option<usize> {
    let behind = list.partition_point(|extent| extent.place <= place);
    let number = behind.checked_sub(1)?;
    let extent = list.get(number)?;
    (extent.place.section == place.section && place.offset < extent.end()).then_some(number)
}

/// Leaves out what overlaps something else: all but one of what starts at a place, and what starts inside something.
pub(super) fn without_overlaps(list: &mut Vec<Extent>) {
    list.sort_unstable();
    list.dedup();
    let mut covered = None;
    let mut is_clear: Vec<bool> = Vec::with_capacity(list.len());
    for extent in list.iter() {
        let end = Place {
            offset: extent.end(),
            ..extent.place
        };
        let overlaps = covered.is_some_and(|covered| extent.place < covered);
        if overlaps && let Some(last) = is_clear.last_mut() {
            *last = false;
        }
        is_clear.push(!overlaps);
        covered = covered.max(Some(end));
    }
    let mut is_clear = is_clear.into_iter();
    list.retain(|_| is_clear.next() == Some(true));
}

/// Leaves out what is equal to nothing for sure, since nothing has its length and number of mentions: most of a file.
pub(super) fn keep_likely(list: &mut Vec<Extent>, references: &References) {
    let mut lens: FxHashMap<(SectionIndex, u64), u32> = FxHashMap::default();
    for it in list.iter() {
        *lens.entry((it.place.section, it.len)).or_default() += 1;
    }
    list.retain(|it| lens[&(it.place.section, it.len)] > 1);
    let mut shapes: FxHashMap<(SectionIndex, u64, usize), u32> = FxHashMap::default();
    let counts: Vec<usize> = list
        .iter()
        .map(|it| references.within(it.place, it.len).len())
        .collect();
    for (it, &count) in list.iter().zip(&counts) {
        *shapes.entry((it.place.section, it.len, count)).or_default() += 1;
    }
    let mut counts = counts.into_iter();
    list.retain(|it| {
        counts
            .next()
            .is_some_and(|count| shapes[&(it.place.section, it.len, count)] > 1)
    });
}

#[cfg(test)]
mod tests {
    use whittle_image::SectionIndex;

    use super::*;

    fn extent(section: u32, offset: u64, len: u64) -> Extent {
        Extent {
            place: Place {
                section: SectionIndex(section),
                offset,
            },
            len,
        }
    }

    #[test]
    fn what_overlaps_is_left_out() {
        let mut list = vec![
            extent(1, 40, 8),
            extent(1, 0, 16),
            extent(1, 16, 8),
            // Two of one place, one inside another, and what starts in the longer of them.
            extent(1, 60, 20),
            extent(1, 60, 4),
            extent(1, 70, 20),
            extent(2, 0, u64::MAX),
            extent(2, 100, 1),
            extent(3, 0, 1),
        ];
        without_overlaps(&mut list);
        let left = [
            extent(1, 0, 16),
            extent(1, 16, 8),
            extent(1, 40, 8),
            extent(3, 0, 1),
        ];
        assert_eq!(list, left);
        assert_eq!(position(&list, extent(1, 15, 1).place), Some(0));
        assert_eq!(position(&list, extent(1, 16, 1).place), Some(1));
        assert_eq!(position(&list, extent(1, 24, 1).place), None);
        assert_eq!(position(&list, extent(2, 0, 1).place), None);
    }

    #[test]
    fn pages_are_the_same_wherever_the_code_stands() {
        // As `llvm-mc` assembles `adrp x1, #0x5000`, at 0x1000 and, one page further, as `adrp x1, #0x4000`; then `nop`.
        let mut here = [0xb000_0021_u32.to_le_bytes(), 0xd503_201f_u32.to_le_bytes()].concat();
        let mut there = [0x9000_0021_u32.to_le_bytes(), 0xd503_201f_u32.to_le_bytes()].concat();
        clear_pages(&mut here, 0x1000);
        clear_pages(&mut there, 0x2000);
        assert_eq!(here, there);
        // To another page it stays another.
        let mut other = [0xb000_0021_u32.to_le_bytes(), 0xd503_201f_u32.to_le_bytes()].concat();
        clear_pages(&mut other, 0x2000);
        assert_ne!(here, other);
    }

    #[test]
    fn branches_lose_their_distance_and_nothing_else() {
        let cleared = |word: u32| {
            let mut bytes = word.to_le_bytes();
            clear_branch(&mut bytes);
            u32::from_le_bytes(bytes)
        };
        // `bl .+8`, `b .-4`, `ret`.
        assert_eq!(cleared(0x9400_0002), 0x9400_0000);
        assert_eq!(cleared(0x17ff_ffff), 0x1400_0000);
        assert_eq!(cleared(0xd65f_03c0), 0xd65f_03c0);
    }
}
