//! What trials gave: the decision on one screen, everything on several, JSON, Markdown.

mod advice;
mod json;
mod markdown;
mod text;

use std::path::Path;

use whittle_trial::detect::{Acknowledgement, Weighed};
use whittle_trial::facts::Facts;
use whittle_trial::frontier::Candidate;
use whittle_trial::policy::{Admission, Policy};
use whittle_trial::trial::{Record, Sizes};

pub use json::write as json;
pub use markdown::write as markdown;
pub use text::write as text;

/// What trials gave.
#[derive(Debug)]
pub struct Report<'a> {
    /// The program's name.
    pub program: &'a str,
    /// The file that ships.
    pub path: &'a Path,
    /// The profile that ships.
    pub profile: &'a str,
    /// The program's own package, as cargo's profiles name it.
    pub own_package: &'a str,
    /// The triple that is built for.
    pub target: &'a str,
    /// What was wanted and allowed.
    pub policy: &'a Policy,
    /// What was known.
    pub facts: &'a Facts,
    /// The sizes of the file that ships.
    pub baseline: Sizes,
    /// By how many bytes two equal builds differ.
    pub noise: u64,
    /// What one build from nothing takes; nothing if it was not seen.
    pub clean_build: Option<CleanBuild>,
    /// What is recommended.
    pub recommended: Option<Candidate<'a>>,
    /// What would come on top if it were allowed, with a file that shows it.
    pub offers: Vec<(Admission, &'a Record)>,
    /// All trials.
    pub records: &'a [Record],
    /// What the detectors found.
    pub hazards: &'a Weighed,
    /// What the user acknowledged; [`Weighed`] counts in it.
    pub acknowledgements: &'a [Acknowledgement],
    /// What is not as good as it could be.
    pub notes: &'a [String],
    /// How often cargo compiled in this run.
    pub builds: usize,
    /// How often a link was run again.
    pub links: usize,
    /// … and how long that took, in seconds.
    pub link_seconds: f64,
    /// How long the run took, in seconds.
    pub seconds: f64,
    /// Processor time of compilers in this run, in seconds.
    pub compile_cpu_seconds: f64,
    /// Why it is smaller, where that was asked for.
    pub why: Option<&'a Why>,
    /// What a panic looks like before and after, where that changes.
    pub panics: Option<&'a Panics>,
    /// Whether it was written.
    pub applied: Applied,
    /// Whether everything is to be shown.
    pub full: bool,
    /// Whether the search ended because its time was over.
    pub time_is_over: bool,
}

/// What one build from nothing takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanBuild {
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Processor time, in seconds.
    pub cpu_seconds: f64,
}

/// Whether the recommended settings were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was not asked for.
    No,
    /// They were, and a plain build gives the file.
    Yes {
        /// The files that were changed.
        files: Vec<String>,
        /// Bytes of the file that a plain build gave.
        size: u64,
    },
    /// It was asked for, and nothing was kept.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What one panic looks like with both files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panics {
    /// Whose panic it is.
    pub of: PanicOf,
    /// With the settings of the file that ships.
    pub before: PanicSeen,
    /// With the recommended ones.
    pub after: PanicSeen,
}

/// Whose panic is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PanicOf {
    /// A small program's, built with the settings of both files: no command of the user's makes the program panic.
    Probe,
    /// The program's own, in a command of the user's that is called so.
    Command(String),
}

/// What is seen of one panic with `RUST_BACKTRACE=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicSeen {
    /// How the program ended.
    pub end: String,
    /// Its message, in one line; empty if there is none.
    pub message: String,
    /// Frames of the backtrace.
    pub frames: usize,
    /// Those that have a name.
    pub named: usize,
}

/// Why one file is smaller than the other: bytes on disk by cause and by crate, by how much they differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// By cause.
    pub causes: Vec<WhyRow>,
    /// By crate.
    pub crates: Vec<WhyRow>,
}

/// One row of the two files side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRow {
    /// The kind or crate.
    pub name: String,
    /// Bytes in the baseline.
    pub before: u64,
    /// Bytes in the winner.
    pub after: u64,
}
