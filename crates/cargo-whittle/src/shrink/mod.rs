//! `shrink`: what is the smallest build that still does its job?
//!
//! Baseline first, then trials as the planner asks for them, then the report. Nothing of the user's is changed but by
//! `--apply`. Each finished trial is written down at once, so that a run that is killed goes on where it was.

mod apply;
pub(crate) mod arguments;
mod baseline;
mod bench;
mod command;
mod command_build;
pub(crate) mod configuration;
pub(crate) mod evidence;
mod foreign;
mod judge;
mod lab;
mod manifest_profile;
mod overrides;
mod probe;
mod progress;
mod request;
mod sources;
mod store;
mod strip;
mod suite;
mod toolchain;
mod whole;
mod why;

use std::path::{Path, PathBuf};
use std::time::Instant;

use whittle_cargo::{ArtifactKind, Cargo, Helper, Lock, Stderr};
use whittle_report::shrink::{Applied, Panics, Report};
use whittle_trial::facts::Capability;
use whittle_trial::frontier::Candidate;
use whittle_trial::lever::Lever;
use whittle_trial::levers::LEVERS;
use whittle_trial::planner::{self, State, Time};
use whittle_trial::policy::{Exercised, Policy};
use whittle_trial::settings::Settings;
use whittle_trial::trial::{Record, Step};

use self::arguments::{LeversArguments, ShrinkArguments, UndoArguments};
use self::baseline::Baseline;
use self::bench::Benches;
use self::configuration::Configuration;
use self::judge::Judge;
use self::lab::{Lab, Purpose, Spent, Strips};
use self::progress::Progress;
use self::request::Request;
use self::store::Store;
pub(crate) use self::strip::strip;
use self::toolchain::Chosen;
use self::whole::WholeBuilder;
use crate::arguments::Format;
use crate::exit::Exit;
use crate::output::Style;
use crate::request::selection;
use crate::trouble::{Outcome, Trouble};

/// Answers what was typed. The result says whether a check failed.
pub(crate) fn shrink(typed: ShrinkArguments, style: Style) -> Outcome<Exit> {
    let mut folder = None;
    run(typed, style, &mut folder).map_err(|trouble| match &folder {
        Some(folder) => store::explain(trouble, folder),
        None => trouble,
    })
}

