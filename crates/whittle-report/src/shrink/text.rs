//! Text for people: now, take this, also there if you say so, what to type.

use std::io::{self, Write};

use whittle_trial::class::Class;
use whittle_trial::detect::Hazard;
use whittle_trial::frontier::{self, Candidate};
use whittle_trial::policy::{Admission, Exercised, Goal};
use whittle_trial::trial::{Outcome, Record, Step};
use whittle_trial::verdict::Behaviour;

use super::advice::{checked, measured, memory, places, ratio, reluctance, start_up, who_misses};
use super::{Applied, PanicOf, PanicSeen, Report, WhyRow};
use crate::numbers::{grouped, human, percent};
use crate::paint::{Paint, Role};
use crate::text::page::{Page, left, right};

/// Hazards that are listed on the one screen.
const HAZARDS: usize = 3;
/// Offers that are listed on it.
const OFFERS: usize = 4;
/// Names of workloads that leave room for their speed on the same line, in characters.
const SHORT_NAME: usize = 24;
/// Rows of the two files side by side.
const WHY: usize = 15;

/// Writes what trials gave as text: the decision, followed by everything when that was asked for.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    out: &mut dyn Write,
    report: &Report<'_>,
    width: usize,
    color: bool,
) -> io::Result<()> {
    let paint = if color { Paint::Ansi } else { Paint::Plain };
    let mut page = Page::new(width, paint);
    now(&mut page, report);
    page.blank();
    take_this(&mut page, report);
    hazards(&mut page, report);
    offers(&mut page, report);
    unmeasured(&mut page, report);
    if report.full {
        all(&mut page, report);
    }
    notes(&mut page, report);
    page.blank();
    next(&mut page, report);
    for line in page.into_lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn now(page: &mut Page, report: &Report<'_>) {
    let measure = report.policy.measure;
    let size = report.baseline.by(measure);
    page.line(&[(Role::Heading, &report.path.display().to_string())]);
    page.line(&[(
        Role::Body,
        &format!(
            "now: {} bytes {} ({})",
            grouped(size),
            measured(measure),
            human(size)
        ),
    )]);
    let clean = report.clean_build.map_or_else(String::new, |clean| {
        format!(
            " ({:.1} clean builds' worth)",
            report.compile_cpu_seconds / clean.cpu_seconds.max(0.01)
        )
    });
    page.prose(
        (Role::Aside, ""),
        Role::Aside,
        &format!(
            "{} builds and {} links in {:.0} s, {:.0} s of compilers' processor time{clean}",
            report.builds, report.links, report.seconds, report.compile_cpu_seconds
        ),
    );
}

fn take_this(page: &mut Page, report: &Report<'_>) {
    let Some(candidate) = report.recommended else {
        page.heading("Nothing better was found", "");
        let why = if report.time_is_over {
            "the time was over before a trial was proven; `--time-budget 1h` gives more, and what is done is kept"
        } else {
            "no trial is smaller, works, and is as fast as was asked for"
        };
        page.prose((Role::Body, "  "), Role::Body, why);
        return;
    };
    let measure = report.policy.measure;
    let size = candidate.built.sizes.by(measure);
    page.heading(
        &format!(
            "Take this: {} bytes {}, {} of now",
            grouped(size),
            measured(measure),
            percent(size, report.baseline.by(measure))
        ),
        "",
    );
    let sizes = candidate.built.sizes;
    page.line(&[(
        Role::Aside,
        &format!(
            "  {} on disk, {} compressed, {} in memory",
            human(sizes.file),
            human(sizes.compressed),
            human(sizes.loaded)
        ),
    )]);
    let settings = &candidate.record.trial.settings;
    for place in places(settings, report) {
        page.line(&[(Role::Aside, &format!("  in {}", place.file))]);
        for line in place.lines {
            page.prose((Role::Body, "    "), Role::Typed, &line);
        }
    }
    page.prose((Role::Body, "  "), Role::Body, &checked(candidate.verdict));
    for workload in &candidate.verdict.workloads {
        let mut speed = format!("{}, {} rounds", ratio(workload.ratio), workload.rounds);
        if let Some(memory) = memory(workload) {
            speed.push_str("; ");
            speed.push_str(&memory);
        }
        if workload.name.chars().count() <= SHORT_NAME {
            let lead = format!("  {}: ", workload.name);
            page.prose((Role::Body, &lead), Role::Body, &speed);
        } else {
            page.line(&[(Role::Body, &format!("  {}", workload.name))]);
            page.prose((Role::Body, "    "), Role::Body, &speed);
        }
    }
    if let Some(cost) = &candidate.verdict.start_up {
        page.prose((Role::Body, "  to start: "), Role::Body, &start_up(cost));
    }
    // What a setting of class A costs is said by the speed above and the build time here.
    page.line(&[(
        Role::Aside,
        &format!(
            "  price: build time, {:.0} s for the last build",
            candidate.built.seconds
        ),
    )]);
    for (lever, value) in settings.iter() {
        if report.full || lever.class != Class::Speed {
            let text = format!("{} = {}: {}", lever.name, value.name, lever.price);
            page.prose((Role::Aside, "  price: "), Role::Aside, &text);
        }
    }
    if let Some(panics) = report.panics {
        for (lead, seen) in [
            ("  a panic now:  ", &panics.before),
            ("  a panic then: ", &panics.after),
        ] {
            page.prose((Role::Aside, lead), Role::Aside, &panic_seen(seen));
        }
        let of = match &panics.of {
            PanicOf::Probe => {
                "(of a small program built with both settings: none of your commands panics)"
            }
            PanicOf::Command(name) => &format!("(of your {name})"),
        };
        page.prose((Role::Aside, "                "), Role::Aside, of);
    }
    if let Some(who) = who_misses(settings) {
        page.prose((Role::Aside, "  note: "), Role::Aside, &who);
    }
}

fn panic_seen(seen: &PanicSeen) -> String {
    let message = if seen.message.is_empty() {
        "no message"
    } else {
        seen.message.as_str()
    };
    format!(
        "{}; {message}; {} frames, {} with names",
        seen.end, seen.frames, seen.named
    )
}

fn hazards(page: &mut Page, report: &Report<'_>) {
    // What concerns settings that cannot be tried here would only confuse.
    let concerns = |hazard: &&Hazard| {
        matches!(
            hazard.detector,
            whittle_trial::lever::Detector::CaughtPanics
                | whittle_trial::lever::Detector::FunctionAddresses
        )
    };
    let open: Vec<&Hazard> = report.hazards.open.iter().filter(concerns).collect();
    if open.is_empty() && report.hazards.unneeded.is_empty() {
        return;
    }
    page.blank();
    if !open.is_empty() {
        page.heading("Left alone", " (what the program does would change)");
        let shown = if report.full { open.len() } else { HAZARDS };
        for hazard in open.iter().take(shown) {
            page.prose((Role::Body, "  "), Role::Body, &place_of(hazard));
        }
        if open.len() > shown {
            page.line(&[(
                Role::Aside,
                &format!("  … {} more (--full lists them)", open.len() - shown),
            )]);
        }
    }
    for index in &report.hazards.unneeded {
        if let Some(acknowledgement) = report.acknowledgements.get(*index) {
            page.prose(
                (Role::Doubt, "  "),
                Role::Doubt,
                &format!(
                    "the acknowledgement of `{}` in `{}` is not needed any more",
                    acknowledgement.lever, acknowledgement.package
                ),
            );
        }
    }
}

fn place_of(hazard: &Hazard) -> String {
    match &hazard.place {
        Some((file, line)) => format!("{}: {file}:{line} {}", hazard.package, hazard.what),
        None => hazard.what.clone(),
    }
}

fn offers(page: &mut Page, report: &Report<'_>) {
    let measure = report.policy.measure;
    let from = report
        .recommended
        .map_or(report.baseline.by(measure), |candidate| {
            candidate.built.sizes.by(measure)
        });
    let mut offers: Vec<(u64, &Admission, &Record)> = report
        .offers
        .iter()
        .filter_map(|(admission, record)| {
            let size = record.built()?.sizes.by(measure);
            Some((from.checked_sub(size)?, admission, *record))
        })
        .filter(|(saved, ..)| *saved > 0)
        .collect();
    if offers.is_empty() {
        return;
    }
    offers.sort_by_key(|(saved, _, record)| {
        (std::cmp::Reverse(*saved), record.trial.settings.clone())
    });
    page.blank();
    page.heading("Also there if you say so", " (bytes less)");
    let shown = if report.full { offers.len() } else { OFFERS };
    for (saved, admission, record) in offers.iter().take(shown) {
        let Admission::IfAllowed { reason, flag } = admission else {
            continue;
        };
        page.line(&[
            (Role::Body, &format!("  {}  ", right(&grouped(*saved), 10))),
            (Role::Typed, flag),
            (Role::Body, &format!("  {}", reluctance(reason))),
        ]);
        let changed = record
            .trial
            .settings
            .iter()
            .find(|(lever, _)| flag_is_for(flag, lever.name));
        if let Some((lever, _)) = changed {
            page.prose(
                (Role::Aside, "              price: "),
                Role::Aside,
                lever.price,
            );
        }
    }
}

fn flag_is_for(flag: &str, lever: &str) -> bool {
    flag.strip_prefix("--allow ")
        .is_some_and(|name| name == lever)
        || (flag.starts_with("--min-glibc") && lever == "pack-relocations")
}

/// Smaller files whose speed nobody knows.
fn unmeasured(page: &mut Page, report: &Report<'_>) {
    if report.policy.workloads == Exercised::Yes || report.policy.goal == Goal::Smallest {
        return;
    }
    let measure = report.policy.measure;
    let from = report
        .recommended
        .map_or(report.baseline.by(measure), |candidate| {
            candidate.built.sizes.by(measure)
        });
    let smaller: Vec<Candidate<'_>> = frontier::frontier(report.records, measure)
        .into_iter()
        .filter(|candidate| candidate.built.sizes.by(measure) < from)
        .filter(|candidate| candidate.record.trial.settings.get("opt-level").is_some())
        .collect();
    page.blank();
    if smaller.is_empty() {
        page.prose(
            (Role::Aside, ""),
            Role::Aside,
            "Show a typical run with `--workload 'CMD'`, and levels of optimization that are smaller are tried too.",
        );
        return;
    }
    page.heading(
        "Smaller, speed not measured",
        ": show a typical run with `--workload 'CMD'`",
    );
    for candidate in smaller {
        let level = candidate
            .record
            .trial
            .settings
            .get("opt-level")
            .unwrap_or_default();
        page.line(&[
            (
                Role::Body,
                &format!(
                    "  {}  {}  ",
                    right(&grouped(candidate.built.sizes.by(measure)), 12),
                    right(
                        &percent(
                            candidate.built.sizes.by(measure),
                            report.baseline.by(measure)
                        ),
                        7
                    )
                ),
            ),
            (Role::Typed, &format!("opt-level = \"{level}\"")),
        ]);
    }
}

fn all(page: &mut Page, report: &Report<'_>) {
    let measure = report.policy.measure;
    page.blank();
    page.heading(
        "Frontier",
        ": nothing is both smaller and faster than these",
    );
    for candidate in frontier::frontier(report.records, measure) {
        let speed = candidate.verdict.worst_ratio().map_or_else(
            || "not measured".to_owned(),
            |worst| format!("x{:.3}", worst.ratio),
        );
        page.line(&[(
            Role::Body,
            &format!(
                "  {}  {}  {}",
                right(&grouped(candidate.built.sizes.by(measure)), 12),
                left(&speed, 12),
                candidate.record.trial.settings
            ),
        )]);
    }
    page.blank();
    page.heading("All trials", &format!(" ({})", report.records.len()));
    for record in report.records {
        let step = match record.trial.step {
            Step::Build => "build",
            Step::Link => "link",
            Step::Verify => "check",
            Step::Confirm => "confirm",
        };
        let result = match &record.outcome {
            Outcome::Built(built) => {
                let time = if built.cpu_seconds > 0.0 {
                    format!(", {:.0} s", built.seconds)
                } else {
                    String::new()
                };
                format!("{}{time}", grouped(built.sizes.by(measure)))
            }
            Outcome::Verified(verdict) => verdict.trouble().unwrap_or_else(|| {
                verdict.worst_ratio().map_or_else(
                    || "works".to_owned(),
                    |worst| format!("works, {}", ratio(worst)),
                )
            }),
            Outcome::Confirmed { built, verdict } => format!(
                "{}, {}",
                grouped(built.sizes.by(measure)),
                verdict.trouble().unwrap_or_else(|| "works".to_owned())
            ),
            Outcome::Failed { reason } => format!("failed: {reason}"),
        };
        page.line(&[
            (Role::Aside, &format!("  {} ", left(step, 8))),
            (Role::Body, &record.trial.settings.to_string()),
        ]);
        page.prose((Role::Body, "           "), Role::Body, &result);
    }
    if let Some(why) = report.why {
        side_by_side(page, "Why it is smaller, by cause", &why.causes, usize::MAX);
        side_by_side(page, "Why it is smaller, by crate", &why.crates, WHY);
    }
}

fn side_by_side(page: &mut Page, title: &str, rows: &[WhyRow], shown: usize) {
    page.blank();
    page.heading(title, " (bytes on disk: now, then, difference)");
    let line = |page: &mut Page, name: &str, before: u64, after: u64| {
        let difference = match after.checked_sub(before) {
            Some(0) => "0".to_owned(),
            Some(more) => format!("+{}", grouped(more)),
            None => format!("-{}", grouped(before - after)),
        };
        page.line(&[(
            Role::Body,
            &format!(
                "  {} {} {}  {name}",
                right(&grouped(before), 11),
                right(&grouped(after), 11),
                right(&difference, 12)
            ),
        )]);
    };
    let (first, rest) = rows.split_at(shown.min(rows.len()));
    for row in first {
        line(page, &row.name, row.before, row.after);
    }
    let sum = |rows: &[WhyRow]| {
        rows.iter().fold((0_u64, 0_u64), |(before, after), row| {
            (
                before.saturating_add(row.before),
                after.saturating_add(row.after),
            )
        })
    };
    if !rest.is_empty() {
        let (before, after) = sum(rest);
        line(page, &format!("… {} more", rest.len()), before, after);
    }
    let (before, after) = sum(rows);
    line(page, "all", before, after);
}

fn notes(page: &mut Page, report: &Report<'_>) {
    if report.notes.is_empty() {
        return;
    }
    page.blank();
    for note in report.notes {
        page.prose((Role::Aside, "note: "), Role::Aside, note);
    }
}

fn next(page: &mut Page, report: &Report<'_>) {
    match &report.applied {
        Applied::Yes { files, size } => {
            page.heading("Written", &format!(": {}", files.join(", ")));
            page.line(&[(
                Role::Body,
                &format!("  a plain build gives {} bytes", grouped(*size)),
            )]);
            page.line(&[
                (Role::Body, "  take it back: "),
                (Role::Typed, "cargo whittle undo"),
            ]);
            return;
        }
        Applied::Refused { reason } => {
            page.heading("Nothing was written", "");
            page.prose((Role::Doubt, "  "), Role::Doubt, reason);
            return;
        }
        Applied::No => {}
    }
    page.heading("Next", "");
    if let Some(candidate) = report.recommended {
        let is_proven = candidate.verdict.behaviour == Behaviour::Passed
            && (report.policy.workloads == Exercised::Yes || keeps_speed(candidate));
        let flag = if is_proven { "" } else { " --allow unproven" };
        page.line(&[
            (Role::Body, "  take it:       "),
            (Role::Typed, &format!("the same command with --apply{flag}")),
        ]);
        page.line(&[
            (Role::Body, "  take it back:  "),
            (Role::Typed, "cargo whittle undo"),
        ]);
    }
    page.line(&[
        (Role::Body, "  see all:       "),
        (Role::Typed, "the same command with --full"),
    ]);
    page.line(&[
        (Role::Body, "  the settings:  "),
        (Role::Typed, "cargo whittle levers"),
    ]);
}

fn keeps_speed(candidate: Candidate<'_>) -> bool {
    let settings = &candidate.record.trial.settings;
    settings.get("opt-level").is_none() && settings.get("inline-threshold").is_none()
}
