//! Starting cargo and listening to it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use cargo_metadata::{Message, Metadata};
use serde::Deserialize as _;

use crate::error::CargoError;
use crate::event::{Event, Events, Freshness, Step};
use crate::helper::Helper;
use crate::process::{self, Ending, Supervised, Usage};
use crate::selection::Selection;
use crate::toolchain::Toolchain;

/// Which cargo to run, and how.
#[derive(Clone, Debug)]
pub struct Cargo {
    /// The program.
    pub program: OsString,
    /// The compiler that cargo uses, asked for its version.
    pub rustc: OsString,
    /// Where to run it; `None` is this process's own folder. Relative paths of a [`Selection`] start here.
    pub directory: Option<PathBuf>,
    /// Changes to the environment of the children: a value to set, or `None` to remove.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// What becomes of what cargo prints to stderr: its progress, and the compiler's diagnostics.
    pub stderr: Stderr,
    /// Looks after the children: with it they end when this program does, whatever ends it, and what they used is
    /// measured. Without it, [`Build::usage`](crate::Build::usage) is `None` and `limit` means nothing.
    pub helper: Option<Helper>,
    /// Wall time after which one child is killed.
    pub limit: Option<Duration>,
}

/// Where a child's stderr goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stderr {
    /// To this process's own, so that cargo shows progress on a terminal.
    #[default]
    Inherit,
    /// Line by line into [`Event::Stderr`].
    Events,
}

impl Cargo {
    /// The cargo that the environment names: `$CARGO`, which cargo sets for its subcommands, else `cargo`.
    ///
    /// The compiler is `$RUSTC` or `$CARGO_BUILD_RUSTC`, else `rustc`, as cargo itself chooses; a `build.rustc` in a
    /// configuration file is not looked up.
    #[must_use]
    pub fn from_env() -> Self {
        let set = |key: &str| env::var_os(key).filter(|value| !value.is_empty());
        Self {
            program: set("CARGO").unwrap_or_else(|| "cargo".into()),
            rustc: set("RUSTC")
                .or_else(|| set("CARGO_BUILD_RUSTC"))
                .unwrap_or_else(|| "rustc".into()),
            directory: None,
            environment: Vec::new(),
            stderr: Stderr::default(),
            helper: None,
            limit: None,
        }
    }

