//! JSON for programs. Keys are kebab-case; a document says its format and version first and only grows within one.
//!
//! Each row stands on a line of its own: documents of large files can be searched and compared with the usual tools.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use whittle_image::Warning;
use whittle_ledger::{
    Axis, Bringer, Callers, EqualItems, Findings, Forecast, GenericCopies, Keeping, NamedPackage,
    Row, Saving, SavingKind, Table, Totals, TreeEntry, TreeRow, Without,
};

use crate::options::{Options, Program};
use crate::plain::plain;
use crate::rows::{Rows, Sum};
use crate::words;

/// Writes findings as one document.
///
/// The rows are those of `findings.table`, or of `by_default` without one.
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
    let mut document = Document::open(out, "cargo-whittle/explain")?;
    document.field("file", &File(findings, options))?;
    document.field("totals", &Sums(findings.totals))?;
    document.list("notes", options.notes.iter().map(|note| Text(note)))?;
    document.list("warnings", findings.warnings.list().iter().map(Warned))?;
    document.field("warnings-left-out", &findings.warnings.suppressed())?;
    document.list("savings", findings.savings.iter().map(Saved))?;
    document.list("crates", findings.bringers.iter().map(Brought))?;
    document.list("packages", findings.file.packages.iter().map(Named))?;
    document.field(
        "axes",
        &table
            .axes
            .iter()
            .map(|axis| axis.name())
            .collect::<Vec<_>>(),
    )?;
    let rows = Rows::of(table, options);
    document.list("rows", lines(table, &rows))?;
    if let Some(keeping) = options.keeping {
        self::keeping(&mut document, keeping)?;
    }
    if let Some(full) = &findings.full {
        let tables = [
            ("kind", &full.kinds),
            ("section", &full.sections),
            ("function", &full.functions),
            ("generic", &full.generics),
            ("cause", &full.causes),
        ];
        document.key("tables")?;
        let mut inner = Document {
            out: &mut *document.out,
            indent: "    ",
            separator: "{",
        };
        for (name, table) in tables {
            let rows = Rows::of(table, options);
            inner.list(name, lines(table, &rows))?;
        }
        inner.out.write_all(b"\n  }")?;
        document.key("repeats")?;
        let mut inner = Document {
            out: &mut *document.out,
            indent: "    ",
            separator: "{",
        };
        let repeats = &full.repeats;
        inner.list("functions", repeats.functions.iter().map(Equal))?;
        inner.list("constants", repeats.constants.iter().map(Equal))?;
        inner.list("instances", repeats.instances.iter().map(Equal))?;
        inner.list("generics", repeats.generics.iter().map(Copied))?;
        inner.out.write_all(b"\n  }")?;
    }
    document.close()
}

/// What keeps what: sums, forecasts, the tree.
fn keeping(document: &mut Document<'_>, keeping: &Keeping) -> io::Result<()> {
    let shares = keeping.shares;
    let kinds: Vec<Value> = keeping
        .unreachable
        .iter()
        .map(|(kind, bytes)| json!({ "kind": kind.name(), "bytes": bytes }))
        .collect();
    document.field(
        "reach",
        &json!({
            "reachable": shares.reachable,
            "unreachable": shares.unreachable,
            "structure": shares.structure,
            "padding": shares.padding,
            "unknown": shares.unknown,
            "unreachable-kinds": kinds,
        }),
    )?;
    if let Some(forecasts) = &keeping.forecasts {
        document.list("forecasts", forecasts.iter().map(forecast))?;
    }
    if let Some(tree) = &keeping.tree {
        document.list("tree", tree.iter().map(tree_row))?;
    }
    Ok(())
}

fn forecast(forecast: &Forecast) -> Value {
    let (package, brings) = match &forecast.without {
        Without::Package { package } => (Some(package), None),
        Without::Dependency { package, brings } => (Some(package), Some(brings)),
        _ => (None, None),
    };
    json!({
        "without": forecast.without.name(),
        "package": package.map(|package| plain(package)),
        "brings": brings.map(|list| list.iter().map(|one| plain(one)).collect::<Vec<_>>()),
        "shallow": forecast.leaving.shallow,
        "retained": forecast.leaving.retained,
    })
}

