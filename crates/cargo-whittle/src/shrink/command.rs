//! The user's commands, with the program that is to be judged put in.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use whittle_cargo::{Ending, Helper, Invocation, Run, Runner, Sink};
use whittle_trial::behaviour::{End, Observed};

use crate::trouble::{Outcome, Trouble};

/// How much of each stream is compared.
const COMPARED: usize = 16 << 20;
/// What stands for the program.
const PLACEHOLDER: &str = "{}";

/// Where a program lies while it is run: the same path for whoever lies there, so that what it prints of itself is the same.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    folder: PathBuf,
    name: OsString,
    /// What it is started with, if not by itself.
    runner: Option<Runner>,
}

impl Stand {
    /// A folder of its own for a program of this name.
    pub(crate) fn new(folder: PathBuf, name: impl Into<OsString>) -> Self {
        Self {
            folder,
            name: name.into(),
            runner: None,
        }
    }

    /// Whatever lies there is started with a runner.
    pub(crate) fn through(self, runner: Option<Runner>) -> Self {
        Self { runner, ..self }
    }

    /// The path of whatever lies there.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// The path that starts it.
    pub(crate) fn command(&self) -> PathBuf {
        self.commands().join(&self.name)
    }

    /// Where its command is.
    fn commands(&self) -> PathBuf {
        match self.runner {
            Some(_) => self.folder.join("by-runner"),
            None => self.folder.clone(),
        }
    }

    /// Puts a copy of a program there.
    pub(crate) fn put(&self, program: &Path) -> Outcome<()> {
        let put = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.folder)?;
            // Under another name first: what lies there may still run.
            let beside = tempfile::NamedTempFile::new_in(&self.folder)?.into_temp_path();
            std::fs::copy(program, &beside)?;
            beside.persist(self.program())?;
            self.runner
                .as_ref()
                .map_or(Ok(()), |runner| self.write_command(runner))
        };
        put().map_err(|error| {
            Trouble::plain(
                anyhow::Error::from(error)
                    .context(format!("cannot put `{}` in place", program.display())),
            )
        })
    }

    /// A script of the program's name, since a line of the user's may have it anywhere.
    fn write_command(&self, runner: &Runner) -> std::io::Result<()> {
        let (program, words) = runner.command(self.program().into_os_string());
        let words: Vec<String> = [program]
            .iter()
            .chain(&words)
            .map(|word| quoted(&word.to_string_lossy()))
            .collect();
        std::fs::create_dir_all(self.commands())?;
        let mut script = tempfile::Builder::new();
        #[cfg(unix)]
        script.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let mut script = script.tempfile_in(self.commands())?;
        writeln!(script, "#!/bin/sh\nexec {} \"$@\"", words.join(" "))?;
        script.into_temp_path().persist(self.command())?;
        Ok(())
    }

    /// The environment in which the program's bare name means this one, and its panics show no backtrace.
    fn environment(&self) -> Vec<(OsString, Option<OsString>)> {
        let mut path = self.commands().into_os_string();
        if let Some(others) = std::env::var_os("PATH") {
            path.push(if cfg!(windows) { ";" } else { ":" });
            path.push(others);
        }
        // Backtraces lose their names with the symbols, which is no change of what the program does.
        vec![
            ("PATH".into(), Some(path)),
            ("RUST_BACKTRACE".into(), Some("0".into())),
        ]
    }
}

/// The program as it is.
#[derive(Clone, Debug)]
pub(crate) struct Shipped {
    /// Where a plain build puts it: what commands of the user's may call it.
    pub(crate) path: PathBuf,
    /// A copy of it, which stays whatever is built.
    pub(crate) copy: PathBuf,
}

impl Shipped {
    /// Keeps a copy of a file in `folder`; `path` is where a plain build puts it.
    pub(crate) fn keep(file: &Path, path: PathBuf, folder: &Path) -> Outcome<Self> {
        let kept = Stand::new(folder.join("shipped"), path.file_name().unwrap_or_default());
        kept.put(file)?;
        Ok(Self {
            path,
            copy: kept.program(),
        })
    }
}

/// A command of the user's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserCommand<'a> {
    /// The line for the shell.
    pub(crate) line: &'a str,
    /// Where it runs.
    pub(crate) directory: &'a Path,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// Variables of the environment besides.
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

