//! What can be typed for the commands about trials.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::{BuildArguments, OutputArguments};

/// The arguments of `shrink`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct ShrinkArguments {
    /// Write the settings that won, build with them and check that file; without it nothing of yours is changed
    #[arg(long)]
    pub(crate) apply: bool,
    /// Write them into a profile of this name, which inherits from the one that ships
    #[arg(long, value_name = "NAME")]
    pub(crate) into_profile: Option<String>,

    /// What is wanted
    #[arg(long, value_enum, help_heading = "What to look for")]
    pub(crate) goal: Option<GoalArgument>,
    /// How much slower the slowest workload may be, such as `15%` [default: 2%]
    #[arg(long, value_name = "SHARE", help_heading = "What to look for")]
    pub(crate) max_slowdown: Option<String>,
    /// Which size counts
    #[arg(long, value_enum, help_heading = "What to look for")]
    pub(crate) measure: Option<MeasureArgument>,
    /// About three builds, and nothing that changes what the program does
    #[arg(long, help_heading = "What to look for")]
    pub(crate) quick: bool,
    /// Begin no further build after this time, such as `90s` or `1h` [default: 20min]
    #[arg(long, value_name = "TIME", help_heading = "What to look for")]
    pub(crate) time_budget: Option<String>,

    /// Try these settings only; `cargo whittle levers` lists them
    #[arg(
        long,
        value_name = "SETTING,…",
        value_delimiter = ',',
        help_heading = "What may be changed"
    )]
    pub(crate) only: Vec<String>,
    /// Do not try these settings
    #[arg(
        long,
        value_name = "SETTING,…",
        value_delimiter = ',',
        help_heading = "What may be changed"
    )]
    pub(crate) skip: Vec<String>,
    /// Try a setting, or all of a class (`class:C`), that is not tried unasked; `unproven` lets `--apply` write what nothing
    /// has exercised
    #[arg(
        long,
        value_name = "SETTING|class:C|unproven",
        value_delimiter = ',',
        help_heading = "What may be changed"
    )]
    pub(crate) allow: Vec<String>,
    /// The oldest glibc that the file has to start with
    #[arg(long, value_name = "VERSION", help_heading = "What may be changed")]
    pub(crate) min_glibc: Option<String>,

    /// A typical run, to measure speed by: a command for the shell in which `{}` stands for the program (repeatable)
    #[arg(long, value_name = "CMD", help_heading = "How to judge")]
    pub(crate) workload: Vec<String>,
    /// A benchmark of the workspace's that criterion measures: each of its functions is a workload (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "How to judge")]
    pub(crate) bench: Vec<String>,
    /// A command whose output must stay the same (repeatable)
    #[arg(long, value_name = "CMD", help_heading = "How to judge")]
    pub(crate) check: Vec<String>,
    /// A command that tests the program, or `none`; without it, the package's integration tests
    #[arg(long, value_name = "CMD|none", help_heading = "How to judge")]
    pub(crate) tests: Option<String>,

    /// The toolchain, as rustup names it, or the folder of one that has its own cargo and rustc
    #[arg(long, value_name = "NAME|DIR", help_heading = "What to build with")]
    pub(crate) toolchain: Option<String>,
    /// What builds the program, where that is no plain `cargo build`: a command for the shell, which hands its environment
    /// on to cargo
    #[arg(
        long,
        value_name = "CMD",
        requires = "artifact",
        help_heading = "What to build with"
    )]
    pub(crate) build_command: Option<String>,
    /// The file that it builds, from the workspace's root: a pattern such as `dist/app-*`; `{target-dir}` stands for the
    /// target directory
    #[arg(
        long,
        value_name = "PATTERN",
        requires = "build_command",
        help_heading = "What to build with"
    )]
    pub(crate) artifact: Option<String>,
    /// Forget what earlier runs found
    #[arg(long, help_heading = "What to build with")]
    pub(crate) fresh: bool,

    /// Show everything: all trials, the frontier, and why the winner is smaller
    #[arg(long, help_heading = "Output")]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GoalArgument {
    /// The smallest whose slowdown is within the bound (the default)
    Balanced,
    /// The smallest that is not distinguishably slower
    Fastest,
    /// The smallest, whatever its speed
    Smallest,
}

/// Which size counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasureArgument {
    /// Bytes on disk (the default)
    File,
    /// Bytes when compressed for download or flash
    Compressed,
    /// Bytes in memory
    Loaded,
}

/// The arguments of `levers`.
#[derive(Debug, Args)]
pub(crate) struct LeversArguments {
    /// Explain this setting alone
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// The arguments of `undo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
}

/// The arguments of `strip`.
#[derive(Debug, Args)]
pub(crate) struct StripArguments {
    /// Where to put the debug file; beside the program if not given
    #[arg(long, value_name = "PATH")]
    pub(crate) debug_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}
