//! What would leave without each dependency, and what keeps what.

use std::collections::BTreeMap;

use whittle_ledger::{Forecast, Keeping, Leaving, TreeEntry, TreeRow, Without};

use super::page::{Page, right};
use super::summary::{number_width, padded, padded_width};
use crate::numbers::{grouped, percent};
use crate::options::Options;
use crate::paint::Role;
use crate::rows::how_many;
use crate::words::{explained, machinery};

/// Rows of the table of dependencies.
const ROWS: usize = 20;
/// Rows of the tree.
const TREE_ROWS: usize = 40;

/// Forecasts, the tree, and what nothing keeps.
pub(super) fn keeping(page: &mut Page, keeping: &Keeping, options: &Options<'_>) {
    let shares = keeping.shares;
    let whole =
        shares.reachable + shares.unreachable + shares.structure + shares.padding + shares.unknown;
    if let Some(forecasts) = &keeping.forecasts {
        self::forecasts(page, forecasts, whole, options);
        page.blank();
        unreachable(page, keeping, whole);
    }
    if let Some(tree) = &keeping.tree {
        if keeping.forecasts.is_some() {
            page.blank();
        }
        self::tree(page, tree, whole, options);
    }
}

/// A package: by itself, and with all that only it brings.
struct Dependency<'a> {
    label: &'a str,
    alone: Leaving,
    brings: Option<(&'a [String], Leaving)>,
}

fn forecasts(page: &mut Page, forecasts: &[Forecast], whole: u64, options: &Options<'_>) {
    let mut dependencies: Vec<Dependency<'_>> = Vec::new();
    let mut brings: BTreeMap<&str, (&[String], Leaving)> = BTreeMap::new();
    for forecast in forecasts {
        match &forecast.without {
            Without::Package { package } => dependencies.push(Dependency {
                label: package,
                alone: forecast.leaving,
                brings: None,
            }),
            Without::Dependency {
                package,
                brings: list,
            } => {
                brings.insert(package, (list, forecast.leaving));
            }
            _ => {}
        }
    }
    for dependency in &mut dependencies {
        dependency.brings = brings.get(dependency.label).copied();
    }
    page.heading(
        "What at least would leave without it",
        " (bytes on disk; forecasts, not yet built)",
    );
    let has_brings = !brings.is_empty();
    let column = padded_width(whole);
    let second = if has_brings {
        format!("  {}", right("with what it brings", 19))
    } else {
        String::new()
    };
    page.line(&[(
        Role::Aside,
        &format!(
            "  {}  {}{second}  dependency",
            right("leaves", column),
            right("its own", number_width(whole))
        ),
    )]);
    let shown = how_many(options.rows, ROWS, dependencies.len());
    for dependency in &dependencies[..shown] {
        let with_brings = match dependency.brings {
            _ if !has_brings => String::new(),
            Some((_, leaving)) => format!("  {}", right(&grouped(leaving.retained), 19)),
            None => " ".repeat(21),
        };
        let brought = dependency.brings.map_or(String::new(), |(list, _)| {
            format!("  (brings {})", list.len())
        });
        page.line(&[
            (
                Role::Body,
                &format!(
                    "  {}  {}{with_brings}  ",
                    padded(dependency.alone.retained, whole),
                    right(&grouped(dependency.alone.shallow), number_width(whole))
                ),
            ),
            (Role::Body, &explained(dependency.label)),
            (Role::Aside, &brought),
        ]);
    }
    if let more @ 1.. = dependencies.len() - shown {
        page.line(&[
            (Role::Body, &format!("  … {more} more")),
            (Role::Aside, "  (-n 0 lists all)"),
        ]);
    }
    for forecast in forecasts {
        let Some(what) = machinery(&forecast.without) else {
            continue;
        };
        let with_brings = if has_brings {
            " ".repeat(21)
        } else {
            String::new()
        };
        page.line(&[
            (
                Role::Body,
                &format!(
                    "  {}  {}{with_brings}  ",
                    padded(forecast.leaving.retained, whole),
                    right(&grouped(forecast.leaving.shallow), number_width(whole))
                ),
            ),
            (Role::Body, what),
            (Role::Aside, "  (standard library)"),
        ]);
    }
    page.prose(
        (Role::Body, "  "),
        Role::Aside,
        "Rows overlap: what two of them keep together leaves with neither alone.",
    );
}

/// What nothing keeps.
fn unreachable(page: &mut Page, keeping: &Keeping, whole: u64) {
    /// So many kinds are named.
    const NAMED: usize = 3;
    let bytes = keeping.shares.unreachable;
    if bytes == 0 {
        page.line(&[(
            Role::Body,
            "Something mentions every function and constant.",
        )]);
        return;
    }
    let kinds = keeping.unreachable.iter().take(NAMED);
    let kinds: Vec<String> = kinds
        .map(|(kind, bytes)| format!("{} {}", kind.name(), grouped(*bytes)))
        .collect();
    page.prose(
        (Role::Body, ""),
        Role::Body,
        &format!(
            "Nothing mentions {} bytes ({}), which linkers may leave over: {}.",
            grouped(bytes),
            percent(bytes, whole),
            kinds.join(", ")
        ),
    );
}

fn tree(page: &mut Page, tree: &[TreeRow], whole: u64, options: &Options<'_>) {
    page.heading(
        "What keeps what",
        " (bytes on disk that leave with it, and its own)",
    );
    page.line(&[(
        Role::Aside,
        &format!(
            "  {}  {}",
            right("leaves", padded_width(whole)),
            right("its own", number_width(whole))
        ),
    )]);
    let shown = how_many(options.rows, TREE_ROWS, tree.len());
    for row in &tree[..shown] {
        let own = match row.what {
            TreeEntry::Node { .. } => grouped(row.leaving.shallow),
            TreeEntry::Root | TreeEntry::Small { .. } => String::new(),
        };
        let lead = format!(
            "  {}  {}  {}",
            padded(row.leaving.retained, whole),
            right(&own, number_width(whole)),
            "  ".repeat(row.depth.min(MAX_INDENT))
        );
        match &row.what {
            TreeEntry::Root => page.line(&[(Role::Body, &lead), (Role::Heading, "the program")]),
            TreeEntry::Node { name, package } => page.line(&[
                (Role::Body, &lead),
                (Role::Body, &explained(name)),
                (Role::Aside, &format!("  {}", explained(package))),
            ]),
            TreeEntry::Small { count } => page.line(&[
                (Role::Body, &lead),
                (Role::Aside, &format!("… {count} smaller ones")),
            ]),
        }
    }
    if let more @ 1.. = tree.len() - shown {
        page.line(&[
            (Role::Body, &format!("  … {more} more")),
            (Role::Aside, "  (-n 0 lists all)"),
        ]);
    }
}

/// Deeper rows stand no further to the right: names need the room.
const MAX_INDENT: usize = 12;
