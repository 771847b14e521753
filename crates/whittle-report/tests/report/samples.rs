//! Made-up findings, small enough to be added up by hand.

use std::path::Path;

use whittle_image::{FileKind, Format, Warnings};
use whittle_ledger::{
    Axis, Bringer, Callers, Certainty, Copies, EqualItems, Exactness, Family, FileFacts, Findings,
    FullTables, GenericCopies, NamedPackage, Repeats, Row, Saving, SavingKind, Source, Table,
    Totals,
};
use whittle_report::{Options, Program, Sort, Subject};

pub fn options(path: &str) -> Options<'_> {
    Options {
        path: Path::new(path),
        notes: &[],
        rows: None,
        sort: Sort::File,
        filter: None,
        keeping: None,
        width: 80,
        color: false,
        subject: Subject::File,
    }
}

pub fn facts() -> FileFacts {
    FileFacts {
        format: Format::Elf,
        kind: FileKind::PositionIndependentExecutable,
        architecture: "x86_64".to_owned(),
        build_id: Some(vec![0xd3, 0xfc, 0x00, 0x9a]),
        stripped: false,
        rustc: Some("1.95.0 (59807616e 2026-04-14)".to_owned()),
        packages: vec![
            NamedPackage {
                name: "memchr".to_owned(),
                version: "2.7.6".to_owned(),
                source: Source::AuditData,
            },
            NamedPackage {
                name: "regex-syntax".to_owned(),
                version: "0.8.6".to_owned(),
                source: Source::SourcePath,
            },
        ],
    }
}

pub fn totals(file: u64, inferred: u64, unknown: u64) -> Totals {
    Totals {
        file,
        memory: file / 2,
        thread_local: 0,
        exact: file - inferred - unknown,
        inferred,
        unknown,
    }
}

pub fn bringer(label: &str, written: u64, compiled: u64, certainty: Certainty) -> Bringer {
    let family = match label {
        "core" | "alloc" | "std" => Family::Standard,
        label if label.ends_with("(std)") => Family::Standard,
        label if label.starts_with('(') => Family::Special,
        _ => Family::Package,
    };
    Bringer {
        label: label.to_owned(),
        family,
        written,
        compiled,
        certainty,
    }
}

/// A row of bytes of one certainty.
pub fn row(values: &[&str], [file, memory, code]: [u64; 3], certainty: Certainty) -> Row {
    let of = |wanted| if certainty == wanted { file } else { 0 };
    Row {
        values: values.iter().map(|&value| value.to_owned()).collect(),
        file,
        memory,
        code,
        exact: of(Certainty::Exact),
        inferred: of(Certainty::Inferred),
        unknown: of(Certainty::Unknown),
        source: match certainty {
            Certainty::Exact => Source::Symbol,
            Certainty::Inferred => Source::Neighbour,
            Certainty::Unknown => Source::None,
        },
        copies: None,
    }
}

pub fn copied(name: &str, numbers: [u64; 3], count: u64, largest: u64) -> Row {
    Row {
        copies: Some(Copies { count, largest }),
        ..row(&[name], numbers, Certainty::Exact)
    }
}

/// A program of two million bytes with something of everything.
pub fn typical() -> Findings {
    use Certainty::{Exact, Inferred, Unknown};
    let saving = |kind, bytes, exactness| Saving {
        kind,
        bytes,
        exactness,
    };
    Findings {
        file: facts(),
        totals: Totals {
            memory: 1_480_000,
            thread_local: 96,
            ..totals(2_000_000, 130_000, 55_000)
        },
        savings: vec![
            saving(SavingKind::Symbols, 410_000, Exactness::Exact),
            saving(SavingKind::PackedRelocations, 96_000, Exactness::Exact),
            saving(SavingKind::Abort, 31_000, Exactness::Estimated),
            saving(
                SavingKind::DuplicateVersions {
                    package: "hashbrown".to_owned(),
                    versions: vec!["0.14.5".to_owned(), "0.15.2".to_owned()],
                },
                12_000,
                Exactness::Estimated,
            ),
        ],
        bringers: vec![
            bringer("regex-automata@0.4.15", 450_000, 560_000, Exact),
            bringer("core", 380_000, 40_000, Exact),
            bringer("std", 300_000, 390_000, Exact),
            bringer("regex-syntax@0.8.11", 210_000, 230_000, Inferred),
            bringer("demo@0.1.0", 140_000, 420_000, Exact),
            bringer("clap_builder@4.6.9", 130_000, 140_000, Exact),
            bringer("alloc", 90_000, 4_000, Exact),
            bringer("(structure)", 70_000, 65_000, Exact),
            bringer("(unknown)", 55_000, 60_000, Unknown),
            bringer("serde_json@1.0.154", 50_000, 20_000, Exact),
            bringer("(padding)", 40_000, 40_000, Inferred),
            bringer("hashbrown@0.15.2", 25_000, 2_000, Exact),
            bringer("hashbrown@0.14.5", 20_000, 1_000, Exact),
            bringer("gimli (std)", 18_000, 10_000, Exact),
            bringer("(shared)", 12_000, 12_000, Exact),
            bringer("(c-runtime)", 10_000, 6_000, Exact),
        ],
        table: None,
        full: None,
        warnings: Warnings::default(),
    }
}

