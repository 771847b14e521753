//! Tables along axes: numbers at the left, names at the right, where they can be as long as the page allows.

use std::cmp::Reverse;

use whittle_ledger::{Axis, Findings, FullTables, NamedPackage, Row, Table};

use super::page::{Page, left, right};
use super::summary::{number_width, padded, padded_width};
use crate::numbers::grouped;
use crate::options::{Options, Sort};
use crate::paint::Role;
use crate::plain::{plain, shortened, width};
use crate::rows::{Rows, Sum, beyond_largest, how_many, keeps};
use crate::words::{explained, mark};

/// Rows of a table of the user's own.
const ROWS: usize = 20;
/// Rows of each table of the full report.
pub(super) const FULL_ROWS: usize = 20;
/// Sections are few, and each is worth a line.
const SECTION_ROWS: usize = 40;
/// All causes.
const CAUSE_ROWS: usize = 22;
/// Columns between names.
const GAP: usize = 2;

/// A column of numbers behind the bytes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    InMemory,
    Code,
    Copies,
    Beyond,
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::InMemory => "in memory",
            Self::Code => "code",
            Self::Copies => "copies",
            Self::Beyond => "beyond largest",
        }
    }

    fn of(self, sum: &Sum) -> u64 {
        match self {
            Self::InMemory => sum.memory,
            Self::Code => sum.code,
            Self::Copies => sum.copies,
            Self::Beyond => sum.beyond,
        }
    }
}

/// The table that was asked for.
pub(super) fn asked(page: &mut Page, table: &Table, options: &Options<'_>) {
    let columns: &[Column] = if table.axes == [Axis::Generic] {
        &[
            Column::InMemory,
            Column::Code,
            Column::Beyond,
            Column::Copies,
        ]
    } else {
        &[Column::InMemory, Column::Code]
    };
    rows(page, table, columns, options, ROWS);
}

/// The tables of the full report.
pub(super) fn full(page: &mut Page, full: &FullTables, options: &Options<'_>) {
    let mut part = |title: &str, aside: &str, table: &Table, column, default| {
        page.blank();
        page.heading(title, aside);
        rows(page, table, &[column], options, default);
    };
    part(
        "Why it is there",
        "",
        &full.causes,
        Column::InMemory,
        CAUSE_ROWS,
    );
    part("What it is", "", &full.kinds, Column::InMemory, FULL_ROWS);
    part(
        "Where it is",
        "",
        &full.sections,
        Column::InMemory,
        SECTION_ROWS,
    );
    part(
        "Functions and constants",
        " (on disk: with all that describes them)",
        &full.functions,
        Column::Code,
        FULL_ROWS,
    );
    page.blank();
    page.heading("Generic functions with several copies", " (bytes of code)");
    copies(page, &full.generics, options);
}

/// What each thread has for itself.
pub(super) fn threads(page: &mut Page, findings: &Findings) {
    if findings.totals.thread_local > 0 {
        page.blank();
        page.line(&[(
            Role::Body,
            &format!(
                "Each thread has {} bytes of its own in memory besides.",
                grouped(findings.totals.thread_local)
            ),
        )]);
    }
}

