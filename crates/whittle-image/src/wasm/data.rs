//! Data segments: bytes that are copied to linear memory. Core Specification, "Data Section".

use wasmparser::{BinaryReader, ConstExpr, DataKind, DataSectionReader, Operator};

use super::sections::cut_off;
use super::{push_section, roles, to_u64};
use crate::error::Warnings;
use crate::image::Image;
use crate::place::{FileRange, slice};
use crate::section::{Access, SectionRole, Segment};

/// More than what engines take (100 000) is no module.
const MAX_SEGMENTS: usize = 1 << 17;

/// One segment of the section.
struct Found {
    /// Where its bytes are, from the start of the payload.
    bytes: (u64, u64),
    /// Where they go; nothing for those that instructions copy.
    address: Option<u64>,
}

/// Makes two sections of each segment: what says where it goes, and its bytes.
pub(super) fn read(
    range: &FileRange,
    names: &[String],
    image: &mut Image<'_>,
    warnings: &mut Warnings,
) {
    let payload = slice(image.data, range).unwrap_or_default();
    let mut found = Vec::new();
    if let Err(error) = segments(payload, &mut found) {
        cut_off(warnings, "data", &error);
    }
    let mut at = 0;
    for (number, segment) in found.iter().enumerate() {
        let (start, end) = segment.bytes;
        let (file_start, file_end) = (range.start + start, range.start + end);
        if at < start {
            let frame = range.start + at..file_start;
            push_section(image, "data", frame, SectionRole::FileStructure);
        }
        at = end;
        let name = names.get(number).map_or("", String::as_str);
        let role = roles::of_segment(name, number + 1 == found.len());
        let index = push_section(image, "data", file_start..file_end, role);
        let limit = if image.target.bits == 64 {
            u64::MAX
        } else {
            1 << 32
        };
        let address = segment.address.filter(|address| {
            let end = address.checked_add(end - start);
            end.is_some_and(|end| end <= limit)
        });
        let access = Access {
            loaded: address.is_some(),
            writable: role != SectionRole::ReadOnlyData,
            executable: false,
            thread_local: false,
        };
        let section = &mut image.sections[index.get()];
        section.access = access;
        if let Some(address) = address {
            section.address = address;
            image.segments.push(Segment {
                number: u32::try_from(number).unwrap_or(u32::MAX),
                address,
                memory_size: end - start,
                file_range: file_start..file_end,
                access,
            });
        }
    }
    if range.start + at < range.end {
        let rest = range.start + at..range.end;
        let role = if found.is_empty() && at == 0 && to_u64(payload.len()) <= 1 {
            SectionRole::FileStructure
        } else {
            SectionRole::Other
        };
        push_section(image, "data", rest, role);
    }
}

fn segments(payload: &[u8], found: &mut Vec<Found>) -> wasmparser::Result<()> {
    for segment in DataSectionReader::new(BinaryReader::new(payload, 0))? {
        let segment = segment?;
        if found.len() == MAX_SEGMENTS {
            break;
        }
        let end = segment.range.end;
        let address = match segment.kind {
            // Other memories have other addresses; compilers of Rust use one.
            DataKind::Active {
                memory_index: 0,
                offset_expr,
            } => constant(&offset_expr),
            DataKind::Active { .. } | DataKind::Passive => None,
        };
        found.push(Found {
            bytes: (end - to_u64(segment.data.len()), end),
            address,
        });
    }
    Ok(())
}

/// The number that an expression is, if it is a plain one.
fn constant(expression: &ConstExpr<'_>) -> Option<u64> {
    match expression.get_operators_reader().read().ok()? {
        Operator::I32Const { value } => Some(value.cast_unsigned().into()),
        Operator::I64Const { value } => Some(value.cast_unsigned()),
        _ => None,
    }
}
