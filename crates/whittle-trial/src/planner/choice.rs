//! Which of what was tried is the best.

use super::Stage;
use super::State;
use crate::facts::LinkTrials;
use crate::frontier::{Candidate, candidates, clearly_smaller};
use crate::lever::Rebuild;
use crate::policy::Goal;
use crate::speed::Speed;
use crate::trial::Step;

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
    pub(super) fn winner(&self) -> Option<Candidate<'a>> {
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
