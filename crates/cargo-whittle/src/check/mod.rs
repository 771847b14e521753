//! `check`: is the program within its budget?

mod amount;
mod arguments;
pub(crate) mod configuration;
pub(crate) mod day;
mod limits;
mod ratchet;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use whittle_cargo::Selection;
use whittle_ledger::{Axis, BudgetChecked, BudgetError, DeltaTable, Difference, Measure, Snapshot};
use whittle_report::check::Report;

use self::arguments::MeasureArgument;
pub(crate) use self::arguments::{CheckArguments, CheckFormat};
use self::limits::Limits;
use crate::diff::{doubts, refuse_mismatches};
use crate::evidence::Evidence;
use crate::exit::Exit;
use crate::history;
use crate::inputs::file;
use crate::inputs::project::tell;
use crate::near;
use crate::output::{self, Style};
use crate::request::selection;
use crate::snapshots::{self, Taken};
use crate::trouble::{Outcome, Trouble};

/// Answers what was typed. The result says whether the budget is kept.
pub(crate) fn check(mut typed: CheckArguments, style: Style) -> Outcome<Exit> {
    if let (Some(file), Some(flag)) = (&typed.file, typed.build.typed()) {
        return Err(Trouble::new(
            anyhow!(
                "`{flag}` says what to build, but the file `{}` is given",
                file.display()
            ),
            "leave out one of the two",
        ));
    }
    let selection = selection(std::mem::take(&mut typed.build));
    let root = root(&selection, typed.file.as_deref())?;
    let mut limits = Limits::read(&root, &typed)?;
    if limits.budget.limits.is_empty() && typed.save.is_none() && typed.record.is_none() {
        return Err(Trouble::new(
            anyhow!("there is no budget to check against"),
            "write `total = \"4 MiB\"` below `[budget]` in `whittle.toml`, or give `--total '4 MiB'`",
        ));
    }
    let mut doubt = None;
    if let Some(path) = &limits.baseline
        && let Some(save) = &typed.save
        && !path.exists()
        && is_same_place(path, save)
    {
        // The first baseline could not be written if it had to be there before.
        doubt = Some(format!(
            "the baseline `{}` was not there yet: this build is it from now on, and growth was not checked",
            save.display()
        ));
        limits = limits.without_growth();
    }
    // Before the build, which takes longer: and `--save` may write to the same place.
    let baseline = match &limits.baseline {
        Some(path) => Some((path, baseline(path)?)),
        None => None,
    };
    let Taken {
        snapshot,
        mut notes,
    } = take(&typed, &selection)?;
    notes.extend(doubt);
    // A failure here is a fault of this program, not the user's trouble; it is reported as such.
    let growth = baseline.as_ref().map(|(_, baseline)| {
        Difference::of(baseline, &snapshot).unwrap_or_else(|error| panic!("{error}"))
    });
    if let Some(growth) = &growth {
        refuse_mismatches(growth, typed.force)?;
        notes.extend(doubts(growth));
    }
    let checked = limits
        .budget
        .check(&snapshot, growth.as_ref(), &day::today())
        .map_err(budget_trouble)?;
    let name = typed
        .name
        .clone()
        .unwrap_or_else(|| program_name(&snapshot));
    let answer = Answer {
        name: &name,
        snapshot: &snapshot,
        checked: &checked,
        growth: growth.as_ref(),
        baseline: limits.baseline_shown.as_deref().unwrap_or_default(),
        place: limits.place,
        notes: &notes,
    };
    answer.write(&typed, style)?;
    if let Some(path) = &typed.save {
        snapshots::write(path, &snapshot)?;
    }
    if let Some(path) = history::place(typed.record.as_deref(), Some(&root)) {
        history::record(&path, &snapshot, &day::today())?;
    }
    if typed.ratchet {
        ratchet::lower(&root, &limits, &checked)?;
        if let (Some((path, before)), Some(_)) = (&baseline, &growth)
            && size(&snapshot, checked.measure) < size(before, checked.measure)
        {
            snapshots::write(path, &snapshot)?;
            say(&format!(
                "the baseline `{}` is now this build",
                path.display()
            ));
        }
    }
    Ok(if checked.has_passed() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The folder with the configuration: that of the workspace, or the current one for a file outside of any.
fn root(selection: &Selection, file: Option<&Path>) -> Outcome<PathBuf> {
    let cargo = whittle_cargo::Cargo::from_env();
    match (cargo.workspace_root(selection, &mut tell), file) {
        (Ok(root), _) => Ok(root),
        (Err(_), Some(_)) => Ok(PathBuf::from(".")),
        (Err(error), None) => Err(error.into()),
    }
}

fn take(typed: &CheckArguments, selection: &Selection) -> Outcome<Taken> {
    match &typed.file {
        None => snapshots::of_build(&snapshots::listening()?, selection),
        Some(path) => {
            let bytes = file::read(path, "the file")?;
            if snapshots::is_snapshot(&bytes) {
                typed.witnesses.refuse_for_snapshot(path)?;
                return Ok(Taken {
                    snapshot: snapshots::parse(path, &bytes)?,
                    notes: Vec::new(),
                });
            }
            let evidence = Evidence::of_file(path, &typed.witnesses)?;
            snapshots::of_evidence(&evidence, None)
        }
    }
}

fn baseline(path: &Path) -> Outcome<Snapshot> {
    if !path.exists() {
        return Err(Trouble::new(
            anyhow!("the baseline `{}` is not there", path.display()),
            "build what is to be compared with and write it: `cargo whittle check --save PATH`",
        ));
    }
    snapshots::parse(path, &file::read(path, "the baseline")?)
}

/// Whether two paths lead to one place, where there may be nothing yet.
fn is_same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        Some((
            path.parent()?.canonicalize().ok()?,
            path.file_name()?.to_owned(),
        ))
    };
    place(one).is_some_and(|one| Some(one) == place(other))
}

