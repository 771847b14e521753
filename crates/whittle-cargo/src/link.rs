//! Linking again without compiling: the last link of a build is caught, with everything that goes into it, and can be run
//! any number of times with other arguments, in a fraction of a second.
//!
//! rustc is given the helper as its linker by a trailing flag, which compiles the last crate alone once more; a linker in
//! cargo's configuration would make it compile every crate. The helper keeps the inputs, most of which rustc removes after
//! the link, notes the command down, and becomes the linker that rustc would have run. A link by the kept command gives
//! what cargo's own gave, up to names of temporary files that find their way into hashes.
//!
//! On ELF, what `strip` does is an argument of the linker (`-Wl,--strip-all`), so one capture with `-Cstrip=none` serves
//! for all its values. Linkers of other formats are not captured.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cargo::Messages;
use crate::error::CargoError;
use crate::event::Events;
use crate::helper::Helper;
use crate::lock::Lock;
use crate::process::{Ending, Invocation, ProcessError, Sink, Usage, Words};
use crate::profile::ResolvedProfile;
use crate::saved::remove_folder;
use crate::settings::Settings;
use crate::toolchain::MapFlag;
use crate::variant::{Variant, VariantBuilder};

mod arguments;
mod interposed;
mod record;

pub(crate) use interposed::{interpose, link};
use record::Record;

/// A link that can be run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedLink {
    folder: PathBuf,
    record: Record,
}

/// What a link is to do otherwise. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// The program that links, where it is to be another: as rustc's `-Clinker`. That `-fuse-ld` chooses another linker
    /// behind a C compiler is no change of this.
    pub program: Option<OsString>,
    /// Arguments to leave out, wherever they stand, each by its whole text.
    pub remove: Vec<String>,
    /// Arguments to put behind all others.
    pub add: Vec<String>,
}

/// What came out of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relinked {
    /// The file, where it was asked for.
    pub path: PathBuf,
    /// What the linker used.
    pub usage: Option<Usage>,
    /// From start to end.
    pub wall: Duration,
    /// What the linker had to say all the same.
    pub said: String,
}

/// Why there is no file from a link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The program that links could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It ran and failed.
    #[error("`{program}` failed ({ending})")]
    Refused {
        /// The program.
        program: String,
        /// How it ended.
        ending: Ending,
        /// What it said, which usually names the argument or the symbol.
        said: String,
    },
    /// It ended well, and there is no file.
    #[error("`{program}` wrote no file")]
    NothingWritten {
        /// The program.
        program: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl VariantBuilder {
    /// Builds a variant as [`VariantBuilder::build`] does, catches its last link in `folder`, which is emptied first, and
    /// puts the file that cargo made there as well.
    ///
    /// Inputs are kept by a second name where the file system can, else as copies.
    ///
    /// # Errors
    /// As [`VariantBuilder::build`]; [`CargoError::NotCaptured`] if the target's linker cannot be, or was not run.
    pub fn capture(
        &self,
        settings: &Settings,
        folder: &Path,
        events: &mut Events<'_>,
    ) -> Result<(CapturedLink, Variant), CargoError> {
        let start = Instant::now();
        let not_captured = |why| CargoError::NotCaptured {
            target: self.target().to_owned(),
            why,
        };
        let default_linker = match MapFlag::for_target(self.target()) {
            MapFlag::ThroughDriver => "cc",
            MapFlag::Direct => "rust-lld",
            MapFlag::None => return Err(not_captured(NotCaptured::OtherFormat)),
        };
        let helper = self.cargo.needed_helper()?;
        remove_folder(folder)?;
        fs::create_dir_all(folder).map_err(CargoError::io("create", folder))?;
        let folder = folder
            .canonicalize()
            .map_err(CargoError::io("find", folder))?;

        let lock = Lock::acquire(self.folder(), events)?;
        let mut flag = OsString::from("-Clinker=");
        flag.push(helper.program());
        let Messages { messages, usage } = self.messages(
            settings,
            &[flag],
            |command| {
                interposed::ask(command, &self.cargo, helper, default_linker, &folder);
                Ok(())
            },
            events,
        )?;
        let path = folder.join("cargos-own");
        let compiled = self.take(&messages, &path)?;
        drop(lock);
        let link =
            CapturedLink::open(&folder).map_err(|_| not_captured(NotCaptured::LinkerNotRun))?;
        Ok((
            link,
            Variant {
                path,
                usage,
                wall: start.elapsed(),
                compiled,
            },
        ))
    }
}

/// Why a link was not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCaptured {
    /// Only linkers of ELF files are known well enough.
    #[error("its files are not ELF")]
    OtherFormat,
    /// The compiler did not call the linker it was told to.
    #[error("the compiler did not run the linker that it was given")]
    LinkerNotRun,
}

