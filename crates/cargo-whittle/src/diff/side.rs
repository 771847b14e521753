//! One side of a comparison: what was typed, and the snapshot of it.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use whittle_cargo::{Repository, Selection};

use super::revision::Revisions;
use crate::arguments::WitnessArguments;
use crate::evidence::Evidence;
use crate::inputs::file;
use crate::snapshots::{self, Taken};
use crate::trouble::{Outcome, Trouble};

/// What was typed for a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side {
    /// A program or a snapshot.
    File(PathBuf),
    /// A revision of the sources.
    Revision(String),
    /// The sources as they are, with another version of a dependency.
    Dependency { package: String, version: String },
    /// The sources as they are.
    Now,
}

impl Side {
    /// Reads what was typed.
    pub(crate) fn parse(typed: &str) -> Outcome<Self> {
        if let Some(name) = typed.strip_prefix("rev:") {
            // A name that starts with a dash would be a flag to git.
            if name.is_empty() || name.starts_with('-') {
                return Err(Trouble::new(
                    anyhow!("`{typed}` names no revision"),
                    "write a branch, a tag or a commit: `rev:main`",
                ));
            }
            return Ok(Self::Revision(name.to_owned()));
        }
        if let Some(named) = typed.strip_prefix("dep:") {
            return match named.rsplit_once('@') {
                Some((package, version)) if !package.is_empty() && !version.is_empty() => {
                    Ok(Self::Dependency {
                        package: package.to_owned(),
                        version: version.to_owned(),
                    })
                }
                _ => Err(Trouble::new(
                    anyhow!("`{typed}` names no version of a dependency"),
                    "write `dep:regex@1.10.0`",
                )),
            };
        }
        Ok(Self::File(typed.into()))
    }

    pub(crate) fn is_built(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// What to call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Revision(name) => format!("rev:{name}"),
            Self::Dependency { package, version } => format!("dep:{package}@{version}"),
            Self::Now => "the sources as they are".to_owned(),
        }
    }
}

/// Takes snapshots of sides.
pub(crate) struct Builder {
    selection: Selection,
}

impl Builder {
    pub(crate) fn new(selection: Selection) -> Self {
        Self { selection }
    }

    /// Reads or builds a side.
    pub(crate) fn take(&self, side: &Side) -> Outcome<Taken> {
        match side {
            Side::File(path) => of_file(path),
            Side::Now => snapshots::of_build(&snapshots::listening()?, &self.selection),
            Side::Revision(name) => {
                let revisions = Revisions::of(&self.selection)?;
                let commit = revisions.commit(name)?;
                revisions.take(&commit, name)
            }
            Side::Dependency { package, version } => {
                Revisions::of(&self.selection)?.with_dependency(package, version)
            }
        }
    }
}

fn of_file(path: &Path) -> Outcome<Taken> {
    let bytes = file::read(path, "the file").map_err(|trouble| {
        let is_revision = || {
            let name = path.to_str().filter(|name| !name.starts_with('-'))?;
            let repository = Repository::of(Path::new(".")).ok()?;
            repository.commit(name).ok().map(|_| name.to_owned())
        };
        Trouble {
            help: trouble.help.or_else(|| {
                is_revision()
                    .map(|name| format!("a revision of the sources is written `rev:{name}`"))
            }),
            ..trouble
        }
    })?;
    if snapshots::is_snapshot(&bytes) {
        return Ok(Taken {
            snapshot: snapshots::parse(path, &bytes)?,
            notes: Vec::new(),
        });
    }
    snapshots::of_evidence(
        &Evidence::of_file(path, &WitnessArguments::default())?,
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_by_how_they_are_written() {
        let read = |typed: &str| Side::parse(typed).ok();
        assert_eq!(
            read("target/release/a"),
            Some(Side::File("target/release/a".into()))
        );
        assert_eq!(
            read("rev:HEAD~1"),
            Some(Side::Revision("HEAD~1".to_owned()))
        );
        let dependency = Side::Dependency {
            package: "regex".to_owned(),
            version: "1.10.0".to_owned(),
        };
        assert_eq!(read("dep:regex@1.10.0"), Some(dependency));
        for wrong in ["rev:", "rev:--help", "dep:regex", "dep:@1", "dep:regex@"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
