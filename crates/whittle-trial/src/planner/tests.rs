//! Whole searches over made-up programs: a model says how big and how fast each setting is.

use super::*;
use crate::lever::Detector;
use crate::policy::tests::{facts, policy};
use crate::speed::{Ratio, Speed};
use crate::trial::Built;
use crate::verdict::{Behaviour, Starts, WorkloadSpeed};

mod whole;

/// A made-up program.
struct Program {
    /// Bytes and slowdown at a level.
    level: fn(&str) -> (u64, f64),
    /// The share of a slowdown that its own package has, and generic code with its types.
    own_share: f64,
    /// How wide the half of an interval is when the winner is measured.
    confirmed_within: f64,
    /// Whether a file with these settings starts.
    starts: fn(&Settings) -> bool,
    /// Whether it does what the baseline does.
    behaves: fn(&Settings) -> bool,
    /// Whether it builds.
    builds: fn(&Settings) -> bool,
    /// Bytes that the rest of the settings saves.
    saves: fn(&Settings) -> u64,
}

/// Sizes in thousands of bytes much like those of a program that was measured.
fn usual(level: &str) -> (u64, f64) {
    match level {
        "s" => (3_400_000, 1.05),
        "z" => (3_200_000, 1.8),
        "2" => (4_300_000, 1.01),
        _ => (4_500_000, 1.0),
    }
}

fn usual_savings(settings: &Settings) -> u64 {
    settings
        .iter()
        .map(|(lever, value)| match (lever.name, value.name) {
            ("lto", "fat") => 300_000,
            ("lto", "thin") => 150_000,
            ("panic", _) => 250_000,
            ("codegen-units" | "icf" | "immediate-abort", _) => 100_000,
            ("pack-relocations", _) => 290_000,
            ("link-optimization", _) => 64,
            ("eh-frame-hdr", _) => 40_000,
            ("inline-threshold" | "location-detail", _) => 50_000,
            ("linker", "bfd") => 5_000,
            ("build-std", _) => 400_000,
            ("unwind-tables", _) => 200_000,
            ("fmt-debug", _) => 10_000,
            _ => 0,
        })
        .sum()
}

const USUAL: Program = Program {
    level: usual,
    own_share: 0.2,
    confirmed_within: 0.01,
    starts: |_| true,
    behaves: |_| true,
    builds: |_| true,
    saves: usual_savings,
};

impl Program {
    fn outcome(&self, trial: &Trial, facts: &Facts, policy: &Policy) -> Outcome {
        let settings = &trial.settings;
        if !(self.builds)(settings) {
            return Outcome::Failed {
                reason: "error: linking failed".to_owned(),
            };
        }
        let level = settings
            .get("opt-level")
            .unwrap_or(&facts.profile.opt_level);
        let (mut size, mut ratio) = (self.level)(level);
        if let Some(own) = settings.get("own-opt-level") {
            let (own_size, own_ratio) = (self.level)(own);
            size += (own_size - size) / 6;
            ratio += (own_ratio - ratio) * self.own_share;
        }
        let file = size - (self.saves)(settings);
        let built = Built {
            sizes: Sizes {
                file,
                compressed: file / 2,
                loaded: file,
            },
            libc_floor: if settings.get("pack-relocations").is_some() {
                Some(crate::libc::LibcVersion::PACKED_RELOCATIONS)
            } else {
                facts.libc_floor
            },
            artifact: settings.to_string(),
            seconds: 1.0,
            cpu_seconds: 1.0,
        };
        let verdict = || {
            if !(self.starts)(settings) {
                return Verdict::does_not_start("exit code 127".to_owned());
            }
            let behaviour = match (policy.tests, (self.behaves)(settings)) {
                (Exercised::No, _) => Behaviour::NotExercised,
                (Exercised::Yes, true) => Behaviour::Passed,
                (Exercised::Yes, false) => Behaviour::Failed {
                    failures: vec!["cli::prints".to_owned()],
                },
            };
            let half = match trial.step {
                Step::Confirm => self.confirmed_within,
                _ => 0.01,
            };
            let ratio = Ratio {
                ratio,
                low: ratio - half,
                high: ratio + half,
            };
            let workloads = match policy.workloads {
                Exercised::Yes => vec![WorkloadSpeed {
                    name: "typical".to_owned(),
                    ratio,
                    rounds: 7,
                    wall: ratio.ratio,
                    peak_memory: None,
                    baseline_peak_memory: None,
                }],
                Exercised::No => Vec::new(),
            };
            Verdict {
                starts: Starts::Yes,
                behaviour,
                speed: policy.judge(workloads.iter().map(|workload| &workload.ratio)),
                workloads,
                start_up: None,
            }
        };
        match trial.step {
            Step::Build | Step::Link => Outcome::Built(built),
            Step::Verify => Outcome::Verified(verdict()),
            Step::Confirm => Outcome::Confirmed {
                built,
                verdict: verdict(),
            },
        }
    }
}

