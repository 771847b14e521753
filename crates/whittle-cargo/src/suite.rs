//! The user's tests: compiled by cargo, run here against whatever executable is to be judged.
//!
//! An integration test finds the program it tests at a path that was compiled into it (`CARGO_BIN_EXE_NAME`), so the bytes
//! to be judged are put there, in the target directory of the [variants](VariantBuilder) and not in the user's. Cargo puts
//! its own file back by itself the next time it is asked for it, whether or not this process lived to do so.
//!
//! Documentation tests are not run, and cargo's table `[env]` is not read.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_metadata::{Message, Package, TargetKind};

use crate::artifact::ArtifactKind;
use crate::cargo::{Messages, command_line};
use crate::error::CargoError;
use crate::event::{Event, Events, Step};
use crate::helper::Helper;
use crate::lock::Lock;
use crate::process::{Ending, Invocation, ProcessError, Sink, Usage, Words};
use crate::runner::Runner;
use crate::saved::{link_or_copy, remove_file};
use crate::settings::Settings;
use crate::variant::{VariantBuilder, copy};

mod features;
mod verdicts;

use features::enabled;
pub use verdicts::Counts;

/// Which tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestKind {
    /// Those in `tests/`, which run the program.
    Integration,
    /// Those inside the library and the programs, which are compiled into executables of their own.
    Unit,
}

/// Compiled tests of one package.
#[derive(Clone, Debug)]
pub struct TestSuite {
    /// What there is to run, by kind and name. Empty if the package has no such tests.
    pub binaries: Vec<TestBinary>,
    /// What cargo and all compilers used; `None` if there was nothing to compile.
    pub usage: Option<Usage>,
    /// Where integration tests look for the artifact, if it is a program.
    place: Option<PathBuf>,
    directory: PathBuf,
    environment: Vec<(OsString, Option<OsString>)>,
    /// Where the lock is under which the place is written to.
    lock: PathBuf,
    runner: Option<Runner>,
    helper: Helper,
}

/// One executable of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestBinary {
    /// The target's name, as `--test` takes it.
    pub name: String,
    /// What is in it.
    pub kind: TestKind,
    /// Where it is.
    pub path: PathBuf,
}

/// How one executable of tests went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// Which.
    pub binary: TestBinary,
    /// How it ended; 0 alone means that all is well.
    pub ending: Ending,
    /// The tests that failed, as the harness names them, sorted. Empty where all passed, and where the harness is not
    /// Rust's own or did not come to its end.
    pub failed: Vec<String>,
    /// How many passed, failed and were ignored; `None` in the same cases.
    pub counts: Option<Counts>,
    /// From start to end.
    pub wall: Duration,
    /// What it and the programs it ran used.
    pub usage: Option<Usage>,
    /// What it printed: stdout, then stderr.
    pub printed: String,
}

impl VariantBuilder {
    /// Compiles the tests of the artifact's package, without running them.
    ///
    /// The settings are those of the test executables and of everything they are linked with; what an integration test
    /// runs is chosen later, by [`TestSuite::run`]. Cargo compiles tests with unwinding panics whatever the profile says.
    ///
    /// # Errors
    /// [`CargoError::Failed`] if they do not compile, [`CargoError::NoHelper`].
    pub fn compile_tests(
        &self,
        kind: TestKind,
        settings: &Settings,
        events: &mut Events<'_>,
    ) -> Result<TestSuite, CargoError> {
        let helper = self.cargo.needed_helper()?.clone();
        let package = self.package();
        let directory = package.manifest_path.parent();
        let directory = directory.map(|folder| folder.as_std_path().to_owned());
        let mut suite = TestSuite {
            binaries: Vec::new(),
            usage: None,
            place: None,
            directory: directory.unwrap_or_default(),
            environment: self.test_environment(package),
            lock: self.folder().to_owned(),
            runner: self.runner().cloned(),
            helper,
        };
        let targets = self.test_targets(package, kind);
        if targets.is_empty() {
            return Ok(suite);
        }
        let _lock = Lock::acquire(self.folder(), events)?;
        let Messages { messages, usage } = self.test_messages(settings, &targets, events)?;
        suite.usage = usage;
        for message in &messages {
            match message {
                Message::CompilerArtifact(built) if built.package_id == package.id => {
                    let Some(executable) = &built.executable else {
                        continue;
                    };
                    let path = executable.clone().into_std_path_buf();
                    if built.profile.test {
                        suite.binaries.push(TestBinary {
                            name: built.target.name.clone(),
                            kind,
                            path,
                        });
                    } else if self.artifact().kind == ArtifactKind::Bin
                        && built.target.is_kind(TargetKind::Bin)
                        && built.target.name == self.artifact().target_name
                    {
                        suite.place = Some(path);
                    }
                }
                Message::BuildScriptExecuted(script) if script.package_id == package.id => {
                    let variables = script.env.iter();
                    let set = variables.map(|(key, value)| (key.into(), Some(value.into())));
                    suite.environment.extend(set);
                }
                _ => {}
            }
        }
        suite
            .binaries
            .sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
        Ok(suite)
    }

