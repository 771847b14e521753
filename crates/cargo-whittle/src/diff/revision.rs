//! Other sources than those that lie there: a commit, or another version of a dependency. Built in a folder of their own.
//!
//! All of them share a target directory, so that dependencies are compiled once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use whittle_cargo::cargo_metadata::semver::Version;
use whittle_cargo::{Cargo, CargoError, Commit, GitError, Lock, Repository, Selection};

use crate::inputs::project::tell;
use crate::snapshots::{self, Taken};
use crate::trouble::{Outcome, Trouble};

/// Files that cargo and rustup look for in every folder above as well: where the user's sources have them, a folder inside
/// would get those of today.
const HEARD_BELOW: [&str; 3] = [".cargo", "rust-toolchain", "rust-toolchain.toml"];

/// Builds other sources.
pub(crate) struct Revisions {
    cargo: Cargo,
    selection: Selection,
    /// The current folder.
    here: PathBuf,
    /// The folder of the manifest that is built.
    package: PathBuf,
    workspace: PathBuf,
    /// Where sources and target directory are.
    own: PathBuf,
}

/// Where sources are put.
enum Place {
    Own(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Place {
    fn path(&self) -> PathBuf {
        match self {
            Self::Own(path) => path.join("sources"),
            Self::Temporary(folder) => folder.path().join("sources"),
        }
    }
}

impl Revisions {
    /// Finds the workspace of the selection.
    pub(crate) fn of(selection: &Selection) -> Outcome<Self> {
        let cargo = snapshots::listening()?;
        let workspace = cargo.workspace_root(selection, &mut tell)?;
        let own = cargo.own_folder(selection, &mut tell)?.join("revisions");
        let here = std::env::current_dir()
            .and_then(|here| here.canonicalize())
            .context("cannot find the current folder")
            .map_err(Trouble::plain)?;
        Ok(Self {
            package: package_folder(&here, selection)?,
            here,
            cargo,
            selection: selection.clone(),
            workspace,
            own,
        })
    }

    /// The repository of the workspace.
    pub(crate) fn repository(&self) -> Outcome<Repository> {
        Repository::of(&self.workspace).map_err(git_trouble)
    }

    /// The commit of a name.
    pub(crate) fn commit(&self, name: &str) -> Outcome<Commit> {
        self.repository()?.commit(name).map_err(git_trouble)
    }

    /// Builds a commit and takes a snapshot of it.
    pub(crate) fn take(&self, commit: &Commit, name: &str) -> Outcome<Taken> {
        let repository = self.repository()?;
        let _lock = Lock::acquire(&self.own, &mut tell)?;
        let place = self.place(repository.root())?;
        let worktree = repository
            .worktree(commit, &place.path())
            .map_err(git_trouble)?;
        say(&format!("builds {} ({})", commit.short(), commit.subject));
        let taken = self.build(worktree.path(), repository.root());
        taken.map_err(|trouble| {
            let what = format!(
                "cannot build the revision `{name}`: {} \"{}\"",
                commit.short(),
                commit.subject
            );
            let again = format!("`git checkout {}` and a build", commit.short());
            elsewhere(trouble, what, &again)
        })
    }

    /// Builds the sources as they are with another version of a dependency.
    pub(crate) fn with_dependency(&self, package: &str, version: &str) -> Outcome<Taken> {
        let locked = self.locked(package, version)?;
        let _lock = Lock::acquire(&self.own, &mut tell)?;
        let (root, files) = self.files()?;
        let place = self.place(&root)?;
        let sources = place.path();
        let copied = Copied::of(&root, &files, &sources)?;
        say(&format!("builds with {package} {version}"));
        let selection = self.elsewhere(&copied.path, &root)?;
        let cargo = self.cargo_in(&copied.path, &root)?;
        let build = || -> Outcome<Taken> {
            cargo.update(&selection, &locked, version, &mut tell)?;
            // Sources of packages that know no single versions ignore the wish.
            let metadata = cargo.metadata(&selection, &mut tell)?;
            let is_it = |it: &whittle_cargo::cargo_metadata::Package| {
                *it.name == *package && it.version.to_string() == version
            };
            if !metadata.packages.iter().any(is_it) {
                return Err(Trouble::new(
                    anyhow!("`cargo update` left the lock file as it was"),
                    "vendored packages cannot be chosen like this: ask for the version in `Cargo.toml`, and compare with `rev:HEAD`",
                ));
            }
            snapshots::of_build(&cargo, &selection)
        };
        build().map_err(|trouble| {
            let what = format!("cannot build with `{package}` {version}");
            let again = format!("`cargo update {package} --precise {version}` and a build");
            elsewhere(trouble, what, &again)
        })
    }

    fn build(&self, sources: &Path, root: &Path) -> Outcome<Taken> {
        let selection = self.elsewhere(sources, root)?;
        snapshots::of_build(&self.cargo_in(sources, root)?, &selection)
    }

    /// The selection with its manifest in other sources.
    fn elsewhere(&self, sources: &Path, root: &Path) -> Outcome<Selection> {
        let manifest = self.within(sources, root)?.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(Trouble::plain(anyhow!(
                "there is no `{}` in it",
                manifest
                    .strip_prefix(sources)
                    .unwrap_or(&manifest)
                    .display()
            )));
        }
        Ok(Selection {
            manifest_path: Some(manifest),
            target_dir: Some(self.own.join("target")),
            ..self.selection.clone()
        })
    }

    /// Cargo looks for its configuration from the folder that it runs in: that is the same one in other sources, if it is in
    /// them.
    fn cargo_in(&self, sources: &Path, root: &Path) -> Outcome<Cargo> {
        let directory = match self.here.strip_prefix(root) {
            Ok(inside) if sources.join(inside).is_dir() => Some(sources.join(inside)),
            Ok(_) => Some(self.within(sources, root)?),
            Err(_) => None,
        };
        Ok(Cargo {
            directory,
            ..self.cargo.clone()
        })
    }

    /// Where the package is in other sources.
    fn within(&self, sources: &Path, root: &Path) -> Outcome<PathBuf> {
        let inside = self.package.strip_prefix(root).map_err(|_| {
            Trouble::plain(anyhow!(
                "`{}` is not in `{}`",
                self.package.display(),
                root.display()
            ))
        })?;
        Ok(sources.join(inside))
    }

    fn place(&self, root: &Path) -> Outcome<Place> {
        let heard = HEARD_BELOW.iter().any(|name| root.join(name).exists());
        // Cargo takes a package in another one's folder for a part of its workspace.
        if !heard && self.workspace == root {
            return Ok(Place::Own(self.own.clone()));
        }
        tempfile::tempdir()
            .map(Place::Temporary)
            .context("cannot make a folder for the sources")
            .map_err(Trouble::plain)
    }

    /// The files of the sources as they are, as seen from the folder that holds them all.
    fn files(&self) -> Outcome<(PathBuf, Vec<PathBuf>)> {
        if let Ok(repository) = self.repository() {
            let files = repository.files().map_err(git_trouble)?;
            return Ok((repository.root().to_owned(), files));
        }
        let mut files = Vec::new();
        walk(&self.workspace, Path::new(""), &mut files)
            .with_context(|| format!("cannot list `{}`", self.workspace.display()))
            .map_err(Trouble::plain)?;
        Ok((self.workspace.clone(), files))
    }

    /// Which package of the lock file is meant: of several versions the one that the new one could replace.
    fn locked(&self, package: &str, version: &str) -> Outcome<String> {
        let metadata = self.cargo.metadata(&self.selection, &mut tell)?;
        let found: Vec<&Version> = metadata
            .packages
            .iter()
            .filter(|it| *it.name == *package)
            .map(|it| &it.version)
            .collect();
        let wanted = Version::parse(version).map_err(|error| {
            Trouble::new(
                anyhow::Error::from(error).context(format!("`{version}` is no version")),
                "write all three numbers: `dep:regex@1.10.0`",
            )
        })?;
        let line = |version: &Version| match (version.major, version.minor) {
            (0, 0) => (0, 0, version.patch),
            (0, minor) => (0, minor, 0),
            (major, _) => (major, 0, 0),
        };
        match found[..] {
            [] => {
                let names: Vec<&str> = metadata.packages.iter().map(|it| it.name.as_str()).collect();
                Err(Trouble::new(
                    anyhow!("no package `{package}` is in the lock file"),
                    crate::near::advice(package, &names)
                        .unwrap_or_else(|| "`cargo tree` lists those that are".to_owned()),
                ))
            }
            [_] => Ok(package.to_owned()),
            _ => found
                .iter()
                .find(|it| line(it) == line(&wanted))
                .map(|it| format!("{package}@{it}"))
                .ok_or_else(|| {
                    Trouble::plain(anyhow!(
                        "several versions of `{package}` are locked, and {version} is compatible with none of them"
                    ))
                }),
        }
    }
}

/// Trouble with other sources. Their folder is gone by now, so that a command in it would be no advice.
fn elsewhere(trouble: Trouble, what: String, again: &str) -> Trouble {
    let is_cargo = matches!(
        trouble.error.downcast_ref(),
        Some(CargoError::Failed { .. })
    );
    let help = if is_cargo {
        Some(format!(
            "cargo's own messages are above; {again} show them again"
        ))
    } else {
        trouble.help
    };
    Trouble {
        error: trouble.error.context(what),
        help,
    }
}

/// A copy of the sources, removed when it is dropped.
struct Copied {
    path: PathBuf,
}

impl Copied {
    fn of(root: &Path, files: &[PathBuf], into: &Path) -> Outcome<Self> {
        let copied = Self {
            path: into.to_owned(),
        };
        copied.clear();
        let copy = || -> std::io::Result<()> {
            for file in files {
                let (from, to) = (root.join(file), into.join(file));
                // Deleted files and folders of submodules are listed as well.
                if !from.is_file() {
                    continue;
                }
                if let Some(folder) = to.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::copy(from, to)?;
            }
            Ok(())
        };
        copy()
            .with_context(|| format!("cannot copy the sources to `{}`", into.display()))
            .map_err(Trouble::plain)?;
        Ok(copied)
    }

