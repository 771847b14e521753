//! JSON for programs: format `cargo-whittle/shrink`, version 1.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use whittle_trial::detect::Hazard;
use whittle_trial::frontier::{self, Candidate};
use whittle_trial::policy::Admission;
use whittle_trial::speed::Speed;
use whittle_trial::trial::{Built, Outcome, Record, Sizes, Step};
use whittle_trial::verdict::{Behaviour, StartCost, StartUp, Starts, Verdict};

use super::advice::{goal, measure, places, reluctance};
use super::{Applied, PanicOf, PanicSeen, Panics, Report, WhyRow};
use crate::json::{Document, Text};
use crate::plain::plain;

/// Writes what trials gave as one document.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let policy = report.policy;
    let mut document = Document::open(out, "cargo-whittle/shrink")?;
    document.field("file", &Text(&report.path.display().to_string()))?;
    document.field("program", &Text(report.program))?;
    document.field("profile", &Text(report.profile))?;
    document.field("target", &Text(report.target))?;
    document.field("goal", goal(policy.goal))?;
    document.field("max-slowdown", &policy.max_slowdown)?;
    document.field("measure", measure(policy.measure))?;
    document.field("baseline", &baseline(report))?;
    document.field("recommended", &recommended(report))?;
    document.list("offers", offers(report))?;
    let frontier = frontier::frontier(report.records, policy.measure);
    let candidates = frontier.iter();
    document.list("frontier", candidates.map(|it| candidate_value(it, report)))?;
    document.list("trials", report.records.iter().map(trial))?;
    document.list("hazards", hazards(report))?;
    document.list("unneeded-acknowledgements", unneeded(report))?;
    document.list("notes", report.notes.iter().map(|note| Text(note)))?;
    document.field("builds", &report.builds)?;
    document.field("links", &report.links)?;
    document.field("link-seconds", &seconds(report.link_seconds))?;
    document.field("seconds", &seconds(report.seconds))?;
    document.field("compile-cpu-seconds", &seconds(report.compile_cpu_seconds))?;
    document.field("applied", &applied(&report.applied))?;
    document.field("panic", &report.panics.map(panics))?;
    if let Some(why) = report.why {
        document.field(
            "why",
            &json!({ "cause": rows(&why.causes), "crate": rows(&why.crates) }),
        )?;
    }
    document.close()
}

fn baseline(report: &Report<'_>) -> Value {
    json!({
        "size": sizes(report.baseline),
        "noise": report.noise,
        "libc-floor": report.facts.libc_floor.map(|floor| floor.to_string()),
        "clean-build-seconds": report.clean_build.map(|clean| seconds(clean.seconds)),
        "clean-build-cpu-seconds": report.clean_build.map(|clean| seconds(clean.cpu_seconds)),
    })
}

fn recommended(report: &Report<'_>) -> Value {
    let Some(candidate) = &report.recommended else {
        return Value::Null;
    };
    let settings = &candidate.record.trial.settings;
    let lines: Map<String, Value> = places(settings, report)
        .into_iter()
        .map(|place| (place.file.to_owned(), json!(place.lines)))
        .collect();
    let mut value = candidate_value(candidate, report);
    value["lines"] = Value::Object(lines);
    value["start-up"] = candidate.verdict.start_up.map_or(Value::Null, start_up);
    value
}

fn offers(report: &Report<'_>) -> impl Iterator<Item = Value> {
    report.offers.iter().filter_map(|(admission, record)| {
        let Admission::IfAllowed { reason, flag } = admission else {
            return None;
        };
        Some(json!({
            "flag": flag,
            "reason": reluctance(reason),
            "settings": record.trial.settings,
            "size": record.built().map(|built| sizes(built.sizes)),
        }))
    })
}

fn hazards(report: &Report<'_>) -> impl Iterator<Item = Value> {
    let acknowledged = report.hazards.acknowledged.iter().map(|(hazard, index)| {
        let mut value = hazard_value(hazard);
        value["acknowledged"] = report
            .acknowledgements
            .get(*index)
            .map_or(Value::Null, |acknowledgement| text(&acknowledgement.reason));
        value
    });
    let open = report.hazards.open.iter().map(hazard_value);
    open.chain(acknowledged)
}

fn unneeded(report: &Report<'_>) -> impl Iterator<Item = Value> {
    let unneeded = report.hazards.unneeded.iter();
    unneeded
        .filter_map(|index| report.acknowledgements.get(*index))
        .map(|acknowledgement| {
            json!({
                "lever": acknowledgement.lever,
                "package": text(&acknowledgement.package),
            })
        })
}

fn applied(applied: &Applied) -> Value {
    match applied {
        Applied::No => Value::Null,
        Applied::Yes { files, size } => json!({ "files": files, "size": size }),
        Applied::Refused { reason } => json!({ "refused": plain(reason) }),
    }
}

fn text(text: &str) -> Value {
    Value::String(plain(text).into_owned())
}

fn panics(panics: &Panics) -> Value {
    json!({
        "of": match &panics.of {
            PanicOf::Probe => Value::Null,
            PanicOf::Command(name) => text(name),
        },
        "before": panic_seen(&panics.before),
        "after": panic_seen(&panics.after),
    })
}

