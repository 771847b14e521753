//! `history`: how did the size move over time, and which commit made it jump?

mod bisect;
mod record;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use whittle_cargo::{Cargo, Commit};
use whittle_ledger::{Axis, DeltaTable, Difference, Snapshot};
use whittle_report::difference::Report;

use self::bisect::{Found, bisect};
pub(crate) use self::record::record;
use crate::arguments::{BuildArguments, OutputArguments};
use crate::diff::revision::{Revisions, git_trouble};
use crate::exit::Exit;
use crate::inputs::project::tell;
use crate::output::{self, Style};
use crate::request::selection;
use crate::trouble::{Outcome, Trouble};

/// Where lines are kept if nothing else is said, at the workspace's root.
pub(crate) const FILE: &str = "whittle-history.jsonl";

/// The arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// The file that `--record` wrote [default: whittle-history.jsonl at the workspace's root]
    #[arg(long, value_name = "PATH", conflicts_with = "bisect")]
    pub(crate) file: Option<PathBuf>,
    /// Name the commit between two at which the size jumped most, by building as few of them as it takes
    #[arg(long, value_name = "OLD..NEW")]
    pub(crate) bisect: Option<String>,
    /// How many lines of the table, the newest (0: all)
    #[arg(short = 'n', value_name = "ROWS", help_heading = "What to show")]
    pub(crate) rows: Option<usize>,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

/// Answers what was typed.
pub(crate) fn history(mut typed: HistoryArguments, style: Style) -> Outcome<Exit> {
    let selection = selection(std::mem::take(&mut typed.build));
    if let Some(range) = &typed.bisect {
        search(&Revisions::of(&selection)?, range, &typed, style)?;
        return Ok(Exit::Done);
    }
    let path = match &typed.file {
        Some(path) => path.clone(),
        None => Cargo::from_env()
            .workspace_root(&selection, &mut tell)?
            .join(FILE),
    };
    let lines = record::read(&path)?;
    output::history(
        &lines,
        typed.rows,
        typed.output.format,
        typed.output.output.as_deref(),
        style,
    )?;
    Ok(Exit::Done)
}

/// Where to record, as it was typed: `--record` alone means the usual place.
pub(crate) fn place(typed: Option<&Path>, root: Option<&Path>) -> Option<PathBuf> {
    let path = typed?;
    Some(match root {
        Some(root) if path == Path::new(FILE) => root.join(FILE),
        _ => path.to_owned(),
    })
}

/// Builds commits until one is found.
fn search(
    revisions: &Revisions,
    range: &str,
    typed: &HistoryArguments,
    style: Style,
) -> Outcome<()> {
    let (old, new) = range
        .split_once("..")
        .filter(|(old, new)| {
            let is_name = |name: &str| !name.is_empty() && !name.starts_with(['-', '.']);
            is_name(old) && is_name(new)
        })
        .ok_or_else(|| {
            Trouble::new(
                anyhow!("`--bisect {range}` names no two commits"),
                "write `--bisect v1.0.0..main`",
            )
        })?;
    let repository = revisions.repository()?;
    let (first, last) = (revisions.commit(old)?, revisions.commit(new)?);
    let mut commits = vec![first.clone()];
    commits.extend(repository.between(&first, &last).map_err(git_trouble)?);
    if commits.len() < 2 {
        return Err(Trouble::new(
            anyhow!("no commit leads from `{old}` to `{new}`"),
            "name the older one first",
        ));
    }
    let mut notes = Vec::new();
    let mut builds = 0_usize;
    let mut build = |at: usize| -> Outcome<Option<Snapshot>> {
        let commit: &Commit = &commits[at];
        builds += 1;
        match revisions.take(commit, commit.short()) {
            Ok(taken) => Ok(Some(taken.snapshot)),
            // The ends are what was asked about.
            Err(trouble) if at == 0 || at + 1 == commits.len() => Err(trouble),
            Err(trouble) => {
                notes.push(format!(
                    "{} was passed over: {}",
                    commit.short(),
                    trouble.error
                ));
                Ok(None)
            }
        }
    };
    let found = bisect(commits.len(), &mut build, |snapshot| snapshot.file.size)?;
    let Found { before, after, at } = found;
    let (good, bad) = (&commits[at.0], &commits[at.1]);
    notes.insert(
        0,
        if at.0 + 1 == at.1 {
            format!(
                "of {} commits, {} \"{}\" ({}) changed the size most; {builds} were built",
                commits.len() - 1,
                bad.short(),
                bad.subject,
                bad.date
            )
        } else {
            format!(
                "the size changed most in one of the {} commits up to {} \"{}\", which do not build; {builds} were tried",
                at.1 - at.0,
                bad.short(),
                bad.subject
            )
        },
    );
    let difference = Difference::of(&before, &after).unwrap_or_else(|error| panic!("{error}"));
    let report = Report {
        difference: &difference,
        blames: &difference.blames(),
        table: &DeltaTable::of(&difference, &[Axis::Crate]),
        old: &format!("{} {}", good.short(), good.subject),
        new: &format!("{} {}", bad.short(), bad.subject),
        notes: &notes,
        rows: typed.rows,
    };
    output::difference(
        &report,
        typed.output.format,
        typed.output.output.as_deref(),
        style,
    )
}
