//! Running a command of the user's that builds what ships, where that is no plain `cargo build`: a makefile, `maturin`, a
//! wrapper that cross-compiles.
//!
//! Nothing can be added to its arguments, so settings travel by the environment: `CARGO_PROFILE_<NAME>_<KEY>` for keys of
//! the profile, `RUSTFLAGS` for flags, the user's own first, and `CARGO_TARGET_DIR` so that the user's artifacts stay where
//! they are ("Environment variables" in the Cargo book). A command is free not to hand these on: whether it does has to be
//! seen from what it builds.
//!
//! Many such commands put the file outside of any target directory. What lies there is kept, put back after each trial,
//! and, if this process was killed in between, by the next one.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::{Build, own_folder, saved_folder};
use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::Events;
use crate::lock::Lock;
use crate::process::{Ending, Invocation, ProcessError, Sink, Usage};
use crate::saved::{Keep, SavedFiles, recover, remove_file};
use crate::settings::{SettingValue, Settings};
use crate::variant::copy;

/// What stands for the target directory in [`BuildCommand::artifact`].
const TARGET_DIR: &str = "{target-dir}";
/// How much of what a failed command printed is told, in bytes from its end.
const TOLD: u64 = 4000;

/// A command that builds what ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildCommand {
    /// The line for the shell.
    pub line: String,
    /// Where the file is that it builds: a pattern with `*`, `?`, `[…]` and `**`, from the workspace's root. `{target-dir}`
    /// stands for the target directory; a pattern that begins with the user's target directory is looked for in the one
    /// that is in use first.
    pub artifact: String,
    /// The folder of the workspace's root manifest, where the command runs.
    pub root: PathBuf,
    /// The user's target directory.
    pub target_directory: PathBuf,
    /// The profile that it builds with.
    pub profile: String,
    /// How long it may take.
    pub limit: Duration,
}

/// Where a command is to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Where it builds by itself.
    Users,
    /// In a target directory of its own.
    Apart(&'a Path),
}

