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

mod builds;
mod choice;
mod links;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::BTreeSet;

use crate::detect::Hazard;
use crate::facts::{Facts, LinkTrials};
use crate::frontier::{Candidate, clearly_smaller};
use crate::lever::{Lever, Value};
use crate::levers::{self, LEVERS};
use crate::policy::{Admission, Effort, Exercised, Goal, Policy};
use crate::settings::Settings;
use crate::trial::{Outcome, Record, Sizes, Step, Trial};
use crate::verdict::Verdict;

use self::whole::WholeStage;

/// Files of one build that are checked before it is given up.
const MOST_CHECKS: usize = 4;

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
    state.confirmation()
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

    fn is_admitted(&self, settings: &Settings) -> bool {
        settings.iter().all(|(lever, value)| {
            self.admission(lever, value, &settings.clone().without(lever.name)) == Admission::Tried
        })
    }

    /// Whether a build only shows what a lever would save that the policy holds back.
    fn is_offer(&self, compiled: &Settings) -> bool {
        !self.is_admitted(compiled)
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
}

fn trial(step: Step, settings: Settings) -> Trial {
    Trial { step, settings }
}
