//! A difference for programs: format `cargo-whittle/diff`, version 1.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use whittle_ledger::{Axis, Blame, BuildChange, Delta, Motive, Snapshot};

use super::{Report, words};
use crate::json::Document;
use crate::plain::plain;

/// Writes a difference as one document. Each row stands on a line of its own.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let difference = report.difference;
    let mut document = Document::open(out, "cargo-whittle/diff")?;
    document.field("old", &side(difference.old(), report.old))?;
    document.field("new", &side(difference.new_side(), report.new))?;
    document.field("change", &difference.file())?;
    document.field("memory-change", &difference.memory())?;
    let share = difference.share();
    document.field(
        "share",
        &json!({ "added": share.added, "removed": share.removed, "moved": share.moved }),
    )?;
    document.list("notes", report.notes.iter().map(|note| text(note)))?;
    let build = difference.build();
    let mismatches = build.mismatches.iter();
    document.list(
        "mismatches",
        mismatches.map(|it| text(&words::mismatch(it))),
    )?;
    document.list("causes", report.blames.iter().map(|it| cause(it, build)))?;
    document.field("build", &changes(build))?;
    let axes: Vec<&str> = report.table.axes.iter().map(|axis| axis.name()).collect();
    document.field("axes", &axes)?;
    document.list(
        "rows",
        report
            .table
            .rows
            .iter()
            .map(|it| row(&report.table.axes, it)),
    )?;
    document.close()
}

fn text(text: &str) -> Value {
    Value::String(plain(text).into_owned())
}

pub(crate) fn side(snapshot: &Snapshot, name: &str) -> Value {
    let build = snapshot.build.as_ref();
    json!({
        "name": text(name),
        "size": snapshot.file.size,
        "memory-size": snapshot.file.memory,
        "architecture": text(&snapshot.file.architecture),
        "stripped": snapshot.file.stripped,
        "rustc": build.map(|it| &it.rustc).or(snapshot.file.rustc.as_ref()).map(|it| text(it)),
        "target": build.map(|it| text(&it.target)),
        "profile": build.map(|it| text(&it.profile)),
        "revision": build.and_then(|it| it.revision.as_ref()).map(|it| text(it)),
    })
}

pub(crate) fn cause(blame: &Blame, build: &BuildChange) -> Value {
    let examples: Vec<Value> = blame
        .examples
        .iter()
        .map(|(name, bytes)| json!({ "name": text(name), "change": bytes }))
        .collect();
    let package = match &blame.motive {
        Motive::New(at) => build.new.get(*at).map(|it| &it.label),
        Motive::Gone(at) => build.gone.get(*at),
        Motive::Bumped(at) => build.bumps.get(*at).map(|it| &it.package),
        Motive::Features(package) | Motive::Own(package) | Motive::Used(package) => Some(package),
        _ => None,
    };
    json!({
        "cause": words::motive_name(&blame.motive),
        "change": blame.bytes,
        "package": package.map(|it| text(it)),
        "text": text(&words::cause(blame, build)),
        "examples": examples,
    })
}

fn changes(build: &BuildChange) -> Value {
    let texts = |list: &[String]| list.iter().map(|it| text(it)).collect::<Value>();
    let option = |it: &Option<String>| it.as_ref().map(|it| text(it));
    json!({
        "toolchain": build.toolchain.as_ref().map(|(old, new)| json!({ "old": text(old), "new": text(new) })),
        "settings": build.settings.iter()
            .map(|it| json!({ "name": text(&it.name), "old": option(&it.old), "new": option(&it.new) }))
            .collect::<Value>(),
        "versions": build.bumps.iter()
            .map(|it| json!({ "package": text(&it.package), "old": text(&it.old), "new": text(&it.new) }))
            .collect::<Value>(),
        "new-packages": build.new.iter()
            .map(|it| json!({ "package": text(&it.label), "path": texts(&it.path) }))
            .collect::<Value>(),
        "gone-packages": texts(&build.gone),
        "features": build.features.iter()
            .map(|it| json!({ "package": text(&it.package), "feature": text(&it.feature), "on": it.on, "by": texts(&it.by) }))
            .collect::<Value>(),
    })
}

fn row(axes: &[Axis], delta: &Delta) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
    for (axis, value) in axes.iter().zip(&delta.values) {
        put(axis.name(), text(&value.new));
        if value.old != value.new {
            put(&format!("old-{}", axis.name()), text(&value.old));
        }
    }
    put("old", delta.old.into());
    put("new", delta.new.into());
    put("change", delta.file().into());
    put("memory", delta.memory.into());
    put("code", delta.code.into());
    put("added", delta.added.into());
    put("removed", delta.removed.into());
    put("moved", delta.moved.into());
    put("certainty", delta.certainty.name().into());
    row
}
