//! Revisions of the user's sources: which commits there are, and one of them in a folder of its own.
//!
//! Nothing of the repository is changed but its list of worktrees, and that only while one is used. Hooks are not run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A git repository with a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its full hash.
    pub hash: String,
    /// The day of the commit, `2026-11-25`, in the committer's time zone.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
}

/// The sources of a commit in a folder, until this is dropped.
#[derive(Debug)]
pub struct Worktree {
    repository: Repository,
    path: PathBuf,
}

/// Why a revision cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// Git is not there.
    #[error("cannot run `git`")]
    NotFound {
        /// What the system said.
        source: io::Error,
    },
    /// The folder is in no repository.
    #[error("`{path}` is in no git repository")]
    NoRepository {
        /// The folder.
        path: PathBuf,
    },
    /// There is no such commit.
    #[error("there is no commit `{name}`{}", if *shallow { " in this shallow clone" } else { "" })]
    NoCommit {
        /// The name.
        name: String,
        /// Whether the repository has only part of its history, so that the commit may exist elsewhere.
        shallow: bool,
    },
    /// Git ran and failed.
    #[error("`{command}` failed: {said}")]
    Failed {
        /// The command as it could be typed.
        command: String,
        /// What it had to say.
        said: String,
    },
}

impl GitError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("install git".to_owned()),
            Self::NoCommit { shallow: true, .. } => Some(
                "get the history: `git fetch --unshallow`, or `fetch-depth: 0` of actions/checkout"
                    .to_owned(),
            ),
            Self::NoCommit { .. } => {
                Some("name a branch, a tag or a commit that `git log` shows".to_owned())
            }
            Self::NoRepository { .. } | Self::Failed { .. } => None,
        }
    }
}

impl Repository {
    /// The repository that a folder is in.
    ///
    /// # Errors
    /// [`GitError::NotFound`] without git, [`GitError::NoRepository`].
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let said = git(folder, ["rev-parse", "--show-toplevel"]).map_err(|error| match error {
            GitError::Failed { .. } => GitError::NoRepository {
                path: folder.to_owned(),
            },
            other => other,
        })?;
        Ok(Self {
            root: PathBuf::from(said.trim_end_matches('\n')),
        })
    }

    /// The folder of its work tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit of a name: a branch, a tag, a hash, `HEAD~3`.
    ///
    /// # Errors
    /// [`GitError::NoCommit`] if there is none.
    pub fn commit(&self, name: &str) -> Result<Commit, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let hash = self.git([
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ]);
        let Ok(hash) = hash else {
            let shallow = self.git(["rev-parse", "--is-shallow-repository"])?;
            return Err(GitError::NoCommit {
                name: name.to_owned(),
                shallow: shallow.trim() == "true",
            });
        };
        let said = self.git(["log", "-1", FORM, hash.trim()])?;
        let missing = || GitError::NoCommit {
            name: name.to_owned(),
            shallow: false,
        };
        said.lines().find_map(Commit::parse).ok_or_else(missing)
    }

    /// The commits from one, which is not among them, to another, which is, oldest first. Of merges the first parent is
    /// followed: what came in by a merge came with it.
    ///
    /// # Errors
    /// [`GitError::Failed`] if git fails.
    pub fn between(&self, old: &Commit, new: &Commit) -> Result<Vec<Commit>, GitError> {
        let range = format!("{}..{}", old.hash, new.hash);
        let said = self.git(["log", "--first-parent", "--reverse", FORM, &range])?;
        Ok(said.lines().filter_map(Commit::parse).collect())
    }

    /// Whether files that git knows differ from the last commit.
    ///
    /// # Errors
    /// [`GitError::Failed`] if git fails.
    pub fn is_changed(&self) -> Result<bool, GitError> {
        let said = self.git(["status", "--porcelain", "--untracked-files=no"])?;
        Ok(!said.trim().is_empty())
    }

    /// All files that belong to the sources, committed or not, as seen from the root: those that are ignored are not
    /// among them.
    ///
    /// # Errors
    /// [`GitError::Failed`] if git fails.
    pub fn files(&self) -> Result<Vec<PathBuf>, GitError> {
        let said = self.git([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])?;
        let mut files: Vec<PathBuf> = said
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Writes the sources of a commit into a folder, which must not hold anything but an earlier one of these.
    ///
    /// # Errors
    /// [`GitError::Failed`] if git fails.
    pub fn worktree(&self, commit: &Commit, folder: &Path) -> Result<Worktree, GitError> {
        let path = folder.as_os_str();
        // One that a killed run left; that there is none is no failure.
        let _ = self.git([
            OsStr::new("worktree"),
            OsStr::new("remove"),
            OsStr::new("--force"),
            path,
        ]);
        self.git([OsStr::new("worktree"), OsStr::new("prune")])?;
        self.git([
            OsStr::new("worktree"),
            OsStr::new("add"),
            OsStr::new("--detach"),
            OsStr::new("--force"),
            path,
            OsStr::new(&commit.hash),
        ])?;
        Ok(Worktree {
            repository: self.clone(),
            path: folder.to_owned(),
        })
    }

    fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String, GitError> {
        git(&self.root, args)
    }
}

