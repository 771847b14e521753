//! JSON for programs. Keys are kebab-case; a document says its format and version first and only grows within one.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use whittle_ledger::{Exactness, Findings, SavingKind, Table};

use crate::options::{Options, Program};
use crate::rows::{Rows, Sum};
use crate::words;

/// Writes findings as one document.
///
/// # Errors
/// When `out` cannot be written to.
pub fn findings(
    out: &mut dyn Write,
    findings: &Findings,
    by_default: &Table,
    options: &Options<'_>,
) -> io::Result<()> {
    let table = findings.table.as_ref().unwrap_or(by_default);
    let mut document = Map::new();
    document.insert("format".into(), "cargo-whittle/explain".into());
    document.insert("version".into(), 1.into());
    document.insert("file".into(), file(findings, options));
    document.insert("totals".into(), totals(findings));
    document.insert("notes".into(), options.notes.into());
    document.insert("warnings".into(), warnings(findings));
    document.insert("savings".into(), savings(findings));
    document.insert("crates".into(), bringers(findings));
    document.insert(
        "axes".into(),
        table
            .axes
            .iter()
            .map(|axis| axis.name())
            .collect::<Vec<_>>()
            .into(),
    );
    document.insert("rows".into(), rows(table, options));
    if let Some(full) = &findings.full {
        let tables = json!({
            "kind": rows(&full.kinds, options),
            "section": rows(&full.sections, options),
            "function": rows(&full.functions, options),
            "generic": rows(&full.generics, options),
        });
        document.insert("tables".into(), tables);
    }
    write(out, &Value::Object(document))
}

/// Writes a list of programs as one document.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(
    out: &mut dyn Write,
    programs: &[Program<'_>],
    options: &Options<'_>,
) -> io::Result<()> {
    let list: Vec<Value> = programs
        .iter()
        .map(|program| {
            json!({
                "name": program.name,
                "kind": program.kind,
                "path": program.path.display().to_string(),
                "file": program.findings.totals.file,
                "memory": program.findings.totals.memory,
            })
        })
        .collect();
    let document = json!({
        "format": "cargo-whittle/programs",
        "version": 1,
        "notes": options.notes,
        "programs": list,
    });
    write(out, &document)
}

fn write(out: &mut dyn Write, document: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

fn file(findings: &Findings, options: &Options<'_>) -> Value {
    let file = &findings.file;
    let build_id = file.build_id.as_deref().map(words::hexadecimal);
    json!({
        "path": options.path.display().to_string(),
        "size": findings.totals.file,
        "memory-size": findings.totals.memory,
        "object-format": words::format(file.format),
        "kind": words::kind(file.kind),
        "architecture": file.architecture,
        "build-id": build_id,
        "stripped": file.stripped,
        "rustc": file.rustc,
    })
}

fn totals(findings: &Findings) -> Value {
    let totals = findings.totals;
    json!({
        "file": totals.file,
        "memory": totals.memory,
        "thread-local": totals.thread_local,
        "exact": totals.exact,
        "inferred": totals.inferred,
        "unknown": totals.unknown,
    })
}

fn warnings(findings: &Findings) -> Value {
    let mut list: Vec<Value> = findings
        .warnings
        .list()
        .iter()
        .map(|warning| json!({ "table": warning.table, "at": warning.at, "message": warning.message }))
        .collect();
    let more = findings.warnings.suppressed();
    if more > 0 {
        list.push(json!({ "table": "", "at": null, "message": format!("{more} more warnings") }));
    }
    list.into()
}

fn savings(findings: &Findings) -> Value {
    let list: Vec<Value> = findings
        .savings
        .iter()
        .map(|saving| {
            let mut value = json!({
                "name": saving.kind.name(),
                "bytes": saving.bytes,
                "exactness": match saving.exactness {
                    Exactness::Exact => "exact",
                    Exactness::Estimated => "estimated",
                },
                "setting": saving.kind.setting(),
                "price": saving.kind.price(),
            });
            if let SavingKind::DuplicateVersions { package, versions } = &saving.kind {
                value["package"] = package.as_str().into();
                value["versions"] = versions.clone().into();
            }
            value
        })
        .collect();
    list.into()
}

fn bringers(findings: &Findings) -> Value {
    let list: Vec<Value> = findings
        .bringers
        .iter()
        .map(|bringer| {
            json!({
                "crate": words::shown(&bringer.label),
                "written": bringer.written,
                "compiled": bringer.compiled,
                "certainty": bringer.certainty.name(),
            })
        })
        .collect();
    list.into()
}

fn rows(table: &Table, options: &Options<'_>) -> Value {
    let rows = Rows::of(table, options);
    let mut list: Vec<Value> = rows
        .kept
        .iter()
        .map(|row| {
            let mut value = Map::new();
            for (axis, text) in table.axes.iter().zip(&row.values) {
                value.insert(axis.name().into(), words::shown(text).into());
            }
            sums(&mut value, &Sum::of([*row]));
            value.insert("source".into(), row.source.name().into());
            if let Some(copies) = row.copies {
                value.insert("copies".into(), copies.count.into());
                value.insert("largest-copy".into(), copies.largest.into());
            }
            value.into()
        })
        .collect();
    if let Some(out) = &rows.filtered_out {
        let mut value = Map::new();
        for axis in &table.axes {
            value.insert(axis.name().into(), Value::Null);
        }
        sums(&mut value, out);
        value.insert("source".into(), "none".into());
        value.insert("filtered-out".into(), true.into());
        list.push(value.into());
    }
    list.into()
}

fn sums(value: &mut Map<String, Value>, sum: &Sum) {
    value.insert("file".into(), sum.file.into());
    value.insert("memory".into(), sum.memory.into());
    value.insert("code".into(), sum.code.into());
    value.insert("exact".into(), sum.exact.into());
    value.insert("inferred".into(), sum.inferred.into());
    value.insert("unknown".into(), sum.unknown.into());
    value.insert("certainty".into(), sum.certainty().name().into());
}
