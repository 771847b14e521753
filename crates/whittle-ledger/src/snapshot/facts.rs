//! What is known about a file and its build: plain values, told by whoever built it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProgramFacts {
    /// The name of the file, without folder.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its bytes in memory.
    pub memory: u64,
    /// What each thread has for itself, in bytes.
    pub thread_local: u64,
    /// Its bytes compressed for download, where they were counted.
    pub compressed: Option<u64>,
    /// The machine, as target triples spell it.
    pub architecture: String,
    /// Whether it has no symbol table for tools.
    pub stripped: bool,
    /// The compiler, as the file says.
    pub rustc: Option<String>,
}

/// A build.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildFacts {
    /// The package that was built.
    pub package: String,
    /// The target of it: the name that `--bin` and its like take.
    pub program: String,
    /// The compiler's release: `1.95.0`.
    pub rustc: String,
    /// The compiler's commit.
    pub commit_hash: Option<String>,
    /// The version of LLVM.
    pub llvm: Option<String>,
    /// The triple that was built for.
    pub target: String,
    /// The profile's name.
    pub profile: String,
    /// What the profile came to: `opt-level`, `lto`, `codegen-units`, `panic`, …, as far as it is known.
    pub settings: BTreeMap<String, String>,
    /// What the user's environment and configuration give to every crate.
    pub rustflags: Vec<String>,
    /// The features that were asked for on the command line.
    pub features: Vec<String>,
    /// The commit of the sources, where it is known; followed by `+` if files were changed since.
    pub revision: Option<String>,
}

/// One package of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageFacts {
    /// Its name, with `-` as in its manifest.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it belongs to the user's own workspace.
    pub member: bool,
    /// Its features that were on, in ascending order.
    pub features: Vec<String>,
    /// What it depends on.
    pub dependencies: Vec<DependencyFacts>,
}

/// An arrow between packages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DependencyFacts {
    /// The number of the package in the list.
    pub package: usize,
    /// The features of it that are asked for, `default` among them, in ascending order.
    pub features: Vec<String>,
}

impl PackageFacts {
    /// `name@version`, as cargo writes it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}
