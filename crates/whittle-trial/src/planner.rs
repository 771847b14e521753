//! The planner: what to try next, and what to recommend.
//!
//! Levers interact, so they are not tried one by one. What costs no speed (optimization across crates, one codegen unit,
//! no symbols) is set from the start, and what may change the program's behaviour as well where the policy admits it. Then
//! levels of optimization are built in the order in which they can win, the best guess first; the linker's levers are tried
//! in combination on each, which takes no compiling; the smallest file of each level is checked; and the winner is built
//! once more as cargo would build it. A level that cannot win any more, since a smaller one is fast enough, is not built.
//!
//! When a file does not start or does not do the same, the next one leaves out something that could be to blame; when
//! nothing helps, the level is built without `panic = "abort"`.

use std::collections::BTreeSet;

use crate::class::Class;
use crate::detect::Hazard;
use crate::facts::{Facts, LinkTrials};
use crate::frontier::{Candidate, TIE, as_float, candidates, clearly_smaller};
use crate::lever::{Lever, Rebuild, Tried, Value};
use crate::levers::{self, LEVERS};
use crate::libc::LibcVersion;
use crate::policy::{Admission, Effort, Exercised, Goal, Policy};
use crate::settings::Settings;
use crate::speed::Speed;
use crate::trial::{Outcome, Record, Sizes, Step, Trial};
use crate::verdict::Verdict;

/// Files of one build that are checked before it is given up.
const MOST_CHECKS: usize = 4;
/// Another linker is worth its line only if it saves more than this share.
const WORTH_A_LINKER: f64 = 0.01;

/// Everything that decides what comes next.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// What is known.
    pub facts: &'a Facts,
    /// What is wanted and allowed.
    pub policy: &'a Policy,
    /// What the detectors found and nobody acknowledged.
    pub hazards: &'a [Hazard],
    /// The sizes of the file that ships today.
    pub baseline: Sizes,
    /// What has been done.
    pub records: &'a [Record],
    /// Whether there is time for another build.
    pub time: Time,
}

/// Whether there is time for another build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// There is.
    Left,
    /// What is there has to do.
    Over,
}

/// A level of optimization: that of the program, and that of its own package where it is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Level<'a> {
    whole: &'a str,
    own: Option<&'a str>,
}

impl<'a> Level<'a> {
    const fn of(whole: &'a str) -> Self {
        Self { whole, own: None }
    }
}

/// The program for size, its own package and the generic code that it instantiates for speed.
const FAST_OWN: [Level<'static>; 2] = [
    Level {
        whole: "s",
        own: Some("2"),
    },
    Level {
        whole: "s",
        own: Some("3"),
    },
];

/// What becomes of the settings of one build.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// It has not been tried.
    New,
    /// It does not build.
    Failed,
    /// Links that are still to be tried.
    ToLink(Vec<Settings>),
    /// A file that is still to be checked.
    ToVerify(Settings),
    /// It has been checked and works.
    Works,
    /// None of its files works.
    Rejected,
}

/// What to do next; all of it can be done in any order. Empty when nothing is left that could win.
///
/// The winner's own build ([`Step::Confirm`]) comes last.
#[must_use]
pub fn next(state: &State<'_>) -> Vec<Trial> {
    if state.facts.link_trials == LinkTrials::WholeBuild {
        return state.next_whole();
    }
    // What has been begun is finished first: builds are dear, the rest is cheap.
    let builds: Vec<&Settings> = state
        .records
        .iter()
        .filter(|record| record.trial.step == Step::Build)
        .map(|record| &record.trial.settings)
        .collect();
    for compiled in builds {
        match state.stage(compiled) {
            Stage::ToLink(links) => {
                return links
                    .into_iter()
                    .map(|settings| trial(Step::Link, settings))
                    .collect();
            }
            Stage::ToVerify(settings) => return vec![trial(Step::Verify, settings)],
            _ => {}
        }
    }
    if state.time == Time::Left
        && let Some(settings) = state.next_build()
    {
        return vec![trial(Step::Build, settings)];
    }
    match state.winner() {
        Some(winner) if winner.record.trial.step != Step::Confirm => {
            vec![trial(Step::Confirm, winner.record.trial.settings.clone())]
        }
        _ => Vec::new(),
    }
}

