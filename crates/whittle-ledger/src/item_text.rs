//! What items are called: by their names, or by what they hold and who uses them.

use std::fmt::{self, Write as _};

use whittle_image::{Image, Place, SectionIndex};
use whittle_names::Name;

use crate::axis::Axis;
use crate::constants::bytes_of;
use crate::known_symbols::is_anonymous;
use crate::ledger::Ledger;
use crate::owner::{Item, ItemId, ItemKind};

/// No name that a compiler writes comes near this many bytes of text.
const MAX_NAME: usize = 1 << 16;

/// How many names of one folded item are listed.
const MAX_NAMES: usize = 64;

/// The text of an item on one of the axes `module`, `function`, `generic`.
pub(crate) fn item_text(ledger: &Ledger<'_>, axis: Axis, id: ItemId) -> String {
    let item = ledger.item(id);
    if let Some(unit) = ledger.debug_unit(id) {
        if axis == Axis::Module {
            return "(debug info)".to_owned();
        }
        let name = unit.name.as_deref();
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
            Axis::Function => constant_text(ledger, id, item),
            _ => "(constants)".to_owned(),
        },
        _ if axis == Axis::Function => function_text(ledger, item),
        _ => name_text(item.name, axis).unwrap_or_else(|| place_text(ledger, item)),
    }
}

/// The names of an item; those of folded ones are one name with all of them.
fn function_text(ledger: &Ledger<'_>, item: &Item<'_>) -> String {
    let first = name_text(item.name, Axis::Function);
    let mut names: Vec<String> = Vec::new();
    for alias in item.aliases.iter().take(MAX_NAMES) {
        names.extend(name_text(alias, Axis::Function).filter(|name| first.as_ref() != Some(name)));
    }
    names.sort_unstable();
    names.dedup();
    let mut text = first.unwrap_or_else(|| place_text(ledger, item));
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
fn place_text(ledger: &Ledger<'_>, item: &Item<'_>) -> String {
    match item.place {
        Some(place) => format!("(function at {})", address_text(ledger, place)),
        None => "(no name)".to_owned(),
    }
}

fn address_text(ledger: &Ledger<'_>, place: Place) -> String {
    match ledger.image().address_of(place) {
        Some(address) => format!("{address:#x}"),
        None => format!(
            "{}+{:#x}",
            section_name(ledger.image(), place.section),
            place.offset
        ),
    }
}

/// What to call a constant or variable without a name: by what it holds, else by who uses it.
pub(crate) fn constant_text(ledger: &Ledger<'_>, id: ItemId, item: &Item<'_>) -> String {
    let Some(place) = item.place else {
        return "(no name)".to_owned();
    };
    let bytes = bytes_of(ledger.image(), place, item.len).unwrap_or_default();
    match item.kind {
        ItemKind::Text => return format!("\"{}\"", shortened(bytes)),
        ItemKind::SourceFile => return format!("(file name {})", shortened(bytes)),
        ItemKind::Location => {
            let location = ledger.panic_location(place);
            if let Some((location, path)) =
                location.and_then(|location| Some((location, location.path(ledger.image())?)))
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
    let at = address_text(ledger, place);
    let user = match ledger.users(id) {
        [only] => name_text(ledger.item(*only).name, Axis::Function),
        _ => None,
    };
    match user {
        Some(user) => format!("({what} of {user} at {at})"),
        None => format!("({what} at {at})"),
    }
}

/// The name of a section, fit for a terminal.
pub(crate) fn section_name(image: &Image<'_>, section: SectionIndex) -> String {
    match image.section(section) {
        Some(section) if section.name.is_empty() => format!("(section {})", section.index.0),
        Some(section) => escaped(&section.name),
        None => String::new(),
    }
}

/// The text of a name on the axes `function` and `generic`; nothing if there is no name.
pub(crate) fn name_text(name: &[u8], axis: Axis) -> Option<String> {
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
