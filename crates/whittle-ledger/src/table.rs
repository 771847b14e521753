//! Tables: a ledger summed up along one or more axes.

use std::cmp::Reverse;
use std::fmt::Write as _;

use rustc_hash::{FxHashMap, FxHashSet};
use whittle_image::{Place, SectionIndex};
use whittle_names::Name;

use crate::axis::Axis;
use crate::certainty::{Certainty, Source};
use crate::kind::Kind;
use crate::layout::Domain;
use crate::ledger::{Ledger, Span};
use crate::owner::{ItemId, ItemKind, Owner};

/// A ledger summed up along axes. The rows' file bytes add up to the file's length, whatever the axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The axes, in the order in which they were asked for.
    pub axes: Vec<Axis>,
    /// The rows, by file size, then memory size, both descending, then by values.
    pub rows: Vec<Row>,
}

/// All bytes with the same values on the axes of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// One value for each axis.
    pub values: Vec<String>,
    /// Bytes of the file.
    pub file: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of the file that are code.
    pub code: u64,
    /// Bytes of the file that are certain on all axes of the table.
    pub exact: u64,
    /// Bytes of the file that are inferred on at least one axis and unknown on none.
    pub inferred: u64,
    /// Bytes of the file that are unknown on at least one axis.
    pub unknown: u64,
    /// What the weakest of its bytes rests on.
    pub source: Source,
    /// For one axis `generic`: the copies of the function.
    pub copies: Option<Copies>,
}

/// The monomorphizations of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// How many there are.
    pub count: u64,
    /// Bytes of code of the largest.
    pub largest: u64,
}

impl Row {
    /// The certainty of its weakest byte of the file; a row without bytes in the file is exact.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        if self.unknown > 0 {
            Certainty::Unknown
        } else if self.inferred > 0 {
            Certainty::Inferred
        } else {
            Certainty::Exact
        }
    }
}

impl Table {
    /// Sums a ledger up. Without axes there is one row: the whole.
    #[must_use]
    pub fn of(ledger: &Ledger<'_>, axes: &[Axis]) -> Self {
        let mut labels = Labels::new(ledger);
        let mut sums: FxHashMap<Vec<u32>, Sums> = FxHashMap::default();
        let mut key = Vec::with_capacity(axes.len());
        for domain in [Domain::File, Domain::Memory] {
            for span in ledger.spans(domain) {
                key.clear();
                let mut weakest = (Certainty::Exact, Source::Layout);
                for &axis in axes {
                    let (value, certainty, source) = labels.value(axis, domain, &span);
                    key.push(value);
                    if certainty > weakest.0 {
                        weakest = (certainty, source);
                    }
                }
                if !sums.contains_key(key.as_slice()) {
                    sums.insert(key.clone(), Sums::default());
                }
                if let Some(sum) = sums.get_mut(key.as_slice()) {
                    sum.add(domain, &span, weakest);
                }
            }
        }
        let copies = (axes == [Axis::Generic]).then(|| labels.copies());
        let mut rows: Vec<Row> = sums
            .into_iter()
            .map(|(key, sum)| Row {
                copies: copies
                    .as_ref()
                    .and_then(|copies| copies.get(key.first()?).copied()),
                values: key
                    .iter()
                    .map(|&value| labels.text(value).to_owned())
                    .collect(),
                file: sum.file,
                memory: sum.memory,
                code: sum.code,
                exact: sum.file - sum.inferred - sum.unknown,
                inferred: sum.inferred,
                unknown: sum.unknown,
                source: sum.source.map_or(Source::Layout, |(_, source)| source),
            })
            .collect();
        rows.sort_by(|a, b| {
            (Reverse((a.file, a.memory)), &a.values).cmp(&(Reverse((b.file, b.memory)), &b.values))
        });
        Self {
            axes: axes.to_vec(),
            rows,
        }
    }

    /// The values of one span on some axes, with their certainty: for listings of the tiling itself.
    pub fn of_spans<'ledger>(
        ledger: &'ledger Ledger<'_>,
        axes: &'ledger [Axis],
    ) -> impl Iterator<Item = (Span<'ledger>, Vec<String>, Certainty, Source)> {
        let mut labels = Labels::new(ledger);
        ledger.spans(Domain::File).map(move |span| {
            let mut weakest = (span.certainty, span.source);
            let values = axes
                .iter()
                .map(|&axis| {
                    let (value, certainty, source) = labels.value(axis, Domain::File, &span);
                    if certainty > weakest.0 {
                        weakest = (certainty, source);
                    }
                    labels.text(value).to_owned()
                })
                .collect();
            (span, values, weakest.0, weakest.1)
        })
    }
}

#[derive(Default)]
struct Sums {
    file: u64,
    memory: u64,
    code: u64,
    inferred: u64,
    unknown: u64,
    source: Option<(Certainty, Source)>,
}

