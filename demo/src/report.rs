//! The printing: rows in, text or JSON out.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Format;
use crate::summary::{Row, Totals};

/// Writes the whole summary.
pub fn write(out: impl Write, rows: &[Row], totals: &Totals, format: Format) -> io::Result<()> {
    match format {
        Format::Text => write_text(out, rows, totals),
        Format::Json => write_json(out, rows, totals),
    }
}

fn write_text(mut out: impl Write, rows: &[Row], totals: &Totals) -> io::Result<()> {
    let width = rows
        .iter()
        .map(|row| service(row).chars().count())
        .max()
        .unwrap_or(0)
        .max(7);
    writeln!(
        out,
        "{:<5}  {:<width$}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}",
        "level", "service", "entries", "p50 ms", "p90 ms", "p99 ms", "max ms",
    )?;
    for row in rows {
        let level = row
            .level
            .map_or_else(|| "all".to_owned(), |level| level.to_string());
        write!(
            out,
            "{level:<5}  {:<width$}  {:>9}",
            service(row),
            row.entries
        )?;
        match &row.latency_ms {
            Some(latency) => {
                for value in [latency.p50, latency.p90, latency.p99, latency.max] {
                    write!(out, "  {value:>9.2}")?;
                }
            }
            None => write!(out, "{}", format!("  {:>9}", "-").repeat(4))?,
        }
        writeln!(out)?;
    }
    write!(
        out,
        "{} entries over {} s",
        totals.entries,
        totals.duration_ms / 1000
    )?;
    if totals.filtered_out > 0 {
        write!(out, ", {} filtered out", totals.filtered_out)?;
    }
    if totals.bad_lines > 0 {
        write!(out, ", {} bad lines", totals.bad_lines)?;
    }
    writeln!(out)
}

fn service(row: &Row) -> &str {
    row.service.as_deref().unwrap_or("all")
}

fn write_json(mut out: impl Write, rows: &[Row], totals: &Totals) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        totals: &'a Totals,
        rows: &'a [Row],
    }
    serde_json::to_writer_pretty(&mut out, &Document { totals, rows })?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Level;
    use crate::summary::Latency;

    fn rows() -> [Row; 2] {
        [
            Row {
                level: Some(Level::Error),
                service: Some("authentication".to_owned()),
                entries: 7,
                latency_ms: None,
            },
            Row {
                level: None,
                service: None,
                entries: 1200,
                latency_ms: Some(Latency {
                    p50: 1.0,
                    p90: 2.5,
                    p99: 12.125,
                    max: 999.0,
                }),
            },
        ]
    }

    #[test]
    fn text_columns_line_up() -> io::Result<()> {
        let mut out = Vec::new();
        let totals = Totals {
            entries: 1207,
            bad_lines: 1,
            ..Totals::default()
        };
        write(&mut out, &rows(), &totals, Format::Text)?;
        let text = String::from_utf8_lossy(&out);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0].len(), lines[1].len());
        assert_eq!(lines[1].len(), lines[2].len());
        assert!(lines[2].ends_with("12.12     999.00"), "{text}");
        assert_eq!(lines[3], "1207 entries over 0 s, 1 bad lines");
        Ok(())
    }

    #[test]
    fn json_is_one_document() -> Result<(), Box<dyn std::error::Error>> {
        let mut out = Vec::new();
        write(&mut out, &rows(), &Totals::default(), Format::Json)?;
        let value: serde_json::Value = serde_json::from_slice(&out)?;
        assert_eq!(value["rows"][0]["level"], "error");
        assert_eq!(value["rows"][1]["latency_ms"]["p99"], 12.125);
        Ok(())
    }
}
