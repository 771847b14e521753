//! Files that the system's compiler and linker make, with the options that change what is in them.

use std::collections::BTreeMap;

use whittle_image::{
    Described, FileKind, Image, RelocationEncoding, RelocationKind, RelocationTarget, SectionRole,
    SymbolKind,
};

use crate::invariants::{assert_contents, assert_sound};
use crate::judge::assert_agrees;
use crate::toolchain::{Error, Workshop};

type TestResult = Result<(), Error>;

/// Calls another library, has data of each kind, and cleans up when it is unwound.
const PROGRAM: &str = r#"
    extern int puts(const char *);
    __thread int counter = 3;
    __thread int room[5];
    const int table[4] = {1, 2, 3, 4};
    int zeros[1000];
    static int first(void) { return 1; }
    static int second(void) { return 2; }
    int (*const functions[])(void) = {first, second};
    void add(int *value) { counter += *value; }
    __attribute__((noinline)) int middle(int value) {
        int kept __attribute__((cleanup(add))) = value;
        puts("middle");
        return kept + table[value & 3] + functions[value & 1]();
    }
    int main(int count, char **words) { return middle(count) + zeros[count] + room[1]; }
"#;

/// The same without a library, so that it can be linked in any way.
const ALONE: &str = r"
    const int table[4] = {1, 2, 3, 4};
    int zeros[1000];
    static int first(void) { return 1; }
    static int second(void) { return 2; }
    int (*const functions[])(void) = {first, second};
    int main(int count, char **words) { return table[count & 3] + functions[count & 1]() + zeros[count]; }
";

fn workshop() -> Result<Workshop, Error> {
    let workshop = Workshop::new()?;
    workshop.write("program.c", PROGRAM)?;
    workshop.write("alone.c", ALONE)?;
    Ok(workshop)
}

/// Parses a file that is whole, and compares it with what others read.
fn parse(bytes: &[u8]) -> Result<Image<'_>, Error> {
    let image = Image::parse(bytes)?;
    assert_sound(&image);
    assert_contents(&image);
    assert_agrees(&image)?;
    assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
    Ok(image)
}

/// The name of the section that a symbol is in, and the symbol's size.
fn home<'image>(image: &'image Image<'_>, name: &str) -> Option<(&'image str, u64)> {
    let symbol = image
        .static_symbols()?
        .symbols
        .iter()
        .find(|symbol| symbol.name == name.as_bytes())?;
    Some((&image.section(symbol.place?.section)?.name, symbol.size))
}

#[test]
fn programs_of_every_kind_are_read() -> TestResult {
    use FileKind::{
        Executable as Fixed, Object, PositionIndependentExecutable as Movable, SharedLibrary,
    };
    let workshop = workshop()?;
    let cases: [(FileKind, &str, &[&str]); 12] = [
        (Movable, "program.c", &["-fPIE", "-pie"]),
        (Fixed, "program.c", &["-no-pie", "-fno-pie"]),
        (SharedLibrary, "program.c", &["-shared", "-fPIC"]),
        (Object, "program.c", &["-c"]),
        (
            Object,
            "program.c",
            &["-c", "-ffunction-sections", "-fdata-sections"],
        ),
        (Object, "program.c", &["-r", "-nostdlib"]),
        (
            Movable,
            "program.c",
            &["-fPIE", "-pie", "-Wl,-z,now,-z,relro"],
        ),
        (
            Movable,
            "program.c",
            &["-fPIE", "-pie", "-Wl,-z,norelro,-z,noseparate-code"],
        ),
        (
            Movable,
            "program.c",
            &["-fPIE", "-pie", "-Wl,--hash-style=both,--emit-relocs"],
        ),
        (
            Fixed,
            "alone.c",
            &["-static", "-no-pie", "-nostdlib", "-Wl,-e,main"],
        ),
        (
            Movable,
            "alone.c",
            &["-static-pie", "-fPIE", "-nostdlib", "-Wl,-e,main"],
        ),
        (Movable, "program.c", &["-fPIE", "-pie", "-s"]),
    ];
    for (kind, source, options) in cases {
        let name = if kind == Object { "it.o" } else { "it" };
        let common = [
            "-O1",
            "-fexceptions",
            "-fasynchronous-unwind-tables",
            source,
        ];
        let bytes = workshop.cc(name, &[&common, options].concat())?;
        let image = parse(&bytes).map_err(|error| format!("{options:?}: {error}"))?;
        assert_eq!(image.target.kind, kind, "{options:?}");
        assert_eq!(image.is_stripped(), options.contains(&"-s"));
        assert!(!image.unwind_tables.is_empty(), "{options:?}");
        if !image.is_stripped() {
            let (section, size) = home(&image, "main").expect("the function");
            assert!(section.starts_with(".text") && size > 0, "{options:?}");
            assert_eq!(home(&image, "zeros").map(|(_, size)| size), Some(4000));
            assert_eq!(home(&image, "table").map(|(_, size)| size), Some(16));
        }
        if kind != Object {
            let is_program = kind != SharedLibrary;
            assert_eq!(image.entry.is_some(), is_program, "{options:?}");
        }
    }
    Ok(())
}

