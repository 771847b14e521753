//! Why something is in the file: text, JSON, a graph for Graphviz, Markdown.

mod dot;
mod json;
mod markdown;
mod text;
mod words;

use std::path::Path;

use whittle_ledger::Why;

pub use dot::write as dot;
pub use json::write as json;
pub use markdown::write as markdown;
pub use text::write as text;

/// Why something is in the file, and what cargo knows of it.
#[derive(Debug)]
pub struct Report<'a> {
    /// The file, as the user knows it.
    pub path: &'a Path,
    /// How many bytes it has on disk.
    pub file: u64,
    /// The answer.
    pub why: &'a Why,
    /// Whether references in code are known: without them nobody knows what keeps what.
    pub code: Code,
    /// For a package of a build: who depends on it.
    pub dependents: Option<&'a Dependents>,
    /// What is not as good as it could be.
    pub notes: &'a [String],
    /// Rows of each list in text and Markdown; `None` for the default, 0 for all.
    pub rows: Option<usize>,
}

/// Whether references in code are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// They are.
    Read,
    /// The instructions of this processor are not known here.
    Unread,
}

/// Who depends on a package, and what of it is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The features of the package that are on, in ascending order.
    pub features: Vec<String>,
    /// Those who depend on it, by name and version.
    pub list: Vec<Dependent>,
}

/// One who depends on a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// Its package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Whether it belongs to the user's own workspace.
    pub is_member: bool,
    /// The features that it asks for.
    pub features: Vec<String>,
    /// Whether it takes the default features.
    pub default_features: bool,
    /// If the dependency is optional: the features of the dependent that are on and bring it along.
    pub through: Vec<String>,
}

impl Report<'_> {
    /// All that would leave; nothing if that cannot be known.
    fn retained(&self) -> Option<u64> {
        (self.code == Code::Read).then_some(self.why.leaving.retained)
    }

    /// How many rows of a list are shown.
    fn shown(&self, default: usize, len: usize) -> usize {
        crate::rows::how_many(self.rows, default, len)
    }
}
