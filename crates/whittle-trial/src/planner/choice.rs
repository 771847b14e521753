//! Which of what was tried is the best.

use super::{Stage, State, Time, trial};
use crate::facts::LinkTrials;
use crate::frontier::{Candidate, as_float, candidates, clearly_smaller};
use crate::lever::Rebuild;
use crate::policy::Goal;
use crate::speed::Speed;
use crate::trial::{Record, Step, Trial};

/// What is not known to be fast enough is built for it only if it saves more than this share beyond the best that is.
const WORTH_A_BUILD: f64 = 0.02;
/// Where so many builds of that kind did not tell, this machine does not.
const MOST_OPEN: usize = 2;

impl<'a> State<'a> {
    pub(super) fn is_fast_enough(&self, candidate: &Candidate<'_>) -> bool {
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

    /// The best so far among all that works and is fast enough.
    pub(super) fn leader(&self) -> Option<Candidate<'a>> {
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

    /// The best of what was looked at and may be fast enough.
    fn hopeful(&self) -> Option<Candidate<'a>> {
        candidates(self.records)
            .into_iter()
            .filter(|candidate| candidate.record.trial.step == Step::Verify)
            .filter(|candidate| candidate.verdict.speed == Speed::Undecided)
            .filter(|candidate| self.is_eligible(candidate))
            .min_by(|a, b| self.order(a, b))
    }

    /// The best, if it is smaller than what ships today.
    pub(super) fn winner(&self) -> Option<Candidate<'a>> {
        self.leader()
            .filter(|leader| clearly_smaller(self.size_of(leader), self.baseline_size()))
    }

    /// The own build of what comes first, if that is still to be made.
    ///
    /// What is smaller than the best and seems fast enough is measured with more care before it is given up for the
    /// sake of noise.
    pub(super) fn confirmation(&self) -> Vec<Trial> {
        let leader = self.leader();
        let first = match (&leader, self.hopeful()) {
            (Some(leader), Some(hopeful)) if self.is_promising(&hopeful, leader) => Some(hopeful),
            (None, hopeful) => hopeful,
            (Some(_), _) => leader,
        };
        first
            .filter(|first| clearly_smaller(self.size_of(first), self.baseline_size()))
            .filter(|first| first.record.trial.step != Step::Confirm)
            .map(|first| trial(Step::Confirm, first.record.trial.settings.clone()))
            .into_iter()
            .collect()
    }

    /// Whether something that may be fast enough is worth a build of its own, though something bigger is known to be.
    fn is_promising(&self, hopeful: &Candidate<'_>, leader: &Candidate<'_>) -> bool {
        let seems_fast = hopeful
            .verdict
            .worst_ratio()
            .is_some_and(|worst| worst.ratio <= 1.0 + self.policy.max_slowdown);
        let still_open = self
            .records
            .iter()
            .filter(|record| record.trial.step == Step::Confirm)
            .filter_map(Record::verdict)
            .filter(|verdict| verdict.speed == Speed::Undecided);
        let saves = as_float(self.size_of(hopeful))
            < as_float(self.size_of(leader)) * (1.0 - WORTH_A_BUILD);
        self.time == Time::Left && saves && seems_fast && still_open.count() < MOST_OPEN
    }

    fn size_of(&self, candidate: &Candidate<'_>) -> u64 {
        candidate.built.sizes.by(self.policy.measure)
    }

    fn baseline_size(&self) -> u64 {
        self.baseline.by(self.policy.measure)
    }

    /// By size; where that is a tie, the one with fewer settings, then the cheaper build, then the faster.
    fn order(&self, a: &Candidate<'_>, b: &Candidate<'_>) -> std::cmp::Ordering {
        let ratio = |candidate: &Candidate<'_>| {
            candidate
                .verdict
                .worst_ratio()
                .map_or(1.0, |ratio| ratio.ratio)
        };
        let (size_a, size_b) = (self.size_of(a), self.size_of(b));
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
