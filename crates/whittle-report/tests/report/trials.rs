//! What trials gave, drawn from made-up records.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;
use whittle_report::shrink::{
    Applied, CleanBuild, PanicOf, PanicSeen, Panics, Report, Why, WhyRow,
};
use whittle_trial::detect::{Acknowledgement, Hazard, Weighed};
use whittle_trial::facts::{Capability, Facts, FileFormat, LinkTrials, Profile};
use whittle_trial::frontier::candidates;
use whittle_trial::lever::Detector;
use whittle_trial::policy::{Admission, Effort, Exercised, Goal, Measure, Policy, Reluctance};
use whittle_trial::settings::Settings;
use whittle_trial::speed::{Ratio, Speed};
use whittle_trial::trial::{Built, Outcome, Record, Sizes, Step, Trial};
use whittle_trial::verdict::{Behaviour, StartCost, StartUp, Starts, Verdict, WorkloadSpeed};

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs
        .iter()
        .try_fold(Settings::unchanged(), |settings, (lever, value)| {
            settings.with(lever, value)
        })
        .expect("the catalogue has them")
}

fn built(file: u64) -> Built {
    Built {
        sizes: Sizes {
            file,
            compressed: file / 3,
            loaded: file,
        },
        libc_floor: None,
        artifact: "0123".to_owned(),
        seconds: 12.0,
        cpu_seconds: 20.0,
    }
}

/// A winner, what would come on top of it, and a trial that failed.
fn records() -> Vec<Record> {
    let winner = settings(&[
        ("own-opt-level", "2"),
        ("lto", "fat"),
        ("codegen-units", "1"),
        ("strip", "symbols"),
        ("icf", "all"),
    ]);
    let packed = winner
        .clone()
        .with("pack-relocations", "relr")
        .expect("known");
    let verdict = Verdict {
        starts: Starts::Yes,
        behaviour: Behaviour::Passed,
        speed: Speed::Within,
        workloads: vec![WorkloadSpeed {
            name: "search".to_owned(),
            ratio: Ratio {
                ratio: 0.996,
                low: 0.98,
                high: 1.012,
            },
            rounds: 9,
            wall: 0.99,
            peak_memory: Some(4 << 20),
            baseline_peak_memory: Some(5 << 20),
        }],
        start_up: Some(StartUp {
            rounds: 15,
            baseline: StartCost {
                wall: 0.002,
                cpu: 0.0015,
                peak_memory: 4_000_000,
            },
            trial: StartCost {
                wall: 0.0018,
                cpu: 0.0012,
                peak_memory: 3_500_000,
            },
        }),
    };
    let record = |step, settings: &Settings, outcome| Record {
        trial: Trial {
            step,
            settings: settings.clone(),
        },
        outcome,
    };
    vec![
        record(
            Step::Build,
            &winner.compiled(),
            Outcome::Built(built(4_000_000)),
        ),
        record(Step::Link, &winner, Outcome::Built(built(3_000_000))),
        record(Step::Link, &packed, Outcome::Built(built(2_700_000))),
        record(
            Step::Link,
            &winner.clone().with("linker", "gold").expect("known"),
            Outcome::Failed {
                reason: "ld.gold: \u{1b}[31merror".to_owned(),
            },
        ),
        record(
            Step::Confirm,
            &winner,
            Outcome::Confirmed {
                built: built(3_000_000),
                verdict,
            },
        ),
    ]
}

