//! The tests: the package's own, run against whatever program is to be judged, or a command of the user's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use whittle_cargo::{
    Helper, Settings as CargoSettings, TestKind, TestOutcome, TestSuite, VariantBuilder,
};
use whittle_trial::behaviour::End;
use whittle_trial::trial::Outcome as TrialOutcome;

use super::command::{Kept, Shipped, Stand, UserCommand, end};
use super::lab::{Tail, refused};
use super::request::Tests;
use crate::trouble::{Outcome, Trouble};

/// How long a command of the user's may take for all tests.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long one executable of tests may take.
const BINARY_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The tests, which succeed with the baseline.
pub(crate) struct Suite {
    source: Source,
    /// Tests that failed once in two runs with the baseline, each with its executable.
    flaky: BTreeSet<String>,
    /// What is not as good as it could be.
    pub(crate) notes: Vec<String>,
}

enum Source {
    /// There are none, or none are wanted.
    None,
    /// The package's integration tests.
    Package(Box<TestSuite>),
    /// A command of the user's.
    Command {
        line: String,
        root: PathBuf,
        stand: Stand,
        shipped: PathBuf,
        helper: Helper,
    },
}

impl Suite {
    /// Compiles the tests and runs them twice with the baseline.
    ///
    /// # Errors
    /// When they do not compile, or a test fails both times: nothing could be told from trials then.
    pub(crate) fn new(
        tests: &Tests,
        builder: &VariantBuilder,
        root: &Path,
        shipped: &Shipped,
        stand: Stand,
    ) -> Outcome<Self> {
        let helper = builder.cargo.helper.clone();
        let source = match (tests, helper) {
            (Tests::Command(line), Some(helper)) => Source::Command {
                line: line.clone(),
                root: root.to_owned(),
                stand,
                shipped: shipped.path.clone(),
                helper,
            },
            (Tests::Package, Some(_)) => {
                let mut said = Tail::default();
                let suite = builder
                    .compile_tests(
                        TestKind::Integration,
                        &CargoSettings::default(),
                        &mut |event| said.hear(&event),
                    )
                    .map_err(|error| {
                        let trouble = Trouble::from(error);
                        Trouble::new(
                            anyhow!("{}", said.text().trim_end().to_owned())
                                .context(trouble.error.to_string())
                                .context("the tests do not compile"),
                            "mend them, name others with `--tests CMD`, or go without with `--tests none`",
                        )
                    })?;
                if suite.runs_the_program() {
                    Source::Package(Box::new(suite))
                } else {
                    Source::None
                }
            }
            (Tests::None | Tests::Package | Tests::Command(_), _) => Source::None,
        };
        let mut suite = Self {
            source,
            flaky: BTreeSet::new(),
            notes: Vec::new(),
        };
        let first: BTreeSet<String> = suite.failures(&shipped.copy)?.into_iter().collect();
        let second: BTreeSet<String> = suite.failures(&shipped.copy)?.into_iter().collect();
        if let Some(failure) = first.intersection(&second).next() {
            return Err(Trouble::new(
                anyhow!("{failure}").context("the tests fail with the program as it is"),
                "mend them first, name others with `--tests CMD`, or go without with `--tests none`",
            ));
        }
        suite.flaky = first.symmetric_difference(&second).cloned().collect();
        suite.notes.extend(suite.flaky.iter().map(|test| {
            format!("left out, since it failed once in two runs with the program as it is: {test}")
        }));
        Ok(suite)
    }

    /// Whether there is anything that runs the program.
    pub(crate) fn runs_program(&self) -> bool {
        !matches!(self.source, Source::None)
    }

    /// The tests that fail with a program, each in a line; those that are known to be flaky do not count.
    pub(crate) fn failures(&self, program: &Path) -> Outcome<Vec<String>> {
        let mut failures = match &self.source {
            Source::None => Vec::new(),
            Source::Package(suite) => suite
                .run(Some(program), BINARY_LIMIT, &mut |_| ())?
                .iter()
                .flat_map(failed)
                .collect(),
            Source::Command {
                line,
                root,
                stand,
                shipped,
                helper,
            } => {
                stand.put(program)?;
                let command = UserCommand {
                    line,
                    directory: root,
                    limit: LIMIT,
                    environment: &[],
                };
                command.check(stand, shipped)?;
                let run = command.run(helper, stand, shipped, Kept::Output)?;
                match end(run.ending) {
                    End::Code(0) => Vec::new(),
                    other => vec![format!("`{line}`: {other}")],
                }
            }
        };
        failures.retain(|failure| !self.flaky.contains(failure));
        Ok(failures)
    }

    /// The unit tests that fail when they are compiled with some settings and do not without them.
    ///
    /// Unit tests are compiled into executables of their own, which always unwind: they show what optimization does, not
    /// what the program's way to panic does. Where they do not compile, a note says so.
    pub(crate) fn unit_failures(
        &mut self,
        builder: &VariantBuilder,
        settings: &CargoSettings,
    ) -> Outcome<Vec<String>> {
        if !matches!(self.source, Source::Package(_)) {
            return Ok(Vec::new());
        }
        let run = |settings: &CargoSettings| -> Outcome<Result<BTreeSet<String>, String>> {
            let mut said = Tail::default();
            let compiled = builder.compile_tests(TestKind::Unit, settings, &mut |event| {
                said.hear(&event);
            });
            let suite = match compiled {
                Ok(suite) => suite,
                Err(error) => match refused(error, &said, &builder.target_directory())? {
                    TrialOutcome::Failed { reason } => return Ok(Err(reason)),
                    _ => return Ok(Err(said.text())),
                },
            };
            if suite.binaries.is_empty() {
                return Ok(Ok(BTreeSet::new()));
            }
            let outcomes = suite.run(None, BINARY_LIMIT, &mut |_| ())?;
            Ok(Ok(outcomes.iter().flat_map(failed).collect()))
        };
        let failures = match run(settings)? {
            Ok(failures) => failures,
            Err(reason) => {
                self.notes.push(format!(
                    "the unit tests were not run with the recommended optimization: they do not compile ({reason})"
                ));
                return Ok(Vec::new());
            }
        };
        if failures.is_empty() {
            return Ok(Vec::new());
        }
        let of_baseline = run(&CargoSettings::default())?.unwrap_or_default();
        Ok(failures.difference(&of_baseline).cloned().collect())
    }
}

/// The failures of one executable of tests, each in a line.
fn failed(outcome: &TestOutcome) -> Vec<String> {
    if outcome.is_success() {
        return Vec::new();
    }
    let binary = &outcome.binary.name;
    if outcome.failed.is_empty() {
        return vec![format!("test `{binary}`: {}", end(outcome.ending))];
    }
    outcome
        .failed
        .iter()
        .map(|test| format!("test `{binary}::{test}`"))
        .collect()
}
