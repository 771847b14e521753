//! The dynamic section: which libraries the file needs, and whether it is a program. gABI 4.1, "Dynamic Section".

use object::elf;
use object::read::elf::{Dyn as _, FileHeader, SectionHeader as _};

use super::Elf;
use crate::image::{FileKind, Image};
use crate::place::SectionIndex;
use crate::symbol::SymbolTableRole;

/// Reads `.dynamic` and links the table of symbol versions to its symbols.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    for (number, header) in (0_u32..).zip(file.sections) {
        match header.sh_type(endian) {
            elf::SHT_DYNAMIC => {
                let Ok(Some((entries, strings))) = header.dynamic(endian, file.data) else {
                    let name = image
                        .sections
                        .get(SectionIndex(number).get())
                        .map(|section| section.name.to_string());
                    image.warnings.push(
                        name.unwrap_or_default(),
                        None,
                        "the dynamic section cannot be read",
                    );
                    continue;
                };
                let names = file
                    .sections
                    .get(strings.0)
                    .and_then(|strings| strings.strings(endian, file.data).ok().flatten())
                    .unwrap_or_default();
                for entry in entries {
                    let value: u64 = entry.d_val(endian).into();
                    match entry.d_tag(endian) {
                        elf::DT_NULL => break,
                        elf::DT_NEEDED => {
                            if let Some(name) = u32::try_from(value)
                                .ok()
                                .and_then(|offset| names.get(offset).ok())
                            {
                                image
                                    .facts
                                    .needed
                                    .push(String::from_utf8_lossy(name).into_owned());
                            }
                        }
                        // A static PIE has no interpreter, only this flag.
                        elf::DT_FLAGS_1
                            if value & DF_1_PIE != 0
                                && image.target.kind == FileKind::SharedLibrary =>
                        {
                            image.target.kind = FileKind::PositionIndependentExecutable;
                        }
                        _ => {}
                    }
                }
            }
            elf::SHT_GNU_VERSYM => {
                for table in &mut image.symbol_tables {
                    if table.role == SymbolTableRole::Dynamic {
                        table.versions = Some(SectionIndex(number));
                    }
                }
            }
            _ => {}
        }
    }
}

/// `DF_1_PIE`: set by linkers in `DT_FLAGS_1` of position-independent executables (GNU binutils, `elf/common.h`).
const DF_1_PIE: u64 = 0x0800_0000;
