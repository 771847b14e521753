//! Padding by content: where no linker's map says what stands between two things, the bytes themselves may.

use whittle_image::{Image, Section};

use crate::certainty::Source;

/// No alignment that compilers ask for between two things of a section is larger.
const MAX_ALIGNMENT: u64 = 64;

/// Whether a gap is padding, judged by its bytes: zeros of less than an alignment, or instructions that do nothing.
pub(crate) fn by_content(
    image: &Image<'_>,
    section: &Section<'_>,
    start: u64,
    end: u64,
) -> Option<Source> {
    let len = end - start;
    if section.file_range.is_none() {
        return (len < MAX_ALIGNMENT).then_some(Source::Neighbour);
    }
    let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
    let bytes = section.stored().get(range)?;
    let is_padding = if section.access.executable {
        is_code_filler(bytes, &image.target.architecture)
    } else {
        len < MAX_ALIGNMENT.min(section.align.max(16)) && bytes.iter().all(|&byte| byte == 0)
    };
    is_padding.then_some(Source::Neighbour)
}

/// Whether all bytes are filler that linkers and assemblers put between functions.
fn is_code_filler(bytes: &[u8], architecture: &str) -> bool {
    let repeats = |unit: &[u8]| {
        bytes
            .chunks(unit.len())
            .all(|chunk| unit.starts_with(chunk))
    };
    let words: &[&[u8]] = match architecture {
        "x86_64" | "x86_64-x32" | "i686" => return is_x86_filler(bytes),
        "aarch64" => &[&[0x1f, 0x20, 0x03, 0xd5], &[0]],
        "arm" => &[
            &[0x00, 0xf0, 0x20, 0xe3],
            &[0x00, 0x00, 0xa0, 0xe1],
            &[0x00, 0xbf],
            &[0xd4, 0xd4, 0xd4, 0xd4],
            &[0],
        ],
        "armeb" => &[
            &[0xe3, 0x20, 0xf0, 0x00],
            &[0xe1, 0xa0, 0x00, 0x00],
            &[0xbf, 0x00],
            &[0],
        ],
        "riscv64" | "riscv32" => &[&[0x01, 0x00], &[0x13, 0x00, 0x00, 0x00], &[0]],
        "powerpc64le" => &[&[0x00, 0x00, 0x00, 0x60], &[0]],
        "powerpc64" | "powerpc" => &[&[0x60, 0x00, 0x00, 0x00], &[0]],
        "s390x" => &[&[0x07], &[0x07, 0x00], &[0]],
        "loongarch64" => &[&[0x00, 0x00, 0x40, 0x03], &[0]],
        _ => &[&[0]],
    };
    words.iter().any(|unit| repeats(unit))
}

/// Breakpoints (`cc`), zeros, and the long no-operations of Intel's and AMD's manuals ("NOP", table "Recommended
/// multi-byte sequence"), with any number of `66` and `2e` before them; on i386 `lea 0(%esi),%esi` as well.
fn is_x86_filler(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let len = match first {
            0xcc | 0x90 | 0x00 => 1,
            _ => match no_operation_len(rest) {
                Some(len) => len,
                None => return false,
            },
        };
        // A gap may end inside a sequence only if the symbols around it lie; then it is no padding.
        match rest.get(len..) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

fn no_operation_len(bytes: &[u8]) -> Option<usize> {
    let prefixes = bytes
        .iter()
        .take_while(|&&byte| byte == 0x66 || byte == 0x2e)
        .count();
    let body = &bytes[prefixes..];
    let len = match body {
        [0x90, ..] => 1,
        [0x0f, 0x1f, 0x00, ..] | [0x8d, 0x76, 0x00, ..] => 3,
        [0x0f, 0x1f, 0x40, 0x00, ..] | [0x8d, 0x74, 0x26, 0x00, ..] => 4,
        [0x0f, 0x1f, 0x44, 0x00, 0x00, ..] => 5,
        [0x8d, 0xb6, 0, 0, 0, 0, ..] => 6,
        [0x0f, 0x1f, 0x80, 0, 0, 0, 0, ..] | [0x8d, 0xb4, 0x26, 0, 0, 0, 0, ..] => 7,
        [0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0, ..] => 8,
        _ => return None,
    };
    Some(prefixes + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_that_do_nothing_are_filler() {
        assert!(is_x86_filler(&[0xcc; 15]));
        assert!(is_x86_filler(&[
            0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0, 0x90
        ]));
        assert!(is_x86_filler(&[0x0f, 0x1f, 0x44, 0x00, 0x00]));
        assert!(is_code_filler(
            &[0x1f, 0x20, 0x03, 0xd5, 0x1f, 0x20, 0x03, 0xd5],
            "aarch64"
        ));
    }

    #[test]
    fn instructions_that_do_something_are_not() {
        assert!(!is_x86_filler(&[0xc3, 0xcc, 0xcc]));
        assert!(
            !is_x86_filler(&[0x0f, 0x1f, 0x44, 0x00]),
            "cut off inside a sequence"
        );
        assert!(!is_code_filler(&[0xc0, 0x03, 0x5f, 0xd6], "aarch64"));
    }
}
