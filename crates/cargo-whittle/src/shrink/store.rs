//! Where trials are kept: the journal, captured links, the files that were checked. All of it lies in the target directory
//! and can be removed at any time.

use std::fs::{self, File};
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sha2::{Digest as _, Sha256};
use whittle_cargo::{Build, PackageSource, Selection};
use whittle_trial::journal::{self, Journal};
use whittle_trial::settings::Settings;
use whittle_trial::trial::{Record, Step};

use super::evidence::{hash, hexadecimal};
use super::overrides::{cargo_home, configuration_files};
use crate::trouble::{Outcome, Trouble};

/// The state of everything that outcomes depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceState {
    /// What files depend on: sources, manifests, lock file, configuration, flags, compiler.
    pub(crate) built: String,
    /// … and what verdicts depend on: the user's commands.
    pub(crate) judged: String,
}

/// Where trials are kept.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    state: SourceState,
    journal: File,
}

impl Store {
    /// Opens the folder and reads what earlier runs have left for this state of the sources.
    pub(crate) fn open(folder: PathBuf, state: SourceState) -> Outcome<(Self, Vec<Record>)> {
        let path = folder.join("journal.jsonl");
        let failed = |error: std::io::Error| {
            let help = disk_help(&error);
            let error = anyhow::Error::from(error)
                .context(format!("cannot keep trials in `{}`", folder.display()));
            match help {
                Some(help) => Trouble::new(error, help),
                None => Trouble::plain(error),
            }
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut journal = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let bytes = fs::read(&path).map_err(failed)?;
        let of_files = Journal::read(&bytes, &state.built);
        let of_verdicts = Journal::read(&bytes, &state.judged);
        // A line that was cut off would swallow the next one.
        let whole = u64::try_from(of_files.whole).unwrap_or(u64::MAX);
        journal.set_len(whole).map_err(failed)?;
        journal.seek(SeekFrom::Start(whole)).map_err(failed)?;
        let store = Self {
            folder,
            state,
            journal,
        };
        let records = [of_files.records, of_verdicts.records].concat();
        // What a whole build gave is kept under its own settings.
        let has_capture = |settings: &Settings| {
            store.capture(&settings.compiled()).is_dir() || store.capture(settings).is_dir()
        };
        let records = records
            .into_iter()
            .filter(|record| has_capture(&record.trial.settings) || record.built().is_none())
            .collect();
        Ok((store, records))
    }

    /// Writes a finished trial down.
    pub(crate) fn append(&mut self, record: &Record) -> Outcome<()> {
        let state = match record.trial.step {
            Step::Build | Step::Link => &self.state.built,
            Step::Verify | Step::Confirm => &self.state.judged,
        };
        let line = journal::line(state, record)
            .context("a finished trial cannot be written down")
            .map_err(Trouble::plain)?;
        let written = self
            .journal
            .write_all(line.as_bytes())
            .and_then(|()| self.journal.sync_data());
        written.map_err(|error| {
            let help = disk_help(&error)
                .unwrap_or_else(|| "the finished trials before it are kept".to_owned());
            Trouble::new(
                anyhow::Error::from(error).context("a finished trial cannot be written down"),
                help,
            )
        })
    }

    /// The folder of the captured link of a build.
    pub(crate) fn capture(&self, compiled: &Settings) -> PathBuf {
        self.folder.join("links").join(self.name(compiled))
    }

    /// Where the file of a whole build is kept.
    pub(crate) fn whole_file(&self, settings: &Settings, program: &Path) -> PathBuf {
        let name = program.file_name().unwrap_or(program.as_os_str());
        self.capture(settings).join(name)
    }

    /// Where the file of some settings is put.
    pub(crate) fn file(&self, settings: &Settings, program: &Path) -> PathBuf {
        let name = program.file_name().unwrap_or(program.as_os_str());
        self.folder
            .join("files")
            .join(self.name(settings))
            .join(name)
    }

    /// Where a program lies while it is run.
    pub(crate) fn stand(&self, name: &str) -> PathBuf {
        self.folder.join("run").join(name)
    }

    /// Settings of one state as the name of a folder.
    fn name(&self, settings: &Settings) -> String {
        let mut name = hash(format!("{}\n{settings}", self.state.built).as_bytes());
        name.truncate(24);
        name
    }
}

/// What to do about a full disk.
const FULL_DISK_HELP: &str = "make room and type the same command again: finished trials are kept";
/// What compilers and linkers say when they cannot write: `strerror` of `ENOSPC`, and what becomes of a linker that maps its
/// output into memory.
const FULL_DISK: [&str; 4] = [
    "No space left on device",
    "Bus error",
    "signal: 7",
    "SIGBUS",
];
/// With less than this left, in bytes, what fails says nothing of the setting that was tried.
const LITTLE: u64 = 16 << 20;

/// Whether something failed because the disk that a file is on is full, by what was printed or by what is left.
pub(crate) fn is_disk_full(said: &str, file: &Path) -> bool {
    let folder = file.ancestors().find(|folder| folder.is_dir());
    FULL_DISK.iter().any(|says| said.contains(says))
        || folder
            .and_then(whittle_cargo::free_space)
            .is_some_and(|free| free < LITTLE)
}

/// The trouble of a full disk.
pub(crate) fn full_disk(error: impl Into<anyhow::Error>) -> Trouble {
    Trouble::new(
        error.into().context("the disk is full, or nearly so"),
        FULL_DISK_HELP,
    )
}

/// Says so if it was a full disk that something failed for.
pub(crate) fn explain(trouble: Trouble, folder: &Path) -> Trouble {
    if trouble.help.as_deref() == Some(FULL_DISK_HELP) {
        return trouble;
    }
    let mut said: Vec<String> = trouble.error.chain().map(ToString::to_string).collect();
    if let Some(whittle_cargo::LinkError::Refused {
        said: by_linker, ..
    }) = trouble.error.downcast_ref()
    {
        said.push(by_linker.clone());
    }
    // What was typed wrong is no matter of the disk.
    let is_of_tools = trouble.error.chain().any(|cause| {
        cause.is::<whittle_cargo::LinkError>()
            || cause.is::<whittle_cargo::CargoError>()
            || cause.is::<std::io::Error>()
    });
    if FULL_DISK.iter().any(|says| said.join("\n").contains(says))
        || (is_of_tools && is_disk_full("", folder))
    {
        full_disk(trouble.error)
    } else {
        trouble
    }
}

/// What to do about a full disk, or a place where nothing may be written.
pub(crate) fn disk_help(error: &std::io::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(FULL_DISK_HELP.to_owned()),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("name a folder that can be written to with `--target-dir`".to_owned())
        }
        _ => None,
    }
}