/// What came out of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandBuild {
    /// The file, where the command put it.
    pub artifact: PathBuf,
    /// What the command and all compilers used; `None` on systems that do not say.
    pub usage: Option<Usage>,
    /// From start to end.
    pub wall: Duration,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildCommandError {
    /// It ended otherwise than well.
    #[error("`{line}` failed ({ending})")]
    Failed {
        /// The command.
        line: String,
        /// How it ended.
        ending: Ending,
        /// The end of what it printed.
        said: String,
    },
    /// It ended well, and no file is there.
    #[error("`{line}` ended well, but no file matches `{artifact}`")]
    NoArtifact {
        /// The command.
        line: String,
        /// The pattern, as it was looked for.
        artifact: String,
    },
    /// Which of several files is meant?
    #[error("{} files match `{artifact}`: {}", files.len(), shown(files))]
    SeveralArtifacts {
        /// The pattern.
        artifact: String,
        /// The files.
        files: Vec<PathBuf>,
    },
    /// The pattern is none.
    #[error("`{artifact}` is no pattern for files")]
    Pattern {
        /// The pattern.
        artifact: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A setting that no variable of the environment holds.
    #[error("{what} cannot be handed to a command by its environment")]
    NotInEnvironment {
        /// The setting.
        what: &'static str,
    },
    /// It could not be run at all.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Files of the user's cannot be kept or put back, or what was printed cannot be read.
    #[error(transparent)]
    Cargo(#[from] CargoError),
}

impl BuildCommand {
    /// Runs it as the user would, and says where the file is. What an earlier, killed run had replaced is put back first.
    ///
    /// # Errors
    /// [`BuildCommandError::Failed`], [`BuildCommandError::NoArtifact`], [`BuildCommandError::SeveralArtifacts`].
    pub fn run(
        &self,
        cargo: &Cargo,
        workspace: &Build,
        events: &mut Events<'_>,
    ) -> Result<CommandBuild, BuildCommandError> {
        let _lock = lock(workspace, events)?;
        self.start(cargo, Vec::new(), Place::Users, workspace)
    }

    /// Runs it as the user would after a change that it may not notice: what lies at `shipped` is removed first. The old
    /// file comes back if nothing is built, and if the new one is not what was expected.
    ///
    /// # Errors
    /// As [`BuildCommand::run`].
    pub fn run_anew(
        &self,
        cargo: &Cargo,
        workspace: &Build,
        shipped: &Path,
        is_expected: &mut dyn FnMut(&Path) -> bool,
        events: &mut Events<'_>,
    ) -> Result<CommandBuild, BuildCommandError> {
        let _lock = lock(workspace, events)?;
        let saved = keep(workspace, shipped)?;
        remove_file(shipped).map_err(CargoError::io("remove", shipped))?;
        let built = self.start(cargo, Vec::new(), Place::Users, workspace)?;
        if is_expected(&built.artifact) {
            saved.discard()?;
        } else {
            saved.restore()?;
        }
        Ok(built)
    }

    /// Runs it under other settings and copies the file to `into`. What lay at `shipped`, and at the place of the file, is
    /// as it was afterwards.
    ///
    /// `users_flags` is what [`Cargo::rustflags`] says.
    ///
    /// # Errors
    /// As [`BuildCommand::run`], and [`BuildCommandError::NotInEnvironment`] for flags of the last crate alone, keys for
    /// single packages and unstable features.
    pub fn try_settings(
        &self,
        cargo: &Cargo,
        trial: &CommandTrial<'_>,
        into: &Path,
        events: &mut Events<'_>,
    ) -> Result<CommandBuild, BuildCommandError> {
        let environment = environment(trial.settings, &self.profile, trial.users_flags)?;
        let _lock = lock(trial.workspace, events)?;
        let saved = keep(trial.workspace, trial.shipped)?;
        // What is there already would be taken for what the command has built, also by `make`.
        for path in self.matches(trial.place)? {
            if path == trial.shipped
                || matches!(trial.place, Place::Apart(folder) if path.starts_with(folder))
            {
                remove_file(&path).map_err(CargoError::io("remove", &path))?;
            }
        }
        let built = self.start(cargo, environment, trial.place, trial.workspace)?;
        copy(&built.artifact, into)?;
        saved.restore()?;
        Ok(built)
    }

    fn start(
        &self,
        cargo: &Cargo,
        mut environment: Vec<(OsString, Option<OsString>)>,
        place: Place<'_>,
        workspace: &Build,
    ) -> Result<CommandBuild, BuildCommandError> {
        if let Place::Apart(folder) = place {
            environment.push(("CARGO_TARGET_DIR".into(), Some(folder.into())));
        }
        let log = own_folder(&workspace.workspace).join("build-command.log");
        let invocation = Invocation {
            directory: Some(self.root.clone()),
            environment,
            // Into one file, in the order in which it was printed, of which the end is told.
            ..Invocation::shell(format!("exec 2>&1\n{}", self.line))
        };
        let invocation = Invocation {
            stdout: Sink::File(log.clone()),
            limit: Some(self.limit),
            ..invocation
        };
        let run = invocation.run(cargo.needed_helper()?)?;
        if !run.ending.is_success() {
            return Err(BuildCommandError::Failed {
                line: self.line.clone(),
                ending: run.ending,
                said: end_of(&log).map_err(CargoError::io("read", &log))?,
            });
        }
        let mut found = self.matches(place)?;
        match (found.pop(), found.is_empty()) {
            (Some(artifact), true) => Ok(CommandBuild {
                artifact,
                usage: run.usage,
                wall: run.wall,
            }),
            (None, _) => Err(BuildCommandError::NoArtifact {
                line: self.line.clone(),
                artifact: self.patterns(place).remove(0),
            }),
            (Some(last), false) => {
                found.push(last);
                Err(BuildCommandError::SeveralArtifacts {
                    artifact: self.artifact.clone(),
                    files: found,
                })
            }
        }
    }

    /// The files that match, sorted: those of the first pattern that has any.
    fn matches(&self, place: Place<'_>) -> Result<Vec<PathBuf>, BuildCommandError> {
        for pattern in self.patterns(place) {
            let paths = glob::glob(&pattern).map_err(|source| BuildCommandError::Pattern {
                artifact: self.artifact.clone(),
                source,
            })?;
            // What cannot be read is no file of the build's.
            let files: Vec<PathBuf> = paths
                .filter_map(Result::ok)
                .filter(|path| path.is_file())
                .collect();
            if !files.is_empty() {
                return Ok(files);
            }
        }
        Ok(Vec::new())
    }

    /// The pattern as an absolute one, the likeliest first.
    fn patterns(&self, place: Place<'_>) -> Vec<String> {
        let users = self.target_directory.as_path();
        let used = match place {
            Place::Users => users,
            Place::Apart(folder) => folder,
        };
        let escaped = |folder: &Path| glob::Pattern::escape(&folder.to_string_lossy());
        if let Some(rest) = self.artifact.strip_prefix(TARGET_DIR) {
            return vec![format!("{}{rest}", escaped(used))];
        }
        let literal = if Path::new(&self.artifact).is_absolute() {
            self.artifact.clone()
        } else {
            format!("{}/{}", escaped(&self.root), self.artifact)
        };
        match literal.strip_prefix(&format!("{}/", escaped(users))) {
            // A command need not hear `CARGO_TARGET_DIR`.
            Some(rest) if used != users => vec![format!("{}/{rest}", escaped(used)), literal],
            _ => vec![literal],
        }
    }
}

/// One trial of a [`BuildCommand`].
#[derive(Clone, Copy, Debug)]
pub struct CommandTrial<'a> {
    /// What to build otherwise.
    pub settings: &'a Settings,
    /// What [`Cargo::rustflags`] says.
    pub users_flags: &'a [OsString],
    /// Where to build.
    pub place: Place<'a>,
    /// The file of the user's that has to stay as it is.
    pub shipped: &'a Path,
    /// The workspace, from [`Cargo::survey`].
    pub workspace: &'a Build,
}

/// One process at a time in a target directory; what an earlier one had to leave out of place is put back.
fn lock(workspace: &Build, events: &mut Events<'_>) -> Result<Lock, CargoError> {
    let lock = Lock::acquire(&own_folder(&workspace.workspace), events)?;
    recover(&saved_folder(&workspace.workspace), events)?;
    Ok(lock)
}

/// Keeps the file that ships until it is put back.
fn keep(workspace: &Build, shipped: &Path) -> Result<SavedFiles, CargoError> {
    // By a copy: `cp` writes over what is there.
    let files = [(shipped.to_owned(), Keep::Copy)];
    SavedFiles::save(&saved_folder(&workspace.workspace), files)
}

/// The variables by which settings reach a cargo that somebody else calls.
fn environment(
    settings: &Settings,
    profile: &str,
    users_flags: &[OsString],
) -> Result<Vec<(OsString, Option<OsString>)>, BuildCommandError> {
    for (is_set, what) in [
        (!settings.packages.is_empty(), "a key for one package"),
        (
            !settings.last_crate.is_empty(),
            "a flag for the last crate alone",
        ),
        (!settings.unstable.is_empty(), "an unstable feature"),
        (settings.bootstrap, "`RUSTC_BOOTSTRAP`"),
    ] {
        if is_set {
            return Err(BuildCommandError::NotInEnvironment { what });
        }
    }
    let spelled = |key: &str| key.to_uppercase().replace('-', "_");
    let profile = spelled(profile);
    let mut environment = Vec::new();
    let mut add = |table: &str, key: &str, value: &SettingValue| {
        let name = format!("CARGO_PROFILE_{profile}_{table}{}", spelled(key));
        let value = match value {
            SettingValue::Text(text) => text.clone(),
            other => other.to_string(),
        };
        environment.push((name.into(), Some(value.into())));
    };
    for (key, value) in &settings.profile {
        add("", key, value);
    }
    for (key, value) in &settings.build_override {
        add("BUILD_OVERRIDE_", key, value);
    }
    let mut flags: Vec<OsString> = settings.rustflags.iter().map(OsString::from).collect();
    flags.extend(
        settings
            .link_args
            .iter()
            .map(|argument| OsString::from(format!("-Clink-arg={argument}"))),
    );
    if !flags.is_empty() {
        flags.splice(0..0, users_flags.iter().cloned());
        environment.push(flags_variable(&flags));
    }
    Ok(environment)
}

/// The variable for flags. A makefile can add to `RUSTFLAGS` but knows nothing of the encoded form, which outranks it and
/// alone can hold spaces; where it is set already, it has to be used.
fn flags_variable(flags: &[OsString]) -> (OsString, Option<OsString>) {
    let has_space = |flag: &OsString| flag.as_encoded_bytes().iter().any(u8::is_ascii_whitespace);
    let is_encoded =
        env::var_os("CARGO_ENCODED_RUSTFLAGS").is_some() || flags.iter().any(has_space);
    let (name, separator) = if is_encoded {
        ("CARGO_ENCODED_RUSTFLAGS", "\u{1f}")
    } else {
        ("RUSTFLAGS", " ")
    };
    (
        name.into(),
        Some(flags.join(std::ffi::OsStr::new(separator))),
    )
}

/// The last lines of a file.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let len = fs::metadata(path)?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TOLD)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn shown(files: &[PathBuf]) -> String {
    let names: Vec<String> = files
        .iter()
        .take(5)
        .map(|file| format!("`{}`", file.display()))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(artifact: &str) -> BuildCommand {
        BuildCommand {
            line: "make".to_owned(),
            artifact: artifact.to_owned(),
            root: "/p".into(),
            target_directory: "/p/target".into(),
            profile: "release".to_owned(),
            limit: Duration::from_secs(1),
        }
    }

    #[test]
    fn an_artifact_is_looked_for_in_the_target_directory_that_is_in_use() {
        let apart = Place::Apart(Path::new("/p/target/whittle/x"));
        let patterns = |artifact: &str| command(artifact).patterns(apart);
        assert_eq!(patterns("dist/app-*"), ["/p/dist/app-*"]);
        assert_eq!(patterns("/else/app"), ["/else/app"]);
        assert_eq!(
            patterns("{target-dir}/release/app"),
            ["/p/target/whittle/x/release/app"]
        );
        assert_eq!(
            patterns("target/release/app"),
            ["/p/target/whittle/x/release/app", "/p/target/release/app"]
        );
        assert_eq!(
            command("target/release/app").patterns(Place::Users),
            ["/p/target/release/app"]
        );
    }

    #[test]
    fn settings_are_spelled_as_cargo_reads_them_from_the_environment() {
        let settings = Settings {
            profile: [
                ("opt-level".to_owned(), "z".into()),
                ("codegen-units".to_owned(), 1.into()),
                ("debug".to_owned(), false.into()),
            ]
            .into(),
            link_args: vec!["-Wl,--icf=all".to_owned()],
            ..Settings::default()
        };
        let environment = environment(&settings, "dist-small", &["-Ca=b".into()]);
        let environment: Vec<String> = environment
            .expect("all of it can travel")
            .into_iter()
            .map(|(key, value)| {
                format!(
                    "{}={}",
                    key.to_string_lossy(),
                    value.unwrap_or_default().to_string_lossy()
                )
            })
            .collect();
        assert_eq!(
            environment,
            [
                "CARGO_PROFILE_DIST_SMALL_CODEGEN_UNITS=1",
                "CARGO_PROFILE_DIST_SMALL_DEBUG=false",
                "CARGO_PROFILE_DIST_SMALL_OPT_LEVEL=z",
                "RUSTFLAGS=-Ca=b -Clink-arg=-Wl,--icf=all",
            ]
        );
        let (name, value) = flags_variable(&["-Cx=a b".into(), "-Cy".into()]);
        assert_eq!(name, "CARGO_ENCODED_RUSTFLAGS");
        assert_eq!(value, Some("-Cx=a b\u{1f}-Cy".into()));
    }

    #[test]
    fn what_no_variable_holds_is_refused() {
        let settings = Settings {
            packages: [("a".to_owned(), std::collections::BTreeMap::new())].into(),
            ..Settings::default()
        };
        let refused = environment(&settings, "release", &[]);
        assert!(matches!(
            refused,
            Err(BuildCommandError::NotInEnvironment { .. })
        ));
    }
}
