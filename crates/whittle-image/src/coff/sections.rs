//! Sections: those of the table. PE Format, "Section Table (Section Headers)" and "Grouped Sections (Object Only)".

use std::borrow::Cow;

use object::LittleEndian as LE;
use object::pe;

use crate::image::Image;
use crate::pe::{role, section_name, to_u64};
use crate::place::{SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole};

/// Adds the sections of the table, in its order. `strings` is the string table.
pub(super) fn read<'data>(
    table: &'data [pe::ImageSectionHeader],
    strings: &'data [u8],
    image: &mut Image<'data>,
) {
    for header in table {
        let name = section_name(&header.name, strings);
        // Behind the dollar stands by what the linker sorts.
        let group = name.split('$').next().unwrap_or(&name);
        let flags = header.characteristics.get(LE);
        let is_for_linker = flags.contains(pe::IMAGE_SCN_LNK_INFO)
            || flags.contains(pe::IMAGE_SCN_LNK_REMOVE)
            || name.starts_with(".debug");
        let access = Access {
            loaded: !is_for_linker,
            writable: flags.contains(pe::IMAGE_SCN_MEM_WRITE),
            executable: flags.contains(pe::IMAGE_SCN_MEM_EXECUTE),
            thread_local: group == ".tls",
        };
        let size = u64::from(header.size_of_raw_data.get(LE));
        let range = header.coff_file_range().map(|(offset, _)| {
            let start = u64::from(offset).min(image.file_len());
            start..(start + size).min(image.file_len())
        });
        // What has no bytes in the file may point anywhere.
        let range = range.filter(|range| !range.is_empty());
        let stored = range.as_ref().and_then(|range| slice(image.data, range));
        if range.is_some() && stored.is_none_or(|stored| to_u64(stored.len()) < size) {
            image.warnings.push(
                &*name,
                None,
                "the section ends past the end of the file; cut off",
            );
        }
        let is_run = matches!(group, ".CRT" | ".ctors" | ".dtors");
        let role = match group {
            _ if access.thread_local => SectionRole::ThreadLocalData,
            // Directives for the linker, the table of symbols whose address is taken, checksums.
            ".drectve" | ".llvm_addrsig" | ".chks64" | ".gfids" | ".giats" | ".gljmp"
            | ".gehcont" => SectionRole::FileStructure,
            _ => role(group, access),
        };
        let size = match (&range, stored) {
            (Some(_), stored) => to_u64(stored.unwrap_or_default().len()),
            (None, _) if header.coff_file_range().is_none() => size,
            (None, _) => 0,
        };
        let index = SectionIndex(u32::try_from(image.sections.len()).unwrap_or(u32::MAX));
        image.sections.push(Section {
            index,
            name: Cow::Owned(name.into_owned()),
            address: 0,
            size,
            file_range: stored.is_some().then_some(range).flatten(),
            align: header.coff_alignment().max(1),
            access,
            role,
            retention: if is_run {
                Retention::Always
            } else {
                Retention::IfMentioned
            },
            compression: Compression::None,
            stored: stored.unwrap_or_default(),
        });
    }
}