#[test]
fn a_program_says_what_it_needs_and_calls() -> TestResult {
    let workshop = workshop()?;
    let options = ["-O1", "-fexceptions", "-fPIE", "-pie", "program.c"];
    let bytes = workshop.cc("it", &[&options[..], &["-Wl,--build-id=sha1"]].concat())?;
    let image = parse(&bytes)?;

    assert_eq!(image.facts.build_id.as_ref().map(Vec::len), Some(20));
    let needed = &image.facts.needed;
    assert!(
        needed.iter().any(|name| name.starts_with("libc.")),
        "{needed:?}"
    );
    assert!(image.facts.interpreter.is_some());
    assert!(!image.facts.producers.is_empty());

    // `puts` is called through a slot that the loader fills: by a stub, or straight from the code.
    let dynamic = &image.symbol_tables[1];
    let puts = dynamic.symbols.iter().position(|it| it.name == b"puts");
    let puts = u32::try_from(puts.expect("an undefined symbol"))?;
    let slot = image
        .relocation_tables
        .iter()
        .flat_map(|table| &table.relocations)
        .find(|it| matches!(it.target, RelocationTarget::Symbol { index, .. } if index == puts))
        .expect("a slot for `puts`");
    assert!(matches!(
        slot.kind,
        RelocationKind::JumpSlot | RelocationKind::Slot
    ));
    let slot = slot.patched.expect("a place");
    assert_eq!(
        image.sections[slot.section.get()].role,
        SectionRole::AddressSlots
    );
    if image.target.architecture == "x86_64" {
        let stubs: Vec<_> = image
            .stubs
            .iter()
            .filter(|stub| stub.slot == slot)
            .collect();
        assert_eq!(stubs.len(), 1);
    }

    // `functions` holds two addresses of this file.
    let relative = image
        .relocation_tables
        .iter()
        .flat_map(|table| &table.relocations)
        .filter(|it| it.kind == RelocationKind::Relative)
        .filter_map(|it| match it.target {
            RelocationTarget::Address(address) => image.place_at(address),
            _ => None,
        });
    let in_code = relative
        .filter(|place| image.sections[place.section.get()].role == SectionRole::Code)
        .count();
    assert!(in_code >= 2, "{in_code} addresses of code");
    Ok(())
}

#[test]
fn what_is_unwound_has_an_exception_table() -> TestResult {
    let workshop = workshop()?;
    for options in [
        &["-fPIE", "-pie"][..],
        &["-no-pie", "-fno-pie"],
        &["-c", "-ffunction-sections"],
    ] {
        let common = ["-O1", "-fexceptions", "program.c"];
        let bytes = workshop.cc("it", &[&common, options].concat())?;
        let image = parse(&bytes)?;
        let symbols = &image.static_symbols().expect("symbols").symbols;
        let middle = symbols.iter().find(|it| it.name == b"middle");
        let middle = middle.expect("the function");
        let entry = image
            .unwind_tables
            .iter()
            .flat_map(|table| &table.entries)
            .find_map(|entry| match entry.describes {
                Described::Code {
                    start,
                    len,
                    exceptions,
                } if Some(start) == middle.place => Some((len, exceptions)),
                _ => None,
            });
        let (len, exceptions) = entry.expect("an unwind entry");
        assert_eq!(len, middle.size);
        let table = exceptions.expect("an exception table");
        let found = image.exception_tables.iter().find(|it| it.place == table);
        let len = found.expect("the table").len;
        let section = &image.sections[table.section.get()];
        assert_eq!(section.role, SectionRole::ExceptionTable);
        if options.contains(&"-ffunction-sections") {
            // GCC and LLVM give it a section of its own; at most padding follows.
            let rest = &section.stored()[usize::try_from(table.offset + len)?..];
            assert!(
                rest.len() < 4 && rest.iter().all(|&byte| byte == 0),
                "{rest:?}"
            );
        }
        let has_personality = image
            .unwind_tables
            .iter()
            .flat_map(|table| &table.entries)
            .any(|entry| {
                matches!(
                    entry.describes,
                    Described::Common {
                        personality: Some(_)
                    }
                )
            });
        // In an object file the personality is a symbol of another one, except where a slot for it comes along.
        assert!(has_personality || image.target.kind == FileKind::Object);
    }
    Ok(())
}

