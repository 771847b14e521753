//! Whole outputs of made-up findings, small enough to be read. Snapshots are in `snapshots/`.

use std::path::Path;

use whittle_image::{FileKind, Format, Warnings};
use whittle_ledger::{
    Axis, Bringer, Certainty, Copies, Exactness, Family, FileFacts, Findings, FullTables, Row,
    Saving, SavingKind, Source, Table, Totals,
};
use whittle_report::{Options, Sort, Subject, csv, json, markdown, text};

/// A name as a hostile file may have it: colour, a new line, text that runs backwards, markup, a formula.
const HOSTILE: &str = "=evil\u{1b}[31m\nred\u{202e}<script>|`*";

fn row(values: &[&str], file: u64, code: u64, certainty: Certainty) -> Row {
    let part = |wanted: Certainty| if wanted == certainty { file } else { 0 };
    Row {
        values: values.iter().map(|&value| value.to_owned()).collect(),
        file,
        memory: file / 2,
        code,
        exact: part(Certainty::Exact),
        inferred: part(Certainty::Inferred),
        unknown: part(Certainty::Unknown),
        source: Source::Symbol,
        copies: None,
    }
}

fn bringer(label: &str, written: u64, compiled: u64, certainty: Certainty) -> Bringer {
    Bringer {
        label: label.to_owned(),
        family: Family::Package,
        written,
        compiled,
        certainty,
    }
}

fn table(axes: &[Axis], rows: Vec<Row>) -> Table {
    Table {
        axes: axes.to_vec(),
        rows,
    }
}

fn by_crate() -> Table {
    let rows = vec![
        row(
            &["regex-syntax@0.8.6"],
            6_000_000,
            1_000_000,
            Certainty::Exact,
        ),
        row(&[HOSTILE], 300_000, 200_000, Certainty::Inferred),
        row(&["(unknown)"], 3_792, 0, Certainty::Unknown),
    ];
    table(&[Axis::Crate], rows)
}

fn findings() -> Findings {
    let mut warnings = Warnings::default();
    warnings.push(
        ".symtab",
        Some(0x40),
        "3 symbols lie outside their section; ignored",
    );
    Findings {
        file: FileFacts {
            format: Format::Elf,
            kind: FileKind::PositionIndependentExecutable,
            architecture: "x86_64".to_owned(),
            build_id: Some(vec![0xab, 0x01]),
            stripped: false,
            rustc: Some("1.95.0 (59807616e 2026-04-14)".to_owned()),
        },
        totals: Totals {
            file: 6_303_792,
            memory: 4_910_204,
            thread_local: 176,
            exact: 6_000_000,
            inferred: 300_000,
            unknown: 3_792,
        },
        savings: vec![
            Saving {
                kind: SavingKind::Symbols,
                bytes: 1_393_768,
                exactness: Exactness::Exact,
            },
            Saving {
                kind: SavingKind::DuplicateVersions {
                    package: "syn".to_owned(),
                    versions: vec!["1.0.0".to_owned(), "2.0.0".to_owned()],
                },
                bytes: 40_960,
                exactness: Exactness::Estimated,
            },
        ],
        bringers: vec![
            bringer("regex-syntax@0.8.6", 6_000_000, 5_000_000, Certainty::Exact),
            bringer(HOSTILE, 300_000, 1_300_000, Certainty::Inferred),
            bringer("(unknown)", 3_792, 3_792, Certainty::Unknown),
        ],
        table: None,
        full: None,
        warnings,
    }
}

fn options(path: &Path) -> Options<'_> {
    Options {
        path,
        notes: &[],
        rows: None,
        sort: Sort::File,
        filter: None,
        width: 80,
        color: false,
        subject: Subject::Package,
    }
}

fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("writing to memory works");
    String::from_utf8(out).expect("outputs are UTF-8")
}

