//! The one screen: what the file is, what could be got back, who brought the bytes, what to type next.

use std::cmp::Reverse;

use whittle_ledger::{Bringer, Exactness, Family, Findings, Saving, SavingKind};

use super::page::{Page, right};
use crate::numbers::{grouped, percent, sizes};
use crate::options::{Options, Subject};
use crate::paint::Role;
use crate::plain::width;
use crate::rows::{Bringers, Brought, how_many};
use crate::words::{described, explained, mark, remedy, setting};

/// What the file is, how big, and how much of it is known.
pub(super) fn headline(page: &mut Page, findings: &Findings, options: &Options<'_>) {
    let totals = findings.totals;
    page.line(&[(Role::Heading, &options.path.display().to_string())]);
    page.prose((Role::Body, ""), Role::Body, &sizes(&totals));
    page.prose((Role::Body, ""), Role::Body, &described(&findings.file));
    page.prose(
        (Role::Body, ""),
        Role::Body,
        &format!(
            "whose it is: {} exactly known, {} inferred (~), {} not known (?)",
            percent(totals.exact, totals.file),
            percent(totals.inferred, totals.file),
            percent(totals.unknown, totals.file)
        ),
    );
    for note in options.notes {
        page.prose((Role::Aside, "note: "), Role::Aside, note);
    }
}

/// What could be got back, the price, and the setting that does it: so many, or all if none is said.
pub(super) fn savings(page: &mut Page, findings: &Findings, count: Option<usize>) {
    let whole = findings.totals.file;
    let aside = if findings.savings.is_empty() {
        ""
    } else {
        " (bytes on disk, each change by itself)"
    };
    page.heading("What you could get back", aside);
    if findings.savings.is_empty() {
        page.line(&[(Role::Body, "  nothing that the file alone would show")]);
        return;
    }
    // A setting takes one line, however much it does; the full list has each part.
    let savings = match count {
        Some(_) => by_setting(&findings.savings),
        None => findings.savings.iter().map(|one| vec![one]).collect(),
    };
    let len = savings.len();
    let shown = count.map_or(len, |count| how_many(None, count, len));
    let (first, rest) = savings.split_at(shown);
    for parts in first {
        saving(page, parts, whole);
    }
    if !rest.is_empty() {
        let bytes = rest
            .iter()
            .flatten()
            .fold(0, |sum: u64, saving| sum.saturating_add(saving.bytes));
        let lead = format!("  {}  ", padded(bytes, whole));
        page.line(&[
            (Role::Body, &lead),
            (Role::Body, &format!("… {} more", rest.len())),
            (Role::Aside, "  (--full lists them)"),
        ]);
    }
    let has = |wanted: fn(&SavingKind) -> bool| {
        let mut shown = first.iter().flatten();
        shown.any(|saving| wanted(&saving.kind))
    };
    let in_profile = has(|kind| {
        matches!(
            kind,
            SavingKind::Symbols
                | SavingKind::DebugInfo
                | SavingKind::Abort
                | SavingKind::EqualConstants
                | SavingKind::RepeatedInstances
        )
    });
    let as_flag = has(|kind| {
        matches!(
            kind,
            SavingKind::PackedRelocations | SavingKind::FoldedFunctions
        )
    });
    let mut places = Vec::new();
    if in_profile {
        places.push("your profile in Cargo.toml ([profile.release])");
    }
    if as_flag {
        places.push("`-C` flags in RUSTFLAGS");
    }
    if !places.is_empty() {
        page.prose((Role::Aside, "  where: "), Role::Aside, &places.join("; "));
    }
}

/// Savings that the same setting brings, together; the settings that bring most come first.
fn by_setting(savings: &[Saving]) -> Vec<Vec<&Saving>> {
    let mut groups: Vec<(String, Vec<&Saving>)> = Vec::new();
    for one in savings {
        let setting = setting(&one.kind);
        match groups.iter_mut().find(|(known, _)| *known == setting) {
            Some((_, parts)) => parts.push(one),
            None => groups.push((setting, vec![one])),
        }
    }
    let mut groups: Vec<Vec<&Saving>> = groups.into_iter().map(|(_, parts)| parts).collect();
    groups.sort_by_key(|parts| Reverse(sum(parts)));
    groups
}

fn sum(parts: &[&Saving]) -> u64 {
    parts
        .iter()
        .fold(0, |sum, saving| sum.saturating_add(saving.bytes))
}

/// One setting, and all that it brings.
fn saving(page: &mut Page, parts: &[&Saving], whole: u64) {
    let Some(saving) = parts.first() else {
        return;
    };
    let lead = format!("  {}  ", padded(sum(parts), whole));
    let indent = " ".repeat(width(&lead));
    let is_exact = parts
        .iter()
        .all(|saving| saving.exactness == Exactness::Exact);
    let estimated = if is_exact { "" } else { " (estimated)" };
    let remedies: Vec<String> = parts.iter().map(|saving| remedy(&saving.kind)).collect();
    let what = format!("{}{estimated}", remedies.join("; "));
    let setting = setting(&saving.kind);
    if width(&lead) + width(&what) + 2 + width(&setting) <= page.width() {
        page.line(&[
            (Role::Body, &lead),
            (Role::Body, &what),
            (Role::Body, ": "),
            (Role::Typed, &setting),
        ]);
    } else {
        page.prose((Role::Body, &lead), Role::Body, &format!("{what}:"));
        page.prose((Role::Body, &indent), Role::Typed, &setting);
    }
    page.prose(
        (Role::Body, &indent),
        Role::Body,
        &format!("price: {}", saving.kind.price()),
    );
}