/// The same by crate, as documents have it without `--by`.
pub fn by_crate(findings: &Findings) -> Table {
    let mut memory = findings.totals.memory;
    let rows = findings.bringers.iter().map(|bringer| {
        let numbers = [
            bringer.written,
            memory.min(bringer.written),
            bringer.written / 4,
        ];
        memory -= memory.min(bringer.written);
        row(&[&bringer.label], numbers, bringer.certainty)
    });
    Table {
        axes: vec![Axis::Crate],
        rows: rows.collect(),
    }
}

/// A table along two axes, the totals of which are those of [`typical`].
pub fn by_section_and_crate() -> Table {
    use Certainty::{Exact, Inferred, Unknown};
    let text = [".text", "regex-automata@0.4.15"];
    Table {
        axes: vec![Axis::Section, Axis::Crate],
        rows: vec![
            row(&text, [900_000, 900_000, 890_000], Exact),
            row(&[".strtab", "core"], [600_000, 0, 0], Exact),
            row(
                &[".rodata", "regex-syntax@0.8.11"],
                [445_000, 445_000, 0],
                Inferred,
            ),
            row(&[".rodata", "(unknown)"], [55_000, 55_000, 0], Unknown),
            row(&[".bss", "std"], [0, 80_000, 0], Exact),
        ],
    }
}

/// Something of everything that can stand in a file more than once.
fn repeats() -> Repeats {
    let equal = |names: &[&str], compiled_in: &[&str], copies, beyond_one| EqualItems {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        compiled_in: compiled_in.iter().map(|&label| label.to_owned()).collect(),
        copies,
        beyond_one,
    };
    let callers = |label: &str, functions, examples: &[&str]| Callers {
        label: label.to_owned(),
        functions,
        examples: examples.iter().map(|&name| name.to_owned()).collect(),
    };
    Repeats {
        functions: vec![equal(
            &["demo::left", "demo::right"],
            &["demo@0.1.0"],
            2,
            2_100,
        )],
        constants: (1..=12)
            .rev()
            .map(|size| equal(&["\"a text\""], &["core", "demo@0.1.0"], 2, size * 100))
            .collect(),
        instances: vec![equal(
            &["core::ptr::drop_in_place::<alloc::string::String>"],
            &["demo@0.1.0", "regex-automata@0.4.15"],
            3,
            900,
        )],
        generics: vec![
            GenericCopies {
                family: "demo::read".to_owned(),
                defined_in: "demo@0.1.0".to_owned(),
                copies: 3,
                beyond_largest: 9_000,
                inner_function: 7_500,
                callers: vec![callers("demo@0.1.0", 4, &["demo::main", "demo::load"])],
            },
            GenericCopies {
                family: "alloc::vec::Vec::push".to_owned(),
                defined_in: "alloc".to_owned(),
                copies: 14,
                beyond_largest: 180_000,
                inner_function: 3_000,
                callers: vec![
                    callers("regex-automata@0.4.15", 8, &["a", "b", "c"]),
                    callers("demo@0.1.0", 1, &["demo::main"]),
                ],
            },
            GenericCopies {
                family: "core::ptr::drop_in_place".to_owned(),
                defined_in: "core".to_owned(),
                copies: 120,
                beyond_largest: 291_000,
                inner_function: 0,
                callers: Vec::new(),
            },
        ],
    }
}