/// A report with every table, one of them of many rows with long names.
fn full_findings() -> Findings {
    let long = |number: u64| {
        format!(
            "<alloc::vec::Vec<{}> as core::iter::Extend>::extend_{number}",
            "crate_name::Type, ".repeat(8)
        )
    };
    let functions = (0..30)
        .map(|number| row(&[&long(number)], 210_126, 200_000, Certainty::Exact))
        .collect();
    let mut twice = row(&["core::slice::sort"], 300_000, 250_000, Certainty::Exact);
    twice.copies = Some(Copies {
        count: 23,
        largest: 50_000,
    });
    Findings {
        full: Some(FullTables {
            kinds: table(
                &[Axis::Kind],
                vec![row(&["code"], 6_303_792, 6_303_792, Certainty::Exact)],
            ),
            sections: table(
                &[Axis::Section],
                vec![row(&[".text"], 6_303_792, 6_303_792, Certainty::Exact)],
            ),
            functions: table(&[Axis::Function], functions),
            generics: table(&[Axis::Generic], vec![twice]),
        }),
        ..findings()
    }
}

#[test]
fn the_default_screen() {
    let path = Path::new("target/release/rg");
    insta::assert_snapshot!(written(|out| text::findings(
        out,
        &findings(),
        &options(path)
    )));
}

#[test]
fn the_full_report_keeps_within_its_width() {
    let path = Path::new("target/release/rg");
    let text = written(|out| text::findings(out, &full_findings(), &options(path)));
    insta::assert_snapshot!(text);
    // Commands to type are never cut, so there is a least width.
    for width in [80, 100, 120] {
        let options = Options {
            width,
            ..options(path)
        };
        let text = written(|out| text::findings(out, &full_findings(), &options));
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(width), "{longest:?} > {width}:\n{text}");
    }
}

#[test]
fn totals_stand_whatever_is_left_out() {
    let keep = |value: &str| value.contains("regex");
    let findings = Findings {
        table: Some(by_crate()),
        ..findings()
    };
    let path = Path::new("rg");
    let options = Options {
        filter: Some(&keep),
        rows: Some(1),
        ..options(path)
    };
    let text = written(|out| text::findings(out, &findings, &options));
    assert!(text.contains("(filtered out: 2)"), "{text}");
    assert!(text.contains("6,303,792 100.0 %"), "{text}");
    let document = written(|out| json::findings(out, &findings, &by_crate(), &options));
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let rows = document["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["filtered-out"], true);
    let sum: u64 = rows
        .iter()
        .map(|row| row["file"].as_u64().expect("bytes"))
        .sum();
    assert_eq!(sum, 6_303_792);
}

#[test]
fn names_from_the_file_stay_names() {
    let findings = Findings {
        table: Some(by_crate()),
        ..findings()
    };
    let path = Path::new("rg");
    let options = options(path);
    let outputs = [
        written(|out| text::findings(out, &findings, &options)),
        written(|out| json::findings(out, &findings, &by_crate(), &options)),
        written(|out| csv::table(out, &by_crate(), &options)),
        written(|out| markdown::findings(out, &findings, &by_crate(), &options)),
    ];
    for output in &outputs {
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!output.contains(bad), "{output:?}");
    }
    assert!(
        outputs[2].contains("\n'=evil"),
        "spreadsheets must not take it for a formula: {}",
        outputs[2]
    );
    assert!(!outputs[3].contains("<script>"), "{}", outputs[3]);
    insta::assert_snapshot!(outputs[3]);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let path = Path::new("rg");
    let plain = written(|out| text::findings(out, &findings(), &options(path)));
    let coloured = written(|out| {
        text::findings(
            out,
            &findings(),
            &Options {
                color: true,
                ..options(path)
            },
        )
    });
    assert_ne!(plain, coloured);
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').expect("a colour ends").1;
    }
    stripped.push_str(rest);
    assert_eq!(plain, stripped);
}

#[test]
fn nothing_at_all_reads_well() {
    let nothing = Findings {
        totals: Totals::default(),
        savings: Vec::new(),
        bringers: Vec::new(),
        warnings: Warnings::default(),
        ..findings()
    };
    insta::assert_snapshot!(written(|out| text::findings(
        out,
        &nothing,
        &options(Path::new("empty"))
    )));
}
