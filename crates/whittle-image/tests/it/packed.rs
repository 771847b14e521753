//! Compressed sections, in both classes and both byte orders.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use object::elf;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use whittle_image::{Compression, Image};

use crate::elf_file::{ElfFile, LAYOUTS, Layout, Section};
use crate::invariants::{assert_contents, assert_sound};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn text() -> Vec<u8> {
    b"what the compiler wrote for the debugger, ".repeat(1000)
}

fn zlib(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// A section with the gABI's header before what is packed.
fn section(layout: Layout, kind: elf::CompressionType, size: usize, packed: &[u8]) -> Section {
    let size = u64::try_from(size).expect("a small section");
    let header = layout.bytes().u32(kind.0);
    // 64-bit headers have four bytes in reserve.
    let header = if layout.is_64 { header.u32(0) } else { header };
    Section {
        name: ".debug_str",
        flags: elf::SHF_COMPRESSED,
        data: header.word(size).word(1).slice(packed).bytes,
        ..Section::default()
    }
}

/// The one section of a file, and what is said about it.
fn with_section(
    layout: Layout,
    section: Section,
    check: impl FnOnce(&whittle_image::Section<'_>, &[whittle_image::Warning]) -> TestResult,
) -> TestResult {
    let mut file = ElfFile::program(layout, elf::EM_X86_64);
    file.push(section);
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_contents(&image);
    check(&image.sections[1], image.warnings.list())
}

#[test]
fn sections_expand_to_what_was_packed() -> TestResult {
    let text = text();
    let zstd = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Fastest);
    let (first, second) = text.split_at(text.len() / 3);
    // A frame that is to be skipped: its number, its length, and bytes that mean nothing.
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let frames = [&zstd(first), &skipped[..], &zstd(second)].concat();
    for layout in LAYOUTS {
        let header = if layout.is_64 { 24 } else { 12 };
        for (kind, packed, compression) in [
            (
                elf::ELFCOMPRESS_ZLIB,
                zlib(&text)?,
                Compression::Zlib { header },
            ),
            (
                elf::ELFCOMPRESS_ZSTD,
                zstd(&text),
                Compression::Zstd { header },
            ),
            (
                elf::ELFCOMPRESS_ZSTD,
                frames.clone(),
                Compression::Zstd { header },
            ),
        ] {
            let stored_len = header + u64::try_from(packed.len())?;
            let section = section(layout, kind, text.len(), &packed);
            with_section(layout, section, |section, warnings| {
                assert_eq!(section.compression, compression);
                assert_eq!(section.size, u64::try_from(text.len())?);
                assert_eq!(u64::try_from(section.stored().len())?, stored_len);
                assert_eq!(section.contents()?, text);
                assert!(warnings.is_empty(), "{warnings:?}");
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn the_form_of_old_gnu_tools_is_read() -> TestResult {
    let text = text();
    let len = u64::try_from(text.len())?;
    let data = [&b"ZLIB"[..], &len.to_be_bytes(), &zlib(&text)?].concat();
    for layout in LAYOUTS {
        let section = Section {
            name: ".zdebug_str",
            data: data.clone(),
            ..Section::default()
        };
        with_section(layout, section, |section, warnings| {
            assert_eq!(section.compression, Compression::Zlib { header: 12 });
            assert_eq!(section.contents()?, text);
            assert!(warnings.is_empty(), "{warnings:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn what_cannot_be_compressed_is_taken_as_stored() -> TestResult {
    let layout = LAYOUTS[0];
    let packed = zlib(&text())?;
    let known = section(layout, elf::ELFCOMPRESS_ZLIB, text().len(), &packed);
    let loaded = Section {
        flags: elf::SHF_COMPRESSED | elf::SHF_ALLOC,
        ..known.clone()
    };
    let unknown = section(layout, elf::CompressionType(77), text().len(), &packed);
    let cut_off = Section {
        data: known.data[..10].to_vec(),
        ..known
    };
    for (section, reason) in [
        (loaded, "what is loaded cannot be compressed"),
        (unknown, "compression 77 is not known"),
        (cut_off, "its compression header is cut off"),
    ] {
        let stored = section.data.clone();
        with_section(layout, section, |section, warnings| {
            assert_eq!(section.compression, Compression::None);
            assert_eq!(section.contents()?, stored);
            let [warning] = warnings else {
                panic!("one warning: {warnings:?}");
            };
            assert!(warning.message.starts_with(reason), "{warning}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn streams_of_another_length_or_with_errors_are_errors() -> TestResult {
    let text = text();
    for layout in LAYOUTS {
        let zstd = compress_to_vec(&text[..], CompressionLevel::Fastest);
        let zlib = zlib(&text)?;
        let broken = |packed: &[u8]| {
            let mut packed = packed.to_vec();
            let middle = packed.len() / 2;
            packed[middle] ^= 0x55;
            packed
        };
        for (kind, size, packed) in [
            (elf::ELFCOMPRESS_ZLIB, text.len() - 1, zlib.clone()),
            (elf::ELFCOMPRESS_ZLIB, text.len() + 1, zlib.clone()),
            (
                elf::ELFCOMPRESS_ZLIB,
                text.len(),
                zlib[..zlib.len() / 2].to_vec(),
            ),
            (elf::ELFCOMPRESS_ZLIB, text.len(), broken(&zlib)),
            (elf::ELFCOMPRESS_ZSTD, text.len() - 1, zstd.clone()),
            (elf::ELFCOMPRESS_ZSTD, text.len() + 1, zstd.clone()),
            (
                elf::ELFCOMPRESS_ZSTD,
                text.len(),
                zstd[..zstd.len() / 2].to_vec(),
            ),
        ] {
            let section = section(layout, kind, size, &packed);
            with_section(layout, section, |section, _| {
                let error = section.contents().expect_err("a wrong stream");
                let message = error.to_string();
                assert!(
                    message.contains("compressed section `.debug_str`"),
                    "{message}"
                );
                Ok(())
            })?;
        }
    }
    Ok(())
}
