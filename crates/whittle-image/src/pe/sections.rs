//! Sections, cut where tables of the format stand among data. PE Format, "Section Table".

use std::borrow::Cow;

use object::LittleEndian as LE;
use object::pe;

use super::imports::Import;
use super::load_config::GuardTables;
use super::unwinding::Functions;
use super::{Pe, Rvas, debug, text, to_u64};
use crate::image::Image;
use crate::place::{SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole, Segment};

/// Tables of the format: where each is, and what it is for. Ascending and disjoint.
pub(super) struct Tables(Vec<(Rvas, SectionRole)>);

/// More parts than this are no sound file: sections that overlap would be cut at each other's tables.
const MAX_PARTS: usize = 1 << 16;

/// Alignment between two parts of one table.
const MAX_GAP: u32 = 16;

impl Tables {
    pub(super) fn find(
        pe: &Pe<'_>,
        unwinding: &Functions,
        imports: &[Import<'_>],
        guard: &GuardTables,
        data: &[u8],
    ) -> Self {
        let mut found: Vec<(Rvas, SectionRole)> = Vec::new();
        let whole = [
            (
                pe::IMAGE_DIRECTORY_ENTRY_EXPORT,
                SectionRole::DynamicLinking,
            ),
            (pe::IMAGE_DIRECTORY_ENTRY_RESOURCE, SectionRole::Resources),
            (
                pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION,
                SectionRole::UnwindTable,
            ),
            (
                pe::IMAGE_DIRECTORY_ENTRY_BASERELOC,
                SectionRole::Relocations,
            ),
            (pe::IMAGE_DIRECTORY_ENTRY_DEBUG, SectionRole::Notes),
            (pe::IMAGE_DIRECTORY_ENTRY_IAT, SectionRole::AddressSlots),
            (pe::IMAGE_DIRECTORY_ENTRY_TLS, SectionRole::DynamicLinking),
            (
                pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG,
                SectionRole::DynamicLinking,
            ),
        ];
        for (index, role) in whole {
            found.extend(pe.directory(index).map(|range| (range, role)));
        }
        found.extend(debug::entries(pe, data).map(|entry| (entry.rvas, SectionRole::Notes)));
        found.extend(
            unwinding
                .tables()
                .map(|range| (range, SectionRole::UnwindTable)),
        );
        found.extend(
            guard
                .ranges()
                .map(|range| (range, SectionRole::DynamicLinking)),
        );
        for import in imports {
            found.extend(
                import
                    .tables()
                    .map(|range| (range, SectionRole::DynamicLinking)),
            );
            found.push((import.slot.clone(), SectionRole::AddressSlots));
        }
        // Of tables that overlap the one that starts last counts: an import directory may be said to span its slots.
        found.sort_by_key(|(range, role)| (range.start, *role, range.end));
        let mut disjoint: Vec<(Rvas, SectionRole)> = Vec::new();
        for (range, role) in found {
            if range.is_empty() {
                continue;
            }
            match disjoint.last_mut() {
                Some((last, same))
                    if *same == role && range.start <= last.end.saturating_add(MAX_GAP) =>
                {
                    last.end = last.end.max(range.end);
                }
                Some((last, _)) if range.start < last.end => {
                    last.end = range.start;
                    disjoint.push((range, role));
                }
                _ => disjoint.push((range, role)),
            }
        }
        disjoint.retain(|(range, _)| !range.is_empty());
        Self(disjoint)
    }

    /// Cuts a range at the tables in it: ranges with the role of their table, or none.
    fn cut(&self, range: Rvas) -> Vec<(Rvas, Option<SectionRole>)> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        let first = self
            .0
            .partition_point(|(table, _)| table.end <= range.start);
        for (table, role) in self.0.get(first..).unwrap_or_default() {
            if table.start >= range.end {
                break;
            }
            let (start, end) = (table.start.max(at), table.end.min(range.end));
            if at < start {
                pieces.push((at..start, None));
            }
            if start < end {
                pieces.push((start..end, Some(*role)));
                at = end;
            }
        }
        if at < range.end {
            pieces.push((at..range.end, None));
        }
        pieces
    }
}

