//! What `shrink` is asked for: flags over configuration over defaults, checked once.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use whittle_cargo::{Features, Selection, Targets};
use whittle_trial::class::Class;
use whittle_trial::detect::Acknowledgement;
use whittle_trial::levers;
use whittle_trial::policy::{Effort, Goal, Measure};

use super::arguments::{GoalArgument, MeasureArgument, ShrinkArguments};
use super::configuration::{Command, Configuration, Share, Span, unknown_lever};
use crate::arguments::Format;
use crate::trouble::{Outcome, Trouble};

/// The bound on the slowdown when nobody says.
const MAX_SLOWDOWN: f64 = 0.02;
/// The time after which no build is begun when nobody says.
const TIME_BUDGET: Duration = Duration::from_secs(20 * 60);

/// What `shrink` is asked for.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Request {
    pub(crate) selection: Selection,
    pub(crate) apply: bool,
    pub(crate) into_profile: Option<String>,
    pub(crate) goal: Goal,
    pub(crate) max_slowdown: f64,
    pub(crate) measure: Measure,
    pub(crate) effort: Effort,
    pub(crate) time_budget: Duration,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) allow: Vec<String>,
    pub(crate) allow_classes: Vec<Class>,
    pub(crate) allow_unproven: bool,
    pub(crate) min_glibc: Option<whittle_trial::libc::LibcVersion>,
    pub(crate) workloads: Vec<Command>,
    /// Names of benchmarks, each once.
    pub(crate) benches: Vec<String>,
    pub(crate) checks: Vec<Command>,
    pub(crate) tests: Tests,
    pub(crate) smoke: Option<String>,
    pub(crate) build_command: Option<BuildLine>,
    pub(crate) acknowledgements: Vec<Acknowledgement>,
    pub(crate) toolchain: Option<String>,
    pub(crate) fresh: bool,
    pub(crate) full: bool,
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
}

/// What tests the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tests {
    /// The package's own integration tests.
    Package,
    /// A command.
    Command(String),
    /// Nothing.
    None,
}

/// A command that builds what ships, and the file that it builds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BuildLine {
    pub(crate) line: String,
    pub(crate) artifact: String,
}

impl BuildLine {
    fn new(line: Option<String>, artifact: Option<String>) -> Outcome<Option<Self>> {
        match (line, artifact) {
            (None, None) => Ok(None),
            (Some(line), Some(artifact)) => Ok(Some(Self { line, artifact })),
            (Some(_), None) => Err(Trouble::new(
                anyhow!("`build-command` is there without `artifact`"),
                "say which file it builds, such as `artifact = \"dist/app\"`",
            )),
            (None, Some(_)) => Err(Trouble::new(
                anyhow!("`artifact` is there without `build-command`"),
                "say what builds it; what cargo builds is found without",
            )),
        }
    }
}

impl Request {
    /// Checks what was typed and configured.
    pub(crate) fn new(
        typed: ShrinkArguments,
        configured: Configuration,
        selection: Selection,
    ) -> Outcome<Self> {
        let shrink = configured.shrink;
        let build_command = BuildLine::new(
            typed.build_command.or(shrink.build_command),
            typed.artifact.or(shrink.artifact),
        )?;
        let into_profile = typed.into_profile.or(shrink.into_profile);
        if build_command.is_some() {
            only_what_a_command_takes(
                &selection,
                typed.toolchain.is_some(),
                into_profile.is_some(),
            )?;
        }
        let goal = goal(typed.goal, shrink.goal.as_deref())?;
        let measure = measure(typed.measure, shrink.measure.as_deref())?;
        let max_slowdown = match &typed.max_slowdown {
            Some(text) => Some(flag::<Share>("--max-slowdown", text)?),
            None => shrink.max_slowdown,
        };
        let time_budget = match &typed.time_budget {
            Some(text) => Some(flag::<Span>("--time-budget", text)?),
            None => shrink.time_budget,
        };
        let min_glibc = typed
            .min_glibc
            .or(shrink.min_glibc)
            .map(|text| text.parse())
            .transpose()
            .map_err(Trouble::plain)?;

        let only = joined(typed.only, shrink.only);
        let skip = joined(typed.skip, shrink.skip);
        for (name, who) in only
            .iter()
            .map(|name| (name, "`--only` names"))
            .chain(skip.iter().map(|name| (name, "`--skip` names")))
        {
            if levers::find(name).is_none() {
                return Err(unknown_lever(name, who));
            }
        }
        let allowed = Allowed::new(joined(typed.allow, shrink.allow))?;

        let mut workloads = configured.workload;
        workloads.extend(typed.workload.into_iter().map(Command::plain));
        let of_file = configured.bench.into_iter().map(|bench| bench.name);
        let mut benches: Vec<String> = of_file.chain(typed.bench).collect();
        benches.sort();
        benches.dedup();
        let mut checks = configured.check;
        checks.extend(typed.check.into_iter().map(Command::plain));
        let tests = match typed.tests.or(shrink.tests) {
            None => Tests::Package,
            Some(text) if text == "none" => Tests::None,
            Some(command) => Tests::Command(command),
        };
        if typed.output.format == Format::Csv {
            return Err(Trouble::new(
                anyhow!("`shrink` cannot be written as CSV"),
                "use `--format json`",
            ));
        }
        Ok(Self {
            selection,
            apply: typed.apply,
            into_profile,
            goal,
            max_slowdown: max_slowdown.map_or(MAX_SLOWDOWN, |share| share.0),
            measure,
            effort: if typed.quick {
                Effort::Quick
            } else {
                Effort::Full
            },
            time_budget: time_budget.map_or(TIME_BUDGET, |span| span.0),
            only,
            skip,
            allow: allowed.levers,
            allow_classes: allowed.classes,
            allow_unproven: allowed.unproven,
            min_glibc,
            workloads,
            benches,
            checks,
            tests,
            smoke: configured.smoke.map(|smoke| smoke.command),
            build_command,
            acknowledgements: configured.acknowledge,
            toolchain: typed.toolchain,
            fresh: typed.fresh,
            full: typed.full,
            format: typed.output.format,
            output: typed.output.output,
        })
    }
}