/// The trial to recommend: confirmed, smaller than the baseline, and as fast as is wanted. Nothing if there is none.
#[must_use]
pub fn recommended<'a>(state: &State<'a>) -> Option<Candidate<'a>> {
    state
        .winner()
        .filter(|winner| winner.record.trial.step == Step::Confirm)
}

/// How many builds a search may take: the fewest and the most, the baseline and the winner's own build included.
#[must_use]
pub fn expected_builds(state: &State<'_>) -> (usize, usize) {
    let policy = state.policy;
    if state.facts.link_trials == LinkTrials::WholeBuild {
        return state.expected_whole_builds();
    }
    let (fewest, most) = match (policy.effort, policy.workloads, policy.goal) {
        (Effort::Quick, Exercised::No, _) | (Effort::Quick, _, Goal::Smallest) => (1, 1),
        (Effort::Quick, Exercised::Yes, _) => (1, 3),
        (Effort::Full, Exercised::No, Goal::Balanced | Goal::Fastest) => (3, 3),
        (Effort::Full, _, Goal::Smallest) => (2, 3),
        (Effort::Full, Exercised::Yes, _) => (2, 6),
    };
    let unstable = usize::from(!state.bundle(&Settings::unchanged()).is_empty());
    (fewest + 2, most + 2 + unstable)
}

/// What each lever of the catalogue is told by the policy, the other settings being as given, value by value.
#[must_use]
pub fn admissions(
    state: &State<'_>,
    settings: &Settings,
) -> Vec<(&'static Lever, &'static Value, Admission)> {
    LEVERS
        .iter()
        .flat_map(|lever| lever.values.iter().map(move |value| (lever, value)))
        .map(|(lever, value)| (lever, value, state.admission(lever, value, settings)))
        .collect()
}

/// What the recommended settings could be joined by if the user said so: levers that the policy holds back, with the
/// file that shows what each would save.
#[must_use]
pub fn offers<'a>(state: &State<'a>, chosen: &Settings) -> Vec<(Admission, &'a Record)> {
    let mut offers: Vec<(Admission, &Record)> = Vec::new();
    for (lever, value, admission) in admissions(state, chosen) {
        if !matches!(admission, Admission::IfAllowed { .. }) {
            continue;
        }
        let with = chosen.clone().moved(lever, value);
        let shown = state.records.iter().rev().find(|record| {
            record.trial.settings == with
                && matches!(record.trial.step, Step::Link | Step::Build)
                && record.built().is_some()
        });
        offers.extend(shown.map(|record| (admission, record)));
    }
    offers
}

impl<'a> State<'a> {
    fn admission(
        &self,
        lever: &'static Lever,
        value: &'static Value,
        settings: &Settings,
    ) -> Admission {
        self.policy
            .admission(lever, value, settings, self.facts, self.hazards)
    }

    fn admits(&self, lever: &'static Lever, value: &'static Value, settings: &Settings) -> bool {
        !self.facts.has_already(lever.name, value.name)
            && self.admission(lever, value, settings) == Admission::Tried
    }

    /// Settings with a lever moved, if that is admitted and a change.
    fn try_move(&self, settings: Settings, lever: &str, value: &str) -> Settings {
        let Some((lever, value)) =
            levers::find(lever).and_then(|lever| Some((lever, lever.value(value)?)))
        else {
            return settings;
        };
        if self.admits(lever, value, &settings) {
            settings.moved(lever, value)
        } else {
            settings
        }
    }

    fn size(&self, record: &Record) -> Option<u64> {
        record
            .built()
            .map(|built| built.sizes.by(self.policy.measure))
    }

