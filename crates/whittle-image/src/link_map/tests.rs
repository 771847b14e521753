use std::error::Error;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};
use proptest::prelude::*;

use super::*;

type TestResult = Result<(), Box<dyn Error>>;

/// One line of each kind that lld writes, a linker script's included.
const LLD: &str = "             VMA              LMA     Size Align Out     In      Symbol
             2e0              2e0       1c     1 .interp
             2e0              2e0       1c     1         <internal>:(.interp)
             300              300        0     1 start_of_text = .
            1000             1000       60    16 .text
            1000             1000       10    16         /home/me (work)/main.o:(.text.main)
            1000             1000        c     1                 main
            1010             1010        3     4         /home/me (work)/lib(1).rlib(core.0(a).o):(.text._ZN4core3fmtE)
            1010             1010        3     1                 <core::fmt::Formatter>::write (.llvm.1)
            1020             1020       20    16         /home/me (work)/lib(1).rlib(core.0(a).o):(.text.unlikely.)
            1040             1040        8     1         QUAD ( 0x1122334455667788 )
            1048             1048        8     1         . = ALIGN ( 16 )
            1050             1050        0     1         end_of_text = .
            1050             1050        0     1\x20
            1050             1050        0     1         /home/me (work)/main.o:(.text.empty)
            1050             1050        0     1                 nothing
            2000             2000       24     8 .eh_frame
            2000             2000       18     1         /home/me (work)/main.o:(.eh_frame+0x0)
            2018             2018        8     1         /home/me (work)/main.o:(.eh_frame+0x40)
            3000             3000       18     8 .tbss
            3000             3000       18     8         /home/me (work)/main.o:(.tbss.COUNT)
              20               20       18     1                 main::COUNT
            3000             3000        8     8 .init_array
            3000             3000        8     8         crt1.o:(.init_array)
               0                0       30     1 .comment
               0                0       30     1         <internal>:(.comment)
               0                0       60     1 .debug_info
               0                0       40     1         /home/me (work)/main.o:(.debug_info)
              40               40       20     1         crt1.o:(.debug_info)
";

const MOLD: &str = "               VMA       Size Align Out     In      Symbol
                 0         64     8 EHDR
             0x300         28     1 .interp
            0x1000         84    16 .text
            0x1000         10    16         main.o:(.text.main)
            0x1000          0     0                 main
            0x1010         48    16         libcore.rlib(core.0.o):(.text._ZN4core3fmtE)
            0x1050          4     1         <internal>:(.copyrel)
            0x1060         40     8 .eh_frame
                 0         37     1 .debug_info
                 0         16     1         main.o:(.debug_info)
                 0         21     1         libcore.rlib(core.0.o):(.debug_info)
                 0         40     1 .debug_line
                 0         16     1         main.o:(.debug_line)
                 0         21     1         libcore.rlib(core.0.o):(.debug_line)
                 0          0     0                 a_symbol_of_no_place
                 0        128     8 SHDR
";

const GNU: &str = "Archive member included to satisfy reference by file (symbol)

libcore.rlib(core.0.o)        main.o (core::fmt::write)

Discarded input sections

 .text.unused   0x0000000000000000       0x40 main.o
 .group         0x0000000000001000        0xc libcore.rlib(core.0.o)

Memory Configuration

Name             Origin             Length             Attributes
*default*        0x0000000000000000 0xffffffffffffffff

Linker script and memory map