/// What cargo is told when it builds means nothing to a command, which says so itself.
fn only_what_a_command_takes(
    selection: &Selection,
    has_toolchain: bool,
    has_profile: bool,
) -> Outcome<()> {
    let is_of_cargo = selection.targets != Targets::default()
        || selection.features != Features::default()
        || selection.target_dir.is_some()
        || selection.jobs.is_some()
        || !selection.config.is_empty();
    let flag = match (is_of_cargo, has_toolchain, has_profile) {
        (true, ..) => "flags for targets, features, jobs, folders and configuration",
        (_, true, _) => "`--toolchain`",
        (.., true) => "`--into-profile`",
        _ => return Ok(()),
    };
    Err(Trouble::new(
        anyhow!("{flag} cannot be used together with a build command"),
        "the command says how it builds: put it there",
    ))
}

fn goal(typed: Option<GoalArgument>, configured: Option<&str>) -> Outcome<Goal> {
    match (typed, configured) {
        (Some(GoalArgument::Balanced), _) | (None, None | Some("balanced")) => Ok(Goal::Balanced),
        (Some(GoalArgument::Fastest), _) | (None, Some("fastest")) => Ok(Goal::Fastest),
        (Some(GoalArgument::Smallest), _) | (None, Some("smallest")) => Ok(Goal::Smallest),
        (None, Some(other)) => Err(unknown(
            "goal",
            other,
            "`balanced`, `fastest` or `smallest`",
        )),
    }
}

fn measure(typed: Option<MeasureArgument>, configured: Option<&str>) -> Outcome<Measure> {
    match (typed, configured) {
        (Some(MeasureArgument::File), _) | (None, None | Some("file")) => Ok(Measure::File),
        (Some(MeasureArgument::Compressed), _) | (None, Some("compressed")) => {
            Ok(Measure::Compressed)
        }
        (Some(MeasureArgument::Loaded), _) | (None, Some("loaded")) => Ok(Measure::Loaded),
        (None, Some(other)) => Err(unknown(
            "measure",
            other,
            "`file`, `compressed` or `loaded`",
        )),
    }
}

/// What `--allow` says.
#[derive(Debug, Default, PartialEq)]
struct Allowed {
    levers: Vec<String>,
    classes: Vec<Class>,
    unproven: bool,
}

impl Allowed {
    fn new(names: Vec<String>) -> Outcome<Self> {
        let mut allowed = Self::default();
        for name in names {
            if name == "unproven" {
                allowed.unproven = true;
            } else if let Some(class) = name.strip_prefix("class:") {
                let mut letters = class.chars();
                let class = letters
                    .next()
                    .filter(|_| letters.next().is_none())
                    .and_then(Class::from_letter);
                match class {
                    Some(Class::Security) => {
                        return Err(Trouble::new(
                            anyhow!("`--allow class:D` is not possible"),
                            "settings that cost security or correctness are allowed one by one, by their names",
                        ));
                    }
                    Some(class) => allowed.classes.push(class),
                    None => {
                        return Err(unknown(
                            "class",
                            &name,
                            "`class:C` or `class:P`; `cargo whittle levers` explains them",
                        ));
                    }
                }
            } else if levers::find(&name).is_some() {
                allowed.levers.push(name);
            } else {
                return Err(unknown_lever(&name, "`--allow` names"));
            }
        }
        Ok(allowed)
    }
}

fn joined(mut first: Vec<String>, second: Vec<String>) -> Vec<String> {
    first.extend(second);
    first
}

fn unknown(what: &str, got: &str, known: &str) -> Trouble {
    Trouble::new(
        anyhow!("there is no {what} `{got}`"),
        format!("use {known}"),
    )
}

fn flag<T: std::str::FromStr<Err = String>>(name: &str, text: &str) -> Outcome<T> {
    text.parse()
        .map_err(|error| Trouble::plain(anyhow!("{error}").context(format!("`{name}` is wrong"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_a_setting_a_class_or_the_unproven() {
        let allow =
            |names: &[&str]| Allowed::new(names.iter().map(|name| (*name).into()).collect());
        assert_eq!(
            allow(&["panic", "class:c", "unproven"]).expect("all are known"),
            Allowed {
                levers: vec!["panic".to_owned()],
                classes: vec![Class::Semantics],
                unproven: true,
            }
        );
        for wrong in ["panics", "class:", "class:CC", "class:X", "class:D"] {
            assert!(allow(&[wrong]).is_err(), "{wrong}");
        }
    }
}