fn policy() -> Policy {
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

/// Calls `draw` with a whole report.
fn with_report<T>(full: bool, draw: impl FnOnce(Report<'_>) -> T) -> T {
    let records = records();
    let policy = policy();
    let facts = Facts {
        profile: Profile::default(),
        format: FileFormat::Elf,
        toolchain: Capability::Stable,
        linkers: Vec::new(),
        host_apart: false,
        libc_floor: "2.34".parse().ok(),
        link_trials: LinkTrials::Again,
        package_keys: true,
    };
    let acknowledgements = [Acknowledgement {
        lever: "icf".to_owned(),
        package: "gone".to_owned(),
        reason: "it was so".to_owned(),
    }];
    let hazards = Weighed {
        open: vec![Hazard {
            detector: Detector::CaughtPanics,
            package: "server".to_owned(),
            place: Some(("src/main.rs".to_owned(), 12)),
            what: "catches panics".to_owned(),
        }],
        acknowledged: Vec::new(),
        unneeded: vec![0],
    };
    let offer = Admission::IfAllowed {
        reason: Reluctance::HigherFloor {
            needs: "2.36".parse().expect("a version"),
            today: "2.34".parse().expect("a version"),
        },
        flag: "--min-glibc 2.36".to_owned(),
    };
    let seen = |end: &str| PanicSeen {
        end: end.to_owned(),
        message: "thread 'main' panicked at src/main.rs:1:1:".to_owned(),
        frames: 9,
        named: 0,
    };
    let panics = Panics {
        of: PanicOf::Command("check `bad input`".to_owned()),
        before: seen("exit code 101"),
        after: seen("signal 6 (abort)"),
    };
    let notes = ["whether it starts was \u{1b}[31mnot tried".to_owned()];
    draw(Report {
        program: "rg",
        path: Path::new("/p/target/release/rg"),
        profile: "release",
        own_package: "planted",
        target: "x86_64-unknown-linux-gnu",
        policy: &policy,
        facts: &facts,
        baseline: Sizes {
            file: 6_000_000,
            compressed: 2_500_000,
            loaded: 5_000_000,
        },
        noise: 16,
        clean_build: Some(CleanBuild {
            seconds: 40.0,
            cpu_seconds: 70.0,
        }),
        recommended: candidates(&records).into_iter().next(),
        offers: vec![(offer, &records[2])],
        records: &records,
        hazards: &hazards,
        acknowledgements: &acknowledgements,
        notes: &notes,
        builds: 4,
        links: 24,
        link_seconds: 2.5,
        seconds: 100.0,
        compile_cpu_seconds: 210.0,
        why: None,
        panics: Some(&panics),
        applied: Applied::No,
        full,
        time_is_over: false,
    })
}

fn text(full: bool, width: usize) -> String {
    with_report(full, |report| {
        let mut out = Vec::new();
        whittle_report::shrink::text(&mut out, &report, width, false).expect("memory takes all");
        String::from_utf8(out).expect("text is UTF-8")
    })
}

#[test]
fn the_decision_fits_one_screen_and_says_all_that_decides() {
    let text = text(false, 80);
    // Everything that can be said at once is in it: hazards, offers, panics, notes.
    assert!(text.lines().count() <= 52, "{text}");
    for part in [
        "now: 6,000,000 bytes on disk",
        "Take this: 3,000,000 bytes on disk, 50.0 % of now",
        "[profile.release]",
        "lto = \"fat\"",
        // With `strip` again, which cargo forgets for a package that has keys of its own.
        "[profile.release.package.planted]\n    opt-level = 2\n    strip = \"symbols\"",
        "[target.x86_64-unknown-linux-gnu]",
        "rustflags = [\"-Clink-arg=-Wl,--icf=all\"]",
        "tests and checks passed",
        "search: as fast as can be told (-2.0 to +1.2 %), 9 rounds; 4.00 MiB of memory at most (now 5.00 MiB)",
        "to start: 1.8 ms (now 2.0 ms), 3.34 MiB of memory at most (now 3.81 MiB)",
        "a panic now:  exit code 101",
        "a panic then: signal 6 (abort)",
        "(of your check `bad input`)",
        "300,000  --min-glibc 2.36",
        "server: src/main.rs:12 catches panics",
        "the acknowledgement of `icf` in `gone` is not needed any more",
        "3.0 clean builds' worth",
        "cargo whittle undo",
        "the same command with --apply",
    ] {
        // Where lines break is the page's affair.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(&text).contains(&words(part)),
            "`{part}` is not in:\n{text}"
        );
    }
    assert!(!text.contains("--allow unproven"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_page_and_nothing_acts_on_the_terminal() {
    for full in [false, true] {
        for width in [60, 80, 120] {
            let text = text(full, width);
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
    }
}

#[test]
fn everything_lists_every_trial() {
    let text = text(true, 100);
    assert!(text.contains("All trials (5)"), "{text}");
    assert!(text.contains("failed: ld.gold"), "{text}");
    assert!(text.contains("Frontier"), "{text}");
}

fn document(report: &Report<'_>) -> Value {
    let mut out = Vec::new();
    whittle_report::shrink::json(&mut out, report).expect("memory takes all");
    assert!(!out.contains(&0x1b));
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn the_document_has_the_keys_that_are_promised() {
    let document = with_report(false, |report| document(&report));
    for key in [
        "format",
        "version",
        "baseline",
        "recommended",
        "trials",
        "frontier",
        "hazards",
        "builds",
        "seconds",
        "compile-cpu-seconds",
    ] {
        assert!(document.get(key).is_some(), "{key}");
    }
    let recommended = &document["recommended"];
    assert_eq!(recommended["size"], 3_000_000);
    assert_eq!(recommended["settings"]["lto"], "fat");
    assert_eq!(recommended["verdict"]["behaviour"], "passed");
    let speed = &recommended["speed"][0];
    assert_eq!(speed["workload"], "search");
    assert!(speed["low"].as_f64() < speed["ratio"].as_f64());
    assert!(speed["ratio"].as_f64() < speed["high"].as_f64());
    assert_eq!(document["trials"].as_array().map(Vec::len), Some(5));
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_str!("../../../../docs/shrink.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
});

fn follows_the_schema(document: &Value) {
    let errors: Vec<String> = SCHEMA
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

/// A document with something in every list and under every key.
fn whole_document() -> Value {
    with_report(true, |report| {
        let row = |name: &str| WhyRow {
            name: name.to_owned(),
            before: 300,
            after: 100,
        };
        let why = Why {
            causes: vec![row("panics")],
            crates: vec![row("std")],
        };
        let hazard = |detector, place| Hazard {
            detector,
            package: "server".to_owned(),
            place,
            what: "prints with `{:?}`".to_owned(),
        };
        let hazards = Weighed {
            open: vec![
                hazard(Detector::PanicHooks, None),
                hazard(Detector::FunctionAddresses, None),
            ],
            acknowledged: vec![(
                hazard(Detector::DebugText, Some(("src/lib.rs".to_owned(), 1))),
                0,
            )],
            unneeded: vec![0],
        };
        document(&Report {
            why: Some(&why),
            hazards: &hazards,
            applied: Applied::Yes {
                files: vec!["Cargo.toml".to_owned()],
                size: 3_000_000,
            },
            ..report
        })
    })
}

#[test]
fn documents_follow_the_schema() {
    follows_the_schema(&with_report(false, |report| document(&report)));
    follows_the_schema(&whole_document());
    // Nothing was found, nothing was known, nothing was kept.
    let hazards = Weighed {
        open: Vec::new(),
        acknowledged: Vec::new(),
        unneeded: Vec::new(),
    };
    follows_the_schema(&with_report(false, |report| {
        document(&Report {
            clean_build: None,
            recommended: None,
            offers: Vec::new(),
            records: &[],
            hazards: &hazards,
            notes: &[],
            panics: None,
            applied: Applied::Refused {
                reason: "nothing better was found".to_owned(),
            },
            ..report
        })
    }));
}

#[test]
fn every_end_of_a_trial_and_every_verdict_follow_the_schema() {
    let verdict = |starts: &Starts, behaviour: &Behaviour, speed| Verdict {
        starts: starts.clone(),
        behaviour: behaviour.clone(),
        speed,
        workloads: Vec::new(),
        start_up: None,
    };
    let no = Starts::No {
        reason: "signal 11".to_owned(),
    };
    let failed = Behaviour::Failed {
        failures: vec!["test `a`".to_owned(), "test `b`".to_owned()],
    };
    let mut records = records();
    for starts in [&Starts::Yes, &no, &Starts::NotTried] {
        for behaviour in [&Behaviour::Passed, &failed, &Behaviour::NotExercised] {
            for speed in [
                Speed::Within,
                Speed::Outside,
                Speed::Undecided,
                Speed::NotMeasured,
            ] {
                records.push(Record {
                    trial: Trial {
                        step: Step::Verify,
                        settings: settings(&[("strip", "symbols")]),
                    },
                    outcome: Outcome::Verified(verdict(starts, behaviour, speed)),
                });
            }
        }
    }
    let document = with_report(true, |report| {
        document(&Report {
            records: &records,
            ..report
        })
    });
    assert_eq!(
        document["trials"].as_array().map(Vec::len),
        Some(records.len())
    );
    follows_the_schema(&document);
}

#[test]
fn the_schema_tells_a_document_that_changed() {
    let document = whole_document();
    assert!(SCHEMA.is_valid(&document));
    let object = |document: &mut Value, place: &str, key: &str, value: Option<Value>| {
        let object = document.pointer_mut(place).and_then(Value::as_object_mut);
        let object = object.expect(place);
        match value {
            Some(value) => object.insert(key.to_owned(), value),
            None => object.remove(key),
        };
    };
    for place in [
        "",
        "/baseline",
        "/baseline/size",
        "/recommended",
        "/recommended/verdict",
        "/recommended/speed/0",
        "/offers/0",
        "/frontier/0",
        "/trials/0/built",
        "/trials/4/verdict",
        "/hazards/0",
        "/unneeded-acknowledgements/0",
        "/applied",
        "/panic",
        "/panic/before",
        "/why",
        "/why/cause/0",
    ] {
        let mut more = document.clone();
        object(&mut more, place, "new", Some(Value::Null));
        assert!(!SCHEMA.is_valid(&more), "`new` in `{place}`");
        let keys = document.pointer(place).and_then(Value::as_object);
        for key in keys.expect(place).keys() {
            if (place, key.as_str()) == ("", "why") {
                // Only with `--full`.
                continue;
            }
            let mut less = document.clone();
            object(&mut less, place, key, None);
            assert!(!SCHEMA.is_valid(&less), "`{place}` without `{key}`");
        }
    }
    for (place, key, value) in [
        ("", "version", 2.into()),
        ("", "goal", "best".into()),
        ("/recommended/lines", "build.rs", Value::Array(Vec::new())),
        ("/recommended/settings", "lto", true.into()),
        ("/trials/0", "failed", "no, built".into()),
        ("/trials/0", "verdict", Value::Null),
        ("/hazards/0", "acknowledged", Value::Null),
        ("/applied", "refused", "no, written".into()),
        ("/baseline", "libc-floor", "new".into()),
    ] {
        let mut other = document.clone();
        object(&mut other, place, key, Some(value));
        assert!(!SCHEMA.is_valid(&other), "`{key}` in `{place}`");
    }
}

#[test]
fn markdown_has_the_lines_to_copy() {
    let text = with_report(false, |report| {
        let mut out = Vec::new();
        whittle_report::shrink::markdown(&mut out, &report).expect("memory takes all");
        String::from_utf8(out).expect("UTF-8")
    });
    for part in [
        "**Take this: 3,000,000 bytes, 50.0 % of now.**",
        "```toml\n[profile.release]\ncodegen-units = 1\nlto = \"fat\"\nstrip = \"symbols\"\n[profile.release.package.planted]\nopt-level = 2\nstrip = \"symbols\"\n```",
        "--min-glibc 2.36",
        "| 9 | 4.00 MiB of memory at most (now 5.00 MiB) |",
        "To start: 1.8 ms (now 2.0 ms), 3.34 MiB of memory at most (now 3.81 MiB).",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
}
