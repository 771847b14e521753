//! Static Analysis Results Interchange Format, version 2.1.0 (OASIS).

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Report, message, rule};
use crate::plain::plain;

/// Rules and what they say.
const RULES: [(&str, &str); 5] = [
    (
        "size/total",
        "The program is larger than its budget allows.",
    ),
    (
        "size/growth",
        "The program grew more than its budget allows.",
    ),
    ("size/crate", "A crate is larger than its budget allows."),
    (
        "size/section",
        "A section is larger than its budget allows.",
    ),
    (
        "size/kind",
        "A kind of bytes is larger than its budget allows.",
    ),
];

/// Writes a log with one run and a result for each limit that is exceeded.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let results: Value = report
        .exceeded()
        .map(|verdict| {
            json!({
                "ruleId": rule(&verdict.subject),
                "level": "error",
                "message": { "text": message(report, verdict) },
                "partialFingerprints": {
                    "limit/v1": plain(&format!("{} {}", report.program, verdict.subject)),
                },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(report.place) },
                        "region": { "startLine": verdict.line.unwrap_or(1) },
                    },
                }],
            })
        })
        .collect();
    let rules: Value = RULES
        .iter()
        .map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } }))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo-whittle",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// A relative path as a reference (RFC 3986): whatever is not plain is written as its bytes.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Windows.
            b'\\' => uri.push('/'),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}
