//! `explain`: why is it this big, and what could be got back?

use whittle_cargo::{Artifact, Build};
use whittle_code::{Method, References};
use whittle_ledger::{
    Axis, Findings, Graph, ItemKind, Keeping, KeepingRequest, Ledger, TreeRequest, Witnesses,
};

use crate::arguments::WitnessArguments;
use crate::evidence::{self, Evidence};
use crate::history;
use crate::inputs::project::{self, Project};
use crate::output::{self, Output, Style};
use crate::request::{Request, Shown, Subject};
use crate::snapshots;
use crate::trouble::{Outcome, Trouble};
use crate::why;

/// Answers a request.
pub(crate) fn explain(request: &Request, style: Style) -> Outcome<()> {
    match &request.subject {
        Subject::File { path, witnesses } => {
            let evidence = Evidence::of_file(path, witnesses)?;
            account(request, style, &evidence, Origin::File, None)
        }
        Subject::Package(selection) => {
            let project = if request.wants_snapshot() {
                // What a snapshot says of the profile is heard while the twin is built.
                Project::with(snapshots::listening()?, selection)
            } else {
                Project::new(selection)
            };
            let (build, notes) = project.build()?;
            let files = project::what_ships(&build);
            match files[..] {
                [only] => {
                    let evidence = Evidence::of_artifact(&project, &build, only, notes)?;
                    let mut facts = None;
                    if request.wants_snapshot() {
                        facts = Some(snapshots::Facts::of(selection, &build, only, &evidence)?);
                    }
                    account(request, style, &evidence, Origin::Package, facts)
                }
                _ if request.wants_snapshot() => Err(project::not_one(&files)),
                _ => list(request, style, &build, &files, &notes),
            }
        }
    }
}

/// Where a file came from: it decides what to type next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The user named it.
    File,
    /// Cargo built it.
    Package,
}

/// Accounts for every byte and writes the answer.
fn account(
    request: &Request,
    style: Style,
    evidence: &Evidence,
    origin: Origin,
    facts: Option<snapshots::Facts>,
) -> Outcome<()> {
    evidence.account(|ledger, witnesses| {
        if request.wants_snapshot() {
            let root = facts.as_ref().map(|facts| facts.root.clone());
            let snapshot = snapshots::of_ledger(ledger, evidence, facts)?;
            if let Some(path) = &request.save {
                snapshots::write(path, &snapshot)?;
            }
            if let Some(path) = history::place(request.record.as_deref(), root.as_deref()) {
                history::record(&path, &snapshot, &crate::check::day::today())?;
            }
        }
        let output = Output::open(request, style)?;
        if request.shown == Shown::Spans {
            return output.spans(ledger);
        }
        let by = match &request.shown {
            Shown::By(axes) => axes.clone(),
            _ => Vec::<Axis>::new(),
        };
        let wanted = whittle_ledger::Request {
            by,
            full: request.shown == Shown::Full,
        };
        let findings = Findings::of(ledger, &wanted);
        let keeping = keeping(ledger, witnesses, &request.shown)?;
        let mut notes = evidence.notes.clone();
        notes.extend(doubts(ledger, witnesses));
        if keeping.is_some() {
            notes.extend(why::gaps(ledger, witnesses));
        }
        let shown = output::Explained {
            findings: &findings,
            keeping: keeping.as_ref(),
            ledger,
        };
        output.findings(&shown, &evidence.path, &notes, origin)
    })
}

/// Steps of the tree, where nobody says how many.
const DEPTH: usize = 6;
/// Rows of the tree have a two-hundredth of the file, where nobody says how much.
const SHARE_OF_ROW: u64 = 200;

/// What keeps what, if that is to be shown.
fn keeping(
    ledger: &Ledger<'_>,
    witnesses: &Witnesses<'_>,
    shown: &Shown,
) -> Outcome<Option<Keeping>> {
    let Shown::Kept { forecasts, tree } = *shown else {
        return Ok(None);
    };
    if ledger.references().coverage().method == Method::Unread {
        return Err(Trouble::new(
            anyhow::anyhow!(
                "what would leave cannot be told: machine code for {} is not read here",
                ledger.image().target.architecture
            ),
            "leave out `--retained` and `--tree`",
        ));
    }
    let request = KeepingRequest {
        forecasts,
        tree: tree.map(|(depth, min_size)| TreeRequest {
            depth: depth.unwrap_or(DEPTH),
            min_size: min_size.unwrap_or(ledger.totals().file / SHARE_OF_ROW),
        }),
    };
    // A failure here is a fault of this program, not the user's trouble; it is reported as such.
    let graph = Graph::of(ledger).unwrap_or_else(|error| panic!("{error}"));
    Ok(Some(Keeping::of(&graph, witnesses.packages, request)))
}

/// What cannot be known of a file, said once.
pub(crate) fn doubts(ledger: &Ledger<'_>, witnesses: &Witnesses<'_>) -> Vec<String> {
    let image = ledger.image();
    let mut doubts = Vec::new();
    if ledger.references().coverage().method == Method::Unread {
        doubts.push(format!(
            "machine code for {} is not read here, so that most constants without a symbol have no owner",
            image.target.architecture
        ));
    }
    if let Some(pdb) = image.facts.pdb.as_ref().filter(|_| image.is_stripped()) {
        doubts.push(format!(
            "the file names the debug file `{pdb}`, which is not read yet"
        ));
    }
    if image.is_stripped() && witnesses.companion.is_none() {
        let locations = ledger
            .items()
            .iter()
            .any(|item| item.kind == ItemKind::Location);
        doubts.push(if locations {
            "stripped: functions have no names. Packages are inferred from the source files that panics name; \
             a function without a panic of its own stays unknown"
                .to_owned()
        } else {
            "stripped: functions have no names, and no panics name source files, so packages cannot be known"
                .to_owned()
        });
    }
    doubts
}

/// Lists the programs of a build that made several.
fn list(
    request: &Request,
    style: Style,
    build: &Build,
    artifacts: &[&Artifact],
    notes: &[String],
) -> Outcome<()> {
    let mut programs = Vec::new();
    for artifact in artifacts {
        let evidence = Evidence::of_file(&artifact.path, &WitnessArguments::default())?;
        let image = evidence::parse(&evidence.path, &evidence.bytes)?;
        let references = References::find(&image);
        let ledger = Ledger::build(&image, &Witnesses::none(), &references)
            .unwrap_or_else(|error| panic!("{error}"));
        programs.push((
            *artifact,
            Findings::of(&ledger, &whittle_ledger::Request::default()),
        ));
    }
    Output::open(request, style)?.programs(build, &programs, notes)
}
