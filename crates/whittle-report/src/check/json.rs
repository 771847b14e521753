//! What became of a budget, for programs: format `cargo-whittle/check`, version 1.

use std::io::{self, Write};

use serde_json::{Value, json};
use whittle_ledger::{Ruling, Verdict};

use super::{Report, message};
use crate::difference::{cause, side};
use crate::plain::plain;

/// Writes what became of a budget as one document.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let checked = report.checked;
    let growth = report.growth.as_ref();
    let causes = growth.map(|growth| {
        let build = growth.difference.build();
        growth
            .blames
            .iter()
            .map(|it| cause(it, build))
            .collect::<Value>()
    });
    let document = json!({
        "format": "cargo-whittle/check",
        "version": 1,
        "passed": checked.has_passed(),
        "measure": checked.measure.name(),
        "program": side(report.snapshot, report.program),
        "baseline": growth.map(|growth| side(growth.difference.old(), growth.old)),
        "change": growth.map(|growth| growth.difference.file()),
        "causes": causes.unwrap_or_else(|| json!([])),
        "limits": checked.verdicts.iter().map(|it| limit(report, it)).collect::<Value>(),
        "notices": texts(&checked.notices),
        "notes": texts(report.notes),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn text(text: &str) -> Value {
    Value::String(plain(text).into_owned())
}

fn texts(list: &[String]) -> Value {
    list.iter().map(|it| text(it)).collect()
}

fn limit(report: &Report<'_>, verdict: &Verdict) -> Value {
    let excuse = match &verdict.ruling {
        Ruling::Excused { to, reason, until } => {
            json!({ "to": to, "reason": text(reason), "until": text(until) })
        }
        Ruling::Within | Ruling::Exceeded => Value::Null,
    };
    json!({
        "limit": text(&verdict.subject.to_string()),
        "bytes": verdict.bytes,
        "may-be": verdict.limit,
        "ruling": match verdict.ruling {
            Ruling::Within => "within",
            Ruling::Exceeded => "exceeded",
            Ruling::Excused { .. } => "excused",
        },
        "override": excuse,
        "line": verdict.line,
        "message": (verdict.ruling == Ruling::Exceeded).then(|| message(report, verdict)),
        "culprits-grew": verdict.culprits_grew,
        "culprits": verdict.culprits.iter().map(|it| json!({
            "name": text(&it.name),
            "section": text(&it.section),
            "crate": text(&it.crate_label),
            "bytes": it.bytes,
        })).collect::<Value>(),
    })
}
