//! The tiling itself, piece by piece, so that anyone can judge it byte by byte. Written as it is walked: a large file
//! has millions of pieces.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use whittle_ledger::{Axis, Certainty, Ledger, Source, Span, Table};

use crate::csv::{Lines, text};
use crate::json::Text;
use crate::words;

/// The place of a piece, and what sort of owner it has.
const LEAD: [&str; 5] = ["start", "length", "section", "offset", "owner"];
/// All axes but the section, which is part of the place.
const AXES: [Axis; 9] = [
    Axis::Kind,
    Axis::Member,
    Axis::Segment,
    Axis::Crate,
    Axis::CompiledIn,
    Axis::Module,
    Axis::Function,
    Axis::Generic,
    Axis::Cause,
];
/// The weakest of what is said.
const TAIL: [&str; 2] = ["certainty", "source"];

/// Writes CSV with the columns `start length section offset owner`, every axis but the section, `certainty source`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn csv(out: &mut dyn Write, ledger: &Ledger<'_>) -> io::Result<()> {
    let mut lines = Lines::to(out);
    let names = LEAD.into_iter().chain(AXES.map(Axis::name)).chain(TAIL);
    lines.write(names.map(Cow::Borrowed))?;
    for (span, values, certainty, source) in Table::of_spans(ledger, &AXES) {
        let offset = span
            .place
            .map_or(String::new(), |place| place.offset.to_string());
        let lead = [
            Cow::Owned(span.start.to_string()),
            Cow::Owned(span.len.to_string()),
            text(span.container),
            Cow::Owned(offset),
            Cow::Borrowed(words::owner(span.owner)),
        ];
        let values = values.iter().map(|value| text(value));
        let tail = [certainty.name(), source.name()].map(Cow::Borrowed);
        lines.write(lead.into_iter().chain(values).chain(tail))?;
    }
    lines.finish()
}

/// Writes one JSON object a line, with the same names in the same order.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(out: &mut dyn Write, ledger: &Ledger<'_>) -> io::Result<()> {
    for (span, values, certainty, source) in Table::of_spans(ledger, &AXES) {
        let piece = Piece {
            span: &span,
            values: &values,
            certainty,
            source,
        };
        serde_json::to_writer(&mut *out, &piece)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

struct Piece<'a> {
    span: &'a Span<'a>,
    values: &'a [String],
    certainty: Certainty,
    source: Source,
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span = self.span;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("start", &span.start)?;
        map.serialize_entry("length", &span.len)?;
        map.serialize_entry("section", &Text(span.container))?;
        map.serialize_entry("offset", &span.place.map(|place| place.offset))?;
        map.serialize_entry("owner", words::owner(span.owner))?;
        for (axis, value) in AXES.iter().zip(self.values) {
            map.serialize_entry(axis.name(), &Text(value))?;
        }
        map.serialize_entry("certainty", self.certainty.name())?;
        map.serialize_entry("source", self.source.name())?;
        map.end()
    }
}
