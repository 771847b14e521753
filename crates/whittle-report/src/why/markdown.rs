//! Markdown for pull requests and issues.

use std::io::{self, Write};

use whittle_ledger::Step;

use super::words::{asked, described, root, verb};
use super::{Code, Report};
use crate::markdown::{code, prose, share};
use crate::numbers::grouped;

/// Rows of each table.
const ROWS: usize = 10;

/// Writes the answer as Markdown.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let why = report.why;
    let leaving = why.leaving;
    writeln!(out, "### Why {} is there", code(&why.name))?;
    match report.retained() {
        Some(retained) => writeln!(
            out,
            "\n**Without it at least {} bytes leave ({})**: {} of its own, {} that are kept only by it. A forecast: only \
             a build without it tells.",
            grouped(retained),
            share(retained, report.file),
            grouped(leaving.shallow),
            grouped(leaving.kept_only_by_it())
        )?,
        None => writeln!(
            out,
            "\n**It has {} bytes.** What keeps it is not known.",
            grouped(leaving.shallow)
        )?,
    }
    writeln!(
        out,
        "\n{}, in {}, {} bytes on disk",
        prose(&described(why.kind, why.items, why.package.as_deref())),
        code(&report.path.display().to_string()),
        grouped(report.file)
    )?;
    for note in report.notes {
        writeln!(out, "\nNote: {}", prose(note))?;
    }
    for way in &why.ways {
        self::way(out, way)?;
    }
    holders(out, report)?;
    kept(out, report)?;
    dependents(out, report)
}

fn way(out: &mut dyn Write, way: &[Step]) -> io::Result<()> {
    let Some(first) = way.first() else {
        return Ok(());
    };
    writeln!(out, "\nHow it is reached ({}):\n", root(first.mention))?;
    for (number, step) in way.iter().enumerate() {
        let how = if number == 0 { "" } else { verb(step.mention) };
        let how = if how.is_empty() {
            String::new()
        } else {
            format!("{how} ")
        };
        writeln!(
            out,
            "{}. {how}{} ({})",
            number + 1,
            code(&step.name),
            code(&step.package)
        )?;
    }
    Ok(())
}

fn holders(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let holders = &report.why.holders;
    if holders.is_empty() {
        return writeln!(out, "\nNothing else mentions it.");
    }
    writeln!(
        out,
        "\n| keeps of it alone | who holds it | package |\n| ---: | --- | --- |"
    )?;
    let shown = report.shown(ROWS, holders.len());
    for holder in &holders[..shown] {
        let keeps = match report.code {
            Code::Read => grouped(holder.keeps_of_it),
            Code::Unread => "?".to_owned(),
        };
        let name = match &holder.name {
            Some(name) => code(name),
            None => prose(root(holder.mention)),
        };
        let package = package_cell(&holder.package);
        writeln!(out, "| {keeps} | {name} | {package} |")?;
    }
    if let more @ 1.. = holders.len() - shown {
        writeln!(out, "| | … {more} more | |")?;
    }
    Ok(())
}

fn package_cell(package: &str) -> String {
    if package.is_empty() {
        String::new()
    } else {
        code(package)
    }
}

fn kept(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let kept = &report.why.kept;
    if kept.is_empty() || report.code == Code::Unread {
        return Ok(());
    }
    writeln!(
        out,
        "\n| kept only by it | package | largest |\n| ---: | --- | --- |"
    )?;
    let shown = report.shown(ROWS, kept.len());
    for one in &kept[..shown] {
        writeln!(
            out,
            "| {} | {} | {} |",
            grouped(one.bytes),
            code(&one.package),
            code(&one.largest)
        )?;
    }
    if let more @ 1.. = kept.len() - shown {
        writeln!(out, "| | … {more} more | |")?;
    }
    Ok(())
}

fn dependents(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let Some(dependents) = report.dependents.filter(|of| !of.list.is_empty()) else {
        return Ok(());
    };
    writeln!(out, "\n| depends on it | how |\n| --- | --- |")?;
    for dependent in &dependents.list {
        let label = format!("{}@{}", dependent.package, dependent.version);
        writeln!(out, "| {} | {} |", code(&label), prose(&asked(dependent)))?;
    }
    Ok(())
}
