//! What must hold of every output, whatever the file says.

use proptest::prelude::*;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;
use whittle_ledger::{Axis, Certainty, Copies, Findings, Row, Source, Table, Totals};
use whittle_report::{Options, Sort, csv, json, markdown, text};

use crate::documents::SCHEMA;
use crate::samples::{bringer, full, options, typical, written};

/// Names of all sorts: paths, special values, commands for terminals, markup, formulas, any characters at all.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,8}(::[a-z_<>]{1,12}){0,8}",
        Just("(unknown)".to_owned()),
        Just("(structure)".to_owned()),
        Just("\x1b[31mred\u{9b}2J".to_owned()),
        Just("\u{202e}\u{2066}abc".to_owned()),
        Just("a|b`c\\|d<script>".to_owned()),
        Just("=1+1".to_owned()),
        Just("大小 e\u{301} 👩‍👩‍👧".to_owned()),
        any::<String>(),
    ]
}

fn certainty() -> impl Strategy<Value = Certainty> {
    prop_oneof![
        Just(Certainty::Exact),
        Just(Certainty::Inferred),
        Just(Certainty::Unknown)
    ]
}

fn table() -> impl Strategy<Value = Table> {
    let axes = prop::sample::subsequence(Axis::ALL.to_vec(), 1..4);
    axes.prop_flat_map(|axes| {
        let values = prop::collection::vec(name(), axes.len());
        let numbers = (0_u64..1 << 40, 0_u64..1 << 40, 0_u64..1 << 30);
        let copies = prop::option::of((1_u64..1000, 0_u64..1 << 30));
        let row = (values, numbers, certainty(), copies);
        prop::collection::vec(row, 0..40).prop_map(move |rows| Table {
            axes: axes.clone(),
            rows: rows
                .into_iter()
                .map(|(values, (file, memory, code), certainty, copies)| {
                    let of = |wanted| if certainty == wanted { file } else { 0 };
                    Row {
                        values,
                        file,
                        memory,
                        code: code.min(file),
                        exact: of(Certainty::Exact),
                        inferred: of(Certainty::Inferred),
                        unknown: of(Certainty::Unknown),
                        source: Source::Symbol,
                        copies: copies
                            .filter(|_| axes == [Axis::Generic])
                            .map(|(count, largest)| Copies { count, largest }),
                    }
                })
                .collect(),
        })
    })
}

prop_compose! {
    fn findings()(
        table in table(),
        labels in prop::collection::vec(name(), 0..30),
        has_table in any::<bool>(),
        has_full in any::<bool>(),
        thread_local in 0_u64..100,
    ) -> Findings {
        let file = table.rows.iter().map(|row| row.file).sum();
        let memory = table.rows.iter().map(|row| row.memory).sum();
        let bringers = labels.iter().map(|label| bringer(label, 3, 5, Certainty::Inferred)).collect();
        Findings {
            totals: Totals { file, memory, thread_local, exact: file, inferred: 0, unknown: 0 },
            bringers,
            full: has_full.then(full),
            table: has_table.then_some(table),
            ..typical()
        }
    }
}

#[derive(Debug, Clone)]
struct Asked {
    path: String,
    notes: Vec<String>,
    rows: Option<usize>,
    sort: Sort,
    filter: Option<String>,
    width: usize,
}

prop_compose! {
    fn asked()(
        path in name(),
        notes in prop::collection::vec(name(), 0..3),
        rows in prop::option::of(0_usize..20),
        sort in prop_oneof![
            Just(Sort::File), Just(Sort::Memory), Just(Sort::Code), Just(Sort::Name), Just(Sort::Copies)
        ],
        filter in prop::option::of("[a-z:(]"),
        width in 0_usize..160,
    ) -> Asked {
        Asked { path, notes, rows, sort, filter, width }
    }
}

