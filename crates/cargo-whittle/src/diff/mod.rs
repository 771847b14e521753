//! `diff`: what did this change, commit or dependency do to the size?

pub(crate) mod revision;
mod side;

use anyhow::anyhow;
use clap::Args;
use whittle_ledger::{Axis, DeltaTable, Difference, Mismatch};
use whittle_report::difference::Report;

use self::side::{Builder, Side};
use crate::arguments::{BuildArguments, OutputArguments};
use crate::exit::Exit;
use crate::output::{self, Style};
use crate::request::{axes, selection};
use crate::trouble::{Outcome, Trouble};

/// The arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// What was: a file, a snapshot, rev:NAME, or dep:NAME@VERSION
    pub(crate) old: String,
    /// What is, likewise; without it, the package is built as it is
    pub(crate) new: Option<String>,

    /// Sum up by these, as in `explain` [default: crate]
    #[arg(
        long,
        value_name = "AXIS,…",
        value_delimiter = ',',
        help_heading = "What to show"
    )]
    pub(crate) by: Vec<String>,
    /// How many rows of the table (0: all)
    #[arg(short = 'n', value_name = "ROWS", help_heading = "What to show")]
    pub(crate) rows: Option<usize>,
    /// Compare also what is built for another target, or another program
    #[arg(long, help_heading = "What to show")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

/// Answers what was typed.
pub(crate) fn diff(typed: DiffArguments, style: Style) -> Outcome<Exit> {
    let by = match &typed.by[..] {
        [] => vec![Axis::Crate],
        by => axes(by)?,
    };
    let old = Side::parse(&typed.old)?;
    let new = typed.new.as_deref().map_or(Ok(Side::Now), Side::parse)?;
    if let (false, false, Some(flag)) = (old.is_built(), new.is_built(), typed.build.typed()) {
        return Err(Trouble::new(
            anyhow!("`{flag}` says what to build, and both sides are files"),
            "leave it out, or give a revision as `rev:NAME`",
        ));
    }
    let builder = Builder::new(selection(typed.build));
    let before = builder.take(&old)?;
    let after = builder.take(&new)?;
    // A failure here is a fault of this program, not the user's trouble; it is reported as such.
    let difference =
        Difference::of(&before.snapshot, &after.snapshot).unwrap_or_else(|error| panic!("{error}"));
    refuse_mismatches(&difference, typed.force)?;
    let mut notes = notes((&old.name(), &before.notes), (&new.name(), &after.notes));
    notes.extend(doubts(&difference));
    let report = Report {
        difference: &difference,
        blames: &difference.blames(),
        table: &DeltaTable::of(&difference, &by),
        old: &old.name(),
        new: &new.name(),
        notes: &notes,
        rows: typed.rows,
    };
    output::difference(
        &report,
        typed.output.format,
        typed.output.output.as_deref(),
        style,
    )?;
    Ok(Exit::Done)
}

/// The notes on both sides: what holds for both is said once, else the side is named.
fn notes(old: (&str, &[String]), new: (&str, &[String])) -> Vec<String> {
    let mut notes = Vec::new();
    for ((side, list), (_, others)) in [(old, new), (new, old)] {
        for note in list {
            let note = if others.contains(note) {
                note.clone()
            } else {
                format!("{side}: {note}")
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// Refuses to compare what should not be, unless it is forced.
pub(crate) fn refuse_mismatches(difference: &Difference<'_>, force: bool) -> Outcome<()> {
    let Some(mismatch) = difference.build().mismatches.first().filter(|_| !force) else {
        return Ok(());
    };
    let error = match mismatch {
        Mismatch::Target { old, new } => {
            anyhow!("the sides are built for different targets: `{old}` and `{new}`")
        }
        Mismatch::Program { old, new } => {
            anyhow!("the sides are different programs: `{old}` and `{new}`")
        }
        _ => anyhow!("the sides are not of one kind"),
    };
    Err(Trouble::new(
        error,
        "compare them all the same with `--force`",
    ))
}

/// What makes a comparison worse than it could be.
pub(crate) fn doubts(difference: &Difference<'_>) -> Vec<String> {
    let (old, new) = (difference.old(), difference.new_side());
    let mut doubts = Vec::new();
    if old.has_names() != new.has_names() {
        doubts.push(
            "one side is stripped and the other is not: things without a name find no counterpart"
                .to_owned(),
        );
    } else if !old.has_names() {
        doubts.push(
            "both sides are stripped: things are matched by their bytes and places alone"
                .to_owned(),
        );
    }
    if old.packages.is_empty() != new.packages.is_empty() {
        doubts.push(
            "the packages of one side are known from its names alone, so that causes are less sure"
                .to_owned(),
        );
    }
    doubts
}