impl Sums {
    fn add(&mut self, domain: Domain, span: &Span<'_>, weakest: (Certainty, Source)) {
        if domain != Domain::File {
            self.memory += span.len;
            return;
        }
        self.file += span.len;
        match weakest.0 {
            Certainty::Exact => {}
            Certainty::Inferred => self.inferred += span.len,
            Certainty::Unknown => self.unknown += span.len,
        }
        if span.kind == Kind::Code {
            self.code += span.len;
        }
        // The weaker wins; between equals the lower, so that the order of spans does not matter.
        let better = self
            .source
            .is_none_or(|known| (known.0, Reverse(known.1)) < (weakest.0, Reverse(weakest.1)));
        if better {
            self.source = Some(weakest);
        }
    }
}

/// Texts for the values of axes, each made once.
struct Labels<'ledger, 'data> {
    ledger: &'ledger Ledger<'data>,
    texts: Vec<String>,
    by_text: FxHashMap<String, u32>,
    of_crates: FxHashMap<u32, u32>,
    of_items: FxHashMap<(Axis, ItemId), u32>,
    of_sections: FxHashMap<(Axis, Domain, SectionIndex), u32>,
    fixed: FxHashMap<&'static str, u32>,
}

impl<'ledger, 'data> Labels<'ledger, 'data> {
    fn new(ledger: &'ledger Ledger<'data>) -> Self {
        Self {
            ledger,
            texts: Vec::new(),
            by_text: FxHashMap::default(),
            of_crates: FxHashMap::default(),
            of_items: FxHashMap::default(),
            of_sections: FxHashMap::default(),
            fixed: FxHashMap::default(),
        }
    }

    fn text(&self, value: u32) -> &str {
        usize::try_from(value)
            .ok()
            .and_then(|value| self.texts.get(value))
            .map_or("", String::as_str)
    }

