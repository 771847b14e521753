//! Where functions start.

use whittle_image::{Binding, Described, FileKind, Image, Place, SectionRole, SymbolKind};

/// A function: code that starts at a known place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Where it starts.
    pub place: Place,
    /// How many bytes it has: what the file says, or all up to the next function if the file does not say.
    pub len: u64,
    /// How its start is known.
    pub source: FunctionSource,
}

/// How the start of a function is known; where several say so, the first of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FunctionSource {
    /// A symbol of a function starts there.
    Symbol,
    /// An unwind entry describes the code from there on.
    UnwindEntry,
    /// A table of functions that the format has lists it.
    Table,
    /// The program starts there.
    EntryPoint,
    /// A symbol of no type starts there, which other objects may use: hand-written assembly.
    Label,
}

impl Function {
    /// Where it ends: the first offset in its section that is no more its own.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.place.offset.saturating_add(self.len)
    }
}

/// Lists the functions of `image` in ascending order, one a place.
///
/// Weaker evidence counts only outside what symbols of functions cover: assembly has unwind entries and labels in the
/// middle of a function. Stubs are no functions.
pub(crate) fn functions(image: &Image<'_>) -> Vec<Function> {
    let mut found = claims(image);
    found.sort_unstable_by_key(|it| (it.place, it.source, std::cmp::Reverse(it.len)));
    let mut functions: Vec<Function> = Vec::with_capacity(found.len());
    // Where the last byte is that a function's symbol covers.
    let mut covered = None;
    for claim in found {
        let covers = |end: Place| end.section == claim.place.section && claim.place < end;
        match functions.last_mut() {
            // The first is the best; it may lack the length.
            Some(last) if last.place == claim.place => {
                if last.len == 0 {
                    last.len = claim.len;
                }
            }
            _ if claim.source != FunctionSource::Symbol && covered.is_some_and(covers) => continue,
            _ => functions.push(claim),
        }
        if claim.source == FunctionSource::Symbol {
            let end = Place {
                offset: claim.end(),
                ..claim.place
            };
            covered = covered.max(Some(end));
        }
    }
    functions.shrink_to_fit();
    give_lengths(image, &mut functions);
    functions
}

/// All that claims to be the start of a function in a section of code.
fn claims(image: &Image<'_>) -> Vec<Function> {
    let mut found = Vec::new();
    let mut claim = |place: Place, len: u64, source| {
        if let Some(section) = image.section(place.section)
            && is_code(section)
            && place.offset < section.size
        {
            found.push(Function {
                place,
                len: len.min(section.size - place.offset),
                source,
            });
        }
    };
    for symbol in image.symbol_tables.iter().flat_map(|it| &it.symbols) {
        let source = match symbol.kind {
            SymbolKind::Function => FunctionSource::Symbol,
            SymbolKind::Unknown if symbol.binding != Binding::Local => FunctionSource::Label,
            _ => continue,
        };
        if let Some(place) = symbol.place {
            claim(place, symbol.size, source);
        }
    }
    for entry in image.unwind_tables.iter().flat_map(|it| &it.entries) {
        if let Described::Code { start, len, .. } = entry.describes {
            claim(start, len, FunctionSource::UnwindEntry);
        }
    }
    for place in image.unwind_indexes.iter().flat_map(|it| &it.entries) {
        if let Some(place) = *place {
            claim(place, 0, FunctionSource::UnwindEntry);
        }
    }
    for extent in &image.functions {
        claim(extent.place, extent.len, FunctionSource::Table);
    }
    if let Some(place) = image
        .entry
        .filter(|_| image.target.kind != FileKind::Object)
    {
        claim(place, 0, FunctionSource::EntryPoint);
    }
    found
}

/// Whether functions can be in a section. Stubs are known by their slots instead.
pub(crate) fn is_code(section: &whittle_image::Section<'_>) -> bool {
    section.access.executable && section.role != SectionRole::Stubs
}

/// Lets functions without a length run to the next one.
fn give_lengths(image: &Image<'_>, functions: &mut [Function]) {
    let mut next: Option<Place> = None;
    for function in functions.iter_mut().rev() {
        if function.len == 0 {
            let end = next
                .filter(|next| next.section == function.place.section)
                .map(|next| next.offset)
                .or_else(|| Some(image.section(function.place.section)?.size));
            function.len = end
                .unwrap_or_default()
                .saturating_sub(function.place.offset);
        }
        next = Some(function.place);
    }
}
