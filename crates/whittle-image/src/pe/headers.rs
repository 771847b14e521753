//! The frame: the program for DOS, the linker's own note on its inputs (Rich header), the headers, the section table.

use super::Pe;
use crate::image::{Header, Image};
use crate::section::{Access, Segment};

/// Fills in the headers. `nt_start` and `nt_end` are where the headers proper start and end in the file.
pub(super) fn read(pe: &Pe<'_>, nt_start: u64, nt_end: u64, image: &mut Image<'_>) {
    let file_len = image.file_len();
    let mut push = |name, start: u64, end: u64| {
        let (start, end) = (start.min(file_len), end.min(file_len));
        if start < end {
            image.headers.push(Header {
                name,
                file_range: start..end,
            });
        }
    };
    let rich = rich_header(image.data, nt_start);
    let dos_end = rich.as_ref().map_or(nt_start, |rich| rich.start);
    push("DOS header", 0, dos_end);
    if let Some(rich) = rich {
        push("Rich header", rich.start, rich.end);
        push("DOS header", rich.end, nt_start);
    }
    push("PE header", nt_start, nt_end);
    let table = super::to_u64(size_of_val(pe.sections));
    push("section table", nt_end, nt_end.saturating_add(table));
    let len = pe.headers_len.min(file_len);
    image.segments.push(Segment {
        number: 0,
        address: pe.base,
        memory_size: if pe.base.checked_add(len).is_some() {
            len
        } else {
            0
        },
        file_range: 0..len,
        access: Access {
            loaded: true,
            ..Access::default()
        },
    });
}

/// Where Microsoft's linker notes which compilers made its inputs: words, each xored with a key, between `DanS` and
/// `Rich`, then the key. It is not documented; `object` reads its entries (`read::pe::RichHeaderInfo`).
fn rich_header(data: &[u8], nt_start: u64) -> Option<std::ops::Range<u64>> {
    let rich = object::read::pe::RichHeaderInfo::parse(data, nt_start)?;
    let start = u64::try_from(rich.offset).ok()?;
    let len = u64::try_from(rich.length).ok()?;
    // `Rich` and the key follow what `length` counts.
    let end = start.checked_add(len)?.checked_add(8)?;
    (end <= nt_start).then_some(start..end)
}
