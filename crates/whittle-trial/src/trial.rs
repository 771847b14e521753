//! A trial and what became of it: values that can be written down, sent elsewhere and read back.

use serde::{Deserialize, Serialize};

use crate::libc::LibcVersion;
use crate::policy::Measure;
use crate::settings::Settings;
use crate::verdict::Verdict;

/// One thing to be done with some settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trial {
    /// What is to be done.
    pub step: Step,
    /// With which settings.
    pub settings: Settings,
}

/// What is to be done with some settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Compile the program and keep its last link, so that it can be run again.
    Build,
    /// Run the last link of a build again with other arguments.
    Link,
    /// Check a file that was linked: does it start, does it do the same, how fast is it?
    Verify,
    /// Build the settings as cargo would and check that very file, its speed by new rounds.
    Confirm,
}

/// The sizes of a file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sizes {
    /// On disk.
    pub file: u64,
    /// Compressed.
    pub compressed: u64,
    /// In memory, as the loader maps it.
    pub loaded: u64,
}

impl Sizes {
    /// The size that counts.
    #[must_use]
    pub fn by(self, measure: Measure) -> u64 {
        match measure {
            Measure::File => self.file,
            Measure::Compressed => self.compressed,
            Measure::Loaded => self.loaded,
        }
    }
}

/// A file that was built or linked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Built {
    /// Its sizes.
    pub sizes: Sizes,
    /// The version of glibc it needs; nothing if it does not use glibc.
    pub libc_floor: Option<LibcVersion>,
    /// The hash of its bytes, under which it is kept.
    pub artifact: String,
    /// How long it took to build, in seconds.
    pub seconds: f64,
    /// The processor time it took, in seconds.
    pub cpu_seconds: f64,
}

/// What became of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There is a file.
    Built(Built),
    /// The file was checked.
    Verified(Verdict),
    /// The file that cargo builds was checked.
    Confirmed {
        /// The file.
        built: Built,
        /// What the checks gave.
        verdict: Verdict,
    },
    /// There is no file.
    Failed {
        /// Why, in one line.
        reason: String,
    },
}

/// A trial that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was done.
    #[serde(flatten)]
    pub trial: Trial,
    /// What became of it.
    pub outcome: Outcome,
}

impl Record {
    /// The file that came out, if one did.
    #[must_use]
    pub fn built(&self) -> Option<&Built> {
        match &self.outcome {
            Outcome::Built(built) | Outcome::Confirmed { built, .. } => Some(built),
            Outcome::Verified(_) | Outcome::Failed { .. } => None,
        }
    }

    /// What its checks gave, if it was checked.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.outcome {
            Outcome::Verified(verdict) | Outcome::Confirmed { verdict, .. } => Some(verdict),
            Outcome::Built(_) | Outcome::Failed { .. } => None,
        }
    }
}