/// Hash, day and subject; a subject has no line ends.
const FORM: &str = "--format=%H %cs %s";

impl Commit {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        Some(Self {
            hash: words.next()?.to_owned(),
            date: words.next()?.to_owned(),
            subject: words.next().unwrap_or_default().to_owned(),
        })
    }

    /// The first nine digits of the hash.
    #[must_use]
    pub fn short(&self) -> &str {
        self.hash.get(..9).unwrap_or(&self.hash)
    }
}

impl Worktree {
    /// Where the sources are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // What is left is removed before the next one is made.
        let _ = self.repository.git([
            OsStr::new("worktree"),
            OsStr::new("remove"),
            OsStr::new("--force"),
            self.path.as_os_str(),
        ]);
    }
}

fn git<S: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = S>,
) -> Result<String, GitError> {
    let args: Vec<OsString> = args
        .into_iter()
        .map(|arg| arg.as_ref().to_owned())
        .collect();
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        // A hook of the user's may expect anything of a checkout.
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "advice.detachedHead=false",
        ])
        .args(&args)
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null());
    // Set where this runs in a hook of git's; they would lead to another work tree.
    for (key, _) in env::vars_os().filter(|(key, _)| is_local(key)) {
        command.env_remove(key);
    }
    let output = command
        .output()
        .map_err(|source| GitError::NotFound { source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    Err(GitError::Failed {
        command: format!("git {}", words.join(" ")),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// The variables that `git rev-parse --local-env-vars` lists, as far as they choose a repository.
fn is_local(key: &OsStr) -> bool {
    const LOCAL: [&str; 7] = [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_SHALLOW_FILE",
    ];
    LOCAL.iter().any(|local| key == *local)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn repository(folder: &Path) -> Repository {
        let run = |args: &[&str]| {
            let user = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
            git(folder, user.iter().chain(args)).expect("git runs");
        };
        run(&["init", "--quiet", "--initial-branch=main"]);
        for (number, text) in ["one", "two", "three"].iter().enumerate() {
            fs::write(folder.join("file"), text).expect("a file");
            run(&["add", "file"]);
            run(&[
                "commit",
                "--quiet",
                "--message",
                &format!("commit {number}"),
            ]);
        }
        Repository::of(folder).expect("it is one")
    }

    #[test]
    fn a_commit_has_its_sources_in_a_folder_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = repository(folder.path());
        let first = repository.commit("HEAD~2").expect("it is there");
        assert_eq!(first.subject, "commit 0");
        let at = folder.path().join("elsewhere");
        let worktree = repository.worktree(&first, &at).expect("a worktree");
        assert_eq!(fs::read_to_string(at.join("file")).expect("there"), "one");
        // A run that was killed leaves one.
        std::mem::forget(worktree);
        let last = repository.commit("main").expect("it is there");
        let worktree = repository.worktree(&last, &at).expect("a worktree");
        assert_eq!(fs::read_to_string(at.join("file")).expect("there"), "three");
        drop(worktree);
        assert!(!at.exists());
        let subjects: Vec<_> = repository
            .between(&first, &last)
            .expect("they are in a row")
            .into_iter()
            .map(|commit| commit.subject)
            .collect();
        assert_eq!(subjects, ["commit 1", "commit 2"]);
        assert!(!repository.is_changed().expect("git says"));
        assert_eq!(
            repository.files().expect("git says"),
            [PathBuf::from("file")]
        );
    }

    #[test]
    fn a_shallow_clone_is_told_from_a_wrong_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let full = repository(folder.path());
        let first = full.commit("HEAD~2").expect("it is there");
        let clone = tempfile::tempdir().expect("a folder");
        let from = format!("file://{}", folder.path().display());
        let into = clone.path().join("clone");
        git(
            clone.path(),
            [
                "clone",
                "--quiet",
                "--depth=1",
                &from,
                into.to_str().expect("UTF-8"),
            ],
        )
        .expect("git runs");
        let shallow = Repository::of(&into).expect("it is one");
        let error = shallow.commit(&first.hash).expect_err("it is not there");
        assert!(
            matches!(error, GitError::NoCommit { shallow: true, .. }),
            "{error}"
        );
        assert!(error.help().expect("advice").contains("unshallow"));
        let error = full.commit("nowhere").expect_err("it is not there");
        assert!(
            matches!(error, GitError::NoCommit { shallow: false, .. }),
            "{error}"
        );
        let outside = tempfile::tempdir().expect("a folder");
        assert!(matches!(
            Repository::of(outside.path()),
            Err(GitError::NoRepository { .. })
        ));
    }
}
