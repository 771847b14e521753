//! Labels: the texts of a span's values on the axes.

use std::fmt::{self, Write as _};
use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use whittle_image::{Image, Place, SectionIndex};
use whittle_names::Name;

use crate::axis::Axis;
use crate::cause::Causes;
use crate::certainty::{Certainty, Source};
use crate::constants::bytes_of;
use crate::kind::Kind;
use crate::known_symbols::is_anonymous;
use crate::layout::{Domain, SegmentIndex};
use crate::ledger::{Ledger, Span};
use crate::owner::{Item, ItemId, ItemKind, Owner};
use crate::table::Copies;

/// No name that a compiler writes comes near this many bytes of text.
const MAX_NAME: usize = 1 << 16;

/// How many names of one folded item are listed.
const MAX_NAMES: usize = 64;

/// Texts for the values of axes, each made once.
pub(crate) struct Labels<'ledger, 'data> {
    ledger: &'ledger Ledger<'data>,
    texts: Vec<String>,
    /// The last text with a hash, and for each text the one before it with the same hash.
    last_with_hash: FxHashMap<u64, u32>,
    before: Vec<Option<u32>>,
    /// How many bytes of names from the file may still become texts: a damaged file can give one long name to all its
    /// symbols.
    room: usize,
    segments: SegmentIndex,
    of_crates: FxHashMap<u32, u32>,
    of_items: FxHashMap<(Axis, ItemId), u32>,
    of_sections: FxHashMap<(Axis, Domain, SectionIndex), u32>,
    fixed: FxHashMap<&'static str, u32>,
    /// Found when first asked for.
    causes: Option<Causes>,
}

impl<'ledger, 'data> Labels<'ledger, 'data> {
    pub(crate) fn new(ledger: &'ledger Ledger<'data>) -> Self {
        Self {
            ledger,
            texts: Vec::new(),
            last_with_hash: FxHashMap::default(),
            before: Vec::new(),
            // Several times what names take in any file that a linker wrote.
            room: ledger.image().data.len().saturating_mul(4) + (64 << 20),
            segments: SegmentIndex::of(ledger.image()),
            of_crates: FxHashMap::default(),
            of_items: FxHashMap::default(),
            of_sections: FxHashMap::default(),
            fixed: FxHashMap::default(),
            causes: None,
        }
    }

    pub(crate) fn text(&self, value: u32) -> &str {
        usize::try_from(value)
            .ok()
            .and_then(|value| self.texts.get(value))
            .map_or("", String::as_str)
    }