/// … and says where trials are kept as soon as that is known.
fn run(mut typed: ShrinkArguments, style: Style, place: &mut Option<PathBuf>) -> Outcome<Exit> {
    let start = Instant::now();
    let mut cargo = Cargo::from_env();
    cargo.helper = Some(Helper::current().map_err(|error| {
        Trouble::plain(anyhow::Error::from(error).context("cannot find this program itself"))
    })?);
    let mut progress = Progress::new();
    let selection = selection(std::mem::take(&mut typed.build));
    let root = cargo.workspace_root(&selection, &mut |event| progress.hear(&event))?;
    let mut request = Request::new(typed, Configuration::read(&root)?, selection)?;
    progress.plan(&request);

    let chosen = toolchain::choose(cargo, request.toolchain.as_deref(), &mut progress)?;
    name_target(&chosen, &mut request, &mut progress)?;
    let own = chosen
        .cargo
        .own_folder(&request.selection, &mut |event| progress.hear(&event))?;
    let folder = own.join("shrink");
    *place = Some(folder.clone());
    // One run at a time: the next one's baseline would come between this one's trials.
    let _lock = Lock::acquire(&folder, &mut |event| progress.hear(&event))?;
    if request.fresh {
        store::forget(&folder)?;
    }
    let (mut baseline, mut whole) = ships(&chosen, &request, &folder, &mut progress)?;
    let (mut store, mut records) = Store::open(folder, baseline.state(&request)?)?;

    let cargo = Cargo {
        stderr: Stderr::Events,
        ..chosen.cargo
    };
    let builder = cargo.variants(
        &request.selection,
        &baseline.build,
        &baseline.artifact,
        &mut |event| progress.hear(&event),
    )?;
    let helper = Helper::current().map_err(Trouble::plain)?;
    if baseline.artifact.kind == ArtifactKind::Staticlib && whole.is_none() {
        whole = Some(WholeBuilder::Cargo(Box::new(builder.clone())));
    }
    match &mut whole {
        Some(whole) => baseline.try_whole(whole, &store, &mut progress)?,
        None => baseline.capture(&builder, &helper, &store, &mut progress)?,
    }
    let suite = baseline.suite(&request, &builder, &store, &mut progress)?;
    let judge = baseline.judge(
        &request,
        &helper,
        &store,
        (suite, builder.runner()),
        &mut progress,
    )?;
    let benches = Benches::new(
        &request.benches,
        &cargo,
        (&request.selection, &baseline.build, &baseline.artifact),
        store.stand("bench"),
        &mut progress,
    )?;
    let policy = policy(&request, &judge, &benches);
    let mut lab = Lab {
        builder: &builder,
        helper: &helper,
        facts: &baseline.facts,
        policy: &policy,
        exports: &baseline.file.exports,
        strips: match whole {
            // Settings of whole builds say all that they are.
            Some(_) => Strips::AsItIs,
            None => baseline.strips(&policy),
        },
        bootstrap: baseline.bootstrap,
        judge,
        benches: &benches,
        whole: whole.as_ref(),
        shipped: baseline.shipped.path.clone(),
        own_package: baseline.own_package.clone(),
        spent: Spent::default(),
    };
    // Whether a speed is within the bound is for today's bound to say, whatever was asked when it was measured.
    for record in &mut records {
        rejudge(record, &policy);
    }
    let deadline = start + request.time_budget;
    search(
        &mut lab,
        &mut store,
        &mut records,
        &baseline,
        deadline,
        &mut progress,
    )?;
    Answer {
        request: &request,
        baseline: &baseline,
        store: &store,
        records: &records,
        cargo: Cargo {
            stderr: Stderr::Inherit,
            ..cargo
        },
        start,
    }
    .give(&mut lab, style, &mut progress)
}

/// Cargo builds the standard library for a named target only.
fn name_target(chosen: &Chosen, request: &mut Request, progress: &mut Progress) -> Outcome<()> {
    let needs_target = chosen.capability == Capability::UnstableWithStdSources;
    if needs_target && request.selection.target.is_none() {
        let toolchain = chosen.cargo.toolchain(&mut |event| progress.hear(&event))?;
        request.selection.target = Some(toolchain.host);
    }
    Ok(())
}

/// Builds what ships: by cargo, or by the user's own command.
fn ships(
    chosen: &Chosen,
    request: &Request,
    folder: &Path,
    progress: &mut Progress,
) -> Outcome<(Baseline, Option<WholeBuilder>)> {
    let Some(line) = &request.build_command else {
        return Ok((Baseline::build(chosen, request, folder, progress)?, None));
    };
    let workspace = chosen
        .cargo
        .survey(&request.selection, &mut |event| progress.hear(&event))?;
    let (baseline, builder) =
        Baseline::by_command(chosen, request, line, workspace, folder, progress)?;
    Ok((baseline, Some(WholeBuilder::Command(Box::new(builder)))))
}

/// Runs trials as the planner asks for them, and writes each down.
fn search(
    lab: &mut Lab<'_>,
    store: &mut Store,
    records: &mut Vec<Record>,
    baseline: &Baseline,
    deadline: Instant,
    progress: &mut Progress,
) -> Outcome<()> {
    progress.begin(records);
    if let Some(clean) = baseline.clean_build {
        let builds = planner::expected_builds(&state(lab, baseline, &[], Time::Left));
        progress.expected(clean.seconds, builds);
    }
    loop {
        let time = if Instant::now() < deadline {
            Time::Left
        } else {
            Time::Over
        };
        let now = state(lab, baseline, records, time);
        let trials = planner::next(&now);
        if trials.is_empty() {
            progress.end();
            return Ok(());
        }
        progress.expect(&trials, planner::expected_builds(&now));
        for trial in trials {
            progress.trial(&trial, records, lab.policy.measure);
            let outcome = lab.run(&trial, store)?;
            let record = Record { trial, outcome };
            store.append(&record)?;
            records.push(record);
        }
    }
}