/// Writes a table. Where names would be cut, the column of memory gives way to them unless the rows are sorted by it.
fn rows(page: &mut Page, table: &Table, columns: &[Column], options: &Options<'_>, default: usize) {
    let rows = Rows::of(table, options);
    let (shown, rest) = rows.cut(options.rows, default);
    let cells: Vec<Vec<String>> = shown.iter().map(|row| labels(row)).collect();
    let needs = Names::needs(table, &cells);
    let mut numbers = Numbers::of(columns, &rows.total);
    let room = |numbers: &Numbers| page.width().saturating_sub(numbers.width());
    if columns.len() > 1 && options.sort != Sort::Memory && Names::width(&needs) > room(&numbers) {
        let others: Vec<Column> = columns
            .iter()
            .copied()
            .filter(|column| *column != Column::InMemory)
            .collect();
        numbers = Numbers::of(&others, &rows.total);
    }
    let names = Names::fit(needs, room(&numbers));

    let titles: Vec<&str> = table.axes.iter().map(|axis| axis.name()).collect();
    page.line(&[
        (Role::Aside, &numbers.titles()),
        (Role::Aside, &names.line(&titles)),
    ]);
    let mut row = |sum: &Sum, mark: &str, role: Role, label: &str, aside: &str| {
        page.line(&[
            (role, &format!("  {}", padded(sum.file, numbers.whole))),
            (Role::Doubt, &format!(" {mark}")),
            (role, &numbers.behind(sum)),
            (role, label),
            (Role::Aside, aside),
        ]);
    };
    for (one, cells) in shown.iter().zip(&cells) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        row(
            &Sum::of([*one]),
            mark(one.certainty()),
            Role::Body,
            &names.line(&cells),
            "",
        );
    }
    if let Some(rest) = rest {
        let label = format!("… {} more", rest.rows);
        let mark = mark(rest.certainty());
        row(&rest, mark, Role::Body, &label, "  (-n 0 lists all)");
    }
    if let Some(out) = rows.filtered_out {
        let label = format!("(filtered out: {})", out.rows);
        row(&out, mark(out.certainty()), Role::Body, &label, "");
    }
    row(&rows.total, " ", Role::Heading, "all", "");
}

/// The columns of numbers: bytes on disk with their share and mark, then others.
struct Numbers {
    whole: u64,
    others: Vec<(Column, usize)>,
}

impl Numbers {
    fn of(columns: &[Column], total: &Sum) -> Self {
        let width = |column: Column| width(&grouped(column.of(total))).max(column.title().len());
        Self {
            whole: total.file,
            others: columns
                .iter()
                .map(|column| (*column, width(*column)))
                .collect(),
        }
    }

    /// Columns before the names.
    fn width(&self) -> usize {
        let others: usize = self.others.iter().map(|(_, columns)| columns + 2).sum();
        2 + padded_width(self.whole) + 2 + others + 1
    }

    fn titles(&self) -> String {
        let disk = number_width(self.whole);
        let share = padded_width(self.whole).saturating_sub(disk);
        let mut titles = format!("  {}{}   ", right("on disk", disk), right("%", share));
        for (column, columns) in &self.others {
            titles.push_str(&right(column.title(), *columns));
            titles.push_str("  ");
        }
        titles
    }

    /// What stands behind the mark.
    fn behind(&self, sum: &Sum) -> String {
        let cell = |(column, columns): &(Column, usize)| {
            // What is no generic function has no copies, rather than none.
            let is_about_copies = matches!(column, Column::Copies | Column::Beyond);
            let text = if is_about_copies && sum.copies == 0 {
                String::new()
            } else {
                grouped(column.of(sum))
            };
            format!("{}  ", right(&text, *columns))
        };
        format!(" {}", self.others.iter().map(cell).collect::<String>())
    }
}

fn labels(row: &Row) -> Vec<String> {
    row.values
        .iter()
        .map(|value| explained(value).into_owned())
        .collect()
}

/// The widths of columns of names.
struct Names {
    widths: Vec<usize>,
}

impl Names {
    /// What each column needs to show everything.
    fn needs(table: &Table, cells: &[Vec<String>]) -> Vec<usize> {
        let mut needs: Vec<usize> = table.axes.iter().map(|axis| axis.name().len()).collect();
        for row in cells {
            for (need, cell) in needs.iter_mut().zip(row) {
                *need = (*need).max(width(cell));
            }
        }
        needs
    }

    /// All columns with the gaps between them.
    fn width(needs: &[usize]) -> usize {
        needs.iter().sum::<usize>() + GAP * needs.len().saturating_sub(1)
    }

    /// Each column gets what it needs; where that is too much, the widest give way first.
    fn fit(mut needs: Vec<usize>, room: usize) -> Self {
        let mut room = room.saturating_sub(GAP * needs.len().saturating_sub(1));
        let mut order: Vec<usize> = (0..needs.len()).collect();
        order.sort_by_key(|&column| needs[column]);
        for (done, &column) in order.iter().enumerate() {
            let share = room / (needs.len() - done);
            needs[column] = needs[column].min(share);
            room -= needs[column];
        }
        Self { widths: needs }
    }

