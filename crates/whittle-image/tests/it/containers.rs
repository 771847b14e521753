//! Containers: archives in the form of every system, universal files, and what is wrong with them.

use object::read::archive::ArchiveFile;
use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use whittle_image::{FileKind, Format, Image, ImageError, Lookalike, SectionRole};

use crate::archives::{self, Written};
use crate::invariants::{assert_contents, assert_sound};

/// An object file that defines one global function.
pub fn object(format: BinaryFormat, name: &str, len: usize) -> Vec<u8> {
    let mut object = Object::new(format, Architecture::X86_64, Endianness::Little);
    let segment = match format {
        BinaryFormat::MachO => b"__TEXT".to_vec(),
        _ => Vec::new(),
    };
    let section = match format {
        BinaryFormat::MachO => b"__text".to_vec(),
        _ => b".text".to_vec(),
    };
    let text = object.add_section(segment, section, SectionKind::Text);
    object.append_section_data(text, &vec![0xc3; len], 8);
    object.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: u64::try_from(len).expect("it is short"),
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    });
    object.write().expect("it can be written")
}

/// Each member as the reader of another library finds it: name, and where its contents stand.
fn members_of(bytes: &[u8]) -> Vec<(String, std::ops::Range<u64>)> {
    let archive = ArchiveFile::parse(bytes).expect("an archive");
    let members = archive.members().map(|member| {
        let member = member.expect("a member");
        let (start, len) = member.file_range();
        let name = String::from_utf8_lossy(member.name()).into_owned();
        (name, start..start + len)
    });
    members.collect()
}

/// Every name of the index belongs to the symbol of that name, as another reader finds the index.
fn assert_index(bytes: &[u8], image: &Image<'_>) {
    let archive = ArchiveFile::parse(bytes).expect("an archive");
    let symbols = archive.symbols().expect("an index").expect("there is one");
    let index = image.section_by_name("(symbol index)").expect("an index");
    assert_eq!(index.role, SectionRole::Symbols);
    let mut count = 0;
    for symbol in symbols {
        let symbol = symbol.expect("a symbol");
        let member = archive.member(symbol.offset()).expect("its member");
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let member = image
            .members
            .iter()
            .find(|it| it.name == name)
            .expect("the member");
        let inner = member.image.as_ref().expect("it is read");
        let table = inner.static_symbols().expect("symbols");
        let bare = symbol.name();
        let bare = match inner.target.format {
            Format::MachO => bare.strip_prefix(b"_").expect("an underscore"),
            _ => bare,
        };
        let defined = table
            .symbols
            .iter()
            .find(|it| it.name == bare)
            .expect("the symbol");
        let place = defined.place.expect("it is defined");
        let named = image.descriptions.iter().filter(|description| {
            let at = description.of;
            (at.section.0, at.offset) == (place.section.0 + member.first_section, place.offset)
        });
        let written: Vec<&[u8]> = named
            .filter(|it| it.place.section == index.index)
            .map(|it| {
                let start = usize::try_from(it.place.offset).expect("it is short");
                let len = usize::try_from(it.len).expect("it is short");
                &index.stored()[start..start + len]
            })
            .collect();
        let name = [symbol.name(), b"\0"].concat();
        assert!(written.contains(&&*name), "{written:?} for {name:?}");
        count += 1;
    }
    assert!(count > 0);
}

fn written<'a>(
    objects: &'a [Vec<u8>],
    names: &'a [&'a str],
    symbols: &'a [[&'a str; 1]],
) -> Vec<Written<'a>> {
    let all = objects.iter().zip(names).zip(symbols);
    all.map(|((data, name), symbols)| Written {
        name,
        data,
        symbols,
    })
    .collect()
}

#[test]
fn archives_of_all_systems_are_read_as_another_reader_does() {
    const NAMES: [&str; 3] = [
        "short.o",
        "a_name_that_fits_into_no_header-763f8943f5a13846.rcgu.o",
        "odd.o",
    ];
    let objects = |format| {
        let names = ["first", "second", "third"];
        names
            .map(|name| object(format, name, 8 + name.len() % 2))
            .to_vec()
    };
    let elf = objects(BinaryFormat::Elf);
    let macho = objects(BinaryFormat::MachO);
    let bare = [["first"], ["second"], ["third"]];
    let underscored = [["_first"], ["_second"], ["_third"]];
    let forms = [
        ("gnu", archives::gnu(&written(&elf, &NAMES, &bare))),
        (
            "darwin",
            archives::darwin(&written(&macho, &NAMES, &underscored)),
        ),
        ("windows", archives::windows(&written(&elf, &NAMES, &bare))),
    ];
    for (form, bytes) in &forms {
        let image = Image::parse(bytes).expect("it is read");
        assert_sound(&image);
        assert_contents(&image);
        assert_eq!(image.warnings.list(), [], "{form}");
        assert_eq!(image.target.format, Format::Archive);
        assert_eq!(image.target.kind, FileKind::Archive);
        assert_eq!(image.target.architecture, "x86_64");
        let found: Vec<_> = image
            .members
            .iter()
            .map(|member| (member.name.clone(), member.file_range.clone()))
            .collect();
        assert_eq!(found, members_of(bytes), "{form}");
        assert!(image.members.iter().all(|member| member.image.is_some()));
        assert_index(bytes, &image);
    }
}

