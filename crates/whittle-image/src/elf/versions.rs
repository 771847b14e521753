//! Versions of symbols that a file asks of its libraries. Layout: Linux Standard Base, "Symbol Versioning".

use object::read::elf::{FileHeader, SectionHeader as _};

use super::Elf;
use super::names::Names;
use crate::image::Image;

/// Bounds for damaged files: longer names and more versions than any library has.
const MAX_NAME_LEN: usize = 256;
const MAX_VERSIONS: usize = 1 << 12;

/// Reads the names of the versions that are needed, up to the first entry that is damaged.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let needs = file
        .sections
        .iter()
        .find_map(|header| header.gnu_verneed(file.endian, file.data).ok().flatten());
    let Some((mut libraries, names)) = needs else {
        return;
    };
    let mut names = Names::new(
        image
            .sections
            .get(names.0)
            .map_or(&[][..], |names| names.stored()),
        MAX_NAME_LEN,
    );
    let mut found: Vec<String> = Vec::new();
    let mut left = MAX_VERSIONS;
    while let Ok(Some((_, mut versions))) = libraries.next() {
        while let Ok(Some(version)) = versions.next() {
            let Some(one_less) = left.checked_sub(1) else {
                image.facts.needed_versions = found;
                return;
            };
            left = one_less;
            if let Some(name) = names.get(version.vna_name.get(file.endian).into()) {
                let name = String::from_utf8_lossy(name).into_owned();
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        // Libraries without versions count as well: each may be a header that overlaps the next.
        let Some(one_less) = left.checked_sub(1) else {
            break;
        };
        left = one_less;
    }
    image.facts.needed_versions = found;
}