impl SourceState {
    /// Hashes everything that outcomes depend on. `judged` is what only verdicts depend on, `made` a file among the sources
    /// that is built from them.
    pub(crate) fn of(
        build: &Build,
        selection: &Selection,
        compiler: &str,
        judged: &[String],
        made: Option<&Path>,
    ) -> Outcome<Self> {
        let mut hasher = Sha256::new();
        let mut add = |text: &[u8]| {
            // Lengths keep neighbours apart.
            hasher.update(text.len().to_le_bytes());
            hasher.update(text);
        };
        add(compiler.as_bytes());
        add(format!("{selection:?}").as_bytes());
        let mut variables: Vec<_> = std::env::vars_os()
            .filter(|(key, _)| key.to_str().is_some_and(is_heard))
            .collect();
        variables.sort();
        for (key, value) in variables {
            add(key.as_encoded_bytes());
            add(value.as_encoded_bytes());
        }
        let root = build.workspace.workspace_root.as_std_path();
        let mut folders = vec![root.to_owned()];
        folders.extend(
            build
                .record
                .packages
                .iter()
                .filter(|package| package.source == PackageSource::Path)
                .filter_map(|package| package.folder.clone())
                .filter(|folder| !folder.starts_with(root)),
        );
        let target = build.workspace.target_directory.as_std_path();
        let directory = std::env::current_dir().unwrap_or_default();
        let mut paths = configuration_files(&directory, cargo_home().as_deref());
        for folder in folders {
            paths.extend(files(&folder, target)?);
        }
        for path in paths.iter().filter(|path| Some(path.as_path()) != made) {
            add(path.as_os_str().as_encoded_bytes());
            // What vanishes in between is a change as well.
            add(&fs::read(path).unwrap_or_default());
        }
        let sources = hexadecimal(&hasher.finalize());
        let judged = hash(format!("{sources}\n{}", judged.join("\n")).as_bytes());
        Ok(Self {
            built: sources,
            judged,
        })
    }
}

/// Whether a variable of the environment changes what cargo builds ("Environment variables Cargo reads", Cargo book).
fn is_heard(key: &str) -> bool {
    const PLACES: [&str; 4] = [
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_BUILD_BUILD_DIR",
        "CARGO_BUILD_JOBS",
    ];
    let families = ["CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_"];
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].contains(&key)
        || (families.iter().any(|family| key.starts_with(family)) && !PLACES.contains(&key))
}

/// Every file below a folder, in a stable order, without version control and what was built.
fn files(folder: &Path, target: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next)
            .with_context(|| format!("cannot read `{}`", next.display()))
            .map_err(Trouble::plain)?;
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_passed_over = path == target
                || [".git", ".hg", ".jj"]
                    .iter()
                    .any(|name| path.file_name().is_some_and(|own| own == *name));
            if is_passed_over || path.join("CACHEDIR.TAG").is_file() {
                continue;
            }
            if is_folder {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Removes what earlier runs have left, but for the lock that this one holds.
pub(crate) fn forget(folder: &Path) -> Outcome<()> {
    let remove = || -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    };
    remove().map_err(|error| {
        Trouble::plain(anyhow!(error).context(format!("cannot empty `{}`", folder.display())))
    })
}
