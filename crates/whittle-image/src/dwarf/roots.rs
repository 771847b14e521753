//! Units: their headers and root entries. DWARF 5, sections 7.5.1 (headers) and 3.1 (root entries).

use std::collections::HashMap;
use std::ops::Range;

use gimli::Reader as _;

use super::{DebugSections, Slice, to_u64};
use crate::debug::DebugUnit;
use crate::error::Warnings;
use crate::place::SectionIndex;

/// No name of a file, a folder or a compiler with its options is longer, in bytes.
const MAX_TEXT_LEN: usize = 1 << 16;

/// The declaration of a root entry takes some 50 bytes: two or three for each attribute.
const MAX_DECLARATION_LEN: usize = 1 << 12;

/// A unit, and by which offsets its parts in other sections are found.
pub(super) struct Unit {
    pub(super) public: DebugUnit,
    /// Offset in `.debug_info`; nothing for type units, which use the tables of the units they came from.
    pub(super) compile_unit_at: Option<u64>,
    /// Offset of its table of abbreviations.
    pub(super) abbreviations: u64,
    /// Offset of its line program.
    pub(super) line: Option<u64>,
    /// A section, and an offset in the unit's contribution to it (or just behind, if that is empty).
    pub(super) inside: Vec<(&'static str, u64)>,
}

/// Reads the units of a file, in its order.
pub(super) fn read(sections: &DebugSections<'_>, warnings: &mut Warnings) -> Vec<Unit> {
    let mut reader = Reader {
        sections,
        declarations: HashMap::new(),
        scan_left: sections
            .bytes(".debug_abbrev")
            .len()
            .saturating_mul(4)
            .saturating_add(64 << 20),
        text_left: sections.total_len().saturating_add(16 << 20),
    };
    let mut units = Vec::new();
    let info = gimli::DebugInfo::from(sections.bytes(".debug_info")).units();
    reader.section(".debug_info", info, &mut units, warnings);
    let types = gimli::DebugTypes::from(sections.bytes(".debug_types")).units();
    reader.section(".debug_types", types, &mut units, warnings);
    if reader.scan_left == 0 || reader.text_left == 0 {
        warnings.push(
            ".debug_info",
            None,
            "some units have no names: their names, or the way to them, share too many bytes",
        );
    }
    units
}

/// Reads root entries, with bounds on what units that share bytes can cost.
struct Reader<'a> {
    sections: &'a DebugSections<'a>,
    /// Where declarations stand, by the offset of their table and their code.
    declarations: HashMap<(u64, u64), Option<Range<usize>>>,
    /// How many bytes of declarations may still be looked at.
    scan_left: usize,
    /// How many bytes of names may still be looked at.
    text_left: usize,
}

impl<'a> Reader<'a> {
    /// Adds the units of a section.
    fn section(
        &mut self,
        name: &str,
        headers: impl Iterator<Item = gimli::Result<gimli::UnitHeader<Slice<'a>>>>,
        units: &mut Vec<Unit>,
        warnings: &mut Warnings,
    ) {
        let Some(index) = self.sections.index(name) else {
            return;
        };
        let mut at = 0;
        for header in headers {
            match header {
                Ok(header) => units.push(self.unit(&header, index, &mut at)),
                Err(error) => {
                    let message = format!("units cannot be followed from here on: {error}");
                    warnings.push(name, Some(at), message);
                }
            }
        }
    }

    /// Reads the unit that starts at `at`, and moves `at` to its end.
    fn unit(
        &mut self,
        header: &gimli::UnitHeader<Slice<'a>>,
        section: SectionIndex,
        at: &mut u64,
    ) -> Unit {
        let start = *at;
        *at = start.saturating_add(to_u64(header.length_including_self()));
        let is_type_unit = matches!(
            header.type_(),
            gimli::UnitType::Type { .. } | gimli::UnitType::SplitType { .. }
        );
        let mut unit = Unit {
            public: DebugUnit {
                name: None,
                folder: None,
                producer: None,
                pieces: vec![(section, start..*at)],
            },
            compile_unit_at: (!is_type_unit).then_some(start),
            abbreviations: to_u64(header.debug_abbrev_offset().0),
            line: None,
            inside: Vec::new(),
        };
        if !is_type_unit {
            // A root entry that cannot be read leaves a unit without a name.
            let _ = self.root(header, &mut unit);
        }
        unit
    }

