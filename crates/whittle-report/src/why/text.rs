//! Text for people: the answer first, then how it is reached, who holds it, what leaves with it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use whittle_ledger::{Holder, Mention, Step};

use super::words::{VERB, as_u64, asked, described, listed, root, verb};
use super::{Code, Report};
use crate::numbers::{grouped, percent};
use crate::paint::{Paint, Role};
use crate::plain::{shortened, width};
use crate::text::page::{Page, left, right};
use crate::words::explained;

/// Rows of each list.
const ROWS: usize = 8;
/// The most columns that a package takes.
const PACKAGE: usize = 26;

/// Writes the answer as text, no line wider than `columns` (or 60, whatever is more).
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    out: &mut dyn Write,
    report: &Report<'_>,
    columns: usize,
    color: bool,
) -> io::Result<()> {
    let paint = if color { Paint::Ansi } else { Paint::Plain };
    let mut page = Page::new(columns, paint);
    answer(&mut page, report);
    ways(&mut page, report);
    holders(&mut page, report);
    leaves(&mut page, report);
    dependents(&mut page, report);
    next(&mut page, report);
    for line in page.into_lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// What would leave, and what that is made of.
fn answer(page: &mut Page, report: &Report<'_>) {
    let why = report.why;
    let (shallow, retained) = (why.leaving.shallow, why.leaving.retained);
    let name = explained(&why.name);
    match report.retained() {
        Some(retained) => page.line(&[
            (
                Role::Heading,
                &format!(
                    "Without it at least {} bytes leave ({}): ",
                    grouped(retained),
                    percent(retained, report.file)
                ),
            ),
            (Role::Heading, &name),
        ]),
        None => page.line(&[
            (
                Role::Heading,
                &format!(
                    "It has {} bytes; what keeps it is not known: ",
                    grouped(shallow)
                ),
            ),
            (Role::Heading, &name),
        ]),
    }
    let mut words = described(why.kind, why.items, why.package.as_deref());
    if report.code == Code::Read {
        let more = match retained - shallow {
            0 => "nothing is kept only by it".to_owned(),
            more => format!("{} are kept only by it", grouped(more)),
        };
        words = format!("{words}, {} bytes of its own; {more}", grouped(shallow));
    }
    page.prose((Role::Body, "  "), Role::Body, &words);
    if why.unreachable > 0 && report.code == Code::Read {
        let all = if why.unreachable == shallow {
            ""
        } else {
            " of its own"
        };
        let words = format!(
            "nothing mentions {} bytes{all}: the linker left them over, or the mention is not seen",
            grouped(why.unreachable)
        );
        page.prose((Role::Body, "  "), Role::Doubt, &words);
    }
    page.prose(
        (Role::Aside, "  "),
        Role::Aside,
        &format!(
            "on disk, of {} bytes in all; a forecast: only a build without it tells",
            grouped(report.file)
        ),
    );
    page.line(&[
        (Role::Aside, "  in "),
        (Role::Body, &report.path.display().to_string()),
    ]);
    for note in report.notes {
        page.prose((Role::Aside, "note: "), Role::Aside, note);
    }
}

/// The shortest ways to it.
fn ways(page: &mut Page, report: &Report<'_>) {
    for (number, way) in report.why.ways.iter().enumerate() {
        page.blank();
        let title = if number == 0 {
            "How it is reached"
        } else {
            "… and"
        };
        page.heading(title, &format!(" ({})", steps(way.len())));
        let mut steps = way.iter();
        let Some(first) = steps.next() else { continue };
        page.line(&[(Role::Aside, &format!("  {}:", root(first.mention)))]);
        let columns = package_columns(way.iter().map(|step| step.package.as_str()));
        let mut before = None;
        for step in way {
            // A package is named where a way enters it.
            let package = if before == Some(&step.package) {
                ""
            } else {
                &step.package
            };
            before = Some(&step.package);
            line_of_way(page, step, package, columns);
        }
    }
}

fn steps(len: usize) -> String {
    match len {
        1 => "one step".to_owned(),
        _ => format!("{len} steps"),
    }
}

fn line_of_way(page: &mut Page, step: &Step, package: &str, columns: usize) {
    let package = explained(package);
    let verb = match step.mention {
        Mention::Root(_) => "",
        mention => verb(mention),
    };
    page.line(&[
        (
            Role::Aside,
            &format!("  {}  ", left(&shortened(&package, columns), columns)),
        ),
        (Role::Aside, &left(verb, VERB)),
        (Role::Body, &explained(&step.name)),
    ]);
}

/// The columns of the longest of some packages, as far as there is room.
fn package_columns<'a>(packages: impl Iterator<Item = &'a str>) -> usize {
    let longest = packages.map(|package| width(&explained(package))).max();
    longest.unwrap_or(0).min(PACKAGE)
}

