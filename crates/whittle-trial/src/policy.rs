//! What the user wants and allows, and what follows for each lever.

use serde::{Deserialize, Serialize};

use crate::class::Class;
use crate::detect::Hazard;
use crate::facts::{Facts, Unmet};
use crate::lever::{Lever, Need, Tried, Value};
use crate::libc::LibcVersion;
use crate::settings::Settings;

/// What is wanted: the smallest program, under which bound on speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The smallest whose slowdown on every workload is shown to be within the bound.
    Balanced,
    /// The smallest that is not distinguishably slower.
    Fastest,
    /// The smallest, whatever its speed.
    Smallest,
}

/// Which size counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Bytes of the file.
    File,
    /// Bytes of the file compressed, as it is downloaded or flashed.
    Compressed,
    /// Bytes of memory that the loader maps.
    Loaded,
}

/// How far the search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// About three builds; nothing that changes what the program does.
    Quick,
    /// All that can win.
    Full,
}

/// What the user wants and allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What is wanted.
    pub goal: Goal,
    /// The bound on the slowdown, as a share: 0.02 is 2 %.
    pub max_slowdown: f64,
    /// Which size counts.
    pub measure: Measure,
    /// How far the search goes.
    pub effort: Effort,
    /// If not empty, only these levers are moved.
    pub only: Vec<String>,
    /// These levers are not moved.
    pub skip: Vec<String>,
    /// These levers are moved although their class or detector speaks against it.
    pub allow: Vec<String>,
    /// All levers of these classes are moved although their detector speaks against it.
    pub allow_classes: Vec<Class>,
    /// The oldest glibc that the file has to start with.
    pub min_glibc: Option<LibcVersion>,
    /// Whether there are workloads to measure the speed by.
    pub workloads: Exercised,
    /// Whether there are tests or checks that run the program.
    pub tests: Exercised,
}

/// Whether something is exercised at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exercised {
    /// There is something that exercises it.
    Yes,
    /// There is nothing.
    No,
}

/// What a policy says to one lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is tried.
    Tried,
    /// It is not tried unless the user says so, by this flag.
    IfAllowed {
        /// Why not.
        reason: Reluctance,
        /// The flag that says so.
        flag: String,
    },
    /// The user said that it is not to be moved, or that only others are.
    Excluded,
    /// Something that it needs is not there.
    Impossible(Unmet),
}

/// Why a lever is not moved unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reluctance {
    /// It costs security or correctness.
    Security,
    /// It is of use in special cases only.
    Special,
    /// The file would not start on systems on which it starts today.
    HigherFloor {
        /// What it would need.
        needs: LibcVersion,
        /// What it needs today.
        today: LibcVersion,
    },
    /// A detector found code that it would change.
    Hazards {
        /// How many places.
        count: usize,
    },
    /// Nothing exercises the program, so a change of what it does would go unseen.
    NotExercised,
    /// A quick search does not change what the program does.
    Quick,
}

impl Policy {
    /// What this policy says to moving a lever to a value, the other settings being as given.
    ///
    /// `hazards` is what the detectors found and nobody acknowledged.
    #[must_use]
    pub fn admission(
        &self,
        lever: &'static Lever,
        value: &'static Value,
        settings: &Settings,
        facts: &Facts,
        hazards: &[Hazard],
    ) -> Admission {
        let named = |list: &[String]| list.iter().any(|name| name == lever.name);
        if (!self.only.is_empty() && !named(&self.only)) || named(&self.skip) {
            return Admission::Excluded;
        }
        if let Some(unmet) = facts.unmet(lever.needs, value, settings) {
            return Admission::Impossible(unmet);
        }
        if named(&self.allow) {
            return Admission::Tried;
        }
        let if_allowed = |reason| Admission::IfAllowed {
            reason,
            flag: format!("--allow {}", lever.name),
        };
        if lever.class == Class::Security {
            return if_allowed(Reluctance::Security);
        }
        if self.allow_classes.contains(&lever.class) && lever.tried == Tried::BySearch {
            return Admission::Tried;
        }
        if lever.tried == Tried::ByName {
            return if_allowed(Reluctance::Special);
        }
        match lever.class {
            Class::Speed | Class::Diagnostics | Class::Security => Admission::Tried,
            Class::Portability => self.portable(lever, facts),
            Class::Semantics => {
                let count = hazards
                    .iter()
                    .filter(|hazard| Some(hazard.detector) == lever.detector)
                    .count();
                if count > 0 {
                    if_allowed(Reluctance::Hazards { count })
                } else if self.effort == Effort::Quick {
                    if_allowed(Reluctance::Quick)
                } else if self.tests == Exercised::No {
                    if_allowed(Reluctance::NotExercised)
                } else {
                    Admission::Tried
                }
            }
        }
    }

    /// Levers that raise the floor are moved when the file needs that floor already, or when it was stated.
    fn portable(&self, lever: &Lever, facts: &Facts) -> Admission {
        let needed = lever.needs.iter().find_map(|need| match need {
            Need::Glibc(version) => Some(*version),
            _ => None,
        });
        let (Some(needs), Some(today)) = (needed, facts.libc_floor) else {
            return Admission::IfAllowed {
                reason: Reluctance::Special,
                flag: format!("--allow {}", lever.name),
            };
        };
        if today.max(self.min_glibc.unwrap_or(today)) >= needs {
            Admission::Tried
        } else {
            Admission::IfAllowed {
                reason: Reluctance::HigherFloor { needs, today },
                flag: format!("--min-glibc {needs}"),
            }
        }
    }