fn tree_row(row: &TreeRow) -> Value {
    let (name, package, smaller) = match &row.what {
        TreeEntry::Root => (None, None, None),
        TreeEntry::Node { name, package } => (Some(plain(name)), Some(plain(package)), None),
        TreeEntry::Small { count } => (None, None, Some(count)),
    };
    json!({
        "depth": row.depth,
        "name": name,
        "package": package,
        "smaller": smaller,
        "shallow": row.leaving.shallow,
        "retained": row.leaving.retained,
    })
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
    let mut document = Document::open(out, "cargo-whittle/programs")?;
    document.list("notes", options.notes.iter().map(|note| Text(note)))?;
    document.list("programs", programs.iter().map(Listed))?;
    document.close()
}

/// A document that is written key by key, in the order of the calls.
pub(crate) struct Document<'o> {
    out: &'o mut dyn Write,
    indent: &'static str,
    /// What stands before the next key.
    separator: &'static str,
}

impl<'o> Document<'o> {
    pub(crate) fn open(out: &'o mut dyn Write, format: &str) -> io::Result<Self> {
        let mut document = Self {
            out,
            indent: "  ",
            separator: "{",
        };
        document.field("format", format)?;
        document.field("version", &1)?;
        Ok(document)
    }

    fn key(&mut self, key: &str) -> io::Result<()> {
        write!(self.out, "{}\n{}\"{key}\": ", self.separator, self.indent)?;
        self.separator = ",";
        Ok(())
    }

    pub(crate) fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> io::Result<()> {
        self.key(key)?;
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    /// A list with each element on a line of its own.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        key: &str,
        list: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        self.key(key)?;
        self.out.write_all(b"[")?;
        let mut separator = "";
        for value in list {
            write!(self.out, "{separator}\n{}  ", self.indent)?;
            serde_json::to_writer(&mut *self.out, &value)?;
            separator = ",";
        }
        if !separator.is_empty() {
            write!(self.out, "\n{}", self.indent)?;
        }
        self.out.write_all(b"]")
    }

    pub(crate) fn close(self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")
    }
}

/// Text from outside: JSON alone would let through what reverses the direction of text.
pub(crate) struct Text<'t>(pub(crate) &'t str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&plain(self.0))
    }
}

struct File<'a, 'o>(&'a Findings, &'a Options<'o>);

impl Serialize for File<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(findings, options) = self;
        let file = &findings.file;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &Text(&options.path.display().to_string()))?;
        map.serialize_entry("size", &findings.totals.file)?;
        map.serialize_entry("memory-size", &findings.totals.memory)?;
        map.serialize_entry("object-format", words::format(file.format))?;
        map.serialize_entry("kind", words::kind(file.kind))?;
        map.serialize_entry("architecture", &Text(&file.architecture))?;
        map.serialize_entry(
            "build-id",
            &file.build_id.as_deref().map(words::hexadecimal),
        )?;
        map.serialize_entry("stripped", &file.stripped)?;
        map.serialize_entry("rustc", &file.rustc.as_deref().map(Text))?;
        map.end()
    }
}

struct Sums(Totals);

impl Serialize for Sums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let totals = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("file", &totals.file)?;
        map.serialize_entry("memory", &totals.memory)?;
        map.serialize_entry("thread-local", &totals.thread_local)?;
        map.serialize_entry("exact", &totals.exact)?;
        map.serialize_entry("inferred", &totals.inferred)?;
        map.serialize_entry("unknown", &totals.unknown)?;
        map.end()
    }
}

struct Warned<'a>(&'a Warning);

impl Serialize for Warned<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("table", &Text(&self.0.table))?;
        map.serialize_entry("at", &self.0.at)?;
        map.serialize_entry("message", &Text(&self.0.message))?;
        map.end()
    }
}

struct Saved<'a>(&'a Saving);

impl Serialize for Saved<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saving = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", saving.kind.name())?;
        map.serialize_entry("bytes", &saving.bytes)?;
        map.serialize_entry("exactness", words::exactness(saving.exactness))?;
        map.serialize_entry("setting", &words::setting(&saving.kind))?;
        map.serialize_entry("price", saving.kind.price())?;
        if let SavingKind::DuplicateVersions { package, versions } = &saving.kind {
            map.serialize_entry("package", &Text(package))?;
            let versions: Vec<_> = versions.iter().map(|version| Text(version)).collect();
            map.serialize_entry("versions", &versions)?;
        }
        map.end()
    }
}