struct Search {
    records: Vec<Record>,
    recommended: Option<Settings>,
}

impl Search {
    fn builds(&self) -> Vec<String> {
        self.steps(Step::Build)
    }

    fn steps(&self, step: Step) -> Vec<String> {
        self.records
            .iter()
            .filter(|record| record.trial.step == step)
            .map(|record| record.trial.settings.to_string())
            .collect()
    }

    fn recommended(&self) -> String {
        self.recommended
            .as_ref()
            .map_or("nothing".to_owned(), ToString::to_string)
    }
}

fn search_from(
    records: Vec<Record>,
    program: &Program,
    facts: &Facts,
    policy: &Policy,
    hazards: &[Hazard],
) -> Search {
    let mut records = records;
    for _ in 0..1000 {
        let state = State {
            facts,
            policy,
            hazards,
            baseline: Sizes {
                file: 6_300_000,
                compressed: 3_000_000,
                loaded: 5_000_000,
            },
            records: &records,
            time: Time::Left,
        };
        let trials = next(&state);
        if trials.is_empty() {
            let recommended =
                recommended(&state).map(|candidate| candidate.record.trial.settings.clone());
            return Search {
                records,
                recommended,
            };
        }
        for trial in trials {
            assert!(
                !records.iter().any(|record| record.trial == trial),
                "{trial:?} was done already"
            );
            let outcome = program.outcome(&trial, facts, policy);
            records.push(Record { trial, outcome });
        }
    }
    panic!("the search does not end");
}

fn search(program: &Program, policy: &Policy) -> Search {
    search_from(Vec::new(), program, &facts(), policy, &[])
}

#[test]
fn a_level_that_is_too_slow_ends_the_way_down() {
    // `s` is 5 % slower, and 2 % are allowed: `z` cannot win, and neither can `3` once `2` is fast enough. The time goes
    // into dependencies, so that a faster package of its own does not help.
    let found = search(&USUAL, &policy());
    assert_eq!(
        found.builds(),
        [
            "opt-level=s lto=fat codegen-units=1 panic=abort",
            "opt-level=s own-opt-level=2 lto=fat codegen-units=1 panic=abort",
            "opt-level=s own-opt-level=3 lto=fat codegen-units=1 panic=abort",
            "opt-level=2 lto=fat codegen-units=1 panic=abort",
            "opt-level=2 lto=fat codegen-units=1 panic=abort inline-threshold=25",
        ]
    );
    assert_eq!(
        found.recommended(),
        "opt-level=2 lto=fat codegen-units=1 panic=abort strip=symbols inline-threshold=25 icf=all eh-frame-hdr=none"
    );
}

#[test]
fn a_program_whose_time_goes_into_its_own_package_has_that_alone_compiled_for_speed() {
    let program = Program {
        own_share: 1.0,
        ..USUAL
    };
    let found = search(&program, &policy());
    assert_eq!(
        found.builds(),
        [
            "opt-level=s lto=fat codegen-units=1 panic=abort",
            "opt-level=s own-opt-level=2 lto=fat codegen-units=1 panic=abort",
            "opt-level=s own-opt-level=2 lto=fat codegen-units=1 panic=abort inline-threshold=25",
        ]
    );
    let recommended = found.recommended();
    assert!(
        recommended.starts_with("opt-level=s own-opt-level=2 "),
        "{recommended}"
    );
}