    fn intern(&mut self, text: String) -> u32 {
        let hash = FxBuildHasher.hash_one(&text);
        let last = self.last_with_hash.get(&hash).copied();
        let mut same_hash = last;
        while let Some(value) = same_hash {
            if self.text(value) == text {
                return value;
            }
            same_hash = usize::try_from(value)
                .ok()
                .and_then(|value| *self.before.get(value)?);
        }
        let value = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text);
        self.before.push(last);
        self.last_with_hash.insert(hash, value);
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
    pub(crate) fn value(
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
            Axis::Cause => {
                let ledger = self.ledger;
                let causes = self.causes.get_or_insert_with(|| Causes::of(ledger));
                let reason = causes.of_span(span);
                let value = self.fixed(reason.cause.name());
                (value, reason.certainty, reason.source)
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
        let Some(Place { section, .. }) = span.place else {
            let number = self.segments.segment_at(domain, span.start);
            return self.intern(segment_name(image, number));
        };
        self.section(Axis::Segment, domain, section, |labels| {
            let number = labels
                .ledger
                .image()
                .section(section)
                .filter(|section| section.access.loaded)
                .and_then(|section| {
                    // The segment that has its first byte.
                    labels.segments.segment_at(Domain::Memory, section.address)
                });
            segment_name(image, number)
        })
    }

    fn name(&mut self, axis: Axis, span: &Span<'_>) -> u32 {
        match span.owner {
            Owner::Item(id) => {
                if let Some(&value) = self.of_items.get(&(axis, id)) {
                    return value;
                }
                let text = self.item_text(axis, id);
                let text = if let Some(room) = self.room.checked_sub(text.len()) {
                    self.room = room;
                    text
                } else {
                    "(a name too long to show)".to_owned()
                };
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
        match item.kind {
            ItemKind::Unit if axis == Axis::Module => "(file symbols)".to_owned(),
            ItemKind::Unit => format!("(file symbol {})", shown(item.name)),
            ItemKind::Import if axis == Axis::Module => "(imports)".to_owned(),
            ItemKind::Import => format!("(import {})", shown(item.name)),
            _ if axis == Axis::Module => module_text(item),
            // Its name is the compiler's or nobody's: what it holds says more.
            kind if kind.is_data() && is_anonymous(item.name) => match axis {
                Axis::Function => self.constant_text(id, item),
                _ => "(constants)".to_owned(),
            },
            _ if axis == Axis::Function => self.function_text(item),
            _ => name_text(item.name, axis).unwrap_or_else(|| self.place_text(item)),
        }
    }

    /// The names of an item; those of folded ones are one name with all of them.
    fn function_text(&self, item: &Item<'_>) -> String {
        let first = name_text(item.name, Axis::Function);
        let mut names: Vec<String> = Vec::new();
        for alias in item.aliases.iter().take(MAX_NAMES) {
            names.extend(
                name_text(alias, Axis::Function).filter(|name| first.as_ref() != Some(name)),
            );
        }
        names.sort_unstable();
        names.dedup();
        let mut text = first.unwrap_or_else(|| self.place_text(item));
        for name in names {
            text.push_str(" = ");
            text.push_str(&name);
        }
        if let Some(more @ 1..) = item.aliases.len().checked_sub(MAX_NAMES) {
            // Writing to a string cannot fail.
            let _ = write!(text, " = {more} more names");
        }
        text
    }

    /// What to call a function without a name.
    fn place_text(&self, item: &Item<'_>) -> String {
        match item.place {
            Some(place) => format!("(function at {})", self.address_text(place)),
            None => "(no name)".to_owned(),
        }
    }

    fn address_text(&self, place: Place) -> String {
        match self.ledger.image().address_of(place) {
            Some(address) => format!("{address:#x}"),
            None => format!("{}+{:#x}", self.section_name(place.section), place.offset),
        }
    }

    /// What to call a constant or variable without a name: by what it holds, else by who uses it.
    fn constant_text(&self, id: ItemId, item: &Item<'_>) -> String {
        let Some(place) = item.place else {
            return "(no name)".to_owned();
        };
        let bytes = bytes_of(self.ledger.image(), place, item.len).unwrap_or_default();
        match item.kind {
            ItemKind::Text => return format!("\"{}\"", shortened(bytes)),
            ItemKind::SourceFile => return format!("(file name {})", shortened(bytes)),
            ItemKind::Location => {
                let location = self.ledger.panic_location(place);
                if let Some((location, path)) = location
                    .and_then(|location| Some((location, location.path(self.ledger.image())?)))
                {
                    let (line, column) = (location.line, location.column);
                    return format!("(panic location {}:{line}:{column})", escaped(path));
                }
            }
            _ => {}
        }
        let what = match item.kind {
            ItemKind::VTable => "vtable",
            ItemKind::Data => "variable",
            _ => "constant",
        };
        let at = self.address_text(place);
        let user = match self.ledger.users(id) {
            [only] => name_text(self.ledger.item(*only).name, Axis::Function),
            _ => None,
        };
        match user {
            Some(user) => format!("({what} of {user} at {at})"),
            None => format!("({what} at {at})"),
        }
    }

    /// The copies of each function, by the text of its family.
    pub(crate) fn copies(&self) -> FxHashMap<u32, Copies> {
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

/// The name of a segment, by its number in the list of segments.
fn segment_name(image: &Image<'_>, number: Option<usize>) -> String {
    let Some(segment) = number.and_then(|number| image.segments.get(number)) else {
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

/// The text of a name on the axes `function` and `generic`; nothing if there is no name.
fn name_text(name: &[u8], axis: Axis) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let symbol = String::from_utf8_lossy(whole(name));
    let parsed = Name::parse(&symbol).or_else(|| Name::parse_owner(&symbol));
    let text = parsed.map(|name| {
        Limited::text(|out| match axis {
            Axis::Function => name.short().write_to(out),
            _ => name.family().write_to(out),
        })
    });
    Some(
        text.filter(|text| !text.is_empty())
            .unwrap_or_else(|| shown(whole(name))),
    )
}

/// The module in which an item stands, or what stands in for it.
fn module_text(item: &Item<'_>) -> String {
    let symbol = String::from_utf8_lossy(whole(item.name));
    let name = Name::parse(&symbol).or_else(|| Name::parse_owner(&symbol));
    let text = name.map(|name| Limited::text(|out| name.module().write_to(out)));
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| match item.kind {
            kind if kind.is_data() && is_anonymous(item.name) => "(constants)".to_owned(),
            _ if item.name.is_empty() => "(functions without a name)".to_owned(),
            _ => "(no module)".to_owned(),
        })
}

/// The symbol of the whole function where a compiler split it: GCC's `.cold`, `.part.0`, `.isra.0`, `.constprop.0`,
/// LLVM's `.cold.1`, `.llvm.123`, `.warm`, BOLT's `.cold.0`.
fn whole(symbol: &[u8]) -> &[u8] {
    const PARTS: &[&[u8]] = &[
        b".cold",
        b".warm",
        b".part",
        b".isra",
        b".constprop",
        b".llvm",
        b".lto_priv",
    ];
    let mut whole = symbol;
    loop {
        let digits = whole
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let number = &whole[..whole.len() - digits];
        let stem = match number.strip_suffix(b".") {
            Some(stem) if digits > 0 => stem,
            _ => whole,
        };
        match PARTS.iter().find_map(|part| stem.strip_suffix(*part)) {
            Some(rest) if !rest.is_empty() => whole = rest,
            _ => return whole,
        }
    }
}

/// A name that follows no scheme, fit for a terminal.
fn shown(name: &[u8]) -> String {
    let name = &name[..name.len().min(MAX_NAME)];
    escaped(&String::from_utf8_lossy(name))
}

/// The start of a text in the file, on one line and without padding.
fn shortened(bytes: &[u8]) -> String {
    const MAX_CHARS: usize = 60;
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    let bytes = &bytes[..end.min(MAX_CHARS * 8)];
    let text = String::from_utf8_lossy(bytes);
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(MAX_CHARS).collect();
    let mut short = escaped(&start);
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// A text that ends where no real name goes on.
struct Limited {
    text: String,
}

impl Limited {
    fn text(write: impl FnOnce(&mut Self) -> fmt::Result) -> String {
        let mut limited = Self {
            text: String::new(),
        };
        if write(&mut limited).is_err() {
            limited.text.push('…');
        }
        limited.text
    }
}

impl fmt::Write for Limited {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.len() + more.len() > MAX_NAME {
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_function_bear_its_name() {
        assert_eq!(whole(b"parse.cold"), b"parse");
        assert_eq!(whole(b"parse.part.0.cold"), b"parse");
        assert_eq!(whole(b"_RNvC1a1b.llvm.8613000643"), b"_RNvC1a1b");
        assert_eq!(whole(b"parse.isra.0.constprop.1"), b"parse");
        assert_eq!(whole(b"parse"), b"parse");
        assert_eq!(whole(b"completed.0"), b"completed.0");
        assert_eq!(whole(b".cold"), b".cold");
        assert_eq!(whole(b"version.1.2"), b"version.1.2");
    }

    #[test]
    fn texts_from_the_file_are_fit_for_a_terminal() {
        assert_eq!(shown(b"a\x1b[31mb"), "a\\u{1b}[31mb");
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(shown(&b"a".repeat(1 << 20)).len(), MAX_NAME);
    }
}