pub fn full() -> FullTables {
    use Certainty::{Exact, Inferred};
    let one = |axis, rows| Table {
        axes: vec![axis],
        rows,
    };
    FullTables {
        kinds: one(
            Axis::Kind,
            vec![
                row(&["code"], [900_000, 900_000, 900_000], Exact),
                row(&["symbol names"], [600_000, 0, 0], Exact),
                row(&["read-only data"], [460_000, 580_000, 0], Exact),
                row(&["padding"], [40_000, 0, 0], Inferred),
            ],
        ),
        sections: one(
            Axis::Section,
            vec![
                row(&[".text"], [930_000, 930_000, 900_000], Exact),
                row(&[".strtab"], [600_000, 0, 0], Exact),
                row(&[".rodata"], [470_000, 470_000, 0], Exact),
                row(&[".bss"], [0, 80_000, 0], Exact),
            ],
        ),
        functions: one(
            Axis::Function,
            vec![
                row(
                    &[
                        "<regex_automata::meta::strategy::Core as regex_automata::meta::strategy::Strategy>::search_half",
                    ],
                    [1_100_000, 1_100_000, 700_000],
                    Exact,
                ),
                row(&["demo::main"], [860_000, 340_000, 200_000], Exact),
                row(&["(structure: symbols)"], [40_000, 40_000, 0], Exact),
            ],
        ),
        causes: one(
            Axis::Cause,
            vec![
                row(&["symbol names"], [600_000, 0, 0], Exact),
                row(&["dependency code"], [520_000, 520_000, 500_000], Inferred),
                row(
                    &["panic messages and locations"],
                    [480_000, 480_000, 0],
                    Inferred,
                ),
                row(&["(structure)"], [400_000, 480_000, 400_000], Exact),
            ],
        ),
        generics: one(
            Axis::Generic,
            vec![
                copied(
                    "core::ptr::drop_in_place",
                    [500_000, 500_000, 300_000],
                    120,
                    9_000,
                ),
                copied(
                    "alloc::vec::Vec::push",
                    [300_000, 300_000, 200_000],
                    14,
                    20_000,
                ),
                copied("demo::main", [200_000, 200_000, 150_000], 1, 150_000),
                row(&["(structure)"], [1_000_000, 480_000, 250_000], Exact),
            ],
        ),
        repeats: repeats(),
    }
}

/// A C program without any names.
pub fn nameless() -> Findings {
    Findings {
        file: FileFacts {
            stripped: true,
            rustc: None,
            packages: Vec::new(),
            build_id: None,
            ..facts()
        },
        totals: totals(151_344, 0, 140_000),
        savings: Vec::new(),
        bringers: vec![
            bringer("(unknown)", 140_000, 140_000, Certainty::Unknown),
            bringer("(structure)", 11_344, 11_344, Certainty::Exact),
        ],
        table: None,
        full: None,
        warnings: Warnings::default(),
    }
}

/// An object file of nothing but its header.
pub fn smallest() -> Findings {
    Findings {
        file: FileFacts {
            kind: FileKind::Object,
            ..facts()
        },
        totals: Totals {
            memory: 0,
            ..totals(64, 0, 0)
        },
        bringers: vec![bringer("(structure)", 64, 64, Certainty::Exact)],
        ..nameless()
    }
}

/// Names that want to be more than names.
pub fn hostile() -> Findings {
    use Certainty::{Exact, Inferred};
    let mut warnings = Warnings::default();
    warnings.push(
        ".sym\x1b[31mtab",
        Some(64),
        "entry 3 ends past the file\r\nerror: gone",
    );
    for entry in 0..70 {
        warnings.push(
            ".symtab",
            Some(entry * 24),
            "the name is outside of the string table",
        );
    }
    let mut typical = typical();
    typical.bringers = vec![
        bringer("\x1b]0;owned\x07", 900_000, 900_000, Exact),
        bringer("\u{202e}exe.crate", 500_000, 500_000, Exact),
        bringer(
            "=HYPERLINK(\"http://example.org\")",
            300_000,
            300_000,
            Exact,
        ),
        bringer(
            "<script>alert(1)</script> | `a` \\| @everyone",
            200_000,
            200_000,
            Exact,
        ),
        bringer("大小".repeat(40).as_str(), 100_000, 100_000, Inferred),
    ];
    Findings {
        file: FileFacts {
            rustc: Some("1.95.0\u{9b}2J".to_owned()),
            packages: vec![NamedPackage {
                name: "\u{1b}[31mred".to_owned(),
                version: "1.0.0<b>".to_owned(),
                source: Source::AuditData,
            }],
            ..facts()
        },
        warnings,
        ..typical
    }
}

pub fn programs<'a>(one: &'a Findings, other: &'a Findings) -> Vec<Program<'a>> {
    vec![
        Program {
            name: "demo",
            kind: "program".to_owned(),
            choose: "--bin demo".to_owned(),
            path: Path::new("target/release/demo"),
            findings: one,
        },
        Program {
            name: "tool",
            kind: "example".to_owned(),
            choose: "--example tool".to_owned(),
            path: Path::new("target/release/examples/tool"),
            findings: other,
        },
    ]
}

/// What a writer writes.
pub fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("all formats are UTF-8")
}
