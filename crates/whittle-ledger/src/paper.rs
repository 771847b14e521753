//! The file laid out again on paper, with parts left out, resized or added: what a linker given other options writes.

use std::collections::BTreeSet;

use whittle_image::{Image, Section, SectionIndex};

use crate::savings::Exactness;

/// The stored sections of a file in their order, and how the linker placed them.
#[derive(Debug, Clone)]
pub(crate) struct Paper<'image> {
    file_len: u64,
    parts: Vec<Part<'image>>,
    names: NamePool,
    /// The table of section headers at the end: where it starts, its alignment, the size of an entry.
    headers: Option<(u64, u64, u64)>,
    /// All section names, those of sections without bytes in the file included.
    all_names: Vec<&'image str>,
}

#[derive(Debug, Clone)]
struct Part<'image> {
    section: SectionIndex,
    name: &'image str,
    start: u64,
    len: u64,
    /// What makes the part start where it does; nothing if no rule known here does.
    align: Option<u64>,
    is_names: bool,
}

/// How the linker wrote the pool of section names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamePool {
    /// Each name once.
    Plain,
    /// A name that another ends in shares its bytes.
    SharedEnds,
    /// In another way.
    Other,
}

/// What becomes of one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It stays.
    Keep,
    /// It goes, with its header and name.
    Remove,
    /// It stays and has another length.
    Resize(u64),
}

/// A section that is not there yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addition {
    /// It stands behind this one, which may be one that goes.
    pub(crate) after: SectionIndex,
    pub(crate) name: &'static str,
    pub(crate) len: u64,
    pub(crate) align: u64,
}