#[test]
fn what_a_first_look_leaves_open_is_measured_with_more_care() {
    let near = |level: &str| match level {
        "z" => usual("z"),
        other => (usual(other).0, 1.015),
    };
    let program = |confirmed_within| Program {
        level: near,
        confirmed_within,
        ..USUAL
    };
    let clear = search(&program(0.002), &policy());
    assert!(clear.recommended().starts_with("opt-level=s lto=fat"));
    assert_eq!(clear.steps(Step::Confirm).len(), 1);
    // Where that does not tell either, the next is measured, and in the end nothing is promised.
    let open = search(&program(0.01), &policy());
    assert_eq!(open.recommended(), "nothing");
    assert!(open.steps(Step::Confirm).len() > 1);
}

#[test]
fn what_is_smaller_and_left_open_is_measured_with_more_care_before_the_bigger_is_taken() {
    let program = |confirmed_within| Program {
        level: |level| match level {
            "s" => (usual("s").0, 1.015),
            other => usual(other),
        },
        confirmed_within,
        ..USUAL
    };
    let clear = search(&program(0.002), &policy());
    assert!(clear.recommended().starts_with("opt-level=s lto=fat"));
    assert!(
        clear
            .steps(Step::Verify)
            .iter()
            .any(|settings| settings.starts_with("opt-level=2"))
    );
    assert_eq!(clear.steps(Step::Confirm), [clear.recommended()]);
    // Where that does not tell, what is known to be fast enough is taken.
    let open = search(&program(0.008), &policy());
    assert!(
        open.recommended().starts_with("opt-level=2"),
        "{}",
        open.recommended()
    );
    assert_eq!(open.steps(Step::Confirm).len(), 3);
}

#[test]
fn a_wider_bound_finds_the_smaller_level_and_builds_no_bigger_one() {
    let policy = Policy {
        max_slowdown: 0.15,
        ..policy()
    };
    let found = search(&USUAL, &policy);
    assert_eq!(
        found.builds(),
        [
            "opt-level=s lto=fat codegen-units=1 panic=abort",
            "opt-level=z lto=fat codegen-units=1 panic=abort",
            "opt-level=s lto=fat codegen-units=1 panic=abort inline-threshold=5",
        ]
    );
    assert!(found.recommended().starts_with("opt-level=s "));
}

#[test]
fn the_winner_is_built_once_more_and_nothing_else_is() {
    let found = search(&USUAL, &policy());
    assert_eq!(found.steps(Step::Confirm), [found.recommended()]);
}

#[test]
fn settings_that_save_next_to_nothing_are_not_recommended() {
    let found = search(&USUAL, &policy());
    // 64 bytes by the linker's optimization, 5 kB by another linker.
    assert!(!found.recommended().contains("link-optimization"));
    assert!(!found.recommended().contains("linker="));
}

#[test]
fn a_program_where_s_is_smaller_than_z_gets_s() {
    let policy = Policy {
        goal: Goal::Smallest,
        ..policy()
    };
    let program = Program {
        level: |level| match level {
            "s" => (3_100_000, 1.0),
            "z" => (3_200_000, 1.0),
            _ => (4_500_000, 1.0),
        },
        ..USUAL
    };
    let found = search(&program, &policy);
    assert!(
        found.recommended().starts_with("opt-level=s "),
        "{}",
        found.recommended()
    );
}

#[test]
fn without_a_workload_the_level_stays_and_smaller_ones_are_listed() {
    let policy = Policy {
        workloads: Exercised::No,
        ..policy()
    };
    let found = search(&USUAL, &policy);
    assert_eq!(
        found.recommended(),
        "lto=fat codegen-units=1 panic=abort strip=symbols icf=all eh-frame-hdr=none"
    );
    assert_eq!(found.builds().len(), 3);
}

#[test]
fn a_quick_search_is_one_build_and_the_winners_own() {
    let policy = Policy {
        workloads: Exercised::No,
        tests: Exercised::No,
        effort: Effort::Quick,
        ..policy()
    };
    let found = search(&USUAL, &policy);
    assert_eq!(found.builds(), ["lto=fat codegen-units=1"]);
    assert_eq!(found.recommended(), "lto=fat codegen-units=1 strip=symbols");
}