impl UserCommand<'_> {
    /// Checks that the command runs the program at all: else every program would be judged alike.
    pub(crate) fn check(&self, stand: &Stand, shipped: &Path) -> Outcome<()> {
        if self.filled(stand, shipped).is_some() {
            return Ok(());
        }
        let name = stand.name.to_string_lossy();
        Err(Trouble::new(
            anyhow!("the command `{}` does not run the program", self.line),
            format!("write `{PLACEHOLDER}`, or `{name}`, where the program is to be run"),
        ))
    }

    /// The line with the program put in: for `{}`, for the path of the file that ships, or by its bare name, which the
    /// environment leads to it.
    fn filled(&self, stand: &Stand, shipped: &Path) -> Option<String> {
        let program = quoted(&stand.command().to_string_lossy());
        if self.line.contains(PLACEHOLDER) {
            return Some(self.line.replace(PLACEHOLDER, &program));
        }
        let relative = shipped.strip_prefix(self.directory).ok();
        for path in [Some(shipped), relative].into_iter().flatten() {
            let path = path.to_string_lossy();
            for spelled in [format!("./{path}"), path.into_owned()] {
                if words(self.line).any(|word| word == spelled) {
                    return Some(self.line.replace(&spelled, &program));
                }
            }
        }
        let name = stand.name.to_string_lossy();
        words(self.line)
            .any(|word| word == name)
            .then(|| self.line.to_owned())
    }

    /// Runs it with whatever lies at the stand.
    pub(crate) fn run(
        &self,
        helper: &Helper,
        stand: &Stand,
        shipped: &Path,
        kept: Kept,
    ) -> Outcome<Run> {
        let line = self
            .filled(stand, shipped)
            .unwrap_or_else(|| self.line.to_owned());
        let sink = match kept {
            Kept::Output => Sink::Keep(COMPARED),
            // A pipe that is read: some programs do less when nobody reads.
            Kept::Nothing => Sink::Keep(0),
        };
        let mut environment = stand.environment();
        let variables = self.environment.iter();
        environment.extend(variables.map(|(key, value)| (key.into(), Some(value.into()))));
        let invocation = Invocation {
            directory: Some(self.directory.to_owned()),
            environment,
            stdout: sink.clone(),
            stderr: sink,
            limit: Some(self.limit),
            ..Invocation::shell(line)
        };
        invocation.run(helper).map_err(Trouble::plain)
    }
}

/// What is kept of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All, to be compared.
    Output,
    /// Nothing: its time is of interest.
    Nothing,
}

/// A run as it is compared with others.
pub(crate) fn observed(run: &Run) -> Observed {
    Observed {
        end: end(run.ending),
        stdout: run.stdout.bytes.clone(),
        stderr: run.stderr.bytes.clone(),
    }
}

/// How a run ended, in the words of verdicts. A shell says 128 and more for a signal that ended its last command.
pub(crate) fn end(ending: Ending) -> End {
    match ending {
        Ending::Exited(code) if (129..=192).contains(&code) => End::Signal(code - 128),
        Ending::Exited(code) => End::Code(code),
        Ending::Signalled(signal) => End::Signal(signal),
        Ending::TimedOut => End::TimedOut,
    }
}

/// A path as a word for the shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || "'\"|&;()<>$`".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(line: &str) -> Option<String> {
        let command = UserCommand {
            line,
            directory: Path::new("/p"),
            limit: Duration::from_secs(1),
            environment: &[],
        };
        let stand = Stand::new("/p/target/it's".into(), "rg");
        command.filled(&stand, Path::new("/p/target/release/rg"))
    }

    #[test]
    fn the_program_is_put_in_wherever_it_is_meant() {
        let program = r"'/p/target/it'\''s/rg'";
        assert_eq!(filled("{} -n x"), Some(format!("{program} -n x")));
        for line in [
            "target/release/rg -n x",
            "./target/release/rg -n x",
            "/p/target/release/rg -n x",
        ] {
            assert_eq!(filled(line), Some(format!("{program} -n x")), "{line}");
        }
        assert_eq!(
            filled("cat f | rg -n x").as_deref(),
            Some("cat f | rg -n x")
        );
    }

    #[test]
    fn a_command_that_does_not_run_the_program_is_told() {
        assert_eq!(filled("sleep 1"), None);
        assert_eq!(filled("args -n target/debug/rg-old"), None);
    }

    #[test]
    fn a_shell_tells_signals_by_its_exit_code() {
        assert_eq!(end(Ending::Exited(134)), End::Signal(6));
        assert_eq!(end(Ending::Exited(101)), End::Code(101));
        assert_eq!(end(Ending::Exited(127)), End::Code(127));
    }
}
