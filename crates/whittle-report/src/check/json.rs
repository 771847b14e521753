//! What became of a budget, for programs: format `cargo-whittle/check`, version 1.

use std::io::{self, Write};

use serde_json::{Value, json};
use whittle_ledger::{Ruling, Verdict};

use super::{Report, message};
use crate::difference::{cause, side};
use crate::json::{Document, Text};
use crate::plain::plain;

/// Writes what became of a budget as one document.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let checked = report.checked;
    let growth = report.growth.as_ref();
    let mut document = Document::open(out, "cargo-whittle/check")?;
    document.field("passed", &checked.has_passed())?;
    document.field("measure", checked.measure.name())?;
    document.field("program", &side(report.snapshot, report.program))?;
    document.field(
        "baseline",
        &growth.map(|growth| side(growth.difference.old(), growth.old)),
    )?;
    document.field("change", &growth.map(|growth| growth.difference.file()))?;
    let causes = growth.into_iter().flat_map(|growth| {
        let build = growth.difference.build();
        growth.blames.iter().map(move |it| cause(it, build))
    });
    document.list("causes", causes)?;
    document.list(
        "limits",
        checked.verdicts.iter().map(|it| limit(report, it)),
    )?;
    document.list("notices", checked.notices.iter().map(|it| Text(it)))?;
    document.list("notes", report.notes.iter().map(|it| Text(it)))?;
    document.close()
}

fn text(text: &str) -> Value {
    Value::String(plain(text).into_owned())
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