fn panic_seen(seen: &PanicSeen) -> Value {
    json!({
        "end": seen.end,
        "message": plain(&seen.message),
        "frames": seen.frames,
        "named-frames": seen.named,
    })
}

/// Seconds to the millisecond: more digits are noise.
fn seconds(seconds: f64) -> Value {
    json!((seconds * 1000.0).round() / 1000.0)
}

fn sizes(sizes: Sizes) -> Value {
    json!({ "file": sizes.file, "compressed": sizes.compressed, "loaded": sizes.loaded })
}

fn rows(rows: &[WhyRow]) -> Value {
    rows.iter()
        .map(|row| json!({ "name": plain(&row.name), "before": row.before, "after": row.after }))
        .collect()
}

fn hazard_value(hazard: &Hazard) -> Value {
    json!({
        "detector": match hazard.detector {
            whittle_trial::lever::Detector::CaughtPanics => "caught-panics",
            whittle_trial::lever::Detector::FunctionAddresses => "function-addresses",
            whittle_trial::lever::Detector::DebugText => "debug-text",
            whittle_trial::lever::Detector::PanicHooks => "panic-hooks",
        },
        "package": plain(&hazard.package),
        "file": hazard.place.as_ref().map(|(file, _)| plain(file)),
        "line": hazard.place.as_ref().map(|(_, line)| line),
        "what": plain(&hazard.what),
    })
}

fn candidate_value(candidate: &Candidate<'_>, report: &Report<'_>) -> Value {
    json!({
        "size": candidate.built.sizes.by(report.policy.measure),
        "sizes": sizes(candidate.built.sizes),
        "settings": candidate.record.trial.settings,
        "libc-floor": candidate.built.libc_floor.map(|floor| floor.to_string()),
        "build-seconds": seconds(candidate.built.seconds),
        "verdict": verdict(candidate.verdict),
        "speed": speed(candidate.verdict),
    })
}

fn verdict(verdict: &Verdict) -> Value {
    json!({
        "starts": match &verdict.starts {
            Starts::Yes => "yes",
            Starts::No { .. } => "no",
            Starts::NotTried => "not-tried",
        },
        "behaviour": match &verdict.behaviour {
            Behaviour::Passed => "passed",
            Behaviour::Failed { .. } => "failed",
            Behaviour::NotExercised => "not-exercised",
        },
        "speed": match verdict.speed {
            Speed::Within => "within",
            Speed::Outside => "outside",
            Speed::Undecided => "undecided",
            Speed::NotMeasured => "not-measured",
        },
        "trouble": verdict.trouble().map(|trouble| plain(&trouble).into_owned()),
    })
}

fn speed(verdict: &Verdict) -> Value {
    verdict
        .workloads
        .iter()
        .map(|workload| {
            json!({
                "workload": plain(&workload.name),
                "ratio": workload.ratio.ratio,
                "low": workload.ratio.low,
                "high": workload.ratio.high,
                "rounds": workload.rounds,
                "wall-ratio": workload.wall,
                "peak-memory": workload.peak_memory,
                "baseline-peak-memory": workload.baseline_peak_memory,
            })
        })
        .collect()
}

fn start_up(start_up: StartUp) -> Value {
    let cost = |cost: StartCost| {
        // Starting takes a millisecond or two: the microsecond counts.
        let seconds = |seconds: f64| json!((seconds * 1e6).round() / 1e6);
        json!({
            "wall-seconds": seconds(cost.wall),
            "cpu-seconds": seconds(cost.cpu),
            "peak-memory": cost.peak_memory,
        })
    };
    json!({
        "rounds": start_up.rounds,
        "wall-ratio": start_up.trial.wall / start_up.baseline.wall.max(1e-9),
        "cpu-ratio": start_up.trial.cpu / start_up.baseline.cpu.max(1e-9),
        "before": cost(start_up.baseline),
        "after": cost(start_up.trial),
    })
}

fn trial(record: &Record) -> Value {
    let built = |built: &Built| {
        json!({
            "sizes": sizes(built.sizes),
            "libc-floor": built.libc_floor.map(|floor| floor.to_string()),
            "seconds": seconds(built.seconds),
            "cpu-seconds": seconds(built.cpu_seconds),
        })
    };
    let mut value = json!({
        "step": match record.trial.step {
            Step::Build => "build",
            Step::Link => "link",
            Step::Verify => "verify",
            Step::Confirm => "confirm",
        },
        "settings": record.trial.settings,
    });
    match &record.outcome {
        Outcome::Built(of) => value["built"] = built(of),
        Outcome::Verified(of) => {
            value["verdict"] = verdict(of);
            value["speed"] = speed(of);
        }
        Outcome::Confirmed {
            built: of,
            verdict: checked,
        } => {
            value["built"] = built(of);
            value["verdict"] = verdict(checked);
            value["speed"] = speed(checked);
        }
        Outcome::Failed { reason } => value["failed"] = text(reason),
    }
    value
}
