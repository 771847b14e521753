//! The tiling itself, piece by piece, so that anyone can judge it byte by byte. Written as it is walked: a large file
//! has millions of pieces.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use whittle_ledger::{Axis, Certainty, Ledger, Owner, Source, Span, Table};

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
/// The weakest of what is said, and who uses a constant that no source names.
const TAIL: [&str; 3] = ["certainty", "source", "users"];
/// How many users of one constant are named.
const MAX_USERS: usize = 16;

/// Writes CSV with the columns `start length section offset owner`, every axis but the section, `certainty source users`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn csv(out: &mut dyn Write, ledger: &Ledger<'_>) -> io::Result<()> {
    let mut lines = Lines::to(out);
    let names = LEAD.into_iter().chain(AXES.map(Axis::name)).chain(TAIL);
    lines.write(names.map(Cow::Borrowed))?;
    for (span, values, certainty, source) in Table::of_spans(ledger, &AXES) {
        let users = users(ledger, &span);
        let offset = span
            .place
            .map_or(String::new(), |place| place.offset.to_string());
        let lead = [
            Cow::Owned(span.start.to_string()),
            Cow::Owned(span.len.to_string()),
            text(span.container),
            Cow::Owned(offset),
            Cow::Borrowed(owner(ledger, &span)),
        ];
        let values = values.iter().map(|value| text(value));
        let users = users.join("; ");
        let tail = [
            Cow::Borrowed(certainty.name()),
            Cow::Borrowed(source.name()),
            text(&users),
        ];
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
            owner: owner(ledger, &span),
            users: &users(ledger, &span),
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
    owner: &'static str,
    users: &'a [String],
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
        map.serialize_entry("owner", self.owner)?;
        for (axis, value) in AXES.iter().zip(self.values) {
            map.serialize_entry(axis.name(), &Text(value))?;
        }
        map.serialize_entry("certainty", self.certainty.name())?;
        map.serialize_entry("source", self.source.name())?;
        let users: Vec<Text<'_>> = self.users.iter().map(|user| Text(user)).collect();
        map.serialize_entry("users", &users)?;
        map.end()
    }
}

/// What sort of owner a piece has: a constant that several items use is shared by them.
fn owner(ledger: &Ledger<'_>, span: &Span<'_>) -> &'static str {
    match span.owner {
        Owner::Item(id) if ledger.users(id).len() > 1 => words::SHARED,
        owner => words::owner(owner),
    }
}

/// Who uses a constant that no source names.
fn users(ledger: &Ledger<'_>, span: &Span<'_>) -> Vec<String> {
    let Owner::Item(id) = span.owner else {
        return Vec::new();
    };
    let users = ledger.users(id);
    let mut names: Vec<String> = users
        .iter()
        .take(MAX_USERS)
        .map(|&user| ledger.item_name(user))
        .collect();
    if let Some(more @ 1..) = users.len().checked_sub(MAX_USERS) {
        names.push(format!("({more} more)"));
    }
    names
}