#[test]
fn thread_local_data_has_places_of_its_own() -> TestResult {
    let workshop = workshop()?;
    let bytes = workshop.cc("it", &["-O1", "-fPIE", "-pie", "program.c"])?;
    let image = parse(&bytes)?;
    assert_eq!(home(&image, "counter"), Some((".tdata", 4)));
    assert_eq!(home(&image, "room"), Some((".tbss", 20)));
    let symbols = &image.static_symbols().expect("symbols").symbols;
    let counter = symbols.iter().find(|it| it.name == b"counter");
    let counter = counter.expect("the variable");
    assert_eq!(counter.kind, SymbolKind::ThreadLocal);
    let place = counter.place.expect("a place");
    let stored = &image.sections[place.section.get()].stored()[usize::try_from(place.offset)?..];
    assert_eq!(stored.first_chunk(), Some(&3_i32.to_ne_bytes()));
    // What is zero overlaps the addresses of the sections that follow, and has none itself.
    let zeros = image.section_by_name(".tbss").expect("the section");
    let place = image.place_at(zeros.address);
    assert!(place.is_none_or(|place| place.section != zeros.index));
    Ok(())
}

/// GNU ld packs for other processors since 2024 only.
#[test]
#[cfg(target_arch = "x86_64")]
fn packed_relocations_patch_what_the_loose_ones_do() -> TestResult {
    let workshop = workshop()?;
    let options = [
        "-O1",
        "-fPIE",
        "-pie",
        "-nostdlib",
        "-static-pie",
        "-Wl,-e,main",
        "alone.c",
    ];
    let loose = workshop.cc("loose", &options)?;
    let packed = ["-Wl,-z,pack-relative-relocs"];
    let packed = workshop.cc("packed", &[&options[..], &packed].concat())?;
    let relative = |image: &Image<'_>, encoding| {
        let tables = image.relocation_tables.iter();
        tables
            .filter(|table| table.encoding == encoding)
            .flat_map(|table| &table.relocations)
            .filter(|it| it.kind == RelocationKind::Relative)
            .count()
    };
    let loose = parse(&loose)?;
    let packed = parse(&packed)?;
    let count = relative(&loose, RelocationEncoding::WithAddend);
    assert!(count >= 2, "{count}");
    assert_eq!(relative(&packed, RelocationEncoding::Packed), count);
    assert_eq!(relative(&packed, RelocationEncoding::WithAddend), 0);
    Ok(())
}

#[test]
fn a_debug_companion_knows_the_places_of_its_program() -> TestResult {
    let workshop = workshop()?;
    let options = ["-O1", "-g", "-fexceptions", "-fPIE", "-pie", "program.c"];
    let whole = workshop.cc("it", &options)?;
    workshop.run("objcopy", &["--only-keep-debug", "it", "it.debug"])?;
    let strip = [
        "--strip-all",
        "--add-gnu-debuglink=it.debug",
        "it",
        "it.stripped",
    ];
    workshop.run("objcopy", &strip)?;
    let (companion, stripped) = (workshop.read("it.debug")?, workshop.read("it.stripped")?);
    let (whole, companion, stripped) = (parse(&whole)?, parse(&companion)?, parse(&stripped)?);

    assert!(companion.is_debug_companion());
    assert!(!whole.is_debug_companion() && !stripped.is_debug_companion());
    assert_eq!(companion.target.kind, whole.target.kind);
    assert_eq!(companion.facts.build_id, whole.facts.build_id);
    let link = stripped.facts.debug_link.as_ref().expect("a link");
    assert_eq!(link.0, "it.debug");
    assert!(stripped.is_stripped() && !companion.is_stripped());

    let name = |image: &Image<'_>, address| {
        let place = image.place_at(address)?;
        Some((image.section(place.section)?.name.to_string(), place.offset))
    };
    let loaded = whole
        .sections
        .iter()
        .filter(|it| it.access.loaded && it.size > 0);
    for section in loaded {
        for address in [section.address, section.end() - 1] {
            let expected = name(&whole, address);
            assert_eq!(name(&companion, address), expected, "{}", section.name);
            assert_eq!(name(&stripped, address), expected, "{}", section.name);
        }
    }
    let symbols = |image: &Image<'_>| -> Vec<_> {
        let symbols = &image.static_symbols().expect("symbols").symbols;
        symbols
            .iter()
            .map(|it| (it.name.to_vec(), it.place))
            .collect()
    };
    assert_eq!(symbols(&companion), symbols(&whole));
    Ok(())
}