LOAD /usr/lib/Scrt1.o
START GROUP
LOAD libcore.rlib
END GROUP
                [!provide]                        PROVIDE (__executable_start = .)
                0x00000000000002e0                . = (SEGMENT_START (\"text-segment\", 0x0) + SIZEOF_HEADERS)

.interp         0x00000000000002e0       0x1c
 *(.interp)
 .interp        0x00000000000002e0       0x1c /usr/lib/Scrt1.o

.note.gnu.build-id
                0x00000000000002fc       0x24
 *(.note.gnu.build-id)
 .note.gnu.build-id
                0x00000000000002fc       0x24 /usr/lib/Scrt1.o

.rela.plt
 *(.rela.plt)

.text           0x0000000000001000       0x90
 *(.text.unlikely .text.*_unlikely .text.unlikely.*)
 .text          0x0000000000001000       0x26 /usr/lib/Scrt1.o
                0x0000000000001000                _start
 *fill*         0x0000000000001026        0xa\x20
 .text._ZN4core3fmtE
                0x0000000000001030       0x20 /my dir/libcore.rlib(core.0 (a).o)
                                         0x2a (size before relaxing)
                0x0000000000001030                <dyn core::iter::Iterator<Item = u8>>::next
                0x0000000000001040        0x8 QUAD 0x0
                0x0000000000001048                text_end = .
                0x0000000000001050                . = ALIGN (0x10)
 *fill*         0x0000000000001048        0x8 90
 /my dir/special.o(.text)
 .text.stub     0x0000000000001050       0x10 linker stubs
 .text          0x0000000000001060       0x30 main.o

.rodata         0x0000000000002000       0x20
 .rodata.str1.1
                0x0000000000002000       0x10 main.o
                                         0x1a (size before relaxing)
 .rodata.str1.1
                0x0000000000002010       0x2d /my dir/libcore.rlib(core.0 (a).o)
 .rodata.cst16  0x0000000000002010       0x10 main.o

.ctors
 *crtbegin.o(.ctors)

.data           0x0000000000004000        0x4 load address 0x0000000000002020
 COMMON         0x0000000000004000        0x4 main.o

.debug_info     0x0000000000000000       0x30
 *(.debug_info .gnu.linkonce.wi.*)
 .debug_info    0x0000000000000000       0x10 main.o
 .debug_info    0x0000000000000010       0x20 /my dir/libcore.rlib(core.0 (a).o)

/DISCARD/
 *(.note.GNU-stack)
OUTPUT(/my dir/program elf64-x86-64)

Cross Reference Table

Symbol                                            File
.text           0x0000000000009000       0x90
";

/// Output section, name, address, size and object of every input section.
fn rows(map: &LinkMap<'_>) -> Vec<(String, String, u64, u64, String)> {
    map.sections()
        .iter()
        .map(|section| {
            let object = section.object.map_or("-".into(), |index| {
                let object = map.object(index);
                match object.member {
                    Some(member) => format!("{} > {member}", object.path),
                    None => object.path.into(),
                }
            });
            let output = map.output(section.output).name.to_string();
            (
                output,
                section.name.into(),
                section.address,
                section.size,
                object,
            )
        })
        .collect()
}

/// The same from plain values.
fn expected(rows: &[(&str, &str, u64, u64, &str)]) -> Vec<(String, String, u64, u64, String)> {
    rows.iter()
        .map(|&(output, name, address, size, object)| {
            (output.into(), name.into(), address, size, object.into())
        })
        .collect()
}

/// What [`LinkMap`] promises whatever the input; names the first promise that is broken.
fn check_promises(map: &LinkMap<'_>) -> Result<(), String> {
    let mut sections_seen = 0;
    for (position, output) in map.output_sections().iter().enumerate() {
        let index = OutputIndex(u32::try_from(position).map_err(|error| error.to_string())?);
        let found = map
            .find_output(&output.name, output.address)
            .ok_or("output is not found")?;
        let found = map.output(found);
        if (&found.name, found.address) != (&output.name, output.address) {
            return Err(format!("found {found:?} instead of {output:?}"));
        }
        let mut end = output.address;
        for section in map.sections_of(index) {
            sections_seen += 1;
            if section.output != index || section.size == 0 || section.address < end {
                return Err(format!("{section:?} in {output:?} after {end:#x}"));
            }
            end = section
                .address
                .checked_add(section.size)
                .ok_or("overflow")?;
            for address in [section.address, end - 1] {
                if map.at_in(index, address) != Some(section) {
                    return Err(format!("{section:?} is not found at {address:#x}"));
                }
            }
        }
        if end > output.end() {
            return Err(format!("{output:?} has parts up to {end:#x}"));
        }
    }
    if sections_seen != map.sections().len() {
        return Err("input sections without an output section".into());
    }
    for section in map.sections() {
        if section
            .object
            .is_some_and(|object| object.get() >= map.objects().len())
        {
            return Err(format!("{section:?} has no such object"));
        }
        if let Some(at) = map.at(section.address)
            && !(at.address <= section.address && section.address < at.end())
        {
            return Err(format!("{at:?} found at {:#x}", section.address));
        }
    }
    for symbol in map.symbols() {
        if symbol
            .section
            .is_some_and(|section| section.get() >= map.sections().len())
        {
            return Err(format!("{symbol:?} has no such section"));
        }
    }
    for fill in map.fills() {
        let output = map.output(fill.output);
        let end = fill.address.checked_add(fill.size).ok_or("overflow")?;
        if fill.size == 0 || fill.address < output.address || end > output.end() {
            return Err(format!("{fill:?} in {output:?}"));
        }
    }
    Ok(())
}

#[test]
fn lld_map_gives_every_section_its_object() -> TestResult {
    let map = LinkMap::parse(LLD.as_bytes())?;
    assert_eq!(map.linker(), Linker::Lld);
    assert_eq!((map.skipped_lines(), map.first_skipped_line()), (0, None));
    let (main, core) = (
        "/home/me (work)/main.o",
        "/home/me (work)/lib(1).rlib > core.0(a).o",
    );
    let rows_expected = expected(&[
        (".interp", ".interp", 0x2e0, 0x1c, "-"),
        (".text", ".text.main", 0x1000, 0x10, main),
        (".text", ".text._ZN4core3fmtE", 0x1010, 3, core),
        (".text", ".text.unlikely.", 0x1020, 0x20, core),
        (".text", "QUAD ( 0x1122334455667788 )", 0x1040, 8, "-"),
        (".eh_frame", ".eh_frame", 0x2000, 0x18, main),
        (".eh_frame", ".eh_frame", 0x2018, 8, main),
        (".tbss", ".tbss.COUNT", 0x3000, 0x18, main),
        (".init_array", ".init_array", 0x3000, 8, "crt1.o"),
        (".comment", ".comment", 0, 0x30, "-"),
        (".debug_info", ".debug_info", 0, 0x40, main),
        (".debug_info", ".debug_info", 0x40, 0x20, "crt1.o"),
    ]);
    assert_eq!(rows(&map), rows_expected);
    assert_eq!(map.objects().len(), 3, "objects are interned");
    let text = map.find_output(".text", 0x1000).ok_or("no .text")?;
    assert_eq!(
        map.fills(),
        [Fill {
            address: 0x1048,
            size: 8,
            output: text
        }]
    );
    check_promises(&map)?;
    Ok(())
}

#[test]
fn lld_symbols_stand_under_their_section() -> TestResult {
    let map = LinkMap::parse(LLD.as_bytes())?;
    let symbols: Vec<_> = map
        .symbols()
        .iter()
        .map(|symbol| {
            let section = symbol.section.map(|index| map.section(index).name);
            (symbol.name, symbol.address, symbol.size, section)
        })
        .collect();
    let core = Some(".text._ZN4core3fmtE");
    assert_eq!(
        symbols,
        [
            ("main", 0x1000, 0xc, Some(".text.main")),
            ("<core::fmt::Formatter>::write (.llvm.1)", 0x1010, 3, core),
            ("nothing", 0x1050, 0, None),
            ("main::COUNT", 0x20, 0x18, Some(".tbss.COUNT")),
        ]
    );
    Ok(())
}

#[test]
fn addresses_are_looked_up_in_what_is_loaded_only() -> TestResult {
    let map = LinkMap::parse(LLD.as_bytes())?;
    let name_at = |address| map.at(address).map(|section| section.name);
    assert_eq!(name_at(0x1000), Some(".text.main"));
    assert_eq!(name_at(0x1012), Some(".text._ZN4core3fmtE"));
    assert_eq!(name_at(0x1013), None, "padding");
    assert_eq!(name_at(0x1060), None, "after the end");
    assert_eq!(name_at(0x3000), Some(".init_array"), "not .tbss");
    assert_eq!(name_at(0x10), None, "neither .comment nor .debug_info");
    assert_eq!(name_at(u64::MAX), None);
    Ok(())
}

#[test]
fn debug_sections_are_looked_up_by_offset() -> TestResult {
    for text in [LLD, GNU, MOLD] {
        let map = LinkMap::parse(text.as_bytes())?;
        let info = map.find_output(".debug_info", 0).ok_or("no .debug_info")?;
        let path_at = |offset| {
            let object = map.at_in(info, offset)?.object?;
            Some(map.object(object).path)
        };
        let end = map.output(info).size;
        assert!(
            path_at(0).is_some_and(|path| path.ends_with("main.o")),
            "{text}"
        );
        assert!(
            path_at(end - 1).is_some_and(|path| !path.ends_with("main.o")),
            "{text}"
        );
        assert_eq!(path_at(end), None);
    }
    Ok(())
}

#[test]
fn vectors_at_address_zero_are_loaded() -> TestResult {
    let text = "VMA LMA Size Align Out In Symbol
0 0 40 4 .vector_table
0 0 40 4         startup.o:(.vector_table)
0 0 30 1 .debug_info
0 0 30 1         startup.o:(.debug_info)
0 0 30 1 .ARM.attributes
0 0 30 1         <internal>:(.ARM.attributes)
";
    let map = LinkMap::parse(text.as_bytes())?;
    assert_eq!(
        map.at(0x20).map(|section| section.name),
        Some(".vector_table")
    );
    Ok(())
}

#[test]
fn mold_map_gives_every_section_its_object() -> TestResult {
    let map = LinkMap::parse(MOLD.as_bytes())?;
    assert_eq!(map.linker(), Linker::Mold);
    assert_eq!(map.skipped_lines(), 0);
    let core = "libcore.rlib > core.0.o";
    let rows_expected = expected(&[
        (".text", ".text.main", 0x1000, 10, "main.o"),
        (".text", ".text._ZN4core3fmtE", 0x1010, 48, core),
        (".text", ".copyrel", 0x1050, 4, "-"),
        (".debug_info", ".debug_info", 0, 16, "main.o"),
        (".debug_info", ".debug_info", 16, 21, core),
    ]);
    assert_eq!(rows(&map), rows_expected);
    let names: Vec<_> = map
        .output_sections()
        .iter()
        .map(|output| output.name.as_ref())
        .collect();
    let names_expected = [
        "EHDR",
        ".interp",
        ".text",
        ".eh_frame",
        ".debug_info",
        ".debug_line",
        "SHDR",
    ];
    assert_eq!(names, names_expected);
    assert_eq!(map.symbols()[0].name, "main");
    check_promises(&map)?;
    Ok(())
}

#[test]
fn mold_parts_whose_sums_do_not_fit_are_not_placed() -> TestResult {
    let map = LinkMap::parse(MOLD.as_bytes())?;
    let line = map.find_output(".debug_line", 0).ok_or("no .debug_line")?;
    assert_eq!(map.output(line).size, 40, "the parts are 16 + 21");
    assert!(map.sections_of(line).is_empty());
    let last = map.symbols().last().ok_or("no symbols")?;
    assert_eq!((last.name, last.section), ("a_symbol_of_no_place", None));
    Ok(())
}

#[test]
fn gnu_map_gives_every_section_its_object() -> TestResult {
    let map = LinkMap::parse(GNU.as_bytes())?;
    assert_eq!(map.linker(), Linker::GnuLd);
    assert_eq!((map.skipped_lines(), map.first_skipped_line()), (0, None));
    let core = "/my dir/libcore.rlib > core.0 (a).o";
    let rows_expected = expected(&[
        (".interp", ".interp", 0x2e0, 0x1c, "-"),
        (".note.gnu.build-id", ".note.gnu.build-id", 0x2fc, 0x24, "-"),
        (".text", ".text", 0x1000, 0x26, "/usr/lib/Scrt1.o"),
        (".text", ".text._ZN4core3fmtE", 0x1030, 0x10, core),
        (".text", "QUAD 0x0", 0x1040, 8, "-"),
        (".text", ".text.stub", 0x1050, 0x10, "-"),
        (".text", ".text", 0x1060, 0x30, "main.o"),
        (".rodata", ".rodata.str1.1", 0x2000, 0x10, "main.o"),
        (".rodata", ".rodata.cst16", 0x2010, 0x10, "main.o"),
        (".data", "COMMON", 0x4000, 4, "main.o"),
        (".debug_info", ".debug_info", 0, 0x10, "main.o"),
        (".debug_info", ".debug_info", 0x10, 0x20, core),
    ]);
    assert_eq!(rows(&map), rows_expected);
    let fills: Vec<_> = map
        .fills()
        .iter()
        .map(|fill| (fill.address, fill.size))
        .collect();
    assert_eq!(fills, [(0x1026, 0xa), (0x1048, 8)]);
    let symbols: Vec<_> = map.symbols().iter().map(|symbol| symbol.name).collect();
    assert_eq!(
        symbols,
        ["_start", "<dyn core::iter::Iterator<Item = u8>>::next"]
    );
    assert_eq!(
        map.output_sections().len(),
        6,
        "no section of the cross reference table"
    );
    check_promises(&map)?;
    Ok(())
}

#[test]
fn merged_away_strings_take_no_place() -> TestResult {
    let map = LinkMap::parse(GNU.as_bytes())?;
    let section = map.at(0x2010).ok_or("nothing at 0x2010")?;
    assert_eq!(
        (section.name, section.is_mergeable()),
        (".rodata.cst16", true)
    );
    Ok(())
}

#[test]
fn mergeable_is_told_by_the_name() -> TestResult {
    let text = "VMA LMA Size Align Out In Symbol
1000 1000 40 4 .rodata
1000 1000 4 4         a.o:(.rodata.str1.1)
1004 1004 4 4         a.o:(.rodata.cst4)
1008 1008 4 4         a.o:(.rodata..Lanon.0123.4)
100c 100c 4 4         a.o:(.rodata.strange)
";
    let map = LinkMap::parse(text.as_bytes())?;
    let mergeable: Vec<_> = map
        .sections()
        .iter()
        .map(InputSection::is_mergeable)
        .collect();
    assert_eq!(mergeable, [true, true, false, false]);
    Ok(())
}

#[test]
fn sections_out_of_order_are_sorted_and_symbols_follow() -> TestResult {
    let text = "VMA LMA Size Align Out In Symbol
1000 1000 40 4 .text
1020 1020 40 4         a.o:(.text.second)
1020 1020 40 4                 second
1000 1000 40 4         a.o:(.text.first)
1000 1000 40 4                 first
";
    let map = LinkMap::parse(text.as_bytes())?;
    let rows_expected = expected(&[
        (".text", ".text.first", 0x1000, 0x20, "a.o"),
        (".text", ".text.second", 0x1020, 0x20, "a.o"),
    ]);
    assert_eq!(rows(&map), rows_expected);
    for symbol in map.symbols() {
        let section = map.section(symbol.section.ok_or("no section")?);
        assert!(
            section.name.ends_with(symbol.name),
            "{symbol:?} {section:?}"
        );
    }
    Ok(())
}

#[test]
fn damaged_lines_are_left_out_and_counted() -> TestResult {
    let text = LLD.replace(
        "            1020             1020       20    16         /home",
        "            1020             1o20       20    16         /home",
    );
    let map = LinkMap::parse(text.as_bytes())?;
    assert_eq!(
        (map.skipped_lines(), map.first_skipped_line()),
        (1, Some(10))
    );
    assert_eq!(map.sections().len(), 11);
    assert!(map.at(0x1020).is_none());

    let mut bytes = LLD.as_bytes().to_vec();
    let position = LLD.find("main.o").ok_or("no main.o")?;
    bytes[position] = 0xff;
    let map = LinkMap::parse(&bytes)?;
    assert_eq!(
        (map.skipped_lines(), map.first_skipped_line()),
        (1, Some(6))
    );

    let text = GNU.replace(
        ".text          0x0000000000001060",
        ".text          0x000000000000106O",
    );
    let map = LinkMap::parse(text.as_bytes())?;
    assert_eq!(map.skipped_lines(), 1);
    assert!(map.at(0x1060).is_none());
    Ok(())
}

#[test]
fn a_section_of_no_object_is_left_out() -> TestResult {
    let text = LLD.replace("/home/me (work)/main.o:(.text.main)", ":(.text.main)");
    let map = LinkMap::parse(text.as_bytes())?;
    assert_eq!(
        (map.skipped_lines(), map.first_skipped_line()),
        (1, Some(6))
    );
    assert!(map.objects().iter().all(|object| !object.path.is_empty()));
    Ok(())
}

#[test]
fn ranges_past_the_address_space_are_left_out() -> TestResult {
    let text = "VMA LMA Size Align Out In Symbol
fffffffffffffff0 0 10 1 .huge
fffffffffffffff0 0 20 1 .text
1000 1000 40 4 .data
1010 1010 ffffffffffffffff 4         a.o:(.data)
10000000000000000 0 0 1 .bss
";
    let map = LinkMap::parse(text.as_bytes())?;
    assert_eq!(map.skipped_lines(), 4);
    assert_eq!(map.output_sections().len(), 1);
    assert!(map.sections().is_empty());
    Ok(())
}

#[test]
fn windows_line_ends_make_no_difference() -> TestResult {
    for text in [LLD, MOLD, GNU] {
        let with_returns = text.replace('\n', "\r\n");
        let (unix, windows) = (
            LinkMap::parse(text.as_bytes())?,
            LinkMap::parse(with_returns.as_bytes())?,
        );
        assert_eq!(rows(&unix), rows(&windows));
        assert_eq!(unix.symbols(), windows.symbols());
    }
    Ok(())
}

#[test]
fn what_is_no_map_is_an_error_with_its_line() {
    let error = |text: &str| LinkMap::parse(text.as_bytes()).map(|map| map.sections().len());
    assert_eq!(error(" \n\n"), Err(LinkMapError::Empty));
    assert_eq!(
        error("\n\n\u{7f}ELF"),
        Err(LinkMapError::Unrecognized { line: 3 })
    );
    assert_eq!(
        error("# Path: target/release/demo\n# Arch: arm64\n"),
        Err(LinkMapError::NoSections { line: 2 })
    );
    assert_eq!(
        error("    Addr      Off     Size Out     In      Symbol\n"),
        Err(LinkMapError::Unsupported {
            line: 1,
            format: "wasm-ld"
        })
    );
    let header = LLD.lines().next().unwrap_or_default();
    assert_eq!(error(header), Err(LinkMapError::NoSections { line: 1 }));
    let cut = GNU.find("\nLinker script").unwrap_or_default();
    assert_eq!(
        error(&GNU[..cut]),
        Err(LinkMapError::NoSections { line: 13 })
    );
}

#[test]
fn a_map_cut_anywhere_keeps_its_promises() -> TestResult {
    for text in [LLD, MOLD, GNU] {
        let whole = LinkMap::parse(text.as_bytes())?;
        for end in 0..text.len() {
            let Ok(map) = LinkMap::parse(&text.as_bytes()[..end]) else {
                continue;
            };
            check_promises(&map).map_err(|broken| format!("cut at {end}: {broken}"))?;
            assert!(
                map.sections().len() <= whole.sections().len() + 1,
                "cut at {end}"
            );
            assert!(map.skipped_lines() <= 1, "cut at {end}");
        }
    }
    Ok(())
}

/// Lines of all three formats with their numbers changed, and pieces of lines in any order.
fn map_like_text() -> impl Strategy<Value = String> {
    let known_line = proptest::sample::select(
        LLD.lines()
            .chain(MOLD.lines())
            .chain(GNU.lines())
            .collect::<Vec<_>>(),
    )
    .prop_map(str::to_owned);
    let number = prop_oneof![
        (0_u64..0x100).prop_map(|value| format!("{value:x}")),
        (0_u64..0x100).prop_map(|value| format!("{value:#018x}")),
        any::<u64>().prop_map(|value| format!("{value:#x}")),
        any::<u64>().prop_map(|value| format!("{value:x}")),
    ];
    let piece = prop_oneof![
        4 => number,
        1 => proptest::sample::select(vec![
            "\n", " ", "        ", "                ", "a.o:(.text)", ".text", ".debug_info", "*fill*", "a(b)", ":(", "0",
            ". = 1", "QUAD", "\u{e9}",
        ]).prop_map(str::to_owned),
    ];
    let made_up_line = proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.join(" "));
    let header = proptest::sample::select(vec![
        "VMA LMA Size Align Out In Symbol",
        "VMA Size Align Out In Symbol",
        "Linker script and memory map",
    ]);
    let lines = proptest::collection::vec(prop_oneof![known_line, made_up_line], 0..60);
    (header, lines).prop_map(|(header, lines)| format!("{header}\n{}", lines.join("\n")))
}

proptest! {
    #[test]
    fn any_bytes_give_a_map_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(map) = LinkMap::parse(&bytes) {
            check_promises(&map).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn shuffled_lines_keep_all_promises(text in map_like_text()) {
        if let Ok(map) = LinkMap::parse(text.as_bytes()) {
            check_promises(&map).map_err(TestCaseError::fail)?;
        }
    }
}

/// Checks the map of a program with planted contents against the program's own symbol table and section headers.
fn check_planted(program: &Path, map: &Path, object_name: &str) -> TestResult {
    let (program, map) = (std::fs::read(program)?, std::fs::read(map)?);
    let map = LinkMap::parse(&map)?;
    assert_eq!((map.skipped_lines(), map.first_skipped_line()), (0, None));
    check_promises(&map)?;

    let file = object::File::parse(&*program)?;
    for (name, size) in [("planted_function", None), ("planted_table", Some(4099))] {
        let symbol = file.symbol_by_name(name).ok_or("the symbol is gone")?;
        let section = map
            .at(symbol.address())
            .ok_or("nothing at the symbol's address")?;
        assert!(section.name.ends_with(name), "{name} is in {section:?}");
        let object = map.object(section.object.ok_or("made by the linker?")?);
        let place = object.member.unwrap_or(object.path);
        assert!(place.contains(object_name), "{name} is from {object:?}");
        assert_eq!(section.address, symbol.address());
        assert_eq!(section.size, size.unwrap_or(symbol.size()));
        assert_eq!(map.at(symbol.address() + section.size - 1), Some(section));
    }
    let mut compared = 0;
    for section in file.sections() {
        if section.address() > 0 && section.size() > 0 {
            let output = map.find_output(section.name()?, section.address());
            let output = output.ok_or("a section of the file is not in the map")?;
            assert_eq!(
                map.output(output).size,
                section.size(),
                "{}",
                section.name()?
            );
            compared += 1;
        }
    }
    assert!(compared > 10, "only {compared} sections compared");
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn c_program_matches_its_map() -> TestResult {
    let folder = tempfile::tempdir()?;
    std::fs::write(
        folder.path().join("planted.c"),
        "const char planted_table[4099] = {1};
         int planted_function(int i) { return planted_table[i] + 1; }
         int main(int count, char **arguments) { (void)arguments; return planted_function(count); }",
    )?;
    let output = Command::new("cc")
        .args([
            "-O1",
            "-fno-inline",
            "-ffunction-sections",
            "-fdata-sections",
            "-c",
            "planted.c",
        ])
        .current_dir(folder.path())
        .output()?;
    assert!(output.status.success(), "{output:?}");
    let output = Command::new("cc")
        .args(["planted.o", "-o", "planted", "-Wl,-Map=planted.map"])
        .current_dir(folder.path())
        .output()?;
    assert!(output.status.success(), "{output:?}");
    let path = |name| folder.path().join(name);
    check_planted(&path("planted"), &path("planted.map"), "planted.o")
}

#[cfg(target_os = "linux")]
#[test]
fn rust_program_matches_its_map() -> TestResult {
    let folder = tempfile::tempdir()?;
    std::fs::write(
        folder.path().join("sown.rs"),
        "#[unsafe(no_mangle)] pub static planted_table: [u8; 4099] = [1; 4099];
         #[unsafe(no_mangle)] #[inline(never)] pub extern \"C\" fn planted_function(i: usize) -> u8 { planted_table[i % 4099] }
         fn main() { println!(\"{}\", planted_function(std::env::args().count())); }",
    )?;
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .args([
            "--edition=2024",
            "-Copt-level=1",
            "-Clink-arg=-Wl,-Map=sown.map",
            "sown.rs",
        ])
        .current_dir(folder.path())
        .output()?;
    assert!(output.status.success(), "{output:?}");
    let path = |name| folder.path().join(name);
    check_planted(&path("sown"), &path("sown.map"), "sown.")
}

/// What `ld64.lld` of LLVM 22 wrote for two objects, one in an archive.
const APPLE: &str = "# Path: prog
# Arch: x86_64
# Object files:
[  0] linker synthesized
[  1] a.o
[  2] /lib (x)/libb.a(b.o)
# Sections:
# Address\tSize    \tSegment\tSection
0x1000005A0\t0x00000060\t__TEXT\t__text
0x100000600\t0x00000006\t__TEXT\t__stubs
0x100000622\t0x0000000C\t__TEXT\t__cstring
0x100000640\t0x00001040\t__TEXT\t__unwind_info
0x100002010\t0x00000010\t__DATA\t__data
# Symbols:
# Address\tSize    \tFile  Name
0x1000005A0\t0x00000010\t[  1] _helper
0x1000005B0\t0x00000028\t[  1] _main
0x1000005E0\t0x00000020\t[  2] _other
0x100000600\t0x00000006\t[  0] _puts
0x100000622\t0x00000006\t[  1] literal string: hello
0x100000628\t0x00000006\t[  2] literal string: a\tb
0x100000640\t0x00001040\t[  0] compact unwind info
0x100002010\t0x00000004\t[  1] _counter
0x100002018\t0x00000000\t[  0] __dyld_private
# Dead Stripped Symbols:
#        \tSize    \tFile  Name
<<dead>>\t0x00000006\t[  2] _unused
";

#[test]
fn maps_for_macos_say_which_object_brought_which_symbol() -> TestResult {
    let map = LinkMap::parse(APPLE.as_bytes())?;
    assert_eq!(map.linker(), Linker::Apple);
    assert_eq!(map.skipped_lines(), 0);
    let object = |path, member| InputObject { path, member };
    assert_eq!(
        map.objects(),
        [object("a.o", None), object("/lib (x)/libb.a", Some("b.o"))]
    );
    let text = map
        .find_output("__TEXT,__text", 0x1_0000_05a0)
        .ok_or("no code")?;
    let parts: Vec<_> = map
        .sections_of(text)
        .iter()
        .map(|it| {
            (
                it.address,
                it.size,
                it.name,
                it.object.map(ObjectIndex::get),
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            (0x1_0000_05a0, 0x10, "helper", Some(0)),
            (0x1_0000_05b0, 0x28, "main", Some(0)),
            (0x1_0000_05e0, 0x20, "other", Some(1)),
        ]
    );
    let string = map.at(0x1_0000_0629).ok_or("no string")?;
    assert_eq!(string.name, "literal string: a\tb");
    assert!(string.is_mergeable());
    assert_eq!(map.at(0x1_0000_0600).ok_or("no stub")?.object, None);
    Ok(())
}

#[test]
fn damaged_maps_for_macos_are_read_as_far_as_they_go() -> TestResult {
    for len in 0..APPLE.len() {
        // What is no map is an error, and all else is in order.
        let Ok(map) = LinkMap::parse(&APPLE.as_bytes()[..len]) else {
            continue;
        };
        for section in map.sections() {
            assert!(section.end() <= map.output(section.output).end());
        }
    }
    // Numbers of objects that nothing lists, addresses that no section has.
    let hostile = APPLE
        .replace("[  2] _other", "[999] _other")
        .replace("0x100002010\t0x00000004", "0xFFFFFFFFFFFFFFFF\t0x00000004");
    let map = LinkMap::parse(hostile.as_bytes())?;
    assert_eq!(map.skipped_lines(), 1);
    // Apple's newer linker numbers libraries.
    let newer = APPLE.replace("libb.a(b.o)", "libb.a[2](b.o)");
    let map = LinkMap::parse(newer.as_bytes())?;
    assert_eq!(map.objects()[1].path, "/lib (x)/libb.a");
    Ok(())
}