fn program_name(snapshot: &Snapshot) -> String {
    match &snapshot.build {
        Some(build) => build.program.clone(),
        None => snapshot.file.name.clone(),
    }
}

fn size(snapshot: &Snapshot, measure: Measure) -> u64 {
    match measure {
        Measure::File => snapshot.file.size,
        Measure::Loaded => snapshot.file.memory,
        Measure::Compressed => snapshot.file.compressed.unwrap_or(u64::MAX),
    }
}

fn budget_trouble(error: BudgetError) -> Trouble {
    let help = match &error {
        BudgetError::UnknownCrate { name, known } => {
            let names: Vec<&str> = known
                .iter()
                .filter(|label| !label.starts_with('('))
                .map(|label| {
                    label
                        .split_once('@')
                        .map_or(label.as_str(), |(name, _)| name)
                })
                .collect();
            near::advice(name, &names)
                .or_else(|| Some("`cargo whittle explain --by crate` lists them".to_owned()))
        }
        BudgetError::UnknownKind { name } => {
            let kinds = whittle_ledger::Kind::ALL.map(whittle_ledger::Kind::name);
            near::advice(name, &kinds)
                .or_else(|| Some("`cargo whittle explain --by kind` lists them".to_owned()))
        }
        BudgetError::NoBaseline => Some(
            "name one: `baseline = \"size.whittle\"` below `[budget]`, or `--baseline PATH`"
                .to_owned(),
        ),
        BudgetError::NotOfParts { .. } => {
            Some("give parts a budget of their own in a run with `--measure file`".to_owned())
        }
        BudgetError::UnusedOverride { .. } => Some("remove the override".to_owned()),
        _ => None,
    };
    Trouble {
        error: error.into(),
        help,
    }
}

/// All that is known at the end.
struct Answer<'a> {
    name: &'a str,
    snapshot: &'a Snapshot,
    checked: &'a BudgetChecked,
    growth: Option<&'a Difference<'a>>,
    baseline: &'a str,
    place: &'a str,
    notes: &'a [String],
}

impl Answer<'_> {
    fn write(&self, typed: &CheckArguments, style: Style) -> Outcome<()> {
        let table = self
            .growth
            .map(|growth| DeltaTable::of(growth, &[Axis::Crate]));
        let blames = self.growth.map(Difference::blames);
        let growth = self.growth.zip(table.as_ref().zip(blames.as_ref()));
        let report = Report {
            program: self.name,
            snapshot: self.snapshot,
            checked: self.checked,
            growth: growth.map(|(difference, (table, blames))| {
                whittle_report::difference::Report {
                    difference,
                    blames,
                    table,
                    old: self.baseline,
                    new: self.name,
                    notes: &[],
                    rows: None,
                }
            }),
            place: self.place,
            notes: self.notes,
        };
        output::check(&report, typed.format, typed.output.as_deref(), style)?;
        for (format, path) in &typed.also {
            output::check(&report, *format, Some(path), style)?;
        }
        let formats = typed.also.iter().map(|(format, _)| *format);
        if formats
            .chain([typed.format])
            .any(|it| it == CheckFormat::Github)
        {
            summary(&report)?;
        }
        Ok(())
    }
}

/// Adds to the summary of the job, if this runs in one ("Adding a job summary", GitHub Actions).
fn summary(report: &Report<'_>) -> Outcome<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let write = || -> std::io::Result<()> {
        let mut text = Vec::new();
        whittle_report::check::markdown(&mut text, report)?;
        File::options()
            .create(true)
            .append(true)
            .open(&path)?
            .write_all(&text)
    };
    write()
        .with_context(|| {
            format!(
                "cannot write the summary of the job to `{}`",
                path.display()
            )
        })
        .map_err(Trouble::plain)
}

#[expect(clippy::print_stderr, reason = "what was changed, not results")]
fn say(what: &str) {
    eprintln!("     Whittle {}", whittle_report::plain(what));
}

impl From<MeasureArgument> for Measure {
    fn from(typed: MeasureArgument) -> Self {
        match typed {
            MeasureArgument::File => Self::File,
            MeasureArgument::Compressed => Self::Compressed,
            MeasureArgument::Loaded => Self::Loaded,
        }
    }
}
