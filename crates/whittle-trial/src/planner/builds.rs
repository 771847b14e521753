//! Which builds are tried, in the order in which they can win.

use std::collections::BTreeSet;

use super::{Stage, State};
use crate::frontier::candidates;
use crate::lever::{Lever, Tried, Value};
use crate::levers::{self, LEVERS};
use crate::policy::{Admission, Effort, Exercised, Goal};
use crate::settings::Settings;
use crate::trial::{Outcome, Record, Step};

/// A level of optimization: that of the program, and that of its own package where it is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level<'a> {
    pub(super) whole: &'a str,
    pub(super) own: Option<&'a str>,
}

impl<'a> Level<'a> {
    pub(super) const fn of(whole: &'a str) -> Self {
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

impl State<'_> {
    /// What is set from the start: it costs no speed.
    pub(super) fn structure(&self) -> Settings {
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

    /// The next build that could win, the best guess first.
    pub(super) fn next_build(&self) -> Option<Settings> {
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

    pub(super) fn at_level(&self, structure: &Settings, level: Level<'_>) -> Settings {
        let settings = self.try_move(structure.clone(), "opt-level", level.whole);
        match level.own {
            Some(own) => self.try_move(settings, "own-opt-level", own),
            None => settings,
        }
    }

    /// Levels of optimization in the order in which they are tried.
    pub(super) fn levels(&self) -> Vec<Level<'_>> {
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
    pub(super) fn bundle(&self, settings: &Settings) -> Vec<(&'static Lever, &'static Value)> {
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
}
