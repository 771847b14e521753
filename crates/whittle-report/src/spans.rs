//! The tiling itself, piece by piece, so that anyone can judge it byte by byte. Written as it is walked: a large file
//! has millions of pieces.

use std::io::{self, Write};

use serde_json::{Map, Value};
use whittle_ledger::{Axis, Certainty, Ledger, Owner, Source, Span, Table};

use crate::csv::{io_error, safe};
use crate::words::shown;

/// Writes CSV with the columns `start length section offset owner`, every axis but the section, `certainty source`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn csv(out: &mut dyn Write, ledger: &Ledger<'_>) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    let axes = axes();
    let lead = ["start", "length", "section", "offset", "owner"];
    writer
        .write_record(
            lead.into_iter()
                .chain(axes.iter().map(|axis| axis.name()))
                .chain(["certainty", "source"]),
        )
        .map_err(io_error)?;
    for (span, values, certainty, source) in Table::of_spans(ledger, &axes) {
        let piece = Piece::of(&span, certainty, source);
        let lead = [
            span.start.to_string(),
            span.len.to_string(),
            safe(span.container),
            piece
                .offset
                .map_or(String::new(), |offset| offset.to_string()),
            piece.owner.to_owned(),
        ];
        let values = values.iter().map(|value| safe(value));
        let tail = [piece.certainty.to_owned(), piece.source.to_owned()];
        writer
            .write_record(lead.into_iter().chain(values).chain(tail))
            .map_err(io_error)?;
    }
    writer.flush()
}

/// Writes one JSON object a line, with the same names.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(out: &mut dyn Write, ledger: &Ledger<'_>) -> io::Result<()> {
    let axes = axes();
    for (span, values, certainty, source) in Table::of_spans(ledger, &axes) {
        let piece = Piece::of(&span, certainty, source);
        let mut line = Map::new();
        line.insert("start".into(), span.start.into());
        line.insert("length".into(), span.len.into());
        line.insert("section".into(), shown(span.container).into());
        line.insert(
            "offset".into(),
            piece.offset.map_or(Value::Null, Into::into),
        );
        line.insert("owner".into(), piece.owner.into());
        for (axis, value) in axes.iter().zip(values) {
            line.insert(axis.name().into(), value.into());
        }
        line.insert("certainty".into(), piece.certainty.into());
        line.insert("source".into(), piece.source.into());
        serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// All axes but the section, which has a column of its own.
fn axes() -> Vec<Axis> {
    Axis::ALL
        .into_iter()
        .filter(|axis| *axis != Axis::Section)
        .collect()
}

struct Piece {
    offset: Option<u64>,
    owner: &'static str,
    certainty: &'static str,
    source: &'static str,
}

impl Piece {
    fn of(span: &Span<'_>, certainty: Certainty, source: Source) -> Self {
        Self {
            offset: span.place.map(|place| place.offset),
            owner: match span.owner {
                Owner::Item(_) => "item",
                Owner::Shared(_) => "shared",
                Owner::Structure(_) => "structure",
                Owner::Padding => "padding",
                Owner::Unknown => "unknown",
            },
            certainty: certainty.name(),
            source: source.name(),
        }
    }
}