    /// The arguments that choose the targets; a target whose features are off would be an error when it is named.
    fn test_targets(&self, package: &Package, kind: TestKind) -> Vec<OsString> {
        let enabled = enabled(package, self.features());
        let targets = package.targets.iter().filter(|target| {
            let required = &target.required_features;
            target.test && required.iter().all(|feature| enabled.contains(feature))
        });
        targets
            .filter_map(|target| {
                let name = &target.name;
                match (kind, target.kind.first()?) {
                    (TestKind::Integration, TargetKind::Test) => {
                        Some(format!("--test={name}").into())
                    }
                    (TestKind::Unit, TargetKind::Bin) => Some(format!("--bin={name}").into()),
                    (
                        TestKind::Unit,
                        TargetKind::Lib
                        | TargetKind::RLib
                        | TargetKind::DyLib
                        | TargetKind::CDyLib
                        | TargetKind::StaticLib
                        | TargetKind::ProcMacro,
                    ) => Some("--lib".into()),
                    _ => None,
                }
            })
            .collect()
    }

    /// What cargo sets for tests ("Environment variables Cargo sets for crates", Cargo book), as far as it is the same at
    /// run time.
    pub(crate) fn test_environment(&self, package: &Package) -> Vec<(OsString, Option<OsString>)> {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let version = &package.version;
        let folder = package.manifest_path.parent().map(AsRef::as_ref);
        let variables = [
            ("CARGO_MANIFEST_DIR", text(folder)),
            ("CARGO_MANIFEST_PATH", package.manifest_path.to_string()),
            ("CARGO_PKG_NAME", package.name.to_string()),
            ("CARGO_PKG_VERSION", version.to_string()),
            ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
            ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
            ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
            ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
            ("CARGO_PKG_AUTHORS", package.authors.join(":")),
            (
                "CARGO_PKG_DESCRIPTION",
                text(package.description.as_deref()),
            ),
            ("CARGO_PKG_HOMEPAGE", text(package.homepage.as_deref())),
            ("CARGO_PKG_REPOSITORY", text(package.repository.as_deref())),
            ("CARGO_PKG_LICENSE", text(package.license.as_deref())),
        ];
        let mut environment = self.cargo.environment.clone();
        environment.push(("CARGO".into(), Some(self.cargo.program.clone())));
        environment.extend(
            variables
                .into_iter()
                .map(|(key, value)| (key.into(), Some(value.into()))),
        );
        environment
    }
}

impl TestSuite {
    /// Runs all tests, each executable for at most `limit`.
    ///
    /// With an `executable`, integration tests find that file where they look for the program; without, the one that
    /// cargo has built for them. Nothing else is built there meanwhile.
    ///
    /// # Errors
    /// [`CargoError::NoPlace`] if an executable is given and the tests run none, [`CargoError::Test`] if a test cannot be
    /// run at all. That tests fail is part of the value.
    pub fn run(
        &self,
        executable: Option<&Path>,
        limit: Duration,
        events: &mut Events<'_>,
    ) -> Result<Vec<TestOutcome>, CargoError> {
        let _lock = Lock::acquire(&self.lock, events)?;
        let _original = match (executable, &self.place) {
            (None, _) => None,
            (Some(executable), Some(place)) => Some(Substitute::put(executable, place)?),
            (Some(_), None) => return Err(CargoError::NoPlace),
        };
        self.binaries
            .iter()
            .map(|binary| self.run_one(binary, limit, events))
            .collect()
    }