    fn find(&self, step: Step, settings: &Settings) -> Option<&'a Record> {
        self.records
            .iter()
            .rev()
            .find(|record| record.trial.step == step && record.trial.settings == *settings)
    }

    /// Where a build stands.
    fn stage(&self, compiled: &Settings) -> Stage {
        match self
            .find(Step::Build, compiled)
            .map(|record| &record.outcome)
        {
            None => return Stage::New,
            Some(Outcome::Failed { .. }) => return Stage::Failed,
            Some(_) => {}
        }
        let missing: Vec<Settings> = self
            .links(compiled)
            .into_iter()
            .filter(|settings| self.find(Step::Link, settings).is_none())
            .collect();
        if !missing.is_empty() {
            return Stage::ToLink(missing);
        }
        if self.is_offer(compiled) {
            return Stage::Rejected;
        }
        let checks: Vec<(&Settings, &Verdict)> = self
            .records
            .iter()
            .filter(|record| record.trial.settings.compiled() == *compiled)
            .filter(|record| self.is_admitted(&record.trial.settings))
            .filter_map(|record| Some((&record.trial.settings, record.verdict()?)))
            .collect();
        // A build that could not be confirmed is out, whatever its first check said.
        let is_unconfirmed = self.records.iter().any(|record| {
            record.trial.step == Step::Confirm
                && record.trial.settings.compiled() == *compiled
                && self.is_admitted(&record.trial.settings)
                && !record.verdict().is_some_and(Verdict::works)
        });
        if is_unconfirmed {
            return Stage::Rejected;
        }
        let (working, failed): (Vec<_>, Vec<_>) =
            checks.iter().partition(|(_, verdict)| verdict.works());
        let failed: BTreeSet<&Settings> = failed.iter().map(|(settings, _)| *settings).collect();
        // What worked may have been found by an earlier search, which was allowed less.
        let is_beaten = |by: &Settings| {
            let size = |settings: &Settings| self.size(self.find(Step::Link, settings)?);
            let sizes = working.iter().filter_map(|(settings, _)| size(settings));
            sizes.min().is_none_or(|of_working| {
                size(by).is_some_and(|size| clearly_smaller(size, of_working))
            })
        };
        match self.best_link(compiled, &failed) {
            Some(best) if failed.len() < MOST_CHECKS && is_beaten(&best) => Stage::ToVerify(best),
            _ if working.is_empty() => Stage::Rejected,
            _ => Stage::Works,
        }
    }

    /// Every combination of the linker's levers that is to be tried on a build.
    fn links(&self, compiled: &Settings) -> Vec<Settings> {
        let mut all = vec![compiled.clone()];
        let is_offer = self.is_offer(compiled);
        for lever in LEVERS.iter().filter(|lever| lever.is_link_only()) {
            let mut more = Vec::new();
            for settings in &all {
                let moved: Vec<Settings> = lever
                    .values
                    .iter()
                    .filter(|value| self.admits(lever, value, settings))
                    .map(|value| settings.clone().moved(lever, value))
                    .collect();
                // The final form is what counts: where symbols may go, they are gone in every combination.
                if lever.name == "strip" && !moved.is_empty() {
                    more.extend(moved.into_iter().take(1));
                } else {
                    // An offer shows one number, the smallest that the levers give.
                    if !is_offer || moved.is_empty() {
                        more.push(settings.clone());
                    }
                    more.extend(
                        moved
                            .into_iter()
                            .take(if is_offer && lever.name != "linker" {
                                1
                            } else {
                                lever.values.len()
                            }),
                    );
                    if is_offer && lever.name == "linker" {
                        more.push(settings.clone());
                    }
                }
            }
            all = more;
        }
        all.sort();
        all.dedup();
        let is_done = |settings: &Settings| self.find(Step::Link, settings).is_some();
        if is_offer || !all.iter().all(is_done) {
            return all;
        }
        // What is held back is linked once each on top of the best, so that its worth can be told.
        if let Some(best) = self.best_link(compiled, &BTreeSet::new()) {
            for (lever, value, admission) in admissions(self, &best) {
                let is_told = matches!(admission, Admission::IfAllowed { .. });
                if lever.is_link_only() && is_told && lever.tried == Tried::BySearch {
                    all.push(best.clone().moved(lever, value));
                }
            }
        }
        all
    }

    /// The simplest of the smallest admitted links of a build that leaves out something of each one that failed.
    fn best_link(&self, compiled: &Settings, failed: &BTreeSet<&Settings>) -> Option<Settings> {
        let may_be_to_blame = |settings: &Settings| -> BTreeSet<&'static str> {
            settings
                .linked()
                .iter()
                .map(|(lever, _)| lever.name)
                .filter(|name| *name != "strip")
                .collect()
        };
        let suspects: Vec<BTreeSet<&str>> = failed
            .iter()
            .map(|failed| may_be_to_blame(failed))
            .collect();
        // Where nothing that the linker was told can be to blame, the build itself is.
        if suspects.iter().any(BTreeSet::is_empty) {
            return None;
        }
        let linked: Vec<(u64, &Settings)> = self
            .records
            .iter()
            .filter(|record| record.trial.step == Step::Link)
            .filter(|record| record.trial.settings.compiled() == *compiled)
            .filter(|record| self.is_admitted(&record.trial.settings))
            .filter(|record| self.fits_floor(record))
            .filter_map(|record| Some((self.size(record)?, &record.trial.settings)))
            .filter(|(_, settings)| {
                let own = may_be_to_blame(settings);
                suspects.iter().all(|suspects| !suspects.is_subset(&own))
            })
            .collect();
        let (smallest, settings) = linked.iter().min()?;
        let has_linker = settings.get("linker").is_some();
        let is_near = |size: u64, other: &Settings| {
            let tolerance = if has_linker && other.get("linker").is_none() {
                WORTH_A_LINKER
            } else {
                TIE
            };
            as_float(size) <= as_float(*smallest) * (1.0 + tolerance)
        };
        let mut near: Vec<&(u64, &Settings)> = linked
            .iter()
            .filter(|(size, settings)| is_near(*size, settings))
            .collect();
        near.sort_by_key(|(size, settings)| {
            (settings.get("linker").is_some(), settings.len(), *size)
        });
        // Without the linker the tie is drawn anew: what was near for its sake alone need not be.
        let best = near.iter().map(|(size, settings)| (*size, *settings));
        let no_linker: Vec<(u64, &Settings)> = best
            .clone()
            .filter(|(_, settings)| settings.get("linker").is_none())
            .collect();
        let pool = if no_linker.is_empty() {
            best.collect()
        } else {
            no_linker
        };
        let smallest = pool.iter().map(|(size, _)| *size).min()?;
        pool.into_iter()
            .filter(|(size, _)| as_float(*size) <= as_float(smallest) * (1.0 + TIE))
            .min_by_key(|(size, settings)| (settings.len(), *size, *settings))
            .map(|(_, settings)| settings.clone())
    }

    /// Whether a linked file needs no newer C library than it may.
    fn fits_floor(&self, record: &Record) -> bool {
        let floor = record.built().and_then(|built| built.libc_floor);
        self.may_need(floor, &record.trial.settings)
    }

    /// Whether a file with these settings may need that version of the C library.
    fn may_need(&self, floor: Option<LibcVersion>, settings: &Settings) -> bool {
        let highest = self.policy.highest_floor(self.facts);
        let is_allowed = self.policy.allow_classes.contains(&Class::Portability)
            || settings.iter().any(|(lever, _)| {
                lever.class == Class::Portability
                    && self.policy.allow.iter().any(|name| name == lever.name)
            });
        is_allowed
            || match (floor, highest) {
                (Some(floor), Some(highest)) => floor <= highest,
                (None, _) => true,
                (Some(_), None) => false,
            }
    }

    fn is_admitted(&self, settings: &Settings) -> bool {
        settings.iter().all(|(lever, value)| {
            self.admission(lever, value, &settings.clone().without(lever.name)) == Admission::Tried
        })
    }

    /// Whether a build only shows what a lever would save that the policy holds back.
    fn is_offer(&self, compiled: &Settings) -> bool {
        !self.is_admitted(compiled)
    }

    /// What is set from the start: it costs no speed.
    fn structure(&self) -> Settings {
        let mut settings = self.whole_program();
        if !self.is_to_blame("panic") {
            settings = self.try_move(settings, "panic", "abort");
        }
        let strips = levers::find("strip").is_some_and(|lever| {
            self.facts.has_already("strip", "symbols")
                || self.admits(lever, &lever.values[0], &settings)
        });
        if !strips {
            settings = self.try_move(settings, "debug", "off");
        }
        // What is admitted by its own name is wanted.
        for lever in LEVERS {
            let is_named = self.policy.allow.iter().any(|name| name == lever.name);
            if lever.tried == Tried::ByName && !lever.is_link_only() && is_named {
                settings = self.try_move(settings, lever.name, lever.values[0].name);
            }
        }
        settings
    }

    /// Optimization across crates: the strongest form that builds.
    fn whole_program(&self) -> Settings {
        let units = self.try_move(Settings::unchanged(), "codegen-units", "1");
        if self.facts.profile.lto == "fat" {
            return units;
        }
        for mode in ["fat", "thin"] {
            let settings = self.try_move(units.clone(), "lto", mode);
            let failed: Vec<&Record> = self
                .records
                .iter()
                .filter(|record| {
                    record.trial.step == Step::Build
                        && record.trial.settings.get("lto") == Some(mode)
                })
                .collect();
            let never_builds = !failed.is_empty()
                && failed
                    .iter()
                    .all(|record| matches!(record.outcome, Outcome::Failed { .. }));
            if !never_builds {
                return settings;
            }
        }
        units
    }

    /// Whether builds with a lever moved were checked, and none of them works.
    fn is_to_blame(&self, lever: &str) -> bool {
        let mut builds = self
            .records
            .iter()
            .filter(|record| {
                record.trial.step == Step::Build && record.trial.settings.get(lever).is_some()
            })
            .map(|record| &record.trial.settings)
            .filter(|settings| !self.is_offer(settings))
            .peekable();
        builds.peek().is_some() && builds.all(|settings| self.is_rejected(settings))
    }

    fn is_rejected(&self, compiled: &Settings) -> bool {
        match self.facts.link_trials {
            LinkTrials::Again => self.stage(compiled) == Stage::Rejected,
            LinkTrials::WholeBuild => self.whole_stage(compiled) == WholeStage::Rejected,
        }
    }

    /// The next build that could win, the best guess first.
    fn next_build(&self) -> Option<Settings> {
        let structure = self.structure();
        for level in self.levels() {
            if !self.can_win(level, &structure) {
                continue;
            }
            let settings = self.at_level(&structure, level);
            if self.stage(&settings) == Stage::New {
                return Some(settings);
            }
        }
        if self.policy.effort == Effort::Quick {
            return None;
        }
        self.next_extra(&structure)
    }

    fn at_level(&self, structure: &Settings, level: Level<'_>) -> Settings {
        let settings = self.try_move(structure.clone(), "opt-level", level.whole);
        match level.own {
            Some(own) => self.try_move(settings, "own-opt-level", own),
            None => settings,
        }
    }

    /// Levels of optimization in the order in which they are tried.
    fn levels(&self) -> Vec<Level<'_>> {
        let today = Level::of(self.facts.profile.opt_level.as_str());
        let [s, z, two] = ["s", "z", "2"].map(Level::of);
        let [own, faster_own] = FAST_OWN;
        let policy = self.policy;
        let mut levels: Vec<Level<'_>> = match (policy.goal, policy.workloads, policy.effort) {
            (Goal::Smallest, _, Effort::Quick) => vec![z],
            (Goal::Smallest, _, Effort::Full) => vec![z, s],
            (_, Exercised::No, Effort::Quick) => vec![today],
            // Smaller levels are built to be listed: their speed is for the user to judge.
            (_, Exercised::No, Effort::Full) => vec![today, s, z],
            (_, Exercised::Yes, Effort::Quick) => vec![s, own, today],
            (_, Exercised::Yes, Effort::Full) => vec![s, z, own, faster_own, two, today],
        };
        let mut seen = BTreeSet::new();
        levels.retain(|level| seen.insert(*level));
        levels
    }

    /// Whether a level can still win, given what became of the others.
    fn can_win(&self, level: Level<'_>, structure: &Settings) -> bool {
        if self.policy.goal == Goal::Smallest || self.policy.workloads == Exercised::No {
            return true;
        }
        let fast_enough = |level: Level<'_>| {
            let settings = self.at_level(structure, level);
            candidates(self.records).iter().any(|candidate| {
                candidate.record.trial.settings.compiled() == settings
                    && self.is_fast_enough(candidate)
            })
        };
        let is_at = |whole: &str| level == Level::of(whole);
        if is_at("s") {
            return true;
        }
        if is_at("z") {
            // Slower than `s` wherever that is too slow already.
            return fast_enough(Level::of("s"));
        }
        // Bigger than what is fast enough already: each is bigger than those that are tried before it.
        let mut before = self
            .levels()
            .into_iter()
            .take_while(|other| *other != level);
        !before.any(fast_enough)
    }

    fn is_fast_enough(&self, candidate: &Candidate<'_>) -> bool {
        match (self.policy.goal, candidate.verdict.speed) {
            (Goal::Smallest, _) | (_, Speed::Within) => true,
            (_, Speed::Outside | Speed::Undecided) => false,
            // Without a workload, what decides speed stays as it is.
            (_, Speed::NotMeasured) => {
                let settings = &candidate.record.trial.settings;
                settings.get("opt-level").is_none() && settings.get("inline-threshold").is_none()
            }
        }
    }

    /// What is tried on top of the best: thresholds between the levels, unstable settings, and what the policy holds back.
    fn next_extra(&self, structure: &Settings) -> Option<Settings> {
        let leader = self.leader()?.record.trial.settings.compiled();
        let is_new = |settings: &Settings| self.stage(settings) == Stage::New;

        let has_speed =
            self.policy.workloads == Exercised::Yes || self.policy.goal == Goal::Smallest;
        let level = leader
            .get("own-opt-level")
            .or(leader.get("opt-level"))
            .unwrap_or(&self.facts.profile.opt_level);
        let threshold = match level {
            "s" => Some("5"),
            "2" | "3" => Some("25"),
            _ => None,
        };
        if let Some(threshold) = threshold.filter(|_| has_speed) {
            let settings = self.try_move(leader.clone(), "inline-threshold", threshold);
            if settings != leader && leader.get("inline-threshold").is_none() && is_new(&settings) {
                return Some(settings);
            }
        }

        // Unstable settings all at once; where that does not work, without the last of them.
        let plain = leader.clone().without("inline-threshold");
        let mut bundle = self.bundle(&plain);
        let has_bundle = bundle
            .iter()
            .any(|(lever, _)| leader.get(lever.name).is_some());
        while !bundle.is_empty() && !has_bundle {
            let settings = bundle
                .iter()
                .fold(leader.clone(), |settings, (lever, value)| {
                    settings.moved(lever, value)
                });
            match self.stage(&settings) {
                Stage::New => return Some(settings),
                Stage::Failed | Stage::Rejected => {
                    bundle.pop();
                }
                _ => break,
            }
        }

        // What is held back is built once, to show what it would save.
        let offered = levers::find("panic").filter(|_| structure.get("panic").is_none())?;
        let value = offered.values.first()?;
        let is_held_back = matches!(
            self.admission(offered, value, &leader),
            Admission::IfAllowed { .. }
        );
        let settings = leader.moved(offered, value);
        (is_held_back && is_new(&settings)).then_some(settings)
    }

    /// Admitted levers that need an unstable toolchain, each admitted with those before it.
    fn bundle(&self, settings: &Settings) -> Vec<(&'static Lever, &'static Value)> {
        const ORDER: [&str; 5] = [
            "build-std",
            "unwind-tables",
            "location-detail",
            "immediate-abort",
            "fmt-debug",
        ];
        let mut settings = settings.clone();
        let mut bundle = Vec::new();
        for lever in ORDER.into_iter().filter_map(levers::find) {
            let value = lever
                .values
                .iter()
                .find(|value| self.admits(lever, value, &settings));
            if let Some(value) = value {
                settings = settings.moved(lever, value);
                bundle.push((lever, value));
            }
        }
        bundle
    }

    /// The best so far among all that works and is fast enough.
    fn leader(&self) -> Option<Candidate<'a>> {
        candidates(self.records)
            .into_iter()
            .filter(|candidate| self.is_fast_enough(candidate))
            .filter(|candidate| self.is_eligible(candidate))
            .min_by(|a, b| self.order(a, b))
    }

    /// Whether a candidate's settings are allowed and its build was not given up.
    fn is_eligible(&self, candidate: &Candidate<'_>) -> bool {
        let settings = &candidate.record.trial.settings;
        self.is_admitted(settings)
            && match self.facts.link_trials {
                LinkTrials::Again => self.stage(&settings.compiled()) != Stage::Rejected,
                LinkTrials::WholeBuild => true,
            }
    }

    /// The best of what was looked at and may be fast enough: its own build is measured with more care.
    fn hopeful(&self) -> Option<Candidate<'a>> {
        candidates(self.records)
            .into_iter()
            .filter(|candidate| candidate.record.trial.step == Step::Verify)
            .filter(|candidate| candidate.verdict.speed == Speed::Undecided)
            .filter(|candidate| self.is_eligible(candidate))
            .min_by(|a, b| self.order(a, b))
    }

    /// The best, if it is smaller than what ships today.
    fn winner(&self) -> Option<Candidate<'a>> {
        self.leader().or_else(|| self.hopeful()).filter(|leader| {
            clearly_smaller(
                leader.built.sizes.by(self.policy.measure),
                self.baseline.by(self.policy.measure),
            )
        })
    }

    /// By size; where that is a tie, the one with fewer settings, then the cheaper build, then the faster.
    fn order(&self, a: &Candidate<'_>, b: &Candidate<'_>) -> std::cmp::Ordering {
        let size = |candidate: &Candidate<'_>| candidate.built.sizes.by(self.policy.measure);
        let ratio = |candidate: &Candidate<'_>| {
            candidate
                .verdict
                .worst_ratio()
                .map_or(1.0, |ratio| ratio.ratio)
        };
        let (size_a, size_b) = (size(a), size(b));
        if clearly_smaller(size_a, size_b) {
            return std::cmp::Ordering::Less;
        }
        if clearly_smaller(size_b, size_a) {
            return std::cmp::Ordering::Greater;
        }
        let key = |candidate: &Candidate<'_>| {
            let settings = &candidate.record.trial.settings;
            let rebuild: Rebuild = settings.rebuild();
            (settings.len(), rebuild)
        };
        key(a)
            .cmp(&key(b))
            .then(ratio(a).total_cmp(&ratio(b)))
            .then(size_a.cmp(&size_b))
            .then_with(|| a.record.trial.settings.cmp(&b.record.trial.settings))
    }
}

fn trial(step: Step, settings: Settings) -> Trial {
    Trial { step, settings }
}

mod whole;
use whole::WholeStage;

#[cfg(test)]
mod tests;