struct Equal<'a>(&'a EqualItems);

impl Serialize for Equal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("names", &texts(&self.0.names))?;
        map.serialize_entry("compiled-in", &texts(&self.0.compiled_in))?;
        map.serialize_entry("copies", &self.0.copies)?;
        map.serialize_entry("beyond-one", &self.0.beyond_one)?;
        map.end()
    }
}

struct Copied<'a>(&'a GenericCopies);

impl Serialize for Copied<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("generic", &Text(&self.0.family))?;
        map.serialize_entry("crate", &Text(&self.0.defined_in))?;
        map.serialize_entry("copies", &self.0.copies)?;
        map.serialize_entry("beyond-largest", &self.0.beyond_largest)?;
        map.serialize_entry("inner-function", &self.0.inner_function)?;
        let callers: Vec<_> = self.0.callers.iter().map(CalledFrom).collect();
        map.serialize_entry("callers", &callers)?;
        map.end()
    }
}

struct CalledFrom<'a>(&'a Callers);

impl Serialize for CalledFrom<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("crate", &Text(&self.0.label))?;
        map.serialize_entry("functions", &self.0.functions)?;
        map.serialize_entry("examples", &texts(&self.0.examples))?;
        map.end()
    }
}

fn texts(list: &[String]) -> Vec<Text<'_>> {
    list.iter().map(|text| Text(text)).collect()
}

struct Brought<'a>(&'a Bringer);

impl Serialize for Brought<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("crate", &Text(&self.0.label))?;
        map.serialize_entry("written", &self.0.written)?;
        map.serialize_entry("compiled", &self.0.compiled)?;
        map.serialize_entry("certainty", self.0.certainty.name())?;
        map.end()
    }
}

struct Named<'a>(&'a NamedPackage);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &Text(&self.0.name))?;
        map.serialize_entry("version", &Text(&self.0.version))?;
        map.serialize_entry("source", self.0.source.name())?;
        map.end()
    }
}

/// The rows that are kept, and the sum of the others.
fn lines<'a>(table: &'a Table, rows: &'a Rows<'_>) -> impl Iterator<Item = Line<'a>> {
    let axes = table.axes.as_slice();
    let kept = rows.kept.iter().map(move |row| Line::Row { axes, row });
    let out = rows.filtered_out.as_ref();
    kept.chain(out.map(|sum| Line::FilteredOut { axes, sum }))
}

enum Line<'a> {
    Row { axes: &'a [Axis], row: &'a Row },
    FilteredOut { axes: &'a [Axis], sum: &'a Sum },
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Row { axes, row } => {
                for (axis, value) in axes.iter().zip(&row.values) {
                    map.serialize_entry(axis.name(), &Text(value))?;
                }
                sums::<S>(&mut map, &Sum::of([*row]))?;
                map.serialize_entry("source", row.source.name())?;
                if let Some(copies) = row.copies {
                    map.serialize_entry("copies", &copies.count)?;
                    map.serialize_entry("largest-copy", &copies.largest)?;
                }
            }
            Self::FilteredOut { axes, sum } => {
                for axis in *axes {
                    map.serialize_entry(axis.name(), &None::<&str>)?;
                }
                sums::<S>(&mut map, sum)?;
                map.serialize_entry("source", "none")?;
                map.serialize_entry("filtered-out", &true)?;
            }
        }
        map.end()
    }
}

fn sums<S: Serializer>(map: &mut S::SerializeMap, sum: &Sum) -> Result<(), S::Error> {
    map.serialize_entry("file", &sum.file)?;
    map.serialize_entry("memory", &sum.memory)?;
    map.serialize_entry("code", &sum.code)?;
    map.serialize_entry("exact", &sum.exact)?;
    map.serialize_entry("inferred", &sum.inferred)?;
    map.serialize_entry("unknown", &sum.unknown)?;
    map.serialize_entry("certainty", sum.certainty().name())
}

struct Listed<'a>(&'a Program<'a>);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let program = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &Text(program.name))?;
        map.serialize_entry("kind", &program.kind)?;
        map.serialize_entry("path", &Text(&program.path.display().to_string()))?;
        map.serialize_entry("file", &program.findings.totals.file)?;
        map.serialize_entry("memory", &program.findings.totals.memory)?;
        map.end()
    }
}