    fn root(&mut self, header: &gimli::UnitHeader<Slice<'a>>, unit: &mut Unit) -> Option<()> {
        let mut entry = header.range_from(header.root_offset()..).ok()?;
        let code = entry.read_uleb128().ok()?;
        let declaration = self.declaration(unit.abbreviations, code)?;
        let abbreviations = gimli::DebugAbbrev::from(declaration)
            .abbreviations(gimli::DebugAbbrevOffset(0))
            .ok()?;
        let mut entries = header.entries_raw(&abbreviations, None).ok()?;
        let root = entries.read_abbreviation().ok()??;
        let mut names = [const { None }; 3];
        let mut str_offsets = None;
        for &attribute in root.attributes() {
            let attribute = entries.read_attribute(attribute).ok()?;
            let mut inside = |section, offset: usize| unit.inside.push((section, to_u64(offset)));
            match (attribute.name(), attribute.value()) {
                (gimli::DW_AT_name, value) => names[0] = Some(value),
                (gimli::DW_AT_comp_dir, value) => names[1] = Some(value),
                (gimli::DW_AT_producer, value) => names[2] = Some(value),
                (_, gimli::AttributeValue::DebugLineRef(line)) => unit.line = Some(to_u64(line.0)),
                (_, gimli::AttributeValue::DebugStrOffsetsBase(base)) => {
                    str_offsets = Some(base);
                    inside(".debug_str_offsets", base.0);
                }
                (_, gimli::AttributeValue::DebugAddrBase(base)) => inside(".debug_addr", base.0),
                (_, gimli::AttributeValue::DebugRngListsBase(base)) => {
                    inside(".debug_rnglists", base.0);
                }
                (_, gimli::AttributeValue::DebugLocListsBase(base)) => {
                    inside(".debug_loclists", base.0);
                }
                // GCC names no base but the list itself.
                (_, gimli::AttributeValue::RangeListsRef(list)) if header.version() >= 5 => {
                    inside(".debug_rnglists", list.0);
                }
                _ => {}
            }
        }
        let [name, folder, producer] =
            names.map(|value| self.text(value?, header.format(), str_offsets));
        (unit.public.name, unit.public.folder, unit.public.producer) = (name, folder, producer);
        Some(())
    }

    /// The declaration of a code in the table of abbreviations at an offset: DWARF 5, section 7.5.3.
    fn declaration(&mut self, table: u64, code: u64) -> Option<Slice<'a>> {
        let key = (table, code);
        let bytes = self.sections.bytes_from(".debug_abbrev", table)?;
        let range = if let Some(known) = self.declarations.get(&key) {
            known.clone()?
        } else {
            let found = self.find_declaration(bytes, code);
            self.declarations.insert(key, found.clone());
            found?
        };
        let declaration = bytes.range(range);
        (declaration.len() <= MAX_DECLARATION_LEN).then_some(declaration)
    }

    fn find_declaration(&mut self, bytes: Slice<'_>, wanted: u64) -> Option<Range<usize>> {
        let mut rest = bytes;
        // Also ends a search that uses up what may be looked at.
        rest.truncate(self.scan_left.min(rest.len())).ok()?;
        let room = rest.len();
        let found = loop {
            let start = room - rest.len();
            match read_declaration(&mut rest) {
                Some(0) | None => break None,
                Some(code) if code == wanted => break Some(start..room - rest.len()),
                Some(_) => {}
            }
        };
        self.scan_left -= room - rest.len();
        found
    }

    /// A text of a unit.
    fn text(
        &mut self,
        value: gimli::AttributeValue<Slice<'a>>,
        format: gimli::Format,
        str_offsets: Option<gimli::DebugStrOffsetsBase>,
    ) -> Option<String> {
        let (section, offset) = match value {
            gimli::AttributeValue::String(text) => {
                return self.take_text(text.slice(), text.len());
            }
            gimli::AttributeValue::DebugStrRef(offset) => (".debug_str", offset.0),
            gimli::AttributeValue::DebugLineStrRef(offset) => (".debug_line_str", offset.0),
            gimli::AttributeValue::DebugStrOffsetsIndex(index) => {
                let offsets = self.sections.bytes(".debug_str_offsets");
                let offset = gimli::DebugStrOffsets::from(offsets)
                    .get_str_offset(format, str_offsets?, index)
                    .ok()?;
                (".debug_str", offset.0)
            }
            _ => return None,
        };
        let bytes = self.sections.bytes_from(section, to_u64(offset))?.slice();
        let window = &bytes[..bytes.len().min(MAX_TEXT_LEN + 1).min(self.text_left)];
        let len = memchr::memchr(0, window);
        if len.is_none() {
            self.text_left -= window.len();
        }
        self.take_text(window, len?)
    }

    /// Keeps the first `len` bytes, as long as not too many are kept in all.
    fn take_text(&mut self, bytes: &[u8], len: usize) -> Option<String> {
        let left = self.text_left.checked_sub(len);
        // What does not fit ends all of it, so that names do not depend on how long the later ones are.
        self.text_left = left.unwrap_or(0);
        let text = bytes.get(..len).filter(|_| left.is_some())?;
        (len <= MAX_TEXT_LEN).then(|| String::from_utf8_lossy(text).into_owned())
    }
}

/// Reads a declaration of a table of abbreviations and returns its code; 0 is the end of the table.
pub(super) fn read_declaration(table: &mut Slice<'_>) -> Option<u64> {
    let code = table.read_uleb128().ok()?;
    if code == 0 {
        return Some(0);
    }
    let _tag = table.read_uleb128().ok()?;
    let _has_children = table.read_u8().ok()?;
    loop {
        let name = table.read_uleb128().ok()?;
        let form = table.read_uleb128().ok()?;
        if form == u64::from(gimli::DW_FORM_implicit_const.0) {
            table.read_sleb128().ok()?;
        }
        if (name, form) == (0, 0) {
            return Some(code);
        }
    }
}