impl Asked {
    fn answer(
        &self,
        color: bool,
        write: impl FnOnce(&mut dyn std::io::Write, &Options<'_>) -> std::io::Result<()>,
    ) -> String {
        let keep = |value: &str| self.filter.as_ref().is_none_or(|part| value.contains(part));
        let keep: Option<&dyn Fn(&str) -> bool> = self.filter.is_some().then_some(&keep);
        let options = Options {
            notes: &self.notes,
            rows: self.rows,
            sort: self.sort,
            filter: keep,
            width: self.width,
            color,
            ..options(&self.path)
        };
        written(|out| write(out, &options))
    }
}

/// Whether a character does something to a terminal or to the order of the text. A list of its own: the judge does not
/// use the code it judges.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || c == '\u{feff}'
}

/// Without the escape sequences of colours.
fn uncoloured(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split("\x1b[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (_, behind) = part.split_once('m').expect("colours end in m");
        out.push_str(behind);
    }
    out
}

/// What is outside of code in Markdown. Code is between two backticks that stand alone, or between tags.
fn outside_of_code(line: &str) -> String {
    let line = line.replace("<code>", "`").replace("</code>", "`");
    line.split('`').step_by(2).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn text_fits_and_does_nothing_but_read(findings in findings(), asked in asked()) {
        let write = |color| asked.answer(color, |out, options| text::findings(out, &findings, options));
        let screen = write(false);
        for line in screen.lines() {
            prop_assert!(line.width() <= asked.width.max(60), "{} columns: {line}", line.width());
            prop_assert!(!line.ends_with(' '), "{line:?}");
        }
        prop_assert_eq!(screen.chars().find(|c| acts(*c)), None);
        // Colour adds nothing, and nothing depends on the run.
        prop_assert_eq!(uncoloured(&write(true)), &screen[..]);
        prop_assert_eq!(write(false), screen);
    }

    #[test]
    fn documents_follow_the_schema_and_add_up(findings in findings(), by_default in table(), asked in asked()) {
        let text = asked.answer(false, |out, options| json::findings(out, &findings, &by_default, options));
        let document: Value = serde_json::from_str(&text).expect("it is JSON");
        let errors: Vec<String> = SCHEMA.iter_errors(&document).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{errors:#?}");
        prop_assert_eq!(text.chars().find(|c| acts(*c)), None);
        let table = findings.table.as_ref().unwrap_or(&by_default);
        for key in ["file", "memory", "code", "exact", "inferred", "unknown"] {
            let number = |row: &Row| match key {
                "file" => row.file,
                "memory" => row.memory,
                "code" => row.code,
                "exact" => row.exact,
                "inferred" => row.inferred,
                _ => row.unknown,
            };
            let rows = document["rows"].as_array().expect("a list");
            let sum: u64 = rows.iter().filter_map(|row| row[key].as_u64()).sum();
            prop_assert_eq!(sum, table.rows.iter().map(number).sum::<u64>(), "{}", key);
        }
    }

    #[test]
    fn csv_adds_up_and_calculates_nothing(table in table(), asked in asked()) {
        let text = asked.answer(false, |out, options| csv::table(out, &table, options));
        prop_assert_eq!(text.chars().find(|c| acts(*c)), None);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let at = reader.headers().expect("a header").iter().position(|name| name == "file").expect("a column");
        let mut sum = 0;
        for record in reader.records() {
            let record = record.expect("a record of as many fields as the header");
            sum += record[at].parse::<u64>().expect("a number");
            let formula = record.iter().find(|cell| cell.starts_with(['=', '+', '-', '@']));
            prop_assert_eq!(formula, None);
        }
        prop_assert_eq!(sum, table.rows.iter().map(|row| row.file).sum::<u64>());
    }

    #[test]
    fn markdown_keeps_names_in_their_cells(findings in findings(), by_default in table(), asked in asked()) {
        let page = asked.answer(false, |out, options| markdown::findings(out, &findings, &by_default, options));
        prop_assert_eq!(page.chars().find(|c| acts(*c)), None);
        let mut columns = None;
        for line in page.lines() {
            let outside = outside_of_code(line.trim_start_matches("### "));
            let markup = outside.replace("**all**", "").replace("&lt;", "").replace("&gt;", "").chars().find(|c| "<>[]*#@\\&!".contains(*c));
            prop_assert_eq!(markup, None, "{}", line);
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let bars = line.matches('|').count();
            prop_assert_eq!(bars, *columns.get_or_insert(bars), "{}", line);
        }
    }
}
