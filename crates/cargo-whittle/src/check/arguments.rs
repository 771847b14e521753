//! What can be typed for `check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::amount::Amount;
use crate::arguments::{BuildArguments, Color, WitnessArguments};

/// The arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The program, or a snapshot of it; without it, the package is built
    pub(crate) file: Option<PathBuf>,

    /// The size that the program may have, such as `3.5 MiB` (B, kB, KiB, MB, MiB, GB, GiB)
    #[arg(long, value_name = "SIZE", help_heading = "The budget")]
    pub(crate) total: Option<Amount>,
    /// What it may grow against the baseline, such as `20 KiB` or `1%`
    #[arg(long, value_name = "SIZE|SHARE", help_heading = "The budget")]
    pub(crate) growth: Option<Amount>,
    /// Another limit, such as `crate regex=900kB`, `section .rodata=1MiB`, `kind debug info=0B`
    #[arg(long, value_name = "WHAT=SIZE", help_heading = "The budget")]
    pub(crate) limit: Vec<String>,
    /// A snapshot to compare with
    #[arg(long, value_name = "PATH", help_heading = "The budget")]
    pub(crate) baseline: Option<PathBuf>,
    /// Which size counts
    #[arg(long, value_enum, help_heading = "The budget")]
    pub(crate) measure: Option<MeasureArgument>,
    /// Compare also with a baseline for another target, or of another program
    #[arg(long, help_heading = "The budget")]
    pub(crate) force: bool,
    /// After a gain, lower the limits in the configuration to what there is now, and take it for the baseline
    #[arg(long, help_heading = "The budget")]
    pub(crate) ratchet: bool,
    /// Keep a snapshot of this build, to be a baseline
    #[arg(long, value_name = "PATH", help_heading = "The budget")]
    pub(crate) save: Option<PathBuf>,
    /// Add a line to the history [default: whittle-history.jsonl at the workspace's root]
    #[arg(
        long,
        value_name = "PATH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = crate::history::FILE,
        help_heading = "The budget"
    )]
    pub(crate) record: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) witnesses: WitnessArguments,
    /// What reports call the program
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub(crate) name: Option<String>,

    /// How to write the result
    #[arg(long, value_enum, default_value_t = CheckFormat::Text, help_heading = "Output")]
    pub(crate) format: CheckFormat,
    /// Write the result to this file instead of standard output
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Write it in another form as well, such as `markdown=comment.md`
    #[arg(long, value_name = "FORMAT=PATH", value_parser = also, help_heading = "Output")]
    pub(crate) also: Vec<(CheckFormat, PathBuf)>,
    /// Colour: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Option<Color>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

/// Which size counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasureArgument {
    /// Bytes on disk
    File,
    /// Bytes when compressed for download or flash; of the whole alone
    Compressed,
    /// Bytes in memory
    Loaded,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people
    Text,
    /// For programs; see docs/check.md
    Json,
    /// For a comment on a pull request
    Markdown,
    /// Annotations for GitHub Actions, and the summary of the job
    Github,
    /// The code quality report of GitLab
    Gitlab,
    /// SARIF 2.1.0
    Sarif,
}

fn also(text: &str) -> Result<(CheckFormat, PathBuf), String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(|| "write it as FORMAT=PATH".to_owned())?;
    Ok((CheckFormat::from_str(format, false)?, path.into()))
}