#[test]
fn a_stated_floor_lets_relocations_be_packed() {
    let stated = Policy {
        min_glibc: "2.36".parse().ok(),
        ..policy()
    };
    assert!(
        search(&USUAL, &stated)
            .recommended()
            .contains("pack-relocations=relr")
    );
    let found = search(&USUAL, &policy());
    assert!(!found.recommended().contains("pack-relocations"));
    // … but what it would save is known, without another build.
    let (facts, policy) = (facts(), policy());
    let state = State {
        facts: &facts,
        policy: &policy,
        hazards: &[],
        baseline: Sizes::default(),
        records: &found.records,
        time: Time::Left,
    };
    let chosen = found.recommended.clone().expect("there is a winner");
    let offers = offers(&state, &chosen);
    let flags: Vec<&str> = offers
        .iter()
        .filter_map(|(admission, _)| match admission {
            Admission::IfAllowed { flag, .. } => Some(flag.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(flags, ["--min-glibc 2.36"]);
}

#[test]
fn what_links_and_does_not_start_is_left_out() {
    let program = Program {
        starts: |settings| settings.get("icf").is_none(),
        ..USUAL
    };
    let found = search(&program, &policy());
    assert_eq!(
        found.recommended(),
        "opt-level=2 lto=fat codegen-units=1 panic=abort strip=symbols inline-threshold=25 eh-frame-hdr=none"
    );
}

#[test]
fn a_program_that_behaves_otherwise_when_it_aborts_keeps_unwinding() {
    let program = Program {
        behaves: |settings| settings.get("panic").is_none(),
        ..USUAL
    };
    let found = search(&program, &policy());
    assert_eq!(
        found.recommended(),
        "opt-level=2 lto=fat codegen-units=1 strip=symbols inline-threshold=25 icf=all"
    );
}

#[test]
fn a_program_that_catches_panics_is_never_built_to_abort_but_for_the_offer() {
    let hazards = [Hazard {
        detector: Detector::CaughtPanics,
        package: "server".to_owned(),
        place: None,
        what: "catches panics".to_owned(),
    }];
    let policy = policy();
    let found = search_from(Vec::new(), &USUAL, &facts(), &policy, &hazards);
    assert!(!found.recommended().contains("panic"));
    let checked = [found.steps(Step::Verify), found.steps(Step::Confirm)].concat();
    assert!(checked.iter().all(|settings| !settings.contains("panic=")));
    let with_abort = found
        .builds()
        .iter()
        .filter(|settings| settings.contains("panic="))
        .count();
    assert_eq!(with_abort, 1);
}

#[test]
fn a_weaker_form_is_built_where_the_strongest_does_not_build() {
    let program = Program {
        builds: |settings| settings.get("lto") != Some("fat"),
        ..USUAL
    };
    let found = search(&program, &policy());
    assert!(
        found.recommended().contains("lto=thin"),
        "{}",
        found.recommended()
    );
}

#[test]
fn what_cannot_be_confirmed_is_not_recommended() {
    // The file that cargo builds fails where the one that was linked again did not.
    let facts = facts();
    let policy = policy();
    let mut records = Vec::new();
    let mut refused = None;
    for _ in 0..1000 {
        let state = State {
            facts: &facts,
            policy: &policy,
            hazards: &[],
            baseline: Sizes {
                file: 6_300_000,
                ..Sizes::default()
            },
            records: &records,
            time: Time::Left,
        };
        let trials = next(&state);
        if trials.is_empty() {
            let found = recommended(&state).expect("another one is left");
            let settings = found.record.trial.settings.compiled();
            assert_ne!(Some(settings), refused);
            return;
        }
        for trial in trials {
            let mut outcome = USUAL.outcome(&trial, &facts, &policy);
            if let (Outcome::Confirmed { verdict, .. }, None) = (&mut outcome, &refused) {
                verdict.behaviour = Behaviour::Failed {
                    failures: vec!["cli::prints".to_owned()],
                };
                refused = Some(trial.settings.compiled());
            }
            records.push(Record { trial, outcome });
        }
    }
    panic!("the search does not end");
}

#[test]
fn nothing_is_recommended_where_nothing_is_smaller() {
    let program = Program {
        level: |_| (6_300_000, 1.0),
        saves: |_| 0,
        ..USUAL
    };
    assert_eq!(search(&program, &policy()).recommended(), "nothing");
}

#[test]
fn a_search_goes_on_from_any_point_and_finds_the_same() {
    let whole = search(&USUAL, &policy());
    for cut in 0..whole.records.len() {
        let records = whole.records[..cut].to_vec();
        let found = search_from(records, &USUAL, &facts(), &policy(), &[]);
        assert_eq!(found.recommended, whole.recommended, "cut at {cut}");
        assert_eq!(found.records.len(), whole.records.len(), "cut at {cut}");
    }
}

#[test]
fn a_search_that_is_allowed_more_or_less_than_the_one_before_finds_what_it_would_find_alone() {
    let floor = Policy {
        min_glibc: "2.36".parse().ok(),
        ..policy()
    };
    let unfolded = Policy {
        skip: vec!["icf".to_owned()],
        ..floor.clone()
    };
    let smallest = Policy {
        goal: Goal::Smallest,
        ..policy()
    };
    let policies = [policy(), floor, unfolded, smallest];
    for before in &policies {
        for after in &policies {
            let alone = search(&USUAL, after).recommended();
            let records = search(&USUAL, before).records;
            let found = search_from(records, &USUAL, &facts(), after, &[]);
            assert_eq!(found.recommended(), alone, "{before:?}, then {after:?}");
        }
    }
}

#[test]
fn when_the_time_is_over_what_is_there_is_confirmed() {
    let facts = facts();
    let policy = policy();
    let whole = search(&USUAL, &policy);
    // The first build, its links and its check.
    let until = whole
        .records
        .iter()
        .position(|record| record.trial.step == Step::Verify)
        .expect("it was checked")
        + 1;
    let loose = Policy {
        max_slowdown: 0.15,
        ..policy
    };
    let mut records = whole.records[..until].to_vec();
    if let Some(Record {
        outcome: Outcome::Verified(verdict),
        ..
    }) = records.last_mut()
    {
        verdict.speed = Speed::Within;
    }
    let trials = next(&State {
        facts: &facts,
        policy: &loose,
        hazards: &[],
        baseline: Sizes {
            file: 6_300_000,
            ..Sizes::default()
        },
        records: &records,
        time: Time::Over,
    });
    assert_eq!(trials.len(), 1);
    assert_eq!(trials[0].step, Step::Confirm);
}

#[test]
fn a_toolchain_with_the_sources_builds_the_standard_library() {
    let facts = Facts {
        toolchain: crate::facts::Capability::UnstableWithStdSources,
        ..facts()
    };
    let found = search_from(Vec::new(), &USUAL, &facts, &policy(), &[]);
    for setting in [
        "build-std=small",
        "unwind-tables=none",
        "immediate-abort=yes",
    ] {
        assert!(
            found.recommended().contains(setting),
            "{}",
            found.recommended()
        );
    }
    // Where a panic must print its message, that alone stays out.
    let hook = [Hazard {
        detector: Detector::PanicHooks,
        package: "app".to_owned(),
        place: None,
        what: "replaces what a panic prints".to_owned(),
    }];
    let found = search_from(Vec::new(), &USUAL, &facts, &policy(), &hook);
    assert!(found.recommended().contains("build-std=small"));
    assert!(!found.recommended().contains("immediate-abort"));
}

#[test]
fn linker_combinations_are_all_tried_and_no_build_is_made_for_them() {
    let stated = Policy {
        min_glibc: "2.36".parse().ok(),
        goal: Goal::Smallest,
        ..policy()
    };
    let found = search(&USUAL, &stated);
    let first = found.builds()[0].clone();
    let links = found
        .steps(Step::Link)
        .iter()
        .filter(|settings| settings.starts_with(&first))
        .count();
    // lld: folding, packing, optimization, header: 16. bfd folds nothing: 8.
    assert_eq!(links, 24);
}

#[test]
fn a_flag_that_would_reach_build_scripts_is_tried_only_with_a_target() {
    let together = Facts {
        host_apart: false,
        ..facts()
    };
    let found = search_from(Vec::new(), &USUAL, &together, &policy(), &[]);
    assert!(!found.recommended().contains("eh-frame-hdr"));
    assert!(found.recommended().contains("icf=all"));
}