impl CapturedLink {
    /// Finds what [`VariantBuilder::capture`] has left in a folder.
    ///
    /// # Errors
    /// [`LinkError::Io`] if it has not.
    pub fn open(folder: &Path) -> Result<Self, LinkError> {
        let path = record::path(folder);
        let record = Record::read(&path).map_err(|source| LinkError::Io {
            action: "read",
            path,
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            record,
        })
    }

    /// The program that rustc would have run.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.record.program
    }

    /// Its arguments; those that name inputs name the kept ones.
    #[must_use]
    pub fn args(&self) -> &[OsString] {
        &self.record.args
    }

    /// The profile of the last crate as it reached the compiler, before the flags that `settings` put behind it.
    ///
    /// # Errors
    /// [`LinkError::Io`] if what the compiler was told has not been noted down.
    pub fn profile(&self, settings: &Settings) -> Result<ResolvedProfile, LinkError> {
        let mut args =
            record::read_compiler_args(&self.folder).map_err(|source| LinkError::Io {
                action: "read",
                path: record::compiler_path(&self.folder),
                source,
            })?;
        for flag in settings.trailing() {
            if let Some(at) = args.iter().rposition(|arg| *arg == flag) {
                args.remove(at);
            }
        }
        Ok(ResolvedProfile::of(&args))
    }

    /// Links again. The file at `output` is replaced.
    ///
    /// # Errors
    /// [`LinkError::Refused`] if the linker does not take an argument or finds something missing; `output` is left as it
    /// is then.
    pub fn relink(
        &self,
        helper: &Helper,
        change: &LinkChange,
        output: &Path,
        limit: Option<Duration>,
    ) -> Result<Relinked, LinkError> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| LinkError::Io {
                action,
                path,
                source,
            }
        };
        let place = output
            .parent()
            .filter(|place| !place.as_os_str().is_empty());
        let place = place.unwrap_or(Path::new("."));
        fs::create_dir_all(place).map_err(io("create", place))?;
        let place = place.canonicalize().map_err(io("find", place))?;
        // A folder of its own beside it: linkers write other files next to their output, and some look at what is there.
        let scratch = tempfile::tempdir_in(&place).map_err(io("write", &place))?;
        let linked = scratch.path().join("linked");

        let mut args = self.record.args_for(&linked);
        args.retain(|arg| !change.remove.iter().any(|removed| arg == &**removed));
        args.extend(change.add.iter().map(OsString::from));
        let args = arguments::in_response_file(args, &scratch.path().join("arguments"))
            .map_err(io("write", scratch.path()))?;
        let program = change.program.as_ref().unwrap_or(&self.record.program);
        let invocation = Invocation {
            words: Words::Program(program.clone(), args),
            directory: Some(self.record.directory.clone()),
            environment: self.record.environment.clone(),
            stdout: Sink::Keep(SAID),
            stderr: Sink::Keep(SAID),
            limit,
        };
        let run = invocation.run(helper)?;
        let name = || program.to_string_lossy().into_owned();
        let said = format!("{}{}", run.stdout.text(), run.stderr.text());
        if !run.ending.is_success() {
            return Err(LinkError::Refused {
                program: name(),
                ending: run.ending,
                said,
            });
        }
        if !linked.is_file() {
            return Err(LinkError::NothingWritten { program: name() });
        }
        fs::rename(&linked, output).map_err(io("write", output))?;
        Ok(Relinked {
            path: output.to_owned(),
            usage: run.usage,
            wall: run.wall,
            said,
        })
    }

    /// Where everything is kept.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// How much of what a linker says is kept of each stream; a missing symbol is named once for every use.
const SAID: usize = 64 << 10;
