//! Plans trials of which each is a whole build: of a program that the user's own command builds, or of a library that no
//! linker made. There is no link that could be run again, so settings of the linker cost as much as any other.
//!
//! A build is therefore a candidate as it is, with everything that costs no speed set from the start. Settings of the
//! linker are tried once, all together, on top of the best; what the policy holds back is not built only to be shown.

use super::builds::Level;
use super::{State, Time, trial};
use crate::frontier::{Candidate, candidates, clearly_smaller};
use crate::lever::Lever;
use crate::levers;
use crate::policy::{Effort, Exercised, Goal};
use crate::settings::Settings;
use crate::trial::{Built, Outcome, Step, Trial};

/// Settings of the linker that are worth a build, the one that is given up last first.
const WORTH_A_BUILD: [&str; 3] = ["pack-relocations", "icf", "eh-frame-hdr"];
/// … and what is not, but costs nothing when there is one.
const RIDES_ALONG: &str = "link-optimization";

/// What becomes of the settings of one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WholeStage {
    /// It has not been tried.
    New,
    /// It does not build.
    Failed,
    /// Its file is still to be checked.
    ToVerify,
    /// Its file was checked and works.
    Works,
    /// Its file does not work, or is nothing that would be taken.
    Rejected,
}

impl<'a> State<'a> {
    /// What to do next.
    pub(super) fn next_whole(&self) -> Vec<Trial> {
        let unchecked = self
            .records
            .iter()
            .filter(|record| record.trial.step == Step::Build)
            .map(|record| &record.trial.settings)
            .find(|settings| self.whole_stage(settings) == WholeStage::ToVerify);
        if let Some(settings) = unchecked {
            return vec![trial(Step::Verify, settings.clone())];
        }
        if self.time == Time::Left
            && let Some(settings) = self.next_whole_build()
        {
            return vec![trial(Step::Build, settings)];
        }
        self.confirmation()
    }

    /// The fewest and the most builds, those of the baseline included.
    pub(super) fn expected_whole_builds(&self) -> (usize, usize) {
        // As it is, apart from it, and the one that shows whether settings are heard.
        const BASELINE: usize = 3;
        let levels = self.levels().len();
        match (self.policy.effort, self.policy.workloads) {
            (Effort::Quick, _) => (BASELINE + 1, BASELINE + levels),
            (Effort::Full, Exercised::No) => (BASELINE + levels, BASELINE + levels + 1),
            (Effort::Full, Exercised::Yes) => (BASELINE + 1, BASELINE + levels + 1),
        }
    }

    /// Where a build stands.
    pub(super) fn whole_stage(&self, settings: &Settings) -> WholeStage {
        let built = match self
            .find(Step::Build, settings)
            .map(|record| &record.outcome)
        {
            None => return WholeStage::New,
            Some(Outcome::Built(built)) => built,
            Some(_) => return WholeStage::Failed,
        };
        let verdict = [Step::Confirm, Step::Verify]
            .iter()
            .find_map(|step| self.find(*step, settings)?.verdict())
            .map(crate::verdict::Verdict::works);
        match verdict {
            Some(true) => WholeStage::Works,
            None if self.is_worth_checking(built, settings) => WholeStage::ToVerify,
            Some(false) | None => WholeStage::Rejected,
        }
    }

    fn is_worth_checking(&self, built: &Built, settings: &Settings) -> bool {
        let measure = self.policy.measure;
        self.is_admitted(settings)
            && self.may_need(built.libc_floor, settings)
            && clearly_smaller(built.sizes.by(measure), self.baseline.by(measure))
    }

    fn next_whole_build(&self) -> Option<Settings> {
        // Symbols are left out by the compiler's driver here, not by a link of one's own.
        let structure = self.try_move(self.structure(), "strip", "symbols");
        let is_new = |settings: &Settings| self.whole_stage(settings) == WholeStage::New;
        for level in self.levels() {
            let settings = self.at_level(&structure, level);
            if !settings.is_empty() && is_new(&settings) && self.whole_can_win(level, &structure) {
                return Some(settings);
            }
        }
        match self.policy.effort {
            Effort::Quick => None,
            Effort::Full => self.next_with_linker(),
        }
    }

    /// Whether a level can still win, given what became of the others.
    fn whole_can_win(&self, level: Level<'_>, structure: &Settings) -> bool {
        if self.policy.goal == Goal::Smallest || self.policy.workloads == Exercised::No {
            return true;
        }
        let checked = |level: Level<'_>| -> Option<bool> {
            let settings = self.at_level(structure, level);
            let all = candidates(self.records);
            let candidate = all
                .iter()
                .find(|candidate| candidate.record.trial.settings == settings)?;
            Some(self.is_fast_enough(candidate))
        };
        if level == Level::of("s") {
            return true;
        }
        if level == Level::of("z") {
            // Slower than `s` wherever that is too slow already.
            return checked(Level::of("s")) != Some(false);
        }
        // Bigger than what is fast enough already.
        let mut before = self
            .levels()
            .into_iter()
            .take_while(|other| *other != level);
        !before.any(|level| checked(level) == Some(true))
    }

    /// The best so far with the linker's settings; where that does not work, without the last of them.
    fn next_with_linker(&self) -> Option<Settings> {
        let leader: Candidate<'a> = self.leader()?;
        let settings = &leader.record.trial.settings;
        if !settings
            .iter()
            .all(|(lever, _)| lever.name == "strip" || !lever.is_link_only())
        {
            return None;
        }
        let moves = |settings: Settings, name: &str| -> Settings {
            let value = levers::find(name)
                .map(|lever: &Lever| lever.values)
                .and_then(<[_]>::first);
            match value {
                Some(value) => self.try_move(settings, name, value.name),
                None => settings,
            }
        };
        for count in (1..=WORTH_A_BUILD.len()).rev() {
            let with = WORTH_A_BUILD[..count]
                .iter()
                .fold(settings.clone(), |settings, name| moves(settings, name));
            if with == *settings {
                return None;
            }
            let with = moves(with, RIDES_ALONG);
            match self.whole_stage(&with) {
                WholeStage::New => return Some(with),
                WholeStage::Failed | WholeStage::Rejected => {}
                WholeStage::ToVerify | WholeStage::Works => return None,
            }
        }
        None
    }
}