    fn line(&self, cells: &[&str]) -> String {
        let cells: Vec<String> = cells
            .iter()
            .zip(&self.widths)
            .map(|(cell, columns)| left(&shortened(cell, *columns), *columns))
            .collect();
        cells.join(&" ".repeat(GAP))
    }
}

/// The packages that the file itself names, on as few lines as they take.
pub(super) fn packages(page: &mut Page, packages: &[NamedPackage]) {
    if packages.is_empty() {
        return;
    }
    page.blank();
    let aside = " (in audit data, or by the paths of source files)";
    page.heading(
        &format!("Packages that the file itself names: {}", packages.len()),
        aside,
    );
    let list: Vec<String> = packages
        .iter()
        .map(|package| format!("{}@{}", plain(&package.name), plain(&package.version)))
        .collect();
    page.prose((Role::Body, "  "), Role::Body, &list.join(", "));
}

/// Generic functions that exist more than once, by the bytes beyond their largest copy.
fn copies(page: &mut Page, generics: &Table, options: &Options<'_>) {
    let mut families: Vec<Copied<'_>> = generics.rows.iter().filter_map(Copied::of).collect();
    if families.is_empty() {
        page.line(&[(Role::Body, "  none")]);
        return;
    }
    let all = Copied::sum(&families);
    let before = families.len();
    families.retain(|family| keeps(options, Axis::Generic, family.name));
    let kept = Copied::sum(&families);
    let out = before - families.len();
    families.sort_by_key(|family| {
        let key = match options.sort {
            Sort::Name => 0,
            Sort::Code => family.code,
            Sort::Copies => family.copies,
            Sort::File | Sort::Memory => family.beyond,
        };
        (Reverse(key), family.name)
    });
    let numbers = [
        ("in all", width(&grouped(all.code)).max(9)),
        ("beyond the largest", 18),
        ("copies", width(&grouped(all.copies)).max(6)),
    ];
    let aligned = |cells: [&str; 3]| {
        let mut line = String::new();
        for (cell, (_, columns)) in cells.iter().zip(&numbers) {
            line.push_str("  ");
            line.push_str(&right(cell, *columns));
        }
        line
    };
    let titles = numbers.map(|(title, _)| title);
    page.line(&[(Role::Aside, &aligned(titles)), (Role::Aside, "  function")]);
    let mut row = |family: &Copied<'_>, role: Role, label: &str, aside: &str| {
        let cells = [family.code, family.beyond, family.copies].map(grouped);
        let cells = aligned(cells.each_ref().map(String::as_str));
        page.line(&[
            (role, &cells),
            (role, "  "),
            (role, label),
            (Role::Aside, aside),
        ]);
    };
    let (shown, rest) = families.split_at(how_many(options.rows, FULL_ROWS, families.len()));
    for family in shown {
        row(family, Role::Body, &explained(family.name), "");
    }
    if !rest.is_empty() {
        let label = format!("… {} more", rest.len());
        row(&Copied::sum(rest), Role::Body, &label, "  (-n 0 lists all)");
    }
    if out > 0 {
        let label = format!("(filtered out: {out})");
        row(&all.without(&kept), Role::Body, &label, "");
    }
    row(&all, Role::Heading, "all", "");
}

/// A generic function with several copies.
#[derive(Debug, Clone, Copy, Default)]
struct Copied<'t> {
    name: &'t str,
    copies: u64,
    code: u64,
    beyond: u64,
}

impl<'t> Copied<'t> {
    fn of(row: &'t Row) -> Option<Self> {
        let copies = row.copies.filter(|copies| copies.count > 1)?;
        Some(Self {
            name: row.values.first()?,
            copies: copies.count,
            code: row.code,
            beyond: beyond_largest(row),
        })
    }

    fn sum(families: &[Self]) -> Copied<'static> {
        families
            .iter()
            .fold(Copied::default(), |sum, family| Copied {
                name: "",
                copies: sum.copies.saturating_add(family.copies),
                code: sum.code.saturating_add(family.code),
                beyond: sum.beyond.saturating_add(family.beyond),
            })
    }

    fn without(&self, part: &Self) -> Self {
        Self {
            name: "",
            copies: self.copies.saturating_sub(part.copies),
            code: self.code.saturating_sub(part.code),
            beyond: self.beyond.saturating_sub(part.beyond),
        }
    }
}