fn state<'s>(
    lab: &Lab<'s>,
    baseline: &'s Baseline,
    records: &'s [Record],
    time: Time,
) -> State<'s> {
    State {
        facts: &baseline.facts,
        policy: lab.policy,
        hazards: &baseline.hazards.open,
        baseline: baseline.file.sizes,
        records,
        time,
    }
}

/// What is needed to answer once the trials are done.
struct Answer<'a> {
    request: &'a Request,
    baseline: &'a Baseline,
    store: &'a Store,
    records: &'a [Record],
    cargo: Cargo,
    start: Instant,
}

impl Answer<'_> {
    /// Applies what was found if that was asked for, and reports.
    fn give(&self, lab: &mut Lab<'_>, style: Style, progress: &mut Progress) -> Outcome<Exit> {
        let (request, baseline) = (self.request, self.baseline);
        let policy = lab.policy;
        let state = state(lab, baseline, self.records, Time::Over);
        let winner = planner::recommended(&state);
        let chosen = winner.map_or_else(Settings::unchanged, |winner| {
            winner.record.trial.settings.clone()
        });
        let target = &baseline.build.record.target;
        let panics = self.panics(lab, &chosen, target)?;
        // This puts other files in the place of those that were judged.
        let why = match winner {
            Some(_) if request.full => why::why(lab, self.store, baseline, &chosen)?,
            _ => None,
        };
        let applied = self.apply(lab, winner.as_ref(), progress)?;
        let mut notes = baseline.notes.clone();
        notes.append(&mut lab.judge.notes);
        notes.append(&mut lab.judge.suite.notes);
        let spent = lab.spent;
        let report = Report {
            program: &baseline.artifact.target_name,
            path: &baseline.shipped.path,
            profile: &request.selection.profile,
            own_package: &baseline.own_package,
            target,
            policy,
            facts: &baseline.facts,
            baseline: baseline.file.sizes,
            noise: baseline.noise,
            clean_build: baseline.clean_build,
            recommended: winner,
            offers: planner::offers(&state, &chosen),
            records: self.records,
            hazards: &baseline.hazards,
            acknowledgements: &request.acknowledgements,
            notes: &notes,
            builds: spent.builds + baseline.builds,
            links: spent.links,
            link_seconds: spent.link_seconds,
            seconds: self.start.elapsed().as_secs_f64(),
            compile_cpu_seconds: spent.compile_cpu_seconds + baseline.compile_cpu_seconds,
            why: why.as_ref(),
            panics: panics.as_ref(),
            applied: applied.clone(),
            full: request.full,
            time_is_over: self.start.elapsed() >= request.time_budget,
        };
        crate::output::shrink(&report, request.format, request.output.as_deref(), style)?;
        Ok(match applied {
            Applied::Refused { .. } => Exit::Failed,
            Applied::No | Applied::Yes { .. } => Exit::Done,
        })
    }

    /// One panic before and after, where the settings change what is seen of it: of the user's own command that panics,
    /// else of a small program.
    fn panics(&self, lab: &Lab<'_>, chosen: &Settings, target: &str) -> Outcome<Option<Panics>> {
        if !probe::changes_panics(chosen) {
            return Ok(None);
        }
        let file = match lab.whole {
            Some(_) => self.store.whole_file(chosen, &lab.shipped),
            None => self.store.file(chosen, &lab.shipped),
        };
        if file.is_file()
            && let Some(panics) = lab.judge.panics(&file)?
        {
            return Ok(Some(panics));
        }
        Ok(probe::panics(
            &self.cargo,
            &self.baseline.facts,
            target,
            chosen,
            &self.store.stand("probe"),
        ))
    }

    fn apply(
        &self,
        lab: &Lab<'_>,
        winner: Option<&Candidate<'_>>,
        progress: &mut Progress,
    ) -> Outcome<Applied> {
        if !self.request.apply {
            return Ok(Applied::No);
        }
        let Some(winner) = winner else {
            return Ok(Applied::Refused {
                reason: "nothing better was found".to_owned(),
            });
        };
        if let Some(reason) = unproven(self.request, lab.policy, winner) {
            return Ok(Applied::Refused { reason });
        }
        let settings = lab.cargo_settings(&winner.record.trial.settings, Purpose::Ship);
        apply::apply(
            &self.cargo,
            self.request,
            self.baseline,
            (winner, lab.whole.and_then(WholeBuilder::command)),
            &settings,
            progress,
        )
    }
}