#[test]
fn sections_without_headers_become_segments() -> TestResult {
    let workshop = workshop()?;
    let mut bytes = workshop.cc("it", &["-O1", "-fPIE", "-pie", "program.c"])?;
    let image = parse(&bytes)?;
    let main = image.static_symbols().expect("symbols").symbols.iter();
    let main = main
        .clone()
        .find(|it| it.name == b"main")
        .expect("main")
        .address;
    let needed = image.facts.needed.clone();
    let headers = image.headers.iter().find(|it| it.name == "section headers");
    let start = headers.expect("section headers").file_range.start;

    // Cut off where the section headers stand, as a broken download is.
    bytes.truncate(usize::try_from(start)?);
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(image.warnings.list().len(), 1, "{:?}", image.warnings);
    assert!(
        image
            .sections
            .iter()
            .all(|it| it.name.starts_with("(segment "))
    );
    let place = image.place_at(main).expect("the function's place");
    assert_eq!(image.sections[place.section.get()].role, SectionRole::Code);
    assert_eq!(image.facts.needed, needed);
    assert!(image.facts.build_id.is_some());
    Ok(())
}

/// A real program, cut off at many places and with a byte changed at many others.
#[test]
fn a_broken_program_is_read_as_far_as_it_goes() -> TestResult {
    let workshop = workshop()?;
    let options = ["-O1", "-g", "-fexceptions", "-fPIE", "-pie", "program.c"];
    let whole = workshop.cc("it", &options)?;
    let survive = |bytes: &[u8]| {
        if let Ok(image) = Image::parse(bytes) {
            assert_sound(&image);
        }
    };
    for len in (0..whole.len()).step_by(53) {
        survive(&whole[..len]);
    }
    let mut bytes = whole.clone();
    for at in (0..whole.len()).step_by(29) {
        for mask in [0x01, 0x80, 0xff] {
            bytes[at] ^= mask;
            survive(&bytes);
            bytes[at] = whole[at];
        }
    }
    Ok(())
}

