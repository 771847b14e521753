//! Debug info that the system's compiler writes: each unit has the bytes that came from its own object file.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _};
use whittle_image::{Compression, DebugUnit, Image, SectionRole};

use crate::invariants::{assert_contents, assert_sound};
use crate::judge::assert_agrees;
use crate::toolchain::{Error, Workshop};

type TestResult = Result<(), Error>;

const FIRST: &str = r"
    struct shape { int sides; struct shape *next; };
    int second(struct shape *);
    int helper(int value) { return value * 3; }
    int main(int count, char **words) {
        struct shape shape = {count, 0};
        for (int number = 0; number < count; number++) shape.sides += helper(number);
        return second(&shape);
    }
";

const SECOND: &str = r"
    struct shape { int sides; struct shape *next; };
    static int depth;
    int second(struct shape *shape) { depth++; return shape->next ? second(shape->next) : shape->sides; }
";

/// Sections that are the units' alone, where the compiler says which part is whose.
const SHARED_OUT: [&str; 6] = [
    ".debug_info",
    ".debug_abbrev",
    ".debug_line",
    ".debug_aranges",
    ".debug_rnglists",
    ".debug_pubnames",
];

/// Compiles the two files with `options`, links them with `link_options`, and returns the object files and the program.
fn build(
    workshop: &Workshop,
    options: &[&str],
    link_options: &[&str],
) -> Result<([Vec<u8>; 2], Vec<u8>), Error> {
    workshop.write("first.c", FIRST)?;
    workshop.write("second.c", SECOND)?;
    let compile = |source: &str, name: &str| {
        let common = ["-c", "-O1", "-ffunction-sections", source];
        workshop.cc(name, &[&common, options].concat())
    };
    let objects = [
        compile("first.c", "first.o")?,
        compile("second.c", "second.o")?,
    ];
    // Nothing else is linked in, so that no other units are.
    let link = [
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,-e,main",
        "first.o",
        "second.o",
    ];
    let program = workshop.cc("it", &[&link, link_options].concat())?;
    Ok((objects, program))
}

/// How many bytes an object file has in each debug section that is shared out.
fn sizes(object: &[u8]) -> Result<BTreeMap<String, u64>, Error> {
    let file = object::File::parse(object)?;
    let mut sizes = BTreeMap::new();
    for section in file.sections() {
        let name = section.name()?;
        if SHARED_OUT.contains(&name) && section.size() > 0 {
            *sizes.entry(name.to_owned()).or_default() += section.size();
        }
    }
    Ok(sizes)
}

/// How many bytes a unit has in each section.
fn pieces(image: &Image<'_>, unit: &DebugUnit) -> BTreeMap<String, u64> {
    let mut sizes = BTreeMap::new();
    for (section, range) in &unit.pieces {
        let name = image.sections[section.get()]
            .name
            .replace(".zdebug", ".debug");
        *sizes.entry(name).or_default() += range.end - range.start;
    }
    sizes
}

fn parse(bytes: &[u8]) -> Result<Image<'_>, Error> {
    let image = Image::parse(bytes)?;
    assert_sound(&image);
    assert_contents(&image);
    assert_agrees(&image)?;
    assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
    Ok(image)
}

fn unit<'image>(image: &'image Image<'_>, name: &str) -> &'image DebugUnit {
    let mut units = image.debug_units.iter();
    units
        .find(|unit| unit.name.as_deref() == Some(name))
        .expect("a unit of that name")
}

#[test]
fn each_unit_has_what_its_object_file_had() -> TestResult {
    for options in [
        &["-gdwarf-2", "-gstrict-dwarf"][..],
        &["-gdwarf-3"],
        &["-gdwarf-4"],
        &["-gdwarf-4", "-gpubnames"],
        &["-gdwarf-5"],
        &["-gdwarf-5", "-gdwarf64"],
        &["-gdwarf-4", "-gdwarf64"],
    ] {
        let workshop = Workshop::new()?;
        let (objects, program) = build(&workshop, options, &[])?;
        let image = parse(&program)?;
        assert_eq!(image.debug_units.len(), 2, "{options:?}");
        for (name, object) in ["first.c", "second.c"].into_iter().zip(&objects) {
            let unit = unit(&image, name);
            let expected = sizes(object)?;
            assert!(expected.len() >= 4, "{expected:?}");
            let found = pieces(&image, unit);
            for (section, size) in expected {
                assert_eq!(found.get(&section), Some(&size), "{section} {options:?}");
            }
            let folder = unit.folder.as_deref().expect("a folder");
            let real = workshop.folder().canonicalize()?;
            assert_eq!(std::path::Path::new(folder).canonicalize()?, real);
            let producer = unit.producer.as_deref().expect("a compiler");
            assert!(
                producer.contains("GNU C") || producer.contains("clang"),
                "{producer}"
            );
        }
    }
    Ok(())
}