/// Who mentions it, and what each alone keeps of it.
fn holders(page: &mut Page, report: &Report<'_>) {
    let holders = &report.why.holders;
    page.blank();
    if holders.is_empty() {
        page.heading("Nothing else mentions it", "");
        return;
    }
    page.prose(
        (Role::Heading, "Who holds it: "),
        Role::Body,
        &by_package(holders),
    );
    let columns = package_columns(holders.iter().map(|holder| holder.package.as_str()));
    let numbers = width(&grouped(report.why.leaving.retained)).max(9);
    let is_known = report.code == Code::Read;
    if is_known {
        page.line(&[(
            Role::Aside,
            &format!(
                "  {}  (bytes of it that leave with this one alone)",
                right("keeps", numbers)
            ),
        )]);
    }
    let shown = report.shown(ROWS, holders.len());
    for holder in &holders[..shown] {
        let keeps = if is_known {
            format!("  {}", right(&grouped(holder.keeps_of_it), numbers))
        } else {
            String::new()
        };
        let package = explained(&holder.package);
        let name = holder.name.as_deref().unwrap_or(root(holder.mention));
        page.line(&[
            (Role::Body, &keeps),
            (
                Role::Aside,
                &format!("  {}  ", left(&shortened(&package, columns), columns)),
            ),
            (Role::Body, &explained(name)),
            (
                Role::Doubt,
                if holder.is_reachable || !is_known {
                    ""
                } else {
                    "  (kept by nothing itself)"
                },
            ),
        ]);
    }
    more(page, holders.len() - shown);
}

fn more(page: &mut Page, count: usize) {
    if count > 0 {
        page.line(&[
            (Role::Body, &format!("  … {} more", grouped(as_u64(count)))),
            (Role::Aside, "  (-n 0 lists all)"),
        ]);
    }
}

/// How many holders each package has, the most first.
fn by_package(holders: &[Holder]) -> String {
    /// So many are named.
    const NAMED: usize = 3;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for holder in holders.iter().filter(|holder| holder.name.is_some()) {
        *counts.entry(&holder.package).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(package, count)| (std::cmp::Reverse(count), package));
    let mut words: Vec<String> = counts
        .iter()
        .take(NAMED)
        .map(|&(package, count)| format!("{} in {}", grouped(as_u64(count)), explained(package)))
        .collect();
    if counts.len() > NAMED {
        let rest: usize = counts[NAMED..].iter().map(|(_, count)| count).sum();
        words.push(format!("{} elsewhere", grouped(as_u64(rest))));
    }
    if holders.iter().any(|holder| holder.name.is_none()) {
        words.push("the program itself".to_owned());
    }
    words.join(", ")
}

/// What else would leave, and the largest parts of it.
fn leaves(page: &mut Page, report: &Report<'_>) {
    let why = report.why;
    let numbers = width(&grouped(why.leaving.retained)).max(9);
    if !why.kept.is_empty() && report.code == Code::Read {
        page.blank();
        page.heading("What is kept only by it", " (bytes on disk)");
        let columns = package_columns(why.kept.iter().map(|kept| kept.package.as_str()));
        let shown = report.shown(ROWS, why.kept.len());
        for kept in &why.kept[..shown] {
            let others = match kept.items - 1 {
                0 => String::new(),
                others => format!("  and {} more", grouped(as_u64(others))),
            };
            let package = explained(&kept.package);
            let lead = format!(
                "  {}  {}  ",
                right(&grouped(kept.bytes), numbers),
                left(&shortened(&package, columns), columns)
            );
            // The name gives way to how many there are.
            let room = page.width().saturating_sub(width(&lead) + width(&others));
            page.line(&[
                (Role::Body, &lead),
                (Role::Body, &shortened(&explained(&kept.largest), room)),
                (Role::Aside, &others),
            ]);
        }
        more(page, why.kept.len() - shown);
    }
    if !why.parts.is_empty() {
        page.blank();
        let aside = if report.code == Code::Read {
            " (bytes that would leave with each alone)"
        } else {
            " (bytes on disk)"
        };
        page.heading("Its parts that matter most", aside);
        for (name, leaving) in &why.parts {
            page.line(&[
                (
                    Role::Body,
                    &format!("  {}  ", right(&grouped(leaving.retained), numbers)),
                ),
                (Role::Body, &explained(name)),
            ]);
        }
    }
}

/// Who depends on a package.
fn dependents(page: &mut Page, report: &Report<'_>) {
    let Some(dependents) = report.dependents else {
        return;
    };
    page.blank();
    if dependents.list.is_empty() {
        page.heading("No package of the build depends on it", "");
    } else {
        page.heading("Which packages depend on it", "");
    }
    for dependent in &dependents.list {
        let label = format!("{}@{}", dependent.package, dependent.version);
        page.prose(
            (Role::Body, &format!("  {}: ", explained(&label))),
            Role::Body,
            &asked(dependent),
        );
    }
    if let Some(features) = listed("features that are on:", &dependents.features) {
        page.prose((Role::Aside, "  "), Role::Aside, &features);
    }
}

/// What to type next.
fn next(page: &mut Page, report: &Report<'_>) {
    page.blank();
    page.heading("Next: the same command with", "");
    let mut ways = Vec::new();
    let reached = report
        .why
        .holders
        .iter()
        .filter(|holder| holder.is_reachable);
    if reached.count() > report.why.ways.len() && !report.why.ways.is_empty() {
        ways.push(("--paths 5", "other ways to it"));
    }
    if report.why.ways.is_empty() {
        ways.push(("-n 0", "all rows"));
    } else {
        ways.push(("--format dot", "a picture, through `dot -Tsvg`"));
    }
    for (way, gives) in ways {
        page.line(&[(Role::Typed, &format!("  {way:<16}")), (Role::Body, gives)]);
    }
}
