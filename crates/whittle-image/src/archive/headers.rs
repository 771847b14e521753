//! The records of an archive: each a header of 60 bytes and contents, in all forms.

use std::ops::Range;

use super::symbol_index::Form;
use crate::error::Warnings;
use crate::place::{FileRange, slice};

/// What an archive starts with.
pub(super) const MAGIC: &[u8] = b"!<arch>\n";

/// Name, date, owner, group, mode, size, and the two bytes that end it.
const HEADER_LEN: u64 = 60;
const NAME: Range<usize> = 0..16;
const SIZE: Range<usize> = 48..58;
const END: Range<usize> = 58..60;
/// Libraries for Windows have two indexes.
const MAX_INDEXES: usize = 2;

/// One record. Records are in ascending order and disjoint.
pub(super) struct Record<'data> {
    /// The header, with the name behind it where it stands there (BSD).
    pub(super) header: FileRange,
    /// The contents, clipped to the file.
    pub(super) contents: FileRange,
    /// What it is.
    pub(super) entry: Entry<'data>,
}

/// What a record is.
pub(super) enum Entry<'data> {
    /// A member, with its name.
    Member(&'data [u8]),
    /// Which member defines which symbol.
    SymbolIndex(Form),
    /// Names that do not fit into headers.
    LongNames,
}

/// Reads all records up to the first that is none.
pub(super) fn read<'data>(data: &'data [u8], warnings: &mut Warnings) -> Vec<Record<'data>> {
    let file_len = u64::try_from(data.len()).unwrap_or(u64::MAX);
    let mut records = Vec::new();
    let mut long_names: &[u8] = &[];
    let mut indexes = 0;
    let mut at = u64::try_from(MAGIC.len()).unwrap_or(u64::MAX);
    while at < file_len {
        let Some(header) = slice(data, &(at..at.saturating_add(HEADER_LEN))) else {
            warnings.push("archive", Some(at), "the header of a member is cut off");
            break;
        };
        let Some(size) = decimal(&header[SIZE]).filter(|_| header[END] == *b"`\n") else {
            warnings.push(
                "archive",
                Some(at),
                "no header of a member stands where one should",
            );
            break;
        };
        let start = at + HEADER_LEN;
        let end = start.saturating_add(size);
        if end > file_len {
            warnings.push(
                "archive",
                Some(at),
                "a member ends past the end of the file",
            );
        }
        let end = end.min(file_len);
        let (name, start) = name(data, &header[NAME], start..end, long_names);
        let entry = entry(name, indexes);
        match entry {
            Entry::LongNames => long_names = slice(data, &(start..end)).unwrap_or_default(),
            Entry::SymbolIndex(_) => indexes += 1,
            Entry::Member(_) => {}
        }
        records.push(Record {
            header: at..start,
            contents: start..end,
            entry,
        });
        // Records start at even positions.
        at = end + end % 2;
    }
    records
}

/// What a record is, by its name and how many indexes there were before it.
fn entry(name: &[u8], indexes: usize) -> Entry<'_> {
    match name {
        // A hostile archive has more, and each costs a look at the symbols of all members.
        b"/" | b"/SYM64/" if indexes >= MAX_INDEXES => Entry::SymbolIndex(Form::Unknown),
        _ if indexes >= MAX_INDEXES && name.starts_with(b"__.SYMDEF") => {
            Entry::SymbolIndex(Form::Unknown)
        }
        // Libraries for Windows have a second one of another form.
        b"/" if indexes == 0 => Entry::SymbolIndex(Form::SystemV),
        b"/" => Entry::SymbolIndex(Form::Windows),
        b"/SYM64/" => Entry::SymbolIndex(Form::SystemV64),
        b"__.SYMDEF" | b"__.SYMDEF SORTED" => Entry::SymbolIndex(Form::Bsd),
        b"__.SYMDEF_64" | b"__.SYMDEF_64 SORTED" => Entry::SymbolIndex(Form::Bsd64),
        b"/<ECSYMBOLS>/" | b"/<XFGHASHMAP>/" | b"/<HYBRIDMAP>/" => {
            Entry::SymbolIndex(Form::Unknown)
        }
        b"//" | b"ARFILENAMES/" => Entry::LongNames,
        _ => Entry::Member(name),
    }
}

/// The name of a record, and where its contents start.
fn name<'data>(
    data: &'data [u8],
    field: &'data [u8],
    contents: FileRange,
    long_names: &'data [u8],
) -> (&'data [u8], u64) {
    let short = field.trim_ascii_end();
    // BSD: `#1/LENGTH`, and the name is the first part of the contents, filled up with zeros.
    if let Some(len) = short.strip_prefix(b"#1/").and_then(decimal) {
        let end = contents.start.saturating_add(len).min(contents.end);
        let name = slice(data, &(contents.start..end)).unwrap_or_default();
        return (up_to(name, 0), end);
    }
    // System V: `/POSITION` in the table of long names.
    if let Some(position) = short.strip_prefix(b"/").and_then(decimal) {
        let long = usize::try_from(position)
            .ok()
            .and_then(|position| long_names.get(position..));
        let name = long.map_or(short, |long| up_to(up_to(long, b'\n'), 0));
        return (without_slash(name), contents.start);
    }
    match short {
        b"/" | b"//" | b"ARFILENAMES/" => (short, contents.start),
        _ if short.starts_with(b"/") => (short, contents.start),
        _ => (without_slash(short), contents.start),
    }
}

fn without_slash(name: &[u8]) -> &[u8] {
    name.strip_suffix(b"/").unwrap_or(name)
}

fn up_to(bytes: &[u8], end: u8) -> &[u8] {
    let at = memchr::memchr(end, bytes).unwrap_or(bytes.len());
    &bytes[..at]
}

/// A decimal number that spaces fill up.
fn decimal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
