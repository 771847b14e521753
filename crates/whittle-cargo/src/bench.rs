//! The user's benchmarks: compiled by cargo under other settings, and run here.
//!
//! They are compiled with the profile that ships and not with `bench`, so that what is measured is what is built; cargo
//! compiles them with unwinding panics whatever the profile says. Arguments of the last link are not theirs: no flag of
//! `cargo bench` hands them on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_metadata::Message;

use crate::cargo::Messages;
use crate::error::CargoError;
use crate::event::Events;
use crate::helper::Helper;
use crate::lock::Lock;
use crate::process::{Invocation, ProcessError, Run, Usage};
use crate::runner::Runner;
use crate::settings::Settings;
use crate::suite::library_path;
use crate::variant::VariantBuilder;

/// A compiled benchmark. It stays where it is when others are compiled: cargo names files of other settings otherwise.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The target's name, as `--bench` takes it.
    pub name: String,
    /// What cargo and all compilers used.
    pub usage: Option<Usage>,
    path: PathBuf,
    directory: PathBuf,
    environment: Vec<(OsString, Option<OsString>)>,
    runner: Option<Runner>,
    helper: Helper,
}

impl VariantBuilder {
    /// Compiles a benchmark of the artifact's package, without running it.
    ///
    /// # Errors
    /// [`CargoError::Failed`] if it does not compile or there is no such benchmark, [`CargoError::NoHelper`].
    pub fn compile_bench(
        &self,
        name: &str,
        settings: &Settings,
        events: &mut Events<'_>,
    ) -> Result<Bench, CargoError> {
        let helper = self.cargo.needed_helper()?.clone();
        let package = self.package();
        let directory = package.manifest_path.parent();
        let _lock = Lock::acquire(self.folder(), events)?;
        let Messages { messages, usage } = self.bench_messages(settings, name, events)?;
        let path = messages.iter().find_map(|message| match message {
            Message::CompilerArtifact(built)
                if built.package_id == package.id && built.target.name == name =>
            {
                built.executable.clone()
            }
            _ => None,
        });
        let path = path.ok_or_else(|| CargoError::ArtifactVanished {
            path: PathBuf::from(name),
        })?;
        Ok(Bench {
            name: name.to_owned(),
            usage,
            path: path.into_std_path_buf(),
            directory: directory
                .map(|folder| folder.as_std_path().to_owned())
                .unwrap_or_default(),
            environment: self.test_environment(package),
            runner: self.runner().cloned(),
            helper,
        })
    }
}

impl Bench {
    /// Runs it as `cargo bench` does, with further arguments, a variable of the environment, and a time limit.
    ///
    /// # Errors
    /// [`CargoError::Test`] if it cannot be run at all; how it ended is part of the value.
    pub fn run(
        &self,
        arguments: &[&str],
        variable: (&str, &Path),
        limit: Duration,
    ) -> Result<Run, CargoError> {
        let mut environment = self.environment.clone();
        environment.extend(library_path(&self.path));
        environment.push((variable.0.into(), Some(variable.1.into())));
        let (program, mut words) = match &self.runner {
            Some(runner) => runner.command(self.path.clone().into()),
            None => (self.path.clone().into(), Vec::new()),
        };
        words.extend(["--bench"].iter().chain(arguments).map(OsString::from));
        let invocation = Invocation {
            directory: Some(self.directory.clone()),
            environment,
            limit: Some(limit),
            ..Invocation::program(program, words)
        };
        invocation
            .run(&self.helper)
            .map_err(|source: ProcessError| CargoError::Test {
                path: self.path.clone(),
                source: Box::new(source),
            })
    }
}