/// What each crate brought, by definition and by compilation.
pub(super) fn bringers(
    page: &mut Page,
    findings: &Findings,
    options: &Options<'_>,
    default: usize,
) {
    let bringers = Bringers::of(&findings.bringers, options);
    let (shown, rest) = bringers.cut(options.rows, default);
    let whole = bringers.total.written.max(bringers.total.compiled);
    page.heading("Who brought it", " (bytes on disk)");
    let column = padded_width(whole);
    page.line(&[
        (Role::Aside, "  "),
        (Role::Aside, &right("written there", column)),
        (Role::Aside, "   "),
        (Role::Aside, &right("compiled into", column)),
        (Role::Aside, "  crate"),
    ]);
    let mut row = |sum: Brought, mark: &str, role: Role, label: &str, aside: &str| {
        page.line(&[
            (role, &format!("  {}", padded(sum.written, whole))),
            (Role::Doubt, &format!(" {mark} ")),
            (role, &padded(sum.compiled, whole)),
            (role, &format!("  {label}")),
            (Role::Aside, aside),
        ]);
    };
    for bringer in shown {
        let aside = if is_standard(bringer) {
            "  (standard library)"
        } else {
            ""
        };
        row(
            Brought::of([*bringer]),
            mark(bringer.certainty),
            Role::Body,
            &explained(&bringer.label),
            aside,
        );
    }
    if let Some(rest) = rest {
        let label = format!("… {} more", rest.crates);
        row(rest, " ", Role::Body, &label, "  (-n 0 lists all)");
    }
    if let Some(out) = bringers.filtered_out {
        let label = format!("(filtered out: {})", out.crates);
        row(out, " ", Role::Body, &label, "");
    }
    row(bringers.total, " ", Role::Heading, "all", "");
    let has_crates = |bringer: &Bringer| bringer.family != Family::Special;
    if findings.bringers.iter().any(has_crates) {
        page.prose(
            (Role::Body, "  "),
            Role::Aside,
            "Generic code is written in one crate and compiled into those that use it.",
        );
    }
}

/// Whether a newcomer has to be told that a crate is the standard library: `hashbrown (std)` says so itself.
fn is_standard(bringer: &Bringer) -> bool {
    bringer.family == Family::Standard && !bringer.label.contains("(std)")
}

/// What could not be read as it claims to be: so many, or all if none is said.
pub(super) fn warnings(page: &mut Page, findings: &Findings, count: Option<usize>) {
    let list = findings.warnings.list();
    let shown = count.map_or(list.len(), |count| how_many(None, count, list.len()));
    let (first, rest) = list.split_at(shown);
    for warning in first {
        page.prose((Role::Doubt, "warning: "), Role::Body, &warning.to_string());
    }
    let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX);
    let more = rest.saturating_add(findings.warnings.suppressed());
    if more > 0 {
        let see = if rest == 0 {
            ""
        } else {
            " (--full lists them)"
        };
        page.line(&[
            (Role::Doubt, "warning: "),
            (Role::Body, &format!("… {} more", grouped(more))),
            (Role::Aside, see),
        ]);
    }
}

/// What to type next.
pub(super) fn next(page: &mut Page, findings: &Findings, options: &Options<'_>) {
    let mut ways = vec![(
        "--by function --filter NAME",
        "a table of your own; --help has the words",
    )];
    if findings.full.is_none() {
        ways.insert(0, ("--full", "causes, largest functions, what repeats"));
    }
    page.heading("Next: the same command with", "");
    for (way, gives) in ways {
        page.line(&[(Role::Typed, &format!("  {way:<29}")), (Role::Body, gives)]);
    }
    let whole = findings.totals.file;
    let much_unknown = findings.totals.unknown > whole / 10;
    if options.subject == Subject::File && findings.file.rustc.is_some() && much_unknown {
        page.prose(
            (Role::Body, "  "),
            Role::Body,
            "In the folder of its package, `cargo whittle` without a file knows more: it builds it.",
        );
    }
}

/// Bytes and their share, in as many columns as the whole needs.
pub(super) fn padded(bytes: u64, whole: u64) -> String {
    format!(
        "{} {}",
        right(&grouped(bytes), number_width(whole)),
        right(&percent(bytes, whole), 7)
    )
}

/// The columns that [`padded`] takes.
pub(super) fn padded_width(whole: u64) -> usize {
    width(&padded(whole, whole))
}

/// The columns that bytes take before their share.
pub(super) fn number_width(whole: u64) -> usize {
    width(&grouped(whole)).max(9)
}
