//! Words that all formats share: the lines of settings, prices, verdicts.

use whittle_trial::policy::{Goal, Measure, Reluctance};
use whittle_trial::settings::Settings;
use whittle_trial::speed::{Ratio, Speed};
use whittle_trial::verdict::{Behaviour, StartUp, Starts, Verdict, WorkloadSpeed};

use crate::numbers::human;

use super::Report;

/// Where lines are written, and the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: &'static str,
    pub(super) lines: Vec<String>,
}

/// The lines that settings stand for, by file.
pub(super) fn places(settings: &Settings, report: &Report<'_>) -> Vec<Place> {
    let Report {
        profile,
        own_package,
        target,
        ..
    } = report;
    let lines = report.facts.lines(settings);
    let mut places = Vec::new();
    let mut text = Vec::new();
    let tables = [
        (format!("[profile.{profile}]"), &lines.profile),
        (
            format!("[profile.{profile}.package.{}]", toml_key(own_package)),
            &lines.own_package,
        ),
    ];
    for (table, keys) in tables {
        if !keys.is_empty() {
            text.push(table);
            text.extend(keys.iter().map(|(key, value)| format!("{key} = {value}")));
        }
    }
    if !text.is_empty() {
        places.push(Place {
            file: "Cargo.toml",
            lines: text,
        });
    }
    let mut text = Vec::new();
    let flags: Vec<String> = lines
        .rustflags
        .iter()
        .map(|flag| (*flag).to_owned())
        .chain(
            lines
                .link_arguments
                .iter()
                .map(|argument| format!("-Clink-arg={argument}")),
        )
        .map(|flag| format!("\"{flag}\""))
        .collect();
    if !flags.is_empty() {
        text.push(format!("[target.{target}]"));
        text.push(format!("rustflags = [{}]", flags.join(", ")));
    }
    if !lines.unstable.is_empty() {
        text.push("[unstable]".to_owned());
        text.extend(lines.unstable.iter().map(|(key, list)| {
            if list.is_empty() {
                return format!("{key} = true");
            }
            let list: Vec<String> = list.iter().map(|item| format!("\"{item}\"")).collect();
            format!("{key} = [{}]", list.join(", "))
        }));
    }
    if !text.is_empty() {
        places.push(Place {
            file: ".cargo/config.toml",
            lines: text,
        });
    }
    places
}

/// A package's name as a key in TOML: bare, or quoted where it has a version.
fn toml_key(name: &str) -> String {
    let is_bare = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

/// What settings cost, one price each, in the catalogue's order.
pub(super) fn prices(settings: &Settings) -> Vec<(String, &'static str)> {
    settings
        .iter()
        .map(|(lever, value)| (format!("{} = {}", lever.name, value.name), lever.price))
        .collect()
}

/// What a measure is called behind a number of bytes.
pub(super) fn measured(measure: Measure) -> &'static str {
    match measure {
        Measure::File => "on disk",
        Measure::Compressed => "compressed",
        Measure::Loaded => "in memory",
    }
}

/// The name of a goal in documents.
pub(super) fn goal(goal: Goal) -> &'static str {
    match goal {
        Goal::Balanced => "balanced",
        Goal::Fastest => "fastest",
        Goal::Smallest => "smallest",
    }
}

/// The name of a measure in documents.
pub(super) fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::File => "file",
        Measure::Compressed => "compressed",
        Measure::Loaded => "loaded",
    }
}

/// A ratio of times for people: `2.1 % slower (-0.4 to +4.7)`.
pub(super) fn ratio(ratio: Ratio) -> String {
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let word = if ratio.low > 1.0 {
        format!("{:.1} % slower", percent(ratio.ratio))
    } else if ratio.high < 1.0 {
        format!("{:.1} % faster", -percent(ratio.ratio))
    } else {
        "as fast as can be told".to_owned()
    };
    format!(
        "{word} ({:+.1} to {:+.1} %)",
        percent(ratio.low),
        percent(ratio.high)
    )
}

/// What starting takes, in one line: `1.9 ms (now 2.1 ms), 3.10 MiB of memory at most (now 3.20 MiB)`.
pub(super) fn start_up(start_up: &StartUp) -> String {
    let time = |seconds: f64| format!("{:.1} ms", seconds * 1000.0);
    let (before, after) = (start_up.baseline, start_up.trial);
    format!(
        "{} (now {}), {} of memory at most (now {})",
        time(after.wall),
        time(before.wall),
        human(after.peak_memory),
        human(before.peak_memory),
    )
}

/// How much memory a workload takes at most.
pub(super) fn memory(workload: &WorkloadSpeed) -> Option<String> {
    let after = workload.peak_memory?;
    Some(match workload.baseline_peak_memory {
        Some(before) => format!("{} of memory at most (now {})", human(after), human(before)),
        None => format!("{} of memory at most", human(after)),
    })
}

/// What the checks gave, in one line.
pub(super) fn checked(verdict: &Verdict) -> String {
    let starts = match &verdict.starts {
        Starts::Yes => "starts",
        Starts::No { .. } => "does not start",
        Starts::NotTried => "whether it starts was not tried",
    };
    let behaviour = match &verdict.behaviour {
        Behaviour::Passed => "tests and checks passed",
        Behaviour::Failed { .. } => "tests or checks failed",
        Behaviour::NotExercised => "behaviour not exercised: no test or check runs it",
    };
    let speed = match verdict.speed {
        Speed::Within => "speed within the bound",
        Speed::Outside => "slower than the bound",
        Speed::Undecided => "speed undecided",
        Speed::NotMeasured => "speed not measured: no workload",
    };
    format!("{starts}; {behaviour}; {speed}")
}

/// Why a lever is not moved unasked.
pub(super) fn reluctance(reason: &Reluctance) -> String {
    match reason {
        Reluctance::Security => "it costs security or correctness".to_owned(),
        Reluctance::Special => "it is of use in special cases only".to_owned(),
        Reluctance::HigherFloor { needs, today } => {
            format!("it needs glibc {needs}, and {today} is enough today")
        }
        Reluctance::Hazards { count: 1 } => "one place speaks against it".to_owned(),
        Reluctance::Hazards { count } => format!("{count} places speak against it"),
        Reluctance::NotExercised => "no test or check runs the program".to_owned(),
        Reluctance::Quick => "a quick search leaves it out".to_owned(),
    }
}

/// Who will not get the lines that are not in a manifest.
pub(super) fn who_misses(settings: &Settings) -> Option<String> {
    let lines = settings.lines();
    let has_flags = !lines.rustflags.is_empty() || !lines.link_arguments.is_empty();
    has_flags.then(|| {
        "`cargo install` from a registry, builds with `RUSTFLAGS` set and containers that do not copy `.cargo` do not get \
         the lines in `.cargo/config.toml`"
            .to_owned()
    })
}
