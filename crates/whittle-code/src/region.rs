//! Sections of code, cut into regions that each belong to one function, to none, or hold data.

use whittle_image::{Image, Place, SectionIndex, SymbolKind, Warnings};

use crate::function::{Function, is_code};

/// A stretch of a section of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) section: SectionIndex,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) content: Content,
}

/// What a region holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Code of the function of that number.
    Function(u32),
    /// What no function claims: padding, code without symbol and unwind entry, or data.
    Unclaimed,
    /// Data among the code, as symbols say.
    Data,
}

/// The regions of all sections of code, in ascending order, disjoint. They tile what the file stores of each section.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    list: Vec<Region>,
}

/// How many bytes of code are decoded in one go, at least: enough to be worth a thread's while.
const CHUNK_LEN: u64 = 1 << 17;

impl Regions {
    /// Cuts the sections of code at the starts and ends of functions and of data.
    ///
    /// A hostile file may store thousands of sections in the same bytes; what goes beyond the length of the file is
    /// left out, with a warning.
    pub(crate) fn of(image: &Image<'_>, functions: &[Function], warnings: &mut Warnings) -> Self {
        let data = data_in_code(image);
        let mut left = image.file_len();
        let mut list = Vec::with_capacity(functions.len().saturating_mul(2));
        for section in image.sections.iter().filter(|section| is_code(section)) {
            let len = u64::try_from(section.stored().len()).unwrap_or(u64::MAX);
            let Some(rest) = left.checked_sub(len) else {
                let message = "sections of code share bytes; this one is not decoded";
                warnings.push(&*section.name, None, message);
                continue;
            };
            left = rest;
            let functions = numbered_of(section.index, functions, |it| it.place);
            let extents = functions.map(|(number, function)| Extent {
                start: function.place.offset,
                end: function.end(),
                content: Content::Function(number),
            });
            let data =
                numbered_of(section.index, &data, |it| it.0).map(|(_, &(place, end))| Extent {
                    start: place.offset,
                    end,
                    content: Content::Data,
                });
            let mut extents: Vec<Extent> = extents.chain(data).collect();
            // Stable: of two that start together the data is inside.
            extents.sort_by_key(|extent| extent.start);
            cut(section.index, len, &extents, &mut list);
        }
        list.shrink_to_fit();
        Self { list }
    }

    /// The region that holds a place.
    pub(crate) fn at(&self, place: Place) -> Option<&Region> {
        let after = self
            .list
            .partition_point(|it| (it.section, it.start) <= (place.section, place.offset));
        let region = self.list.get(after.checked_sub(1)?)?;
        (region.section == place.section && place.offset < region.end).then_some(region)
    }

    /// Whether a place is in the middle of a function, where only the function itself goes to.
    pub(crate) fn is_inside_function(&self, place: Place, functions: &[Function]) -> bool {
        let Some(Content::Function(number)) = self.at(place).map(|region| region.content) else {
            return false;
        };
        let function = usize::try_from(number)
            .ok()
            .and_then(|number| functions.get(number));
        function.is_some_and(|function| function.place != place)
    }

    /// Runs of regions of one section, in order.
    pub(crate) fn chunks(&self) -> Vec<&[Region]> {
        let mut chunks = Vec::new();
        for of_section in self.list.chunk_by(|a, b| a.section == b.section) {
            let mut rest = of_section;
            while let Some(first) = rest.first() {
                let wanted = first.start.saturating_add(CHUNK_LEN);
                let count = rest.partition_point(|region| region.start < wanted);
                let (chunk, behind) = rest.split_at(count);
                chunks.push(chunk);
                rest = behind;
            }
        }
        chunks
    }
}

/// A claim on a stretch of a section.
struct Extent {
    start: u64,
    end: u64,
    content: Content,
}

/// Cuts a section of `len` bytes; where claims overlap, the one that started last has the bytes.
///
/// ```text
/// outer   [--------------------]
/// inner          [-----]
/// regions [outer][inner][outer][unclaimed]
/// ```
fn cut(section: SectionIndex, len: u64, extents: &[Extent], list: &mut Vec<Region>) {
    let mut open: Vec<&Extent> = Vec::new();
    let mut extents = extents.iter().peekable();
    let mut at = 0;
    while at < len {
        while let Some(started) = extents.next_if(|extent| extent.start <= at) {
            open.push(started);
        }
        while open.last().is_some_and(|extent| extent.end <= at) {
            open.pop();
        }
        let top = open.last();
        let next_start = extents.peek().map_or(len, |extent| extent.start);
        let end = top
            .map_or(len, |extent| extent.end)
            .min(next_start)
            .min(len);
        let content = top.map_or(Content::Unclaimed, |extent| extent.content);
        list.push(Region {
            section,
            start: at,
            end,
            content,
        });
        at = end;
    }
}

/// The entries of a sorted list that lie in a section, with their numbers in the whole list.
fn numbered_of<T>(
    section: SectionIndex,
    list: &[T],
    place_of: impl Fn(&T) -> Place,
) -> impl Iterator<Item = (u32, &T)> {
    let start = list.partition_point(|it| place_of(it).section < section);
    let end = list.partition_point(|it| place_of(it).section <= section);
    // The numbers of functions come from symbols and unwind entries, of which no file that fits in memory has 2^32.
    (u32::try_from(start).unwrap_or(u32::MAX)..).zip(list.get(start..end).unwrap_or_default())
}

/// Data among code, with its end, ascending: what symbols of data cover, and what stands between the mapping symbols
/// `$d` and `$x` (ELF for the Arm 64-bit Architecture, "Mapping symbols").
fn data_in_code(image: &Image<'_>) -> Vec<(Place, u64)> {
    let in_code = |place: Place| image.section(place.section).is_some_and(is_code);
    let symbols = || image.symbol_tables.iter().flat_map(|it| &it.symbols);
    let mut data: Vec<(Place, u64)> = symbols()
        .filter(|symbol| symbol.kind == SymbolKind::Data && symbol.size > 0)
        .filter_map(|symbol| {
            let place = symbol.place.filter(|&place| in_code(place))?;
            Some((place, place.offset.saturating_add(symbol.size)))
        })
        .collect();
    let mut marks: Vec<(Place, bool)> = symbols()
        .filter(|symbol| symbol.kind == SymbolKind::Mapping)
        .filter_map(|symbol| {
            let place = symbol.place.filter(|&place| in_code(place))?;
            Some((place, symbol.name.starts_with(b"$d")))
        })
        .collect();
    // Of two at one place the mark of code is last, and counts.
    marks.sort_unstable_by_key(|&(place, is_data)| (place, !is_data));
    for (number, &(place, is_data)) in marks.iter().enumerate() {
        if is_data {
            let next = marks.get(number + 1).map(|&(next, _)| next);
            let end = next.filter(|next| next.section == place.section);
            data.push((place, end.map_or(u64::MAX, |end| end.offset)));
        }
    }
    data.sort_unstable();
    data
}
