//! Functions: their bodies, their types, and the tables they are put in. Core Specification, "Code Section", "Function
//! Section", "Element Section".

use wasmparser::{ElementItems, ElementSectionReader, Operator};

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
    spaces: &IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.functions else {
        return;
    };
    let defined = spaces
        .functions
        .iter()
        .filter(|it| Some(it.section) == spaces.code);
    let mut types = reader(image, section);
    if types.read_var_u32().is_err() {
        return;
    }
    for &of in defined {
        let offset = types.original_position();
        if let Err(error) = types.read_var_u32() {
            cut_off(warnings, "function", &error);
            return;
        }
        image.descriptions.push(Description {
            place: Place { section, offset },
            len: types.original_position() - offset,
            of,
        });
    }
}

/// Each entry of a table that functions are called through goes to its function.
pub(super) fn read_elements(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.elements else {
        return;
    };
    let mut entries: Vec<(u64, u64, u32)> = Vec::new();
    let mut read = || -> wasmparser::Result<()> {
        for element in ElementSectionReader::new(reader(image, section))? {
            match element?.items {
                ElementItems::Functions(functions) => {
                    let end = functions.range().end;
                    for function in functions.into_iter_with_offsets() {
                        let (start, function) = function?;
                        entries.push((start, end, function));
                    }
                }
                ElementItems::Expressions(_, expressions) => {
                    let end = expressions.range().end;
                    for expression in expressions.into_iter_with_offsets() {
                        let (start, expression) = expression?;
                        for operator in expression.get_operators_reader() {
                            if let Operator::RefFunc { function_index } = operator? {
                                entries.push((start, end, function_index));
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "element", &error);
    }
    for (number, &(offset, last, function)) in entries.iter().enumerate() {
        // An entry ends where the next one of its segment starts.
        let next = entries.get(number + 1).map_or(last, |&(next, ..)| next);
        let of = usize::try_from(function)
            .ok()
            .and_then(|function| spaces.functions.get(function));
        if let Some(&of) = of
            && offset < next.min(last)
        {
            image.descriptions.push(Description {
                place: Place { section, offset },
                len: next.min(last) - offset,
                of,
            });
        }
    }
}