impl<'image> Paper<'image> {
    pub(crate) fn of(image: &'image Image<'_>) -> Self {
        let mut stored: Vec<(u64, u64, &Section<'_>)> = image
            .sections
            .iter()
            .filter_map(|section| {
                let range = section.file_range.as_ref()?;
                Some((range.start, range.end - range.start, section))
            })
            .collect();
        stored.sort_by_key(|&(start, len, section)| (start, len > 0, section.index));
        let segment_starts: BTreeSet<u64> = image
            .segments
            .iter()
            .map(|segment| segment.file_range.start)
            .collect();
        let all_names: Vec<&str> = image
            .sections
            .iter()
            .map(|section| section.name.as_ref())
            .collect();
        let pool = stored
            .iter()
            .find(|(.., section)| section.name == ".shstrtab");
        let names = pool.map_or(NamePool::Other, |&(_, len, _)| {
            [NamePool::Plain, NamePool::SharedEnds]
                .into_iter()
                .find(|pool| pool.len(&all_names) == Some(len))
                .unwrap_or(NamePool::Other)
        });
        let mut parts = Vec::with_capacity(stored.len());
        let mut at = stored.first().map_or(0, |&(start, ..)| start);
        for (start, len, section) in stored {
            // The first section of a segment is placed by the page; its own alignment is the lower bound.
            let page = segment_starts.contains(&start).then_some(0x1000);
            let align = [Some(section.align), page]
                .into_iter()
                .flatten()
                .find(|&to| align(at, to) == start);
            parts.push(Part {
                section: section.index,
                name: &section.name,
                start,
                len,
                align,
                is_names: section.name == ".shstrtab",
            });
            at = start.saturating_add(len);
        }
        let word = u64::from(image.target.bits / 8);
        let headers = image
            .headers
            .iter()
            .find(|header| header.name == "section headers")
            .map(|header| &header.file_range)
            .filter(|range| range.end == image.file_len() && range.start == align(at, word))
            .map(|range| {
                let count = u64::try_from(image.sections.len()).unwrap_or(u64::MAX);
                (range.start, word, (range.end - range.start) / count.max(1))
            });
        Self {
            file_len: image.file_len(),
            parts,
            names,
            headers,
            all_names,
        }
    }

    /// How long the file is with these changes, and whether the way it is laid out is understood well enough to be
    /// sure.
    pub(crate) fn len_with(
        &self,
        change: impl Fn(SectionIndex) -> Change,
        addition: Option<Addition>,
    ) -> (u64, Exactness) {
        let Some(first) = self.parts.iter().position(|part| {
            change(part.section) != Change::Keep
                || addition.is_some_and(|addition| addition.after == part.section)
        }) else {
            return (self.file_len, Exactness::Exact);
        };
        let tail = &self.parts[first..];
        let names = self.names_with(&change, addition);
        let is_understood = tail.iter().all(|part| part.align.is_some())
            && self.headers.is_some()
            && names.is_some();
        let names = names.unwrap_or(0);
        let mut headers: i128 = 0;
        let mut at = tail.first().map_or(0, |part| {
            if first == 0 {
                part.start
            } else {
                self.end_of(first - 1)
            }
        });
        let mut plain_difference: i128 = 0;
        for part in tail {
            let len = match change(part.section) {
                Change::Keep if part.is_names && names > 0 => Some(names),
                Change::Keep => Some(part.len),
                Change::Resize(len) => Some(len),
                Change::Remove => None,
            };
            plain_difference += i128::from(len.unwrap_or(0)) - i128::from(part.len);
            match len {
                Some(len) => at = align(at, part.align.unwrap_or(1)).saturating_add(len),
                None => headers -= 1,
            }
            if let Some(addition) = addition.filter(|addition| addition.after == part.section) {
                at = align(at, addition.align).saturating_add(addition.len);
                plain_difference += i128::from(addition.len);
                headers += 1;
            }
        }
        let old = i128::from(self.file_len);
        match self.headers.filter(|_| is_understood) {
            Some((start, word, entry)) => {
                let table = old - i128::from(start) + headers * i128::from(entry);
                let new = i128::from(align(at, word)) + table;
                (to_len(new), Exactness::Exact)
            }
            None => (to_len(old + plain_difference), Exactness::Estimated),
        }
    }

    fn end_of(&self, part: usize) -> u64 {
        self.parts
            .get(part)
            .map_or(0, |part| part.start.saturating_add(part.len))
    }

    /// The length of the pool of section names with these changes.
    fn names_with(
        &self,
        change: &impl Fn(SectionIndex) -> Change,
        addition: Option<Addition>,
    ) -> Option<u64> {
        // As often as it is gone: object files have sections of one name.
        let mut gone: Vec<&str> = self
            .parts
            .iter()
            .filter(|part| change(part.section) == Change::Remove)
            .map(|part| part.name)
            .collect();
        gone.sort_unstable();
        let mut names: Vec<&str> = Vec::with_capacity(self.all_names.len() + 1);
        let mut sorted = self.all_names.clone();
        sorted.sort_unstable();
        let mut gone = gone.into_iter().peekable();
        for name in sorted {
            if gone.peek() == Some(&name) {
                gone.next();
            } else {
                names.push(name);
            }
        }
        names.extend(addition.map(|addition| addition.name));
        self.names.len(&names)
    }
}

impl NamePool {
    /// How long a pool of these names is: an empty name, then each with its end mark.
    fn len(self, names: &[&str]) -> Option<u64> {
        let mut backwards: Vec<Vec<u8>> = names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| name.bytes().rev().collect())
            .collect();
        backwards.sort_unstable();
        backwards.dedup();
        let lens = backwards.iter().enumerate().filter(|&(number, name)| {
            let next = backwards.get(number + 1);
            match self {
                Self::Plain | Self::Other => true,
                // Sorted backwards, what a name is the end of comes right behind it.
                Self::SharedEnds => next.is_none_or(|next| !next.starts_with(name)),
            }
        });
        let sum: usize = lens.map(|(_, name)| name.len() + 1).sum();
        (self != Self::Other)
            .then(|| u64::try_from(sum + 1).ok())
            .flatten()
    }
}

fn to_len(len: i128) -> u64 {
    u64::try_from(len.max(0)).unwrap_or(u64::MAX)
}

pub(crate) fn align(at: u64, to: u64) -> u64 {
    at.checked_next_multiple_of(to.max(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_names_share_ends_or_not() {
        let names = ["", ".rela.dyn", ".dyn", ".text"];
        // One byte for the empty name, then 10, 5 and 6.
        assert_eq!(NamePool::Plain.len(&names), Some(22));
        assert_eq!(NamePool::SharedEnds.len(&names), Some(17));
        assert_eq!(NamePool::Other.len(&names), None);
    }
}
