//! Running a command to its end, or to the end of one's patience, and knowing what it used.
//!
//! Takes an [`Invocation`]: the words, the folder, the environment, where its output goes and how long it may take. Gives
//! back a [`Run`]: how it ended, what it printed, processor time, wall time and peak memory. What the answer means is for
//! others to say: an exit status of 1 is no error here.
//!
//! The command runs with stdin closed, in a session of its own without a terminal, below a supervisor (see [`Helper`]). When its first
//! process ends, what it left running is killed, also what has moved to another group or session (on Linux). The same
//! happens when the time limit is reached and when this program ends, by a signal that cannot be caught too.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cargo::command_line;
use crate::helper::Helper;

mod capture;
mod supervised;
mod supervisor;

use capture::Capture;
pub(crate) use supervised::{Running, Supervised};
pub(crate) use supervisor::supervise;

/// A command and everything that surrounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What is run.
    pub words: Words,
    /// Where; `None` is this process's own folder. A relative program with a separator in it starts here too.
    pub directory: Option<PathBuf>,
    /// Changes to the environment: a value to set, or `None` to remove. `PATH`, too, counts as changed.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// Where its stdout goes.
    pub stdout: Sink,
    /// Where its stderr goes.
    pub stderr: Sink,
    /// Wall time after which it is killed.
    pub limit: Option<Duration>,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// A program, looked for in `PATH` if it is a bare name, and its arguments.
    Program(OsString, Vec<OsString>),
    /// A line for the system's shell: `sh -c`, or `cmd /C` on Windows.
    Shell(String),
}

/// Where a stream of output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Nowhere: the system's null device. Some programs notice and work less (GNU `grep` does).
    Discard,
    /// Read to its end; the first so many bytes are kept.
    Keep(usize),
    /// Into a file, which is created or emptied. Nothing bounds its size.
    File(PathBuf),
}

/// How a command went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How its first process ended.
    pub ending: Ending,
    /// From its start to the end of its first process.
    pub wall: Duration,
    /// What it and its descendants used; `None` on systems that do not say.
    pub usage: Option<Usage>,
    /// What it printed.
    pub stdout: Output,
    /// What it printed as errors.
    pub stderr: Output,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal, such as 6 (`SIGABRT`) or 11 (`SIGSEGV`).
    Signalled(i32),
    /// Killed, because it took longer than it may.
    TimedOut,
}

/// What a command used, with all its descendants that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Processor time in the programs themselves.
    pub user: Duration,
    /// Processor time in the system on their behalf.
    pub system: Duration,
    /// The largest resident set of any one of the processes, in bytes. A process inherits its parent's peak when it is
    /// made, so that nothing below some 3 MB, the supervisor's own, is seen (Linux, `getrusage(2)`).
    pub peak_memory: u64,
}

/// What came out of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The bytes that were kept: the first ones.
    pub bytes: Vec<u8>,
    /// How many bytes there were in all; 0 for [`Sink::Discard`], the length of the file for [`Sink::File`].
    pub len: u64,
    /// Whether the stream was read to its end. `false` if a descendant that could not be killed still holds it.
    pub complete: bool,
}