#[test]
fn the_archiver_of_the_system_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new("ar");
    command
        .args(["rcs", "library.a"])
        .current_dir(folder.path());
    for name in ["one.o", "an_object_with_a_longer_name.o"] {
        let bytes = object(BinaryFormat::Elf, &name.replace('.', "_"), 9);
        std::fs::write(folder.path().join(name), bytes).expect("a file");
        command.arg(name);
    }
    let output = command.output().expect("`ar` is there, as the linker is");
    assert!(output.status.success());
    let bytes = std::fs::read(folder.path().join("library.a")).expect("the archive");
    let image = Image::parse(&bytes).expect("it is read");
    assert_eq!(image.warnings.list(), []);
    assert_index(&bytes, &image);
    let list = std::process::Command::new("ar")
        .args(["t", "library.a"])
        .current_dir(folder.path())
        .output()
        .expect("`ar` is there");
    let listed = String::from_utf8_lossy(&list.stdout).into_owned();
    let names: Vec<&str> = image.members.iter().map(|member| &*member.name).collect();
    assert_eq!(names, listed.lines().collect::<Vec<_>>());
}

#[test]
fn import_libraries_name_what_they_import() {
    let member = archives::import("CreateFileW", "KERNEL32.dll");
    let bytes = archives::windows(&[Written {
        name: "KERNEL32.dll",
        data: &member,
        symbols: &["CreateFileW"],
    }]);
    let image = Image::parse(&bytes).expect("it is read");
    assert_sound(&image);
    let inner = image.members[0].image.as_ref().expect("it is read");
    assert_eq!(inner.target.architecture, "x86_64");
    let symbol = inner.symbol_tables[0].symbols[0];
    assert_eq!(symbol.name, b"CreateFileW");
    assert!(symbol.undefined);
    // Header, two names with a zero behind each.
    let range = image.members[0].file_range.clone();
    assert_eq!(range.end - range.start, 20 + 12 + 13);
    assert_eq!(inner.sections[0].size, 12 + 13);
}

#[test]
fn members_of_one_name_are_told_apart_and_other_files_are_named() {
    let first = object(BinaryFormat::Elf, "first", 8);
    let second = object(BinaryFormat::Elf, "second", 8);
    let bytes = archives::gnu(&[
        Written {
            name: "lib.rmeta",
            data: b"rust\0\0\0\x09metadata",
            symbols: &[],
        },
        Written {
            name: "same.o",
            data: &first,
            symbols: &["first"],
        },
        Written {
            name: "same.o",
            data: &second,
            symbols: &["second"],
        },
        Written {
            name: "notes.txt",
            data: b"read me",
            symbols: &[],
        },
        Written {
            name: "unit.bc",
            data: b"BC\xc0\xdecode",
            symbols: &[],
        },
        Written {
            name: "empty",
            data: b"",
            symbols: &[],
        },
    ]);
    let image = Image::parse(&bytes).expect("it is read");
    assert_sound(&image);
    assert_eq!(image.warnings.list(), []);
    let names: Vec<&str> = image.members.iter().map(|member| &*member.name).collect();
    assert_eq!(
        names,
        [
            "lib.rmeta",
            "same.o",
            "same.o (3)",
            "notes.txt",
            "unit.bc",
            "empty"
        ]
    );
    let section = |number: usize| {
        let first = image.members[number].first_section;
        let section = &image.sections[usize::try_from(first).expect("few")];
        (&*section.name, section.role)
    };
    assert_eq!(
        section(0),
        ("(compiler metadata)", SectionRole::CompilerMetadata)
    );
    assert_eq!(
        section(3),
        ("(member that is not read)", SectionRole::Other)
    );
    assert_eq!(section(4), ("(bitcode)", SectionRole::CompilerMetadata));
}

#[test]
fn slices_of_a_universal_file_are_images() {
    let objects = [
        object(BinaryFormat::MachO, "first", 8),
        object(BinaryFormat::MachO, "second", 8),
    ];
    let library = archives::darwin(&[Written {
        name: "second.o",
        data: &objects[1],
        symbols: &["_second"],
    }]);
    let bytes = archives::universal(&[(0x0100_0007, &objects[0]), (0x0100_000c, &library)]);
    let image = Image::parse(&bytes).expect("it is read");
    assert_sound(&image);
    assert_eq!(image.target.kind, FileKind::Universal);
    let parts = image.parts();
    let paths: Vec<String> = parts.iter().map(|part| part.path.to_string()).collect();
    assert_eq!(paths, ["x86_64", "arm64/second.o"]);
    for (part, object) in parts.iter().zip(&objects) {
        let start = usize::try_from(part.start).expect("a small file");
        assert_eq!(&bytes[start..start + object.len()], &**object);
        let own = Image::parse(object).expect("it is read");
        let sections = usize::try_from(part.first_section).expect("few")..;
        for (shown, own) in image.sections[sections].iter().zip(&own.sections) {
            assert_eq!((&shown.name, shown.stored()), (&own.name, own.stored()));
        }
    }
}