/// Why a recommendation is not to be written unasked: something that it may have changed was never looked at.
fn unproven(request: &Request, policy: &Policy, winner: &Candidate<'_>) -> Option<String> {
    if request.allow_unproven {
        return None;
    }
    let settings = &winner.record.trial.settings;
    let changes_speed =
        settings.get("opt-level").is_some() || settings.get("inline-threshold").is_some();
    let what = match (policy.tests, policy.workloads) {
        (Exercised::No, _) => "no test and no check runs the program",
        (Exercised::Yes, Exercised::No) if changes_speed => "no workload measures its speed",
        _ => return None,
    };
    Some(format!(
        "it is not proven: {what}; give one, or say `--allow unproven`"
    ))
}

/// Takes back what was written last.
pub(crate) fn undo(typed: UndoArguments) -> Outcome<Exit> {
    let selection = whittle_cargo::Selection {
        manifest_path: typed.manifest.manifest_path,
        offline: true,
        ..whittle_cargo::Selection::default()
    };
    let root = Cargo::from_env().workspace_root(&selection, &mut |_| ())?;
    let said = apply::undo(&root)?;
    crate::output::plain_lines(&said)?;
    Ok(Exit::Done)
}

/// Explains the settings that are tried.
pub(crate) fn levers(typed: &LeversArguments) -> Outcome<Exit> {
    let style = Style::of(&typed.output);
    if matches!(typed.output.format, Format::Csv | Format::Markdown) {
        return Err(Trouble::new(
            anyhow::anyhow!("`levers` is written as text or JSON only"),
            "use `--format json`",
        ));
    }
    let list: Vec<&Lever> = match &typed.name {
        None => LEVERS.iter().collect(),
        Some(name) => vec![
            whittle_trial::levers::find(name)
                .ok_or_else(|| configuration::unknown_lever(name, "you asked for"))?,
        ],
    };
    crate::output::levers(
        &list,
        typed.output.format,
        typed.output.output.as_deref(),
        style,
    )?;
    Ok(Exit::Done)
}

fn policy(request: &Request, judge: &Judge<'_>, benches: &Benches) -> Policy {
    Policy {
        goal: request.goal,
        max_slowdown: request.max_slowdown,
        measure: request.measure,
        effort: request.effort,
        only: request.only.clone(),
        skip: request.skip.clone(),
        allow: request.allow.clone(),
        allow_classes: request.allow_classes.clone(),
        min_glibc: request.min_glibc,
        workloads: exercised(judge.measures() || !benches.is_empty()),
        tests: exercised(judge.exercises()),
    }
}

fn exercised(is: bool) -> Exercised {
    if is { Exercised::Yes } else { Exercised::No }
}

fn rejudge(record: &mut Record, policy: &Policy) {
    use whittle_trial::trial::Outcome as Done;
    let (Done::Verified(verdict) | Done::Confirmed { verdict, .. }) = &mut record.outcome else {
        return;
    };
    if !verdict.workloads.is_empty() {
        verdict.speed = policy.judge(verdict.workloads.iter().map(|workload| &workload.ratio));
    }
    debug_assert!(matches!(record.trial.step, Step::Verify | Step::Confirm));
}