#[test]
fn units_are_the_same_however_they_are_packed() -> TestResult {
    let workshop = Workshop::new()?;
    let (_, plain) = build(&workshop, &["-gdwarf-5"], &[])?;
    let plain = parse(&plain)?;
    let expected: Vec<_> = plain
        .debug_units
        .iter()
        .map(|unit| (unit.name.clone(), pieces(&plain, unit)))
        .collect();
    for packing in ["zlib", "zlib-gnu", "zstd"] {
        let option = format!("--compress-debug-sections={packing}");
        workshop.run("objcopy", &[&option, "it", "packed"])?;
        let packed = workshop.read("packed")?;
        let image = parse(&packed)?;
        let compressed = image
            .sections
            .iter()
            .filter(|it| it.compression != Compression::None)
            .count();
        assert!(compressed >= 3, "{compressed} sections packed by {packing}");
        for section in image
            .sections
            .iter()
            .filter(|it| it.role == SectionRole::Debug)
        {
            let name = section.name.replace(".zdebug", ".debug");
            let original = plain.section_by_name(&name).expect("the same section");
            assert_eq!(
                section.contents()?,
                original.contents()?,
                "{name} {packing}"
            );
        }
        let found: Vec<_> = image
            .debug_units
            .iter()
            .map(|unit| (unit.name.clone(), pieces(&image, unit)))
            .collect();
        assert_eq!(found, expected, "{packing}");
    }
    Ok(())
}

#[test]
fn type_units_take_nothing_from_compile_units() -> TestResult {
    for (version, section) in [("-gdwarf-4", ".debug_types"), ("-gdwarf-5", ".debug_info")] {
        let workshop = Workshop::new()?;
        let options = [version, "-fdebug-types-section"];
        let (objects, program) = build(&workshop, &options, &[])?;
        let image = parse(&program)?;
        let type_units: Vec<_> = image
            .debug_units
            .iter()
            .filter(|unit| unit.name.is_none())
            .map(|unit| pieces(&image, unit))
            .collect();
        assert!(!type_units.is_empty(), "{version}");
        for pieces in &type_units {
            assert_eq!(pieces.keys().collect::<Vec<_>>(), [section]);
        }
        for (name, object) in ["first.c", "second.c"].into_iter().zip(&objects) {
            let found = pieces(&image, unit(&image, name));
            for section in [".debug_abbrev", ".debug_line"] {
                let expected = sizes(object)?;
                assert_eq!(
                    found.get(section),
                    expected.get(section),
                    "{section} {version}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn units_cover_the_whole_of_their_sections() -> TestResult {
    let own = std::fs::read(std::env::current_exe()?)?;
    let workshop = Workshop::new()?;
    let (_, split) = build(&workshop, &["-gdwarf-5", "-gsplit-dwarf"], &[])?;
    let (_, types) = build(&workshop, &["-gdwarf-4", "-fdebug-types-section"], &[])?;
    for bytes in [own, split, types] {
        let image = parse(&bytes)?;
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for unit in &image.debug_units {
            for (section, size) in pieces(&image, unit) {
                *found.entry(section).or_default() += size;
            }
        }
        for name in [".debug_info", ".debug_types"] {
            let section = image.section_by_name(name);
            assert_eq!(
                found.get(name).copied(),
                section.map(|it| it.size),
                "{name}"
            );
        }
    }
    Ok(())
}

/// The unit of each codegen unit is named `SOURCE/@/CRATE.HASH-cgu.N`, in incremental builds `SOURCE/@/HASH`.
#[test]
fn units_of_rust_name_their_source() -> TestResult {
    let bytes = std::fs::read(std::env::current_exe()?)?;
    let image = parse(&bytes)?;
    let names: Vec<_> = image
        .debug_units
        .iter()
        .filter_map(|unit| unit.name.as_deref())
        .collect();
    for source in ["tests/it/main.rs/@/", "library/std/src/lib.rs/@/std."] {
        let found = names.iter().any(|name| name.contains(source));
        assert!(found, "{source} among {} units", names.len());
    }
    assert_eq!(names, names_by_gimli(&image)?);
    Ok(())
}

fn names_by_gimli(image: &Image<'_>) -> Result<Vec<String>, Error> {
    let endian = gimli::NativeEndian;
    let contents = gimli::DwarfSections::load(|id| -> Result<_, Error> {
        let section = image.section_by_name(id.name());
        Ok(section
            .map(whittle_image::Section::contents)
            .transpose()?
            .unwrap_or_default())
    })?;
    let dwarf = contents.borrow(|bytes| gimli::EndianSlice::new(bytes, endian));
    let mut names = Vec::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        names.extend(unit.name.map(|name| name.to_string_lossy().into_owned()));
    }
    Ok(names)
}

#[test]
fn an_object_file_is_one_unit() -> TestResult {
    let workshop = Workshop::new()?;
    let ([first, _], _) = build(&workshop, &["-gdwarf-5"], &[])?;
    let image = parse(&first)?;
    let [unit] = &image.debug_units[..] else {
        panic!("one unit");
    };
    assert_eq!(unit.name.as_deref(), Some("first.c"));
    let debug = image
        .sections
        .iter()
        .filter(|it| it.role == SectionRole::Debug);
    let total: u64 = debug.map(|it| it.size).sum();
    assert_eq!(pieces(&image, unit).values().sum::<u64>(), total);
    Ok(())
}
