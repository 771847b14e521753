//! One panic before and after: a small program is built with the settings of the baseline and of the winner, and what its
//! user sees when it panics is shown side by side.

use std::path::Path;
use std::time::Duration;

use whittle_cargo::{Cargo, Invocation, Run};
use whittle_report::shrink::{PanicOf, PanicSeen, Panics};
use whittle_trial::facts::Facts;
use whittle_trial::settings::Settings;

use super::command::end;

const LIMIT: Duration = Duration::from_secs(60);
/// An index out of bounds, two calls deep.
const PROGRAM: &str = "\
fn main() { outer(std::env::args().count()); }
#[inline(never)]
fn outer(number: usize) { inner(number); }
#[inline(never)]
fn inner(number: usize) { let list: Vec<u8> = Vec::new(); println!(\"{}\", list[number]); }
";
/// Settings that change what is seen of a panic and reach it without cargo.
const SEEN: [&str; 5] = [
    "panic",
    "strip",
    "eh-frame-hdr",
    "location-detail",
    "unwind-tables",
];

/// Whether settings change what is seen of a panic.
pub(crate) fn changes_panics(settings: &Settings) -> bool {
    SEEN.iter().any(|name| settings.get(name).is_some())
}

/// What a panic looks like with both settings; nothing if it could not be tried.
pub(crate) fn panics(
    cargo: &Cargo,
    facts: &Facts,
    target: &str,
    winner: &Settings,
    folder: &Path,
) -> Option<Panics> {
    if !winner.lines().unstable.is_empty() {
        return None;
    }
    std::fs::create_dir_all(folder).ok()?;
    let source = folder.join("panics.rs");
    std::fs::write(&source, PROGRAM).ok()?;
    let seen = |settings: &Settings, name: &str| {
        let program = folder.join(name);
        let panic = settings.get("panic").unwrap_or(&facts.profile.panic);
        let strip = settings.get("strip").unwrap_or(&facts.profile.strip);
        let lines = settings.lines();
        let mut args = vec![
            "--edition=2021".to_owned(),
            "-Copt-level=2".to_owned(),
            format!("--target={target}"),
            format!("-Cpanic={panic}"),
            format!("-Cstrip={strip}"),
            format!("-o{}", program.display()),
        ];
        args.extend(lines.rustflags.iter().map(|flag| (*flag).to_owned()));
        args.extend(
            lines
                .link_arguments
                .iter()
                .map(|argument| format!("-Clink-arg={argument}")),
        );
        args.push(source.display().to_string());
        let helper = cargo.helper.as_ref()?;
        let compile = Invocation {
            environment: cargo.environment.clone(),
            limit: Some(LIMIT),
            ..Invocation::program(cargo.rustc.clone(), args)
        };
        compile
            .run(helper)
            .ok()
            .filter(|run| run.ending.is_success())?;
        let run = Invocation {
            environment: vec![("RUST_BACKTRACE".into(), Some("1".into()))],
            limit: Some(LIMIT),
            ..Invocation::program(program, Vec::<String>::new())
        };
        run.run(helper).ok().map(|run| describe(&run))
    };
    Some(Panics {
        of: PanicOf::Probe,
        before: seen(&Settings::unchanged(), "before")?,
        after: seen(winner, "after")?,
    })
}

pub(crate) fn describe(run: &Run) -> PanicSeen {
    let text = run.stderr.text();
    let is_frame = |line: &&str| {
        line.trim_start()
            .split_once(": ")
            .is_some_and(|(number, _)| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    let frames: Vec<&str> = text.lines().filter(is_frame).collect();
    let message = text
        .lines()
        .skip_while(|line| !line.contains("panicked at"))
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    PanicSeen {
        end: end(run.ending).to_string(),
        message,
        frames: frames.len(),
        named: frames
            .iter()
            .filter(|line| !line.contains("<unknown>"))
            .count(),
    }
}