    /// What cargo knows about the workspace, with the resolved dependencies for the selection's target.
    ///
    /// # Errors
    /// [`CargoError::NoManifest`] without a package, [`CargoError::Failed`] if cargo fails, for example because a
    /// dependency would have to be downloaded and cannot be.
    pub fn metadata(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<Metadata, CargoError> {
        self.check_manifest(selection)?;
        let platform = match &selection.target {
            Some(target) => target.clone(),
            None => self.toolchain(events)?.host,
        };
        self.metadata_for(selection, &platform, events)
    }

    pub(crate) fn metadata_for(
        &self,
        selection: &Selection,
        platform: &str,
        events: &mut Events<'_>,
    ) -> Result<Metadata, CargoError> {
        let args = selection.metadata_args(Some(platform));
        self.read_metadata(Step::Dependencies, selection, args, events)
    }

    /// The workspace without its dependencies: where it is, where it builds to, and what its own packages are.
    pub(crate) fn workspace(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<Metadata, CargoError> {
        self.check_manifest(selection)?;
        self.read_metadata(
            Step::Workspace,
            selection,
            selection.workspace_args(),
            events,
        )
    }

    /// The folder of the workspace's root manifest. Nothing is resolved or downloaded for it.
    ///
    /// # Errors
    /// As [`Cargo::metadata`].
    pub fn workspace_root(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<PathBuf, CargoError> {
        let workspace = self.workspace(selection, events)?;
        Ok(workspace.workspace_root.into_std_path_buf())
    }

    /// Who the compiler is.
    ///
    /// # Errors
    /// [`CargoError::NotFound`] without a compiler, [`CargoError::Unreadable`] if it does not say its version.
    pub fn toolchain(&self, events: &mut Events<'_>) -> Result<Toolchain, CargoError> {
        let command = self.command(&self.rustc, [OsStr::new("-vV")]);
        let text = self.output(Step::Toolchain, command, events)?;
        Toolchain::parse(&text).ok_or_else(|| CargoError::Unreadable {
            command: command_line(&self.rustc, &["-vV".into()]),
            source: "it names neither its release nor its host".into(),
        })
    }

    /// Runs cargo with `--message-format=json…` and returns its messages.
    pub(crate) fn messages(
        &self,
        step: Step,
        args: &[OsString],
        events: &mut Events<'_>,
    ) -> Result<Messages, CargoError> {
        let command = self.command(&self.program, args);
        self.messages_of(step, command, events)
    }

    pub(crate) fn messages_of(
        &self,
        step: Step,
        command: Command,
        events: &mut Events<'_>,
    ) -> Result<Messages, CargoError> {
        let mut messages = Vec::new();
        let usage = self.listen(step, command, events, &mut |line, events| {
            let Some(message) = parse_message(&line) else {
                return events(Event::Stdout(&line));
            };
            if let Message::CompilerArtifact(artifact) = &message {
                events(Event::Compiled {
                    package: &artifact.package_id,
                    target_name: &artifact.target.name,
                    freshness: Freshness::of(artifact),
                });
            }
            messages.push(message);
        })?;
        Ok(Messages { messages, usage })
    }

    fn read_metadata(
        &self,
        step: Step,
        selection: &Selection,
        args: Vec<OsString>,
        events: &mut Events<'_>,
    ) -> Result<Metadata, CargoError> {
        let line = command_line(&self.program, &args);
        let mut command = self.command(&self.program, args);
        // `cargo metadata` has no `--target-dir`; the variable outranks every configuration, as the flag does.
        if let Some(target_dir) = &selection.target_dir {
            command.env("CARGO_TARGET_DIR", target_dir);
        }
        let text = self.output(step, command, events)?;
        serde_json::from_str(&text).map_err(|source| CargoError::Unreadable {
            command: line,
            source: source.into(),
        })
    }

    /// A clearer answer than cargo's own to the most common mistake.
    fn check_manifest(&self, selection: &Selection) -> Result<(), CargoError> {
        let directory = match &self.directory {
            Some(directory) => directory.clone(),
            None => env::current_dir().map_err(CargoError::io("find", "."))?,
        };
        let (path, found) = if let Some(manifest) = &selection.manifest_path {
            let path = directory.join(manifest);
            let found = path.is_file();
            (path, found)
        } else {
            let mut folders = directory.ancestors();
            let found = folders.any(|folder| folder.join("Cargo.toml").is_file());
            (directory, found)
        };
        if found {
            Ok(())
        } else {
            Err(CargoError::NoManifest { path })
        }
    }

    pub(crate) fn command(
        &self,
        program: &OsStr,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(args);
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

    /// Runs a command to its end and returns what it printed to stdout.
    pub(crate) fn output(
        &self,
        step: Step,
        command: Command,
        events: &mut Events<'_>,
    ) -> Result<String, CargoError> {
        let mut text = String::new();
        self.listen(step, command, events, &mut |line, _| {
            text.push_str(&line);
            text.push('\n');
        })?;
        Ok(text)
    }

    /// Runs a command to its end and hands on its lines of stdout.
    fn listen(
        &self,
        step: Step,
        command: Command,
        events: &mut Events<'_>,
        on_stdout: &mut dyn FnMut(String, &mut Events<'_>),
    ) -> Result<Option<Usage>, CargoError> {
        let args: Vec<OsString> = command.get_args().map(OsStr::to_owned).collect();
        let line = command_line(command.get_program(), &args);
        events(Event::Running {
            step,
            command: &line,
        });

        let program = command.get_program().to_string_lossy().into_owned();
        let not_started = |source| match self.missing_directory() {
            Some(path) => CargoError::Io {
                action: "enter",
                path: path.to_owned(),
                source,
            },
            None => CargoError::NotFound {
                program: program.clone(),
                source,
            },
        };
        let running = self.start(command).map_err(not_started)?;
        let (ending, usage) = running
            .hear(|said| match said {
                Said::Stdout(line) => on_stdout(line, events),
                Said::Stderr(line) => events(Event::Stderr(&line)),
            })
            .map_err(|source| CargoError::Unreadable {
                command: line.clone(),
                source: source.into(),
            })?
            .map_err(not_started)?;
        if ending.is_success() {
            Ok(usage)
        } else {
            Err(CargoError::Failed {
                command: line,
                ending,
            })
        }
    }

    fn start(&self, mut command: Command) -> io::Result<Running> {
        let set_streams = |command: &mut Command| {
            command.stdout(Stdio::piped()).stderr(match self.stderr {
                Stderr::Inherit => Stdio::inherit(),
                Stderr::Events => Stdio::piped(),
            });
        };
        let Some(helper) = &self.helper else {
            set_streams(command.stdin(Stdio::null()));
            return command.spawn().map(|child| Running::Alone(Alone(child)));
        };
        let mut supervised = Supervised::new(helper, &command, self.limit)?;
        set_streams(&mut supervised.command);
        supervised.spawn().map(Running::Supervised)
    }

    /// Whether children can be started at all.
    pub(crate) fn check_directory(&self) -> Result<(), CargoError> {
        match self.missing_directory() {
            Some(path) => Err(CargoError::io("enter", path)(
                io::ErrorKind::NotFound.into(),
            )),
            None => Ok(()),
        }
    }

    /// A folder that is not there makes starting a program fail just as a program that is not there.
    fn missing_directory(&self) -> Option<&Path> {
        self.directory
            .as_deref()
            .filter(|directory| !directory.is_dir())
    }
}

/// What cargo said, and what it took.
pub(crate) struct Messages {
    pub(crate) messages: Vec<Message>,
    pub(crate) usage: Option<Usage>,
}

/// A child process that does not outlive this value: it is killed if hearing it ends early.
enum Running {
    Alone(Alone),
    Supervised(process::Running),
}

/// A child without a supervisor.
struct Alone(Child);

/// One line, without its line end; bytes that are not UTF-8 are replaced.
enum Said {
    Stdout(String),
    Stderr(String),
}

impl Running {
    /// The inner error says that the command could not be started.
    fn hear(
        mut self,
        mut on_line: impl FnMut(Said),
    ) -> io::Result<io::Result<(Ending, Option<Usage>)>> {
        let child = match &mut self {
            Self::Alone(alone) => &mut alone.0,
            Self::Supervised(running) => &mut running.child,
        };
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        // Both streams are read as they come, or a full pipe would stop the child.
        let (sender, receiver) = sync_channel(64);
        let mut readers = Vec::new();
        if let Some(stdout) = stdout {
            let sender = sender.clone();
            readers.push(thread::spawn(move || {
                read_lines(stdout, Said::Stdout, &sender)
            }));
        }
        if let Some(stderr) = stderr {
            readers.push(thread::spawn(move || {
                read_lines(stderr, Said::Stderr, &sender)
            }));
        } else {
            drop(sender);
        }
        for said in receiver {
            on_line(said);
        }
        for reader in readers {
            reader
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a reading thread panicked")))?;
        }
        self.wait()
    }

    fn wait(self) -> io::Result<io::Result<(Ending, Option<Usage>)>> {
        match self {
            Self::Alone(mut alone) => Ok(Ok((Ending::of(alone.0.wait()?), None))),
            Self::Supervised(running) => {
                let ended = running.wait()?;
                Ok(ended.map(|ended| (ended.ending, ended.usage)))
            }
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            // Nobody is left to be told if this fails too.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn read_lines(
    stream: impl Read,
    said: fn(String) -> Said,
    lines: &SyncSender<Said>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        if lines
            .send(said(String::from_utf8_lossy(&line).into_owned()))
            .is_err()
        {
            return Ok(()); // nobody listens any more
        }
    }
}

/// One message of cargo's; `None` for a line that somebody else printed.
fn parse_message(line: &str) -> Option<Message> {
    if !line.starts_with('{') {
        return None;
    }
    Message::deserialize(&mut serde_json::Deserializer::from_str(line)).ok()
}

/// A command as it could be typed into a POSIX shell.
pub(crate) fn command_line(program: &OsStr, args: &[OsString]) -> String {
    let mut line = String::new();
    for word in std::iter::once(program).chain(args.iter().map(OsString::as_os_str)) {
        let word = word.to_string_lossy();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,^#".contains(c);
        let separator = if line.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = if !word.is_empty() && word.chars().all(is_plain) {
            write!(line, "{separator}{word}")
        } else {
            write!(line, "{separator}'{}'", word.replace('\'', r"'\''"))
        };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_typed_again() {
        let args =
            ["build", "--config=a=\"b c\"", "", "it's", "-Map=/x,y/z.map"].map(OsString::from);
        assert_eq!(
            command_line(OsStr::new("cargo"), &args),
            r#"cargo build '--config=a="b c"' '' 'it'\''s' -Map=/x,y/z.map"#
        );
    }

    #[test]
    fn lines_that_are_no_messages_are_told_apart() {
        assert!(parse_message("hello").is_none());
        assert!(parse_message("{\"a\":1}").is_none());
        let finished = parse_message(r#"{"reason":"build-finished","success":true}"#);
        assert!(matches!(finished, Some(Message::BuildFinished(finished)) if finished.success));
    }
}