/// Fills in sections and segments.
pub(super) fn read<'data>(pe: &Pe<'data>, tables: &Tables, image: &mut Image<'data>) {
    let file_len = image.file_len();
    let strings = super::symbols::strings(pe, file_len);
    let strings = strings.and_then(|range| slice(image.data, &range));
    let mut parts = 0;
    for (number, header) in (1_u32..).zip(pe.sections) {
        let flags = header.characteristics.get(LE);
        let name = section_name(&header.name, strings.unwrap_or_default());
        let (rva, memory_size) = (header.virtual_address.get(LE), header.virtual_size.get(LE));
        let (offset, raw) = header.pe_file_range();
        let start = u64::from(offset).min(file_len);
        let stored = u32::try_from(u64::from(raw).min(file_len - start)).unwrap_or(0);
        if stored < raw {
            image.warnings.push(
                &*name,
                None,
                "the section ends past the end of the file; cut off",
            );
        }
        let access = Access {
            // Linkers for MinGW leave debug info at addresses that nothing uses.
            loaded: !name.starts_with(".debug")
                && pe.address(rva).checked_add(memory_size.into()).is_some(),
            writable: flags.contains(pe::IMAGE_SCN_MEM_WRITE),
            executable: flags.contains(pe::IMAGE_SCN_MEM_EXECUTE),
            thread_local: false,
        };
        let role = role(&name, access);
        if access.loaded {
            image.segments.push(Segment {
                number,
                address: pe.address(rva),
                memory_size: memory_size.into(),
                file_range: start..start + u64::from(stored),
                access,
            });
        }
        let mut push = |rvas: Rvas, role, is_stored: bool| {
            let at = start + u64::from(rvas.start - rva);
            let range = at..at + u64::from(rvas.end - rvas.start);
            let bytes = slice(image.data, &range).filter(|_| is_stored);
            image.sections.push(Section {
                index: SectionIndex(u32::try_from(image.sections.len()).unwrap_or(u32::MAX)),
                name: name.clone(),
                address: pe.address(rvas.start),
                size: u64::from(rvas.end - rvas.start),
                file_range: bytes.map(|_| range),
                align: 16,
                access,
                role,
                retention: Retention::IfMentioned,
                compression: Compression::None,
                stored: bytes.unwrap_or_default(),
            });
        };
        // Parts of the stored bytes, then what is zero when loaded.
        let whole = rva..rva.saturating_add(stored);
        let pieces = if parts < MAX_PARTS {
            tables.cut(whole)
        } else {
            vec![(whole, None)]
        };
        parts += pieces.len();
        for (piece, table) in pieces {
            push(piece, table.unwrap_or(role), true);
        }
        if stored < memory_size {
            let start = rva.saturating_add(stored);
            push(
                start..rva.saturating_add(memory_size).max(start),
                role,
                false,
            );
        }
    }
    certificates(pe, image);
}

/// The certificate table is not loaded: its directory holds a position in the file (PE Format, "The Attribute
/// Certificate Table").
fn certificates(pe: &Pe<'_>, image: &mut Image<'_>) {
    let Some(range) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_SECURITY) else {
        return;
    };
    let file_len = image.file_len();
    let range = u64::from(range.start).min(file_len)..u64::from(range.end).min(file_len);
    if !range.is_empty() {
        push_unloaded(image, "(certificate table)", range, SectionRole::Signature);
    }
}

/// Adds what the format has outside of sections.
pub(crate) fn push_unloaded(
    image: &mut Image<'_>,
    name: &'static str,
    range: std::ops::Range<u64>,
    role: SectionRole,
) -> SectionIndex {
    let index = SectionIndex(u32::try_from(image.sections.len()).unwrap_or(u32::MAX));
    let stored = slice(image.data, &range).unwrap_or_default();
    image.sections.push(Section {
        index,
        name: Cow::Borrowed(name),
        address: 0,
        size: to_u64(stored.len()),
        file_range: Some(range),
        align: 1,
        access: Access::default(),
        role,
        retention: Retention::IfMentioned,
        compression: Compression::None,
        stored,
    });
    index
}

/// A name of more than eight bytes stands in the string table, and its position in the header: a slash and digits, or two
/// slashes and a number of six digits to the base of 64 where that is too long.
pub(crate) fn section_name<'data>(raw: &'data [u8; 8], strings: &'data [u8]) -> Cow<'data, str> {
    let short = raw.split(|&byte| byte == 0).next().unwrap_or_default();
    let long = || {
        let offset = match short.strip_prefix(b"//") {
            Some(digits) => digits.iter().try_fold(0_usize, |value, &digit| {
                let digit = match digit {
                    b'A'..=b'Z' => digit - b'A',
                    b'a'..=b'z' => digit - b'a' + 26,
                    b'0'..=b'9' => digit - b'0' + 52,
                    b'+' => 62,
                    b'/' => 63,
                    _ => return None,
                };
                value.checked_mul(64)?.checked_add(digit.into())
            })?,
            None => std::str::from_utf8(short.strip_prefix(b"/")?)
                .ok()?
                .parse()
                .ok()?,
        };
        text(strings.get(offset..)?)
    };
    String::from_utf8_lossy(long().unwrap_or(short))
}

/// What a section is for, by its name and by what the loader does with it.
pub(crate) fn role(name: &str, access: Access) -> SectionRole {
    if name.starts_with(".debug") || name.starts_with(".stab") {
        return SectionRole::Debug;
    }
    match name {
        ".pdata" | ".xdata" | ".eh_frame" => SectionRole::UnwindTable,
        ".gcc_except_table" => SectionRole::ExceptionTable,
        ".reloc" => SectionRole::Relocations,
        ".rsrc" => SectionRole::Resources,
        ".idata" | ".edata" | ".didat" => SectionRole::DynamicLinking,
        ".buildid" | ".dep-v0" | ".comment" => SectionRole::Notes,
        // Tables of functions that the C runtime calls at start and end.
        ".CRT" => SectionRole::RelocatedReadOnlyData,
        _ if access.executable => SectionRole::Code,
        _ if access.writable => SectionRole::WritableData,
        _ => SectionRole::ReadOnlyData,
    }
}
