//! Standing where cargo expects rustc, and listening: the only sure way to learn what cargo tells the compiler.
//!
//! Flags come to cargo from four sources, linkers from three, both also from tables for whole families of targets and
//! from files that include others. Instead of reading them as cargo does, this asks cargo. With `RUSTC` naming the helper,
//! cargo starts it in place of the compiler; it writes down its arguments and becomes the real compiler. Unlike a wrapper
//! (`RUSTC_WRAPPER`), that leaves all that is built already as it is for cargo, which knows a compiler by its version. Only
//! build scripts that say they depend on the variable itself run once more.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::{Events, Step};
use crate::helper::{COMPILER, Helper};
use crate::link;
use crate::selection::Selection;

/// The file that calls are written to, a line each.
const RECORD: &str = "CARGO_WHITTLE_RECORD";

impl Cargo {
    /// The flags that the user's environment and configuration give to every crate of the selection's target: what
    /// [`Settings::rustflags`](crate::Settings::rustflags) must be added to.
    ///
    /// # Errors
    /// [`CargoError::NoHelper`] without [`Cargo::helper`], [`CargoError::Failed`] if cargo fails,
    /// [`CargoError::Unreadable`] if it asks the compiler in a way that is not known.
    pub fn rustflags(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<Vec<OsString>, CargoError> {
        let recording = Recording::new()?;
        let args = selection.tree_args();
        let mut command = self.command(&self.program, &args);
        recording.listen(self, self.needed_helper()?, &mut command);
        self.output(Step::Flags, command, events)?;
        let calls = recording.calls()?;
        flags_of_probe(&calls).ok_or_else(|| CargoError::Unreadable {
            command: crate::cargo::command_line(&self.program, &args),
            source: "it does not ask the compiler about the target as known versions do".into(),
        })
    }

    pub(crate) fn needed_helper(&self) -> Result<&Helper, CargoError> {
        self.helper.as_ref().ok_or(CargoError::NoHelper)
    }
}

/// Where calls of the compiler are written down; gone when it is dropped.
pub(crate) struct Recording {
    folder: tempfile::TempDir,
}

impl Recording {
    pub(crate) fn new() -> Result<Self, CargoError> {
        let folder = tempfile::tempdir().map_err(CargoError::io("write", env::temp_dir()))?;
        Ok(Self { folder })
    }

    /// Puts the helper in the compiler's place for one run of cargo.
    pub(crate) fn listen(&self, cargo: &Cargo, helper: &Helper, command: &mut Command) {
        command
            .env("RUSTC", helper.program())
            .env(COMPILER, &cargo.rustc)
            .env(RECORD, self.path())
            // What cargo has noted down of the compiler in the target directory would answer for it.
            .env("CARGO_CACHE_RUSTC_INFO", "0");
    }

    /// The arguments of each call, in the order of their beginnings.
    pub(crate) fn calls(&self) -> Result<Vec<Vec<OsString>>, CargoError> {
        let path = self.path();
        let read = || -> io::Result<Vec<Vec<OsString>>> {
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                file => file?,
            };
            BufReader::new(file)
                .lines()
                .map(|line| Ok(serde_json::from_str(&line?)?))
                .collect()
        };
        read().map_err(CargoError::io("read", &path))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("calls")
    }
}

/// What runs when the executable is started as a compiler.
pub(crate) fn compile(args: &[OsString]) -> ExitCode {
    let Some(rustc) = env::var_os(COMPILER) else {
        return ExitCode::FAILURE;
    };
    if let Some(record) = env::var_os(RECORD) {
        // What is not written down is missed by whoever reads; the build is not to fail for it.
        let _ = write_down(Path::new(&record), args);
    }
    let mut command = Command::new(rustc);
    command.args(args).env_remove(COMPILER).env_remove(RECORD);
    link::interpose(&mut command, args);
    become_command(command)
}

/// The last thing that a helper does: to be another program.
pub(crate) fn become_command(mut command: Command) -> ExitCode {
    #[cfg(unix)]
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    #[cfg(not(unix))]
    let error = match command.status() {
        Ok(status) => {
            return status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .map_or(ExitCode::FAILURE, ExitCode::from);
        }
        Err(error) => error,
    };
    // What cargo and rustc say of a program that fails silently helps nobody.
    let _ = writeln!(
        io::stderr(),
        "error: cannot run `{}`: {error}",
        command.get_program().to_string_lossy()
    );
    ExitCode::FAILURE
}

fn write_down(path: &Path, args: &[OsString]) -> io::Result<()> {
    let mut line = serde_json::to_vec(args)?;
    line.push(b'\n');
    File::options()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(&line)
}

/// Cargo asks about a target by `rustc - --crate-name ___ --print=file-names FLAGS… [--target T] --crate-type bin …`,
/// again when what it learns changes the flags (`TargetInfo::new` of cargo 1.56 to 1.95).
///
/// With `--target` it asks about the host as well, whose crates get no flags then.
fn flags_of_probe(calls: &[Vec<OsString>]) -> Option<Vec<OsString>> {
    let mut probes = Vec::new();
    for call in calls {
        let Some(start) = call.iter().position(|arg| arg == "--print=file-names") else {
            continue;
        };
        let rest = call.get(start + 1..)?;
        let end = rest
            .iter()
            .position(|arg| arg == "--crate-type" || arg == "--target")?;
        let has_target = rest.get(end).is_some_and(|arg| arg == "--target");
        probes.push((has_target, rest.get(..end)?));
    }
    let last = |wanted: bool| {
        let mut probes = probes.iter().rev();
        probes.find(|(has_target, _)| *has_target == wanted)
    };
    let (_, flags) = last(true).or_else(|| last(false))?;
    Some(flags.to_vec())
}