    /// The highest version of glibc that a file may need.
    #[must_use]
    pub fn highest_floor(&self, facts: &Facts) -> Option<LibcVersion> {
        facts.libc_floor.max(self.min_glibc)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::facts::{Capability, FileFormat, LinkTrials, Linker, Profile};
    use crate::lever::Detector;
    use crate::levers;

    pub(crate) fn facts() -> Facts {
        let linker = |name: &str, is_default, folds, packs| Linker {
            name: name.to_owned(),
            is_default,
            folds,
            packs,
        };
        Facts {
            profile: Profile::default(),
            format: FileFormat::Elf,
            toolchain: Capability::Stable,
            linkers: vec![
                linker("lld", true, true, true),
                linker("bfd", false, false, true),
            ],
            host_apart: true,
            libc_floor: Some(LibcVersion {
                major: 2,
                minor: 34,
            }),
            link_trials: LinkTrials::Again,
            package_keys: true,
        }
    }

    pub(crate) fn policy() -> Policy {
        Policy {
            goal: Goal::Balanced,
            max_slowdown: 0.02,
            measure: Measure::File,
            effort: Effort::Full,
            only: Vec::new(),
            skip: Vec::new(),
            allow: Vec::new(),
            allow_classes: Vec::new(),
            min_glibc: None,
            workloads: Exercised::Yes,
            tests: Exercised::Yes,
        }
    }

    fn admission(policy: &Policy, lever: &str, hazards: &[Hazard]) -> Admission {
        let lever = levers::find(lever).expect("it is in the catalogue");
        policy.admission(
            lever,
            &lever.values[0],
            &Settings::unchanged(),
            &facts(),
            hazards,
        )
    }

    fn hazard(detector: Detector) -> Hazard {
        Hazard {
            detector,
            package: "server".to_owned(),
            place: Some(("src/main.rs".to_owned(), 12)),
            what: "catches panics".to_owned(),
        }
    }

    fn flag(admission: &Admission) -> Option<&str> {
        match admission {
            Admission::IfAllowed { flag, .. } => Some(flag),
            _ => None,
        }
    }

    #[test]
    fn a_higher_floor_is_taken_only_when_it_was_stated() {
        let unasked = admission(&policy(), "pack-relocations", &[]);
        assert_eq!(flag(&unasked), Some("--min-glibc 2.36"));
        let stated = Policy {
            min_glibc: "2.36".parse().ok(),
            ..policy()
        };
        assert_eq!(
            admission(&stated, "pack-relocations", &[]),
            Admission::Tried
        );
        let lower = Policy {
            min_glibc: "2.35".parse().ok(),
            ..policy()
        };
        assert!(flag(&admission(&lower, "pack-relocations", &[])).is_some());
    }

    #[test]
    fn what_may_change_behaviour_needs_a_clear_detector_and_tests() {
        assert_eq!(admission(&policy(), "panic", &[]), Admission::Tried);
        let hazards = [hazard(Detector::CaughtPanics)];
        assert_eq!(
            admission(&policy(), "panic", &hazards),
            Admission::IfAllowed {
                reason: Reluctance::Hazards { count: 1 },
                flag: "--allow panic".to_owned()
            }
        );
        // The hazard is another lever's.
        assert_eq!(admission(&policy(), "icf", &hazards), Admission::Tried);
        let untested = Policy {
            tests: Exercised::No,
            ..policy()
        };
        assert!(flag(&admission(&untested, "icf", &[])).is_some());
        let allowed = Policy {
            allow: vec!["panic".to_owned()],
            ..untested
        };
        assert_eq!(admission(&allowed, "panic", &hazards), Admission::Tried);
    }

    #[test]
    fn security_is_given_up_by_name_only() {
        let all_classes = Policy {
            allow_classes: Class::ALL.to_vec(),
            ..policy()
        };
        assert_eq!(
            flag(&admission(&all_classes, "relocation-model", &[])),
            Some("--allow relocation-model")
        );
        let named = Policy {
            allow: vec!["relocation-model".to_owned()],
            ..policy()
        };
        assert_eq!(admission(&named, "relocation-model", &[]), Admission::Tried);
    }

    #[test]
    fn a_stable_toolchain_is_never_given_an_unstable_setting() {
        let allowed = Policy {
            allow: levers::LEVERS
                .iter()
                .map(|lever| lever.name.to_owned())
                .collect(),
            ..policy()
        };
        for lever in [
            "location-detail",
            "fmt-debug",
            "build-std",
            "immediate-abort",
        ] {
            assert!(
                matches!(admission(&allowed, lever, &[]), Admission::Impossible(_)),
                "{lever}"
            );
        }
    }

    #[test]
    fn only_and_skip_outrank_everything() {
        let policy = Policy {
            only: vec!["strip".to_owned(), "lto".to_owned()],
            skip: vec!["lto".to_owned()],
            ..policy()
        };
        assert_eq!(admission(&policy, "strip", &[]), Admission::Tried);
        assert_eq!(admission(&policy, "lto", &[]), Admission::Excluded);
        assert_eq!(admission(&policy, "panic", &[]), Admission::Excluded);
    }
}
