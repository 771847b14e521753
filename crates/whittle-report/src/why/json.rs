//! JSON for programs: format `cargo-whittle/why`, version 1. The schema is `docs/why.schema.json`.

use std::io::{self, Write};

use serde_json::{Value, json};
use whittle_ledger::{Holder, Kept, Leaving, Step};

use super::words::{kind, mention};
use super::{Code, Dependent, Report};
use crate::json::Document;
use crate::plain::plain;

/// Writes the answer as one document.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let why = report.why;
    let is_known = report.code == Code::Read;
    let mut document = Document::open(out, "cargo-whittle/why")?;
    let path = text(&report.path.display().to_string());
    document.field("file", &json!({ "path": path, "size": report.file }))?;
    document.list("notes", report.notes.iter().map(|note| text(note)))?;
    document.field(
        "subject",
        &json!({
            "kind": kind(why.kind),
            "name": text(&why.name),
            "package": why.package.as_deref().map(text),
            "items": why.items,
        }),
    )?;
    document.field("shallow", &why.leaving.shallow)?;
    document.field("retained", &report.retained())?;
    document.field("unreachable", &is_known.then_some(why.unreachable))?;
    document.field("path", &why.ways.first().map(|way| steps(way)))?;
    document.list("paths", why.ways.iter().map(|way| steps(way)))?;
    document.list(
        "holders",
        why.holders.iter().map(|one| holder(one, is_known)),
    )?;
    document.list(
        "kept-only-by-it",
        why.kept.iter().filter(|_| is_known).map(kept),
    )?;
    document.list("parts", why.parts.iter().map(|one| part(one, is_known)))?;
    let features = report.dependents.map(|of| texts(&of.features));
    document.field("features", &features)?;
    match report.dependents {
        Some(dependents) => document.list("dependents", dependents.list.iter().map(dependent))?,
        None => document.field("dependents", &Value::Null)?,
    }
    document.close()
}

fn steps(way: &[Step]) -> Value {
    let step = |step: &Step| {
        json!({
            "name": text(&step.name),
            "package": text(&step.package),
            "address": step.address.map(|address| format!("{address:#x}")),
            "mentioned-by": mention(step.mention),
        })
    };
    way.iter().map(step).collect()
}

fn holder(holder: &Holder, is_known: bool) -> Value {
    let Leaving { shallow, retained } = holder.leaving;
    json!({
        "name": holder.name.as_deref().map(text),
        "package": text(&holder.package),
        "mention": mention(holder.mention),
        "keeps-of-it": is_known.then_some(holder.keeps_of_it),
        "shallow": shallow,
        "retained": is_known.then_some(retained),
        "reachable": is_known.then_some(holder.is_reachable),
    })
}

fn kept(kept: &Kept) -> Value {
    json!({
        "package": text(&kept.package),
        "items": kept.items,
        "bytes": kept.bytes,
        "largest": text(&kept.largest),
    })
}

fn part((name, leaving): &(String, Leaving), is_known: bool) -> Value {
    json!({
        "name": text(name),
        "shallow": leaving.shallow,
        "retained": is_known.then_some(leaving.retained),
    })
}

fn dependent(dependent: &Dependent) -> Value {
    json!({
        "package": text(&dependent.package),
        "version": text(&dependent.version),
        "workspace-member": dependent.is_member,
        "features": texts(&dependent.features),
        "default-features": dependent.default_features,
        "through": texts(&dependent.through),
    })
}

fn texts(list: &[String]) -> Value {
    list.iter().map(|one| text(one)).collect()
}

/// Text from outside: see [`plain`].
fn text(text: &str) -> Value {
    Value::String(plain(text).into_owned())
}