#[test]
fn thin_archives_and_java_are_called_by_their_name() {
    let refused = |bytes: &[u8]| match Image::parse(bytes) {
        Err(ImageError::UnknownFormat { recognised }) => recognised,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b"!<thin>\n//  "), Lookalike::ThinArchive);
    // Java 8.
    assert_eq!(refused(b"\xca\xfe\xba\xbe\0\0\0\x34"), Lookalike::Java);
}

#[test]
fn damage_at_any_byte_leaves_a_poorer_image() {
    let objects = [
        object(BinaryFormat::Elf, "first", 8),
        object(BinaryFormat::Elf, "second", 9),
    ];
    let import = archives::import("CreateFileW", "KERNEL32.dll");
    let members = [
        Written {
            name: "a_name_that_fits_into_no_header.o",
            data: &objects[0],
            symbols: &["first"],
        },
        Written {
            name: "second.o",
            data: &objects[1],
            symbols: &["second"],
        },
        Written {
            name: "import",
            data: &import,
            symbols: &["CreateFileW"],
        },
    ];
    let gnu = archives::gnu(&members);
    let universal = archives::universal(&[(7, &objects[0]), (0x0100_0007, &gnu)]);
    let files = [
        archives::darwin(&members),
        archives::windows(&members),
        universal,
        gnu,
    ];
    for bytes in &files {
        // Of the universal file, what is not zeros between slices.
        let places = (0..bytes.len()).filter(|&at| bytes[at] != 0 || at < 256);
        for at in places {
            for value in [0xff, 0, b'9'] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                if let Ok(image) = Image::parse(&damaged) {
                    assert_sound(&image);
                }
            }
            if let Ok(image) = Image::parse(&bytes[..at]) {
                assert_sound(&image);
            }
        }
    }
}

#[test]
fn hostile_tables_cost_no_more_than_their_bytes() {
    // Slices that overlap, start in the header, and end behind the file.
    let mut bytes = b"\xca\xfe\xba\xbe\0\0\0\x05".to_vec();
    for (start, len) in [
        (0, 500),
        (200, 100),
        (250, 100),
        (200, 100),
        (400, u32::MAX),
    ] {
        for value in [7, 0, start, len, 0] {
            bytes.extend(u32::to_be_bytes(value));
        }
    }
    bytes.resize(450, 1);
    let image = Image::parse(&bytes).expect("it is read");
    assert_sound(&image);
    let ranges: Vec<_> = image
        .members
        .iter()
        .map(|it| it.file_range.clone())
        .collect();
    assert_eq!(ranges, [200..300, 400..450]);
    // The first is wrong in two ways.
    assert_eq!(image.warnings.list().len(), 5);

    // More slices than the file has room for.
    let many = [b"\xca\xfe\xba\xbf\0\0\0\x20".as_slice(), &[0; 40]].concat();
    assert!(matches!(
        Image::parse(&many),
        Err(ImageError::PastEnd { .. })
    ));

    // An archive of archives: the inner one is a member like any other.
    let mut nested = archives::gnu(&[Written {
        name: "x",
        data: b"x",
        symbols: &[],
    }]);
    for _ in 0..200 {
        nested = archives::gnu(&[Written {
            name: "nested.a",
            data: &nested,
            symbols: &[],
        }]);
    }
    let image = Image::parse(&nested).expect("it is read");
    assert_sound(&image);
    assert_eq!(image.members.len(), 1);
    assert!(image.members[0].image.is_none());

    // Modules of eight bytes: more images than are worth reading.
    let module = b"\0asm\x01\0\0\0";
    let many: Vec<Written<'_>> = (0..20_000)
        .map(|_| Written {
            name: "m",
            data: module,
            symbols: &[],
        })
        .collect();
    let bytes = archives::gnu(&many);
    let image = Image::parse(&bytes).expect("it is read");
    assert_eq!(image.members.len(), 20_000);
    let images = image.members.iter().filter(|it| it.image.is_some()).count();
    assert_eq!(images, 1 << 14);
    assert_eq!(image.warnings.list().len(), 1);

    // An index whose names are each the end of the one before.
    let count = 50_000_u32;
    let mut index = (count * 8).to_le_bytes().to_vec();
    for name in 0..count {
        index.extend(name.to_le_bytes());
        index.extend(8_u32.to_le_bytes());
    }
    index.extend(count.to_le_bytes());
    index.extend(vec![b'a'; usize::try_from(count).expect("few")]);
    let mut bytes = b"!<arch>\n".to_vec();
    bytes.extend(archives::record("__.SYMDEF", &index));
    bytes.extend(archives::record("m", module));
    assert_sound(&Image::parse(&bytes).expect("it is read"));
}
