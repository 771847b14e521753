//! A command below its supervisor, as this side sees it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::{Ending, Usage};
use crate::helper::{Helper, SUPERVISOR};

/// A command that is about to run; stdout and stderr can still be set.
pub(crate) struct Supervised {
    /// The supervisor's own command, which hands stdout and stderr on.
    pub(crate) command: Command,
    report: TempPath,
}

/// A command that runs. Its processes are killed when this is dropped: its supervisor's stdin ends then.
pub(crate) struct Running {
    /// The supervisor.
    pub(crate) child: Child,
    report: TempPath,
}

/// What a supervisor leaves behind, in a file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Report {
    /// The command could not be started, with the system's number for why.
    NotStarted { error: i32 },
    /// It ran.
    Ended(Ended),
}

/// How a command ended and what it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) wall: Duration,
    pub(crate) usage: Option<Usage>,
}

impl Supervised {
    /// Puts a supervisor before a command.
    pub(crate) fn new(
        helper: &Helper,
        command: &Command,
        limit: Option<Duration>,
    ) -> io::Result<Self> {
        let report = tempfile::NamedTempFile::new()?.into_temp_path();
        let mut outer = Command::new(helper.program());
        let limit = limit.map_or_else(String::new, |limit| limit.as_millis().to_string());
        outer
            .args([report.as_os_str(), limit.as_ref(), command.get_program()])
            .args(command.get_args())
            .stdin(Stdio::piped());
        if let Some(directory) = command.get_current_dir() {
            outer.current_dir(directory);
        }
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => outer.env(key, value),
                None => outer.env_remove(key),
            };
        }
        outer.env(SUPERVISOR, "1");
        Ok(Self {
            command: outer,
            report,
        })
    }

    pub(crate) fn spawn(mut self) -> io::Result<Running> {
        Ok(Running {
            child: self.command.spawn()?,
            report: self.report,
        })
    }
}

impl Running {
    /// Waits for the end. The inner error says that the command could not be started.
    pub(crate) fn wait(mut self) -> io::Result<io::Result<Ended>> {
        // Not `wait`, which closes stdin first: that would end the command.
        let lifeline = self.child.stdin.take();
        let status = self.child.wait()?;
        drop(lifeline);
        read(&self.report, status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The lifeline goes, the supervisor clears up and ends; killing it would leave its children running.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn read(report: &TempPath, status: ExitStatus) -> io::Result<io::Result<Ended>> {
    let bytes = fs::read(report)?;
    match serde_json::from_slice(&bytes) {
        Ok(Report::Ended(ended)) => Ok(Ok(ended)),
        Ok(Report::NotStarted { error }) => Ok(Err(io::Error::from_raw_os_error(error))),
        Err(_) => Err(io::Error::other(format!(
            "it ended ({status}) without a report"
        ))),
    }
}

/// What a supervisor was asked to do: the file for its report, the limit in milliseconds or nothing, the command.
pub(super) struct Request {
    pub(super) report: OsString,
    pub(super) limit: Option<Duration>,
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
}

impl Request {
    pub(super) fn parse(args: Vec<OsString>) -> Option<Self> {
        let mut args = args.into_iter();
        let report = args.next()?;
        let limit = match args.next()?.to_str()? {
            "" => None,
            limit => Some(Duration::from_millis(limit.parse().ok()?)),
        };
        Some(Self {
            report,
            limit,
            program: args.next()?,
            args: args.collect(),
        })
    }
}