/// Why a command has not run. That it failed is no such reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program could not be started: it is not there, or is no program.
    #[error("cannot run `{program}`")]
    NotStarted {
        /// Its name or path as it was given.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The folder to run in is none.
    #[error("cannot enter `{path}`")]
    NoDirectory {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file for the output cannot be written.
    #[error("cannot write `{path}`")]
    NoOutput {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process that looks after the command could not be started or ended without a word.
    #[error("cannot supervise `{command}` with `{helper}`")]
    NotSupervised {
        /// The command as it could be typed.
        command: String,
        /// The executable that was to look after it.
        helper: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

impl Invocation {
    /// A program with arguments, run here, without limit, the first 64 KiB of each stream kept.
    #[must_use]
    pub fn program(
        program: impl Into<OsString>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self::new(Words::Program(program.into(), args))
    }

    /// A line for the shell; else as [`Invocation::program`].
    #[must_use]
    pub fn shell(line: impl Into<String>) -> Self {
        Self::new(Words::Shell(line.into()))
    }

    fn new(words: Words) -> Self {
        const KEPT: usize = 64 << 10;
        Self {
            words,
            directory: None,
            environment: Vec::new(),
            stdout: Sink::Keep(KEPT),
            stderr: Sink::Keep(KEPT),
            limit: None,
        }
    }

    /// The command as it could be typed into a POSIX shell.
    #[must_use]
    pub fn line(&self) -> String {
        match &self.words {
            Words::Program(program, args) => command_line(program, args),
            Words::Shell(line) => line.clone(),
        }
    }

    /// Runs it to its end, or to its limit.
    ///
    /// # Errors
    /// [`ProcessError`] when it could not be run at all; how it ended is part of the value.
    pub fn run(&self, helper: &Helper) -> Result<Run, ProcessError> {
        let mut supervised = Supervised::new(helper, &self.command(), self.limit)
            .map_err(|source| self.not_supervised(helper, source))?;
        supervised.command.stdout(self.stdout.open()?);
        supervised.command.stderr(self.stderr.open()?);
        let mut supervised = supervised
            .spawn()
            .map_err(|source| self.not_spawned(helper, source))?;
        let stdout = Capture::start(supervised.child.stdout.take(), &self.stdout);
        let stderr = Capture::start(supervised.child.stderr.take(), &self.stderr);
        let ended = match supervised.wait() {
            Ok(Ok(ended)) => ended,
            Ok(Err(source)) => {
                let program = match &self.words {
                    Words::Program(program, _) => program.to_string_lossy().into_owned(),
                    Words::Shell(_) => shell().0.to_owned(),
                };
                return Err(ProcessError::NotStarted { program, source });
            }
            Err(source) => return Err(self.not_supervised(helper, source)),
        };
        Ok(Run {
            ending: ended.ending,
            wall: ended.wall,
            usage: ended.usage,
            stdout: stdout.finish(&self.stdout),
            stderr: stderr.finish(&self.stderr),
        })
    }

    fn command(&self) -> Command {
        let mut command = match &self.words {
            Words::Program(program, args) => {
                let mut command = Command::new(program);
                command.args(args);
                command
            }
            Words::Shell(line) => {
                let (shell, flag) = shell();
                let mut command = Command::new(shell);
                command.arg(flag).arg(line);
                command
            }
        };
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        for (key, value) in &self.environment {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
    }

    /// A folder that is not there makes starting a program fail just as a program that is not there.
    fn not_spawned(&self, helper: &Helper, source: io::Error) -> ProcessError {
        match &self.directory {
            Some(path) if !path.is_dir() => ProcessError::NoDirectory {
                path: path.clone(),
                source,
            },
            _ => self.not_supervised(helper, source),
        }
    }

    fn not_supervised(&self, helper: &Helper, source: io::Error) -> ProcessError {
        ProcessError::NotSupervised {
            command: self.line(),
            helper: helper.program().to_owned(),
            source,
        }
    }
}

impl Sink {
    fn open(&self) -> Result<Stdio, ProcessError> {
        match self {
            Self::Discard => Ok(Stdio::null()),
            Self::Keep(_) => Ok(Stdio::piped()),
            Self::File(path) => {
                File::create(path)
                    .map(Stdio::from)
                    .map_err(|source| ProcessError::NoOutput {
                        path: path.clone(),
                        source,
                    })
            }
        }
    }

    fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Discard | Self::Keep(_) => None,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status {code}"),
            Self::Signalled(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("time limit reached"),
        }
    }
}

impl Ending {
    /// What the system's own word means.
    pub(crate) fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(signal);
        }
        Self::Exited(status.code().unwrap_or_default())
    }

    /// Whether the command ended by itself and with status 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl Usage {
    /// User and system time together.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

impl Output {
    /// The kept bytes as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn shell() -> (&'static str, &'static str) {
    if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    }
}