    /// Whether the tests run the artifact, so that an executable can be given to [`TestSuite::run`].
    #[must_use]
    pub fn runs_the_program(&self) -> bool {
        self.place.is_some() && !self.binaries.is_empty()
    }

    fn run_one(
        &self,
        binary: &TestBinary,
        limit: Duration,
        events: &mut Events<'_>,
    ) -> Result<TestOutcome, CargoError> {
        const PRINTED: usize = 4 << 20;
        let (program, arguments) = match &self.runner {
            Some(runner) => runner.command(binary.path.clone().into()),
            None => (binary.path.clone().into(), Vec::new()),
        };
        let command = command_line(&program, &arguments);
        events(Event::Running {
            step: Step::Tests,
            command: &command,
        });
        let mut environment = self.environment.clone();
        environment.extend(library_path(&binary.path));
        let invocation = Invocation {
            words: Words::Program(program, arguments),
            directory: Some(self.directory.clone()),
            environment,
            stdout: Sink::Keep(PRINTED),
            stderr: Sink::Keep(PRINTED),
            limit: Some(limit),
        };
        let run = invocation
            .run(&self.helper)
            .map_err(|source: ProcessError| CargoError::Test {
                path: binary.path.clone(),
                source: Box::new(source),
            })?;
        let stdout = run.stdout.text();
        let verdicts = verdicts::parse(&stdout);
        let (failed, counts) = verdicts.map_or_else(Default::default, |verdicts| {
            (verdicts.failed, Some(verdicts.counts))
        });
        Ok(TestOutcome {
            binary: binary.clone(),
            ending: run.ending,
            failed,
            counts,
            wall: run.wall,
            usage: run.usage,
            printed: stdout + &run.stderr.text(),
        })
    }
}

impl TestOutcome {
    /// Whether the executable ended well, which it only does when all its tests passed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.ending.is_success()
    }
}

/// A file in the place of another, which comes back when this is dropped.
struct Substitute {
    place: PathBuf,
    original: PathBuf,
}

impl Substitute {
    fn put(file: &Path, place: &Path) -> Result<Self, CargoError> {
        let mut original = place.to_owned().into_os_string();
        original.push(".whittle");
        let original = PathBuf::from(original);
        // An earlier process that was killed has left it; what cargo has built since is what counts.
        remove_file(&original).map_err(CargoError::io("remove", &original))?;
        link_or_copy(place, &original).map_err(CargoError::io("save", place))?;
        let substitute = Self {
            place: place.to_owned(),
            original,
        };
        copy(file, place)?;
        Ok(substitute)
    }
}

impl Drop for Substitute {
    fn drop(&mut self) {
        // Cargo makes good what cannot be made good here.
        let _ = std::fs::rename(&self.original, &self.place);
    }
}

/// Where dynamic libraries of the build are, which cargo adds for what it runs.
pub(crate) fn library_path(binary: &Path) -> Option<(OsString, Option<OsString>)> {
    let key = if cfg!(target_os = "macos") {
        "DYLD_FALLBACK_LIBRARY_PATH"
    } else if cfg!(windows) {
        "PATH"
    } else {
        "LD_LIBRARY_PATH"
    };
    let deps = binary.parent()?;
    let profile = deps.parent()?;
    let old = env::var_os(key).unwrap_or_default();
    let old = env::split_paths(&old).filter(|path| !path.as_os_str().is_empty());
    let paths = [deps.to_owned(), profile.to_owned()].into_iter().chain(old);
    Some((key.into(), Some(env::join_paths(paths).ok()?)))
}
