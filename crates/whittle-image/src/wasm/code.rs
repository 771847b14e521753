//! Functions: their bodies, and which type each has. Core Specification, "Code Section", "Function Section".

use super::sections::{Found, cut_off};
use super::{IndexSpaces, push_section, reader};
use crate::description::{Description, FunctionExtent};
use crate::error::Warnings;
use crate::image::Image;
use crate::place::{FileRange, Place, slice};
use crate::section::SectionRole;

/// Cuts the code section into bodies, each with the length before it. What counts them is a section of its own; the
/// address of the rest is its distance from the start of the payload, which is what DWARF counts from.
pub(super) fn read(
    range: &FileRange,
    image: &mut Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let payload = slice(image.data, range).unwrap_or_default();
    let mut bodies = wasmparser::BinaryReader::new(payload, 0);
    let count = bodies.read_var_u32().unwrap_or_else(|error| {
        cut_off(warnings, "code", &error);
        0
    });
    let start = bodies.original_position();
    let section = push_section(
        image,
        "code",
        range.start + start..range.end,
        SectionRole::Code,
    );
    let code = &mut image.sections[section.get()];
    code.access.executable = true;
    code.address = start;
    push_section(
        image,
        "code",
        range.start..range.start + start,
        SectionRole::FileStructure,
    );
    spaces.code = Some(section);
    for _ in 0..count {
        let at = bodies.original_position();
        let body = bodies
            .read_var_u32()
            .and_then(|len| bodies.read_bytes(usize::try_from(len).unwrap_or(usize::MAX)));
        if let Err(error) = body {
            cut_off(warnings, "code", &error);
            break;
        }
        let place = Place {
            section,
            offset: at - start,
        };
        spaces.functions.push(place);
        image.functions.push(FunctionExtent {
            place,
            len: bodies.original_position() - at,
        });
    }
}

/// Each function that is defined here has an entry with the number of its type.
pub(super) fn read_function_section(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.functions else {
        return;
    };
    let code = spaces.code;
    let defined = spaces
        .functions
        .iter()
        .filter(|it| Some(it.section) == code);
    let mut types = reader(image, section);
    if types.read_var_u32().is_err() {
        return;
    }
    for &of in defined {
        let offset = types.original_position();
        match types.read_var_u32() {
            Ok(of_type) => spaces.function_types.push(of_type),
            Err(error) => {
                cut_off(warnings, "function", &error);
                return;
            }
        }
        image.descriptions.push(Description {
            place: Place { section, offset },
            len: types.original_position() - offset,
            of,
        });
    }
}
