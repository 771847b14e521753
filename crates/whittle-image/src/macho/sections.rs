//! Sections: those that segments list, and the pieces of `__LINKEDIT`.

use std::borrow::Cow;

use object::macho;
use object::read::macho::{MachHeader, Section as _};

use super::commands::Commands;
use super::roles::section_role;
use super::{clip, to_u64};
use crate::image::{FileKind, Image};
use crate::place::{FileRange, SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole};

/// Adds a section of a segment with that access.
pub(super) fn push<H>(
    header: &H::Section,
    endian: H::Endian,
    segment: Access,
    image: &mut Image<'_>,
) where
    H: MachHeader,
{
    let segment_name = String::from_utf8_lossy(header.segment_name()).into_owned();
    let name = String::from_utf8_lossy(header.name()).into_owned();
    let flags = header.flags(endian);
    let has_code = flags.contains(macho::S_ATTR_PURE_INSTRUCTIONS)
        || flags.contains(macho::S_ATTR_SOME_INSTRUCTIONS);
    let kind = header.section_type(endian);
    let (address, size): (u64, u64) = (header.addr(endian).into(), header.size(endian).into());
    let access = Access {
        loaded: segment.loaded && segment_name != "__DWARF" && address.checked_add(size).is_some(),
        writable: segment.writable
            && (image.target.kind != FileKind::Object || segment_name == "__DATA"),
        // Segments with code hold constants as well.
        executable: segment.executable && has_code,
        thread_local: false,
    };
    let is_fill = matches!(
        kind,
        macho::S_ZEROFILL | macho::S_GB_ZEROFILL | macho::S_THREAD_LOCAL_ZEROFILL
    );
    let range = (!is_fill).then(|| clip(header.offset(endian).into(), size, image.file_len()));
    let align = 1_u64.checked_shl(header.align(endian)).unwrap_or(1).max(1);
    let role = section_role(&segment_name, &name, kind, access);
    let mut section = section(image, format!("{segment_name},{name}").into(), range, role);
    if is_fill {
        section.size = size;
    } else if section.size < size {
        image.warnings.push(
            &*section.name,
            None,
            "the section ends past the end of the file; cut off",
        );
    }
    section.address = address;
    section.align = align;
    section.access = access;
    // What runs before and after the program; a marked section holds what only the runtime looks for.
    let is_run = matches!(
        kind,
        macho::S_MOD_INIT_FUNC_POINTERS
            | macho::S_MOD_TERM_FUNC_POINTERS
            | macho::S_INIT_FUNC_OFFSETS
    );
    if is_run || flags.contains(macho::S_ATTR_NO_DEAD_STRIP) {
        section.retention = Retention::Always;
    }
    image.sections.push(section);
}

/// Makes sections of the pieces of `__LINKEDIT`, with the addresses at which the loader maps them.
pub(super) fn read_link_edit(commands: &mut Commands<'_>, image: &mut Image<'_>) {
    for piece in &commands.pieces {
        let home = commands
            .segments
            .iter()
            .find(|(_, range)| range.start <= piece.range.start && piece.range.end <= range.end);
        let mut section = section(
            image,
            piece.name.into(),
            Some(piece.range.clone()),
            piece.role,
        );
        if let Some((address, range)) = home {
            let address = address.saturating_add(piece.range.start - range.start);
            section.address = address;
            section.access.loaded = image.target.kind != FileKind::Object
                && address.checked_add(section.size).is_some();
        }
        image.sections.push(section);
    }
}

fn section<'data>(
    image: &Image<'data>,
    name: Cow<'data, str>,
    range: Option<FileRange>,
    role: SectionRole,
) -> Section<'data> {
    let stored = range
        .as_ref()
        .and_then(|range| slice(image.data, range))
        .unwrap_or_default();
    Section {
        index: SectionIndex(u32::try_from(image.sections.len()).unwrap_or(u32::MAX)),
        name,
        address: 0,
        size: to_u64(stored.len()),
        file_range: range,
        align: 1,
        access: Access::default(),
        role,
        retention: Retention::IfMentioned,
        compression: Compression::None,
        stored,
    }
}

/// The section of a piece of `__LINKEDIT`.
pub(super) fn piece(image: &Image<'_>, name: &str) -> Option<SectionIndex> {
    image.section_by_name(name).map(|section| section.index)
}

/// Adds a part of the file that no table of sections lists.
pub(super) fn push_piece(
    image: &mut Image<'_>,
    name: &'static str,
    range: FileRange,
    role: SectionRole,
) -> SectionIndex {
    let section = section(image, name.into(), Some(range), role);
    let index = section.index;
    image.sections.push(section);
    index
}
