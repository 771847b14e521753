//! The code quality report of GitLab ("Code Quality report format"): one entry for each limit that is exceeded.

use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Report, message, rule};
use crate::plain::plain;
use crate::words::hexadecimal;

/// Writes the report; it is an empty list if all limits are kept.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let entries: Value = report
        .exceeded()
        .map(|verdict| {
            // Not the numbers: what is too large in both branches is one finding.
            let identity = format!("{}\n{}", report.program, verdict.subject);
            let digest = Sha256::digest(identity.as_bytes());
            json!({
                "description": message(report, verdict),
                "check_name": rule(&verdict.subject),
                "fingerprint": hexadecimal(&digest),
                "severity": "major",
                "location": {
                    "path": plain(report.place),
                    "lines": { "begin": verdict.line.unwrap_or(1) },
                },
            })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}
