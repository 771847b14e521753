//! Markdown for pull requests and issues.

use std::io::{self, Write};

use whittle_trial::frontier;
use whittle_trial::policy::Admission;

use super::Report;
use super::advice::{checked, measured, memory, places, prices, ratio, reluctance, start_up};
use crate::markdown::{code, prose};
use crate::numbers::{grouped, percent};

/// Writes what trials gave as Markdown.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let measure = report.policy.measure;
    let before = report.baseline.by(measure);
    writeln!(out, "### {}", code(&report.path.display().to_string()))?;
    writeln!(
        out,
        "\nNow: {} bytes {}",
        grouped(before),
        measured(measure)
    )?;
    match report.recommended {
        None => writeln!(out, "\nNothing better was found.")?,
        Some(candidate) => {
            let size = candidate.built.sizes.by(measure);
            writeln!(
                out,
                "\n**Take this: {} bytes, {} of now.** {}.",
                grouped(size),
                percent(size, before),
                prose(&checked(candidate.verdict))
            )?;
            let settings = &candidate.record.trial.settings;
            for place in places(settings, report) {
                writeln!(out, "\n{}:\n\n```toml", code(place.file))?;
                for line in place.lines {
                    writeln!(out, "{line}")?;
                }
                writeln!(out, "```")?;
            }
            if !candidate.verdict.workloads.is_empty() {
                writeln!(
                    out,
                    "\n| workload | processor time | rounds | memory |\n| --- | --- | ---: | --- |"
                )?;
                for workload in &candidate.verdict.workloads {
                    writeln!(
                        out,
                        "| {} | {} | {} | {} |",
                        code(&workload.name),
                        prose(&ratio(workload.ratio)),
                        workload.rounds,
                        memory(workload).unwrap_or_else(|| "–".to_owned())
                    )?;
                }
            }
            if let Some(cost) = &candidate.verdict.start_up {
                writeln!(out, "\nTo start: {}.", start_up(cost))?;
            }
            writeln!(out, "\n| setting | price |\n| --- | --- |")?;
            for (setting, price) in prices(settings) {
                writeln!(out, "| {} | {} |", code(&setting), prose(price))?;
            }
        }
    }
    if !report.offers.is_empty() {
        writeln!(
            out,
            "\n| bytes | if you say so | why not unasked |\n| ---: | --- | --- |"
        )?;
        for (admission, record) in &report.offers {
            if let (Admission::IfAllowed { reason, flag }, Some(built)) =
                (admission, record.built())
            {
                writeln!(
                    out,
                    "| {} | {} | {} |",
                    grouped(built.sizes.by(measure)),
                    code(flag),
                    prose(&reluctance(reason))
                )?;
            }
        }
    }
    writeln!(out, "\n| bytes | speed | settings |\n| ---: | ---: | --- |")?;
    for candidate in frontier::frontier(report.records, measure) {
        let speed = candidate
            .verdict
            .worst_ratio()
            .map_or_else(|| "–".to_owned(), |worst| format!("×{:.3}", worst.ratio));
        writeln!(
            out,
            "| {} | {speed} | {} |",
            grouped(candidate.built.sizes.by(measure)),
            code(&candidate.record.trial.settings.to_string())
        )?;
    }
    for note in report.notes {
        writeln!(out, "\nNote: {}", prose(note))?;
    }
    Ok(())
}
