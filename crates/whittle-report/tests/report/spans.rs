//! The tiling of a real file: this test's own program.

use std::path::PathBuf;

use serde_json::Value;
use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Ledger, Witnesses};
use whittle_report::spans;

use crate::samples::written;

const COLUMNS: [&str; 17] = [
    "start",
    "length",
    "section",
    "offset",
    "owner",
    "kind",
    "member",
    "segment",
    "crate",
    "compiled-in",
    "module",
    "function",
    "generic",
    "cause",
    "certainty",
    "source",
    "users",
];

fn own_program() -> (PathBuf, Vec<u8>) {
    let path = std::env::current_exe().expect("a test is a program");
    let bytes = std::fs::read(&path).expect("a running program can be read");
    (path, bytes)
}

#[test]
fn the_spans_tile_the_file_in_both_forms() {
    let (path, bytes) = own_program();
    let image = Image::parse(&bytes).expect("this program is a program");
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references).expect("it adds up");
    let on_disk = std::fs::metadata(path).expect("it is there").len();

    let csv = written(|out| spans::csv(out, &ledger));
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().expect("a header"), &COLUMNS[..]);
    let mut end = 0;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.expect("a record of as many fields as the header");
        let number = |at: usize| record[at].parse::<u64>().expect("a number");
        assert_eq!(number(0), end, "{record:?}");
        end += number(1);
        rows.push(record);
    }
    assert_eq!(end, on_disk);

    let json = written(|out| spans::json(out, &ledger));
    assert_eq!(json.lines().count(), rows.len());
    for (line, row) in json.lines().zip(&rows) {
        // The order of keys is that of the columns.
        let at = COLUMNS.map(|column| line.find(&format!("\"{column}\":")).expect(column));
        assert!(at.is_sorted(), "{line}");
        let object: Value = serde_json::from_str(line).expect("each line is JSON");
        for (column, cell) in COLUMNS.iter().zip(row) {
            let value = match &object[*column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Array(names) => {
                    let names = names.iter().map(|name| name.as_str().expect("a name"));
                    names.collect::<Vec<_>>().join("; ")
                }
                other => other.to_string(),
            };
            // A name that looks like a formula has a quote before it.
            assert!(
                value == cell || format!("'{value}") == cell,
                "{value} {cell}"
            );
        }
    }
}
