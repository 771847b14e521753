//! File header and program headers: the frame that everything else hangs in, and what the loader maps.

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader as _};

use super::{Elf, to_u64};
use crate::image::{FileKind, Header, Image};
use crate::place::{FileRange, slice};
use crate::section::{Access, Segment};

/// A path of more bytes than Linux takes (`PATH_MAX`) is no path.
const MAX_PATH_LEN: usize = 4096;

/// Finds the tables of headers and fills in segments and what the program headers say besides.
pub(super) fn read<'data, H>(file: &mut Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    push_header(image, "ELF header", 0, to_u64(size_of::<H>()));

    let offset = file.header.e_phoff(file.endian).into();
    match file.header.program_headers(file.endian, file.data) {
        Ok(segments) => file.segments = segments,
        Err(error) => image.warnings.push(
            "program headers",
            Some(offset),
            format!("not read: {error}"),
        ),
    }
    let len = to_u64(size_of_val(file.segments));
    push_header(image, "program headers", offset, len);

    let offset = file.header.e_shoff(file.endian).into();
    match file.header.section_headers(file.endian, file.data) {
        Ok(sections) => file.sections = sections,
        Err(error) => image.warnings.push(
            "section headers",
            Some(offset),
            format!("not read, segments are taken for sections: {error}"),
        ),
    }
    let len = to_u64(size_of_val(file.sections));
    push_header(image, "section headers", offset, len);
    image.headers.sort_by_key(|header| header.file_range.start);

    read_segments(file, image);
    if file.sections.is_empty() {
        detect_packer(image);
    }
}

fn push_header(image: &mut Image<'_>, name: &'static str, offset: u64, len: u64) {
    let file_range = clip(offset, len, image.file_len());
    if !file_range.is_empty() {
        image.headers.push(Header { name, file_range });
    }
}

/// The part of a range that lies in the file; empty at the end of the file if none does.
pub(super) fn clip(offset: u64, len: u64, file_len: u64) -> FileRange {
    let start = offset.min(file_len);
    start..offset.saturating_add(len).min(file_len)
}

fn read_segments<H>(file: &Elf<'_, H>, image: &mut Image<'_>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    for (number, segment) in (0_u32..).zip(file.segments) {
        let address: u64 = segment.p_vaddr(endian).into();
        let memory_size: u64 = segment.p_memsz(endian).into();
        let fits_memory = address.checked_add(memory_size).is_some();
        let file_range = segment_range::<H>(file, segment);
        match segment.p_type(endian) {
            elf::PT_LOAD => {
                let flags = segment.p_flags(endian);
                image.segments.push(Segment {
                    number,
                    address,
                    memory_size: if fits_memory { memory_size } else { 0 },
                    file_range,
                    access: Access {
                        loaded: true,
                        writable: flags.contains(elf::PF_W),
                        executable: flags.contains(elf::PF_X),
                        thread_local: false,
                    },
                });
            }
            elf::PT_TLS if fits_memory => image.thread_local = Some((address, memory_size)),
            elf::PT_INTERP => {
                image.facts.interpreter = slice(file.data, &file_range).and_then(path);
                // A shared library may be a program as well: the dynamic section tells.
                if image.target.kind == FileKind::SharedLibrary {
                    image.target.kind = FileKind::PositionIndependentExecutable;
                }
            }
            _ => {}
        }
    }
}

fn segment_range<H>(file: &Elf<'_, H>, segment: &H::ProgramHeader) -> FileRange
where
    H: FileHeader<Endian = object::Endianness>,
{
    let (offset, len) = segment.file_range(file.endian);
    clip(offset, len, to_u64(file.data.len()))
}

/// A path that ends with a zero byte or with the bytes.
fn path(bytes: &[u8]) -> Option<String> {
    let path = bytes.split(|&byte| byte == 0).next()?;
    (1..=MAX_PATH_LEN)
        .contains(&path.len())
        .then(|| String::from_utf8_lossy(path).into_owned())
}

/// Corrects what was read from segments when the sections are known, and warns of segments that are cut off.
///
/// The program headers of a debug companion describe the program it was taken from: nothing they point at is here.
pub(super) fn check_segments<H>(file: &Elf<'_, H>, image: &mut Image<'_>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    if image.is_debug_companion() {
        image.facts.interpreter = None;
        return;
    }
    for (number, segment) in (0_u64..).zip(file.segments) {
        let (offset, len) = segment.file_range(file.endian);
        let end = offset.saturating_add(len);
        if segment.p_type(file.endian) == elf::PT_LOAD && end > image.file_len() {
            image.warnings.push(
                "program headers",
                Some(number),
                format!("segment {number} ends at {end:#x}, past the end of the file; cut off"),
            );
        }
    }
}

/// UPX leaves its mark (`UPX!`, in the `l_info` of its `linux.bin`) behind the program headers of what it packs, and
/// no section headers.
fn detect_packer(image: &mut Image<'_>) {
    let head = &image.data[..image.data.len().min(512)];
    if memchr::memmem::find(head, b"UPX!").is_some() {
        image.facts.packer = Some("UPX");
        image.warnings.push(
            "ELF header",
            None,
            "the file is packed by UPX: only the packed form is accounted for; unpack it first with `upx -d`",
        );
    }
}
