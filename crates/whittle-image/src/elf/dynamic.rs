//! The dynamic section: which libraries the file needs, and whether it is a program. gABI 4.1, "Dynamic Section".

use object::elf;
use object::pod::slice_from_bytes;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _};

use super::names::Names;
use super::{Elf, entries, to_u64};
use crate::image::{FileKind, Image};
use crate::place::slice;

/// Bounds for damaged files: a path of more bytes than Linux takes, and more libraries than any loader would open.
const MAX_PATH_LEN: usize = 4096;
const MAX_NEEDED: usize = 1 << 14;

/// What of the dynamic section is of interest here, as written.
#[derive(Default)]
struct Dynamic {
    /// Offsets in the table of names.
    needed: Vec<u64>,
    /// The address of the table of names.
    names: Option<u64>,
    /// The length of the table of names, in bytes.
    names_len: Option<u64>,
    /// It has a name under which other files need it, so it is a library.
    has_name: bool,
    /// It says of itself that it is a program.
    says_program: bool,
}

/// Reads the dynamic section, or the segment that holds it if there are no section headers.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let header = file
        .sections
        .iter()
        .position(|header| header.sh_type(file.endian) == elf::SHT_DYNAMIC);
    let (dynamic, names) = if let Some(number) = header {
        let dynamic = image
            .sections
            .get(number)
            .map(|section| entries(section, &mut image.warnings))
            .map(|entries| Dynamic::read::<H>(file, entries))
            .unwrap_or_default();
        let names = usize::try_from(file.sections[number].sh_link(file.endian))
            .ok()
            .and_then(|number| image.sections.get(number))
            .map_or(&[][..], |names| names.stored());
        (dynamic, names)
    } else if let Some(entries) = segment_entries(file) {
        let dynamic = Dynamic::read::<H>(file, entries);
        let names = names_by_address(image, &dynamic).unwrap_or_default();
        (dynamic, names)
    } else {
        return;
    };

    let mut names = Names::new(names, MAX_PATH_LEN);
    image.facts.needed = dynamic
        .needed
        .iter()
        .filter_map(|&offset| names.get(offset))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    image.target.kind = match image.target.kind {
        FileKind::SharedLibrary if dynamic.says_program => FileKind::PositionIndependentExecutable,
        // A library that can be started, such as the C library itself, names its loader like a program.
        FileKind::PositionIndependentExecutable if dynamic.has_name && !dynamic.says_program => {
            FileKind::SharedLibrary
        }
        kind => kind,
    };
}

impl Dynamic {
    fn read<H>(file: &Elf<'_, H>, entries: &[H::Dyn]) -> Self
    where
        H: FileHeader<Endian = object::Endianness>,
    {
        let mut dynamic = Self::default();
        for entry in entries {
            let value: u64 = entry.d_val(file.endian).into();
            match entry.d_tag(file.endian) {
                elf::DT_NULL => break,
                elf::DT_NEEDED if dynamic.needed.len() < MAX_NEEDED => dynamic.needed.push(value),
                elf::DT_STRTAB => dynamic.names = Some(value),
                elf::DT_STRSZ => dynamic.names_len = Some(value),
                elf::DT_SONAME => dynamic.has_name = true,
                // Linkers set it since 2015; a static program that can be anywhere has no other mark.
                elf::DT_FLAGS_1 => {
                    dynamic.says_program = elf::DynamicFlags1(value).contains(elf::DF_1_PIE);
                }
                _ => {}
            }
        }
        dynamic
    }
}

fn segment_entries<'data, H>(file: &Elf<'data, H>) -> Option<&'data [H::Dyn]>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let segment = file
        .segments
        .iter()
        .find(|segment| segment.p_type(file.endian) == elf::PT_DYNAMIC)?;
    let bytes = segment.data(file.endian, file.data).ok()?;
    let (entries, _) = slice_from_bytes(bytes, bytes.len() / size_of::<H::Dyn>()).ok()?;
    Some(entries)
}

/// The table of names, found by its address as the loader finds it.
fn names_by_address<'data>(image: &Image<'data>, dynamic: &Dynamic) -> Option<&'data [u8]> {
    let place = image.place_at(dynamic.names?)?;
    let stored = image.section(place.section)?.stored();
    let end = place.offset.saturating_add(dynamic.names_len?);
    slice(stored, &(place.offset..end.min(to_u64(stored.len()))))
}