    fn clear(&self) {
        // That it is not there is no failure, and what cannot be removed is written over.
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        self.clear();
    }
}

/// All files below a folder, without what version control and cargo keep there.
fn walk(root: &Path, inside: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(root.join(inside))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = inside.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let is_cache = root.join(&path).join("CACHEDIR.TAG").is_file();
            let is_store = [".git", ".hg", ".jj"]
                .iter()
                .any(|name| entry.file_name() == *name);
            if !is_cache && !is_store {
                walk(root, &path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The folder of the manifest that is named, or that cargo finds from here.
fn package_folder(here: &Path, selection: &Selection) -> Outcome<PathBuf> {
    let folder = match &selection.manifest_path {
        Some(manifest) => here.join(manifest).parent().map(Path::to_owned),
        None => here
            .ancestors()
            .find(|folder| folder.join("Cargo.toml").is_file())
            .map(Path::to_owned),
    };
    let folder = folder.unwrap_or_else(|| here.to_owned());
    // Git names its root without links.
    folder
        .canonicalize()
        .with_context(|| format!("cannot enter `{}`", folder.display()))
        .map_err(Trouble::plain)
}

/// An error of git's, with its advice.
pub(crate) fn git_trouble(error: GitError) -> Trouble {
    let help = error.help();
    Trouble {
        error: error.into(),
        help,
    }
}

#[expect(clippy::print_stderr, reason = "progress, not results")]
fn say(what: &str) {
    eprintln!("     Whittle {}", whittle_report::plain(what));
}