    fn intern(&mut self, text: String) -> u32 {
        if let Some(&value) = self.by_text.get(&text) {
            return value;
        }
        let value = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.clone());
        self.by_text.insert(text, value);
        value
    }

    fn fixed(&mut self, text: &'static str) -> u32 {
        if let Some(&value) = self.fixed.get(text) {
            return value;
        }
        let value = self.intern(text.to_owned());
        self.fixed.insert(text, value);
        value
    }

    /// The value of a span on an axis, and how sure it is.
    fn value(
        &mut self,
        axis: Axis,
        domain: Domain,
        span: &Span<'ledger>,
    ) -> (u32, Certainty, Source) {
        let sure = |value| (value, Certainty::Exact, Source::Layout);
        match axis {
            // Padding that was told by its content may be something else.
            Axis::Kind => {
                let certainty = if span.owner == Owner::Padding {
                    span.certainty
                } else {
                    Certainty::Exact
                };
                (self.fixed(span.kind.name()), certainty, span.source)
            }
            Axis::Member => sure(self.fixed("(file)")),
            Axis::Segment => sure(self.segment(domain, span)),
            Axis::Section => sure(match span.place {
                Some(place) => self.section(axis, domain, place.section, |labels| {
                    labels.section_name(place.section)
                }),
                None => self.intern(span.container.to_owned()),
            }),
            Axis::Crate | Axis::CompiledIn => {
                let attribution = if axis == Axis::Crate {
                    self.ledger.defined_in(span.owner)
                } else {
                    self.ledger.compiled_in(span.owner)
                };
                let number = u32::try_from(attribution.value.index()).unwrap_or(u32::MAX);
                let value = if let Some(&value) = self.of_crates.get(&number) {
                    value
                } else {
                    let value = self.intern(
                        self.ledger.crates()[attribution.value.index()]
                            .label
                            .clone(),
                    );
                    self.of_crates.insert(number, value);
                    value
                };
                if span.certainty > attribution.certainty {
                    (value, span.certainty, span.source)
                } else {
                    (value, attribution.certainty, attribution.source)
                }
            }
            Axis::Module | Axis::Function | Axis::Generic => {
                (self.name(axis, span), span.certainty, span.source)
            }
        }
    }

    /// A text that depends on a section alone.
    fn section(
        &mut self,
        axis: Axis,
        domain: Domain,
        section: SectionIndex,
        text: impl FnOnce(&mut Self) -> String,
    ) -> u32 {
        if let Some(&value) = self.of_sections.get(&(axis, domain, section)) {
            return value;
        }
        let text = text(self);
        let value = self.intern(text);
        self.of_sections.insert((axis, domain, section), value);
        value
    }

    fn section_name(&self, section: SectionIndex) -> String {
        match self.ledger.image().section(section) {
            Some(section) if section.name.is_empty() => format!("(section {})", section.index.0),
            Some(section) => escaped(&section.name),
            None => String::new(),
        }
    }

    fn segment(&mut self, domain: Domain, span: &Span<'_>) -> u32 {
        let image = self.ledger.image();
        if let Some(Place { section, .. }) = span.place {
            return self.section(Axis::Segment, domain, section, |labels| {
                let Some(section) = labels
                    .ledger
                    .image()
                    .section(section)
                    .filter(|section| section.access.loaded)
                else {
                    return "(not loaded)".to_owned();
                };
                segment_name(image, |segment| {
                    let end = segment.address.saturating_add(segment.memory_size);
                    (segment.address..end).contains(&section.address) && section.end() <= end
                })
            });
        }
        let name = segment_name(image, |segment| match domain {
            Domain::File => segment.file_range.contains(&span.start),
            _ => (segment.address..segment.address.saturating_add(segment.memory_size))
                .contains(&span.start),
        });
        self.intern(name)
    }

    fn name(&mut self, axis: Axis, span: &Span<'_>) -> u32 {
        match span.owner {
            Owner::Item(id) => {
                if let Some(&value) = self.of_items.get(&(axis, id)) {
                    return value;
                }
                let text = self.item_text(axis, id);
                let value = self.intern(text);
                self.of_items.insert((axis, id), value);
                value
            }
            Owner::Shared(_) => self.fixed("(shared)"),
            Owner::Structure(structure) if axis == Axis::Function => {
                self.intern(format!("(structure: {})", structure.name()))
            }
            Owner::Structure(_) => self.fixed("(structure)"),
            Owner::Padding => self.fixed("(padding)"),
            Owner::Unknown => self.fixed("(unknown)"),
        }
    }

    fn item_text(&self, axis: Axis, id: ItemId) -> String {
        let item = self.ledger.item(id);
        if let Some(unit) = self.ledger.debug_unit(id) {
            if axis == Axis::Module {
                return "(debug info)".to_owned();
            }
            let name = self
                .ledger
                .image()
                .debug_units
                .get(unit)
                .and_then(|unit| unit.name.as_deref());
            return format!(
                "(debug info of {})",
                escaped(name.unwrap_or("a unit without a name"))
            );
        }
        let text = String::from_utf8_lossy(item.name);
        match item.kind {
            ItemKind::Unit => {
                return if axis == Axis::Module {
                    "(file symbols)".to_owned()
                } else {
                    format!("(file symbol {})", escaped(&text))
                };
            }
            ItemKind::Import if axis == Axis::Module => return "(imports)".to_owned(),
            ItemKind::Function | ItemKind::Data | ItemKind::Constant | ItemKind::Import => {}
        }
        if let Some(name) = Name::parse(&text) {
            let shown = match axis {
                Axis::Module => name.module().to_string(),
                Axis::Function => name.short().to_string(),
                _ => name.family().to_string(),
            };
            if !shown.is_empty() {
                return shown;
            }
        }
        if axis == Axis::Module {
            return match item.kind {
                ItemKind::Constant => "(constants)".to_owned(),
                _ if item.name.is_empty() => "(functions without a name)".to_owned(),
                _ => "(no module)".to_owned(),
            };
        }
        match (item.kind, item.place) {
            (ItemKind::Import, _) => format!("(import {})", escaped(&text)),
            (_, Some(place)) if item.name.is_empty() => {
                let address = self.ledger.image().address_of(place);
                let name = self.section_name(place.section);
                match address {
                    Some(address) => format!("(function at {address:#x})"),
                    None => format!("(function at {name}+{:#x})", place.offset),
                }
            }
            _ => escaped(&text),
        }
    }

    /// The copies of each function, by the text of its family.
    fn copies(&self) -> FxHashMap<u32, Copies> {
        let mut copies: FxHashMap<u32, Copies> = FxHashMap::default();
        let mut code: FxHashMap<ItemId, u64> = FxHashMap::default();
        let mut seen: FxHashSet<ItemId> = FxHashSet::default();
        for span in self
            .ledger
            .spans(Domain::File)
            .filter(|span| span.kind == Kind::Code)
        {
            if let Owner::Item(id) = span.owner {
                *code.entry(id).or_default() += span.len;
            }
        }
        for (&(axis, id), &family) in &self.of_items {
            let item = self.ledger.item(id);
            if axis != Axis::Generic
                || item.kind != ItemKind::Function
                || item.name.is_empty()
                || !seen.insert(id)
            {
                continue;
            }
            let len = code.get(&id).copied().unwrap_or(0);
            let entry = copies.entry(family).or_insert(Copies {
                count: 0,
                largest: 0,
            });
            entry.count += 1;
            entry.largest = entry.largest.max(len);
        }
        copies
    }
}

/// The name of the first segment that fits.
fn segment_name(
    image: &whittle_image::Image<'_>,
    fits: impl Fn(&whittle_image::Segment) -> bool,
) -> String {
    let Some(segment) = image.segments.iter().find(|segment| fits(segment)) else {
        return "(not loaded)".to_owned();
    };
    let letter = |set: bool, letter: char| if set { letter } else { '-' };
    format!(
        "{} r{}{}",
        segment.number,
        letter(segment.access.writable, 'w'),
        letter(segment.access.executable, 'x')
    )
}

/// Text from the file, fit for a terminal: control and formatting characters are written as their code.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let is_format = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || is_format {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