/// `readelf` shares no code with this crate, nor with those it is compared with elsewhere.
#[test]
fn readelf_says_the_same() -> TestResult {
    let workshop = workshop()?;
    let options = ["-O1", "-g", "-fexceptions", "-fPIE", "-pie", "program.c"];
    let bytes = workshop.cc("it", &options)?;
    let image = parse(&bytes)?;

    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let listing = workshop.run("readelf", &["-SW", "it"])?;
    let mut theirs = BTreeMap::new();
    for line in listing.lines() {
        // `  [ 1] .interp PROGBITS 0000000000000318 000318 00001c 00 A 0 0 1`; the first has no name.
        let Some((index, rest)) = line
            .trim()
            .strip_prefix('[')
            .and_then(|it| it.split_once(']'))
        else {
            continue;
        };
        let words: Vec<_> = rest.split_whitespace().collect();
        if let (Ok(index), [name, _, address, offset, size, ..]) =
            (index.trim().parse::<usize>(), &words[..])
        {
            theirs.insert(
                index,
                (*name, number(address), number(offset), number(size)),
            );
        }
    }
    theirs.remove(&0);
    assert_eq!(theirs.len(), image.sections.len() - 1);
    for (index, (name, address, offset, size)) in theirs {
        let ours = &image.sections[index];
        assert_eq!((&*ours.name, Some(ours.address)), (name, address));
        assert_eq!(Some(ours.size), size, "{name}");
        if let Some(range) = &ours.file_range {
            assert_eq!(Some(range.start), offset, "{name}");
        }
    }

    let listing = workshop.run("readelf", &["-rW", "it"])?;
    let theirs: Vec<_> = listing
        .lines()
        .filter_map(|line| {
            // `0000000000003dd0  0000000000000008 R_X86_64_RELATIVE  1140`
            let words: Vec<_> = line.split_whitespace().collect();
            let [offset, _info, kind, ..] = words[..] else {
                return None;
            };
            let offset = number(offset).filter(|_| kind.starts_with("R_"))?;
            let kind = match kind {
                _ if kind.ends_with("_RELATIVE") => RelocationKind::Relative,
                _ if kind.ends_with("_GLOB_DAT") => RelocationKind::Slot,
                _ if kind.ends_with("_COPY") => RelocationKind::Copy,
                _ if kind.contains("_JUMP_SLO") => RelocationKind::JumpSlot,
                _ if kind.contains("TPOFF") || kind.contains("DTPMOD") => {
                    RelocationKind::ThreadLocal
                }
                _ => RelocationKind::Other,
            };
            Some((offset, kind))
        })
        .collect();
    let ours: Vec<_> = image
        .relocation_tables
        .iter()
        .flat_map(|table| &table.relocations)
        .map(|it| {
            (
                it.patched.and_then(|place| image.address_of(place)),
                it.kind,
            )
        })
        .map(|(address, kind)| (address.expect("an address"), kind))
        .collect();
    assert_eq!(ours, theirs);

    let listing = workshop.run("readelf", &["--debug-dump=frames", "it"])?;
    let theirs: Vec<_> = listing
        .lines()
        // `00000018 0000000000000014 0000001c FDE cie=00000000 pc=0000000000001070..0000000000001091`
        .filter_map(|line| line.split_once(" pc=")?.1.split_once(".."))
        .map(|(start, end)| (number(start), number(end)))
        .collect();
    let ours: Vec<_> = image
        .unwind_tables
        .iter()
        .flat_map(|table| &table.entries)
        .filter_map(|entry| match entry.describes {
            Described::Code { start, len, .. } => {
                let start = image.address_of(start)?;
                Some((Some(start), Some(start + len)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(ours, theirs);
    Ok(())
}

/// The program that runs this test: Rust, with everything a test program links in.
#[test]
fn the_running_program_is_read() -> TestResult {
    let bytes = std::fs::read(std::env::current_exe()?)?;
    let image = parse(&bytes)?;
    assert!(
        image
            .facts
            .rustc()
            .is_some_and(|version| version.starts_with("1."))
    );
    assert!(image.entry.is_some());
    assert!(!image.is_stripped());
    let functions: Vec<_> = image
        .unwind_tables
        .iter()
        .flat_map(|table| &table.entries)
        .filter_map(|entry| match entry.describes {
            Described::Code { start, len, .. } => Some((start, len)),
            _ => None,
        })
        .collect();
    // Each function of Rust has an unwind entry of its own length.
    let symbols = &image.static_symbols().expect("symbols").symbols;
    let known: BTreeMap<_, _> = functions.iter().copied().collect();
    let rust = symbols.iter().filter(|it| {
        it.kind == SymbolKind::Function
            && (it.name.starts_with(b"_R") || it.name.starts_with(b"_ZN"))
    });
    let mut count = 0;
    for symbol in rust.filter(|it| it.size > 0) {
        let place = symbol.place.expect("a function of this file");
        assert_eq!(known.get(&place), Some(&symbol.size), "{}", symbol.address);
        count += 1;
    }
    assert!(count > 1000, "{count} functions");
    let tables = image.exception_tables.len();
    assert!(tables > 100, "{tables} exception tables");
    Ok(())
}

/// Judged by `readelf`.
#[test]
fn versions_that_are_asked_of_libraries_are_those_that_binutils_lists() -> TestResult {
    let workshop = workshop()?;
    let bytes = workshop.cc("it", &["-fPIE", "-pie", "program.c"])?;
    let image = parse(&bytes)?;
    let listed = workshop.run("readelf", &["--wide", "--version-info", "it"])?;
    let mut expected: Vec<&str> = listed
        .lines()
        .skip_while(|line| !line.contains("Version needs section"))
        .filter_map(|line| line.split("Name: ").nth(1)?.split_whitespace().next())
        .collect();
    let mut found: Vec<&str> = image
        .facts
        .needed_versions
        .iter()
        .map(String::as_str)
        .collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert!(
        found.iter().any(|name| name.starts_with("GLIBC_2.")),
        "{found:?}"
    );
    assert_eq!(found, expected);
    Ok(())
}
