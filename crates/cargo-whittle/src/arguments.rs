//! What was typed. What it means is the [`Request`](crate::request::Request).

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::check::CheckArguments;
use crate::diff::DiffArguments;
use crate::history::HistoryArguments;
use crate::init::InitArguments;
use crate::shrink::arguments::{LeversArguments, ShrinkArguments, StripArguments, UndoArguments};
use crate::trouble::{Outcome, Trouble};

/// Explains why a Rust program is as big as it is, and shrinks it by measured trials.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-whittle",
    bin_name = "cargo whittle",
    version,
    styles = clap_cargo::style::CLAP_STYLING,
    args_conflicts_with_subcommands = true,
    before_help = "Example: cargo whittle\n  builds the package you stand in and says why its program is so big",
    after_help = "Exit codes: 0 done, 1 a check failed or `--apply` kept nothing, 2 your trouble (bad flag, bad file, broken build), 101 a bug in this program."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Without a command: explain.
    #[command(flatten)]
    pub(crate) explain: ExplainArguments,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say why a program is as big as it is, and what could be got back.
    #[command(
        before_help = "Example: cargo whittle explain --bin rg\n  builds the program and explains the file that ships",
        after_help = "Without FILE the package is built as `cargo build --release` builds it, and once more its last crate with symbols \
                      and a link map, so that every byte gets a name. Your own files in `target` stay as they are."
    )]
    Explain(Box<ExplainArguments>),
    /// Say what keeps something in the program, and what would leave with it.
    #[command(
        before_help = "Example: cargo whittle why regex-automata\n  builds the program and says who holds this package, and what would leave without it",
        after_help = "NAME is a package, a function, a path of which the beginning may be left out, a module, an address (0x…) or a regular \
                      expression. Numbers are forecasts: at least so much leaves; docs/why.md explains them. Without FILE the package is built."
    )]
    Why(Box<WhyArguments>),
    /// Say what a change, a commit or another version of a dependency did to the size.
    #[command(
        before_help = "Example: cargo whittle diff rev:main\n  says what the sources as they are now changed against the branch main",
        after_help = "A side is a file, a snapshot that `--save` wrote, a revision (rev:NAME), or the sources as they are with another version \
                      of a dependency (dep:NAME@VERSION). docs/diff.md explains how things are matched."
    )]
    Diff(Box<DiffArguments>),
    /// Say whether the program is within its budget, and what to blame if it is not.
    #[command(
        before_help = "Example: cargo whittle check --total '4 MiB'\n  fails if the program that ships is larger",
        after_help = "Limits for every run stand in `whittle.toml` below `[budget]`; docs/check.md explains them. \
                      Exit codes: 0 within the budget, 1 over it, 2 your trouble."
    )]
    Check(Box<CheckArguments>),
    /// Say how the size moved over time, and which commit made it jump.
    #[command(
        before_help = "Example: cargo whittle history --bisect v1.0.0..main\n  names the commit at which the size jumped, by building a few",
        after_help = "`cargo whittle check --record` and `explain --record` add a line to whittle-history.jsonl; docs/history.md explains it."
    )]
    History(Box<HistoryArguments>),
    /// Write a `whittle.toml` to start from, and a workflow for GitHub Actions.
    #[command(
        before_help = "Example: cargo whittle init\n  writes whittle.toml; what is there already is left alone",
        after_help = "With `--github` it writes .github/workflows/size.yml as well; docs/check.md explains it."
    )]
    Init(InitArguments),
    /// Find the smallest build that still does its job, by trials, and say or write its settings.
    #[command(
        before_help = "Example: cargo whittle shrink --workload '{} big.log'\n  tries builds of your program and says which settings to take",
        after_help = "Nothing of yours is changed without `--apply`. Settings for every run can stand in `whittle.toml`; \
                      docs/shrink.md explains it. `cargo whittle levers` lists what is tried."
    )]
    Shrink(Box<ShrinkArguments>),
    /// List the settings that are tried, what each may change and what it costs.
    #[command(
        before_help = "Example: cargo whittle levers panic\n  explains one setting: what it does, what it costs, its lines"
    )]
    Levers(LeversArguments),
    /// Take back what `shrink --apply` wrote last.
    #[command(
        before_help = "Example: cargo whittle undo\n  gives back every key that still holds what was written"
    )]
    Undo(UndoArguments),
    /// Write a debug file, so that debuggers can read a crash of the stripped program.
    #[command(
        before_help = "Example: cargo whittle strip --bin rg\n  builds the program and writes target/release/rg.debug beside it"
    )]
    Strip(Box<StripArguments>),
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that can be typed"
)]
pub(crate) struct ExplainArguments {
    /// The file to explain; without it, the package is built
    pub(crate) file: Option<PathBuf>,

    /// Sum up by these: kind, member, segment, section, crate, compiled-in, module, function, generic, cause
    #[arg(
        long,
        value_name = "AXIS,…",
        value_delimiter = ',',
        help_heading = "What to show"
    )]
    pub(crate) by: Vec<String>,
    /// Show everything: causes, kinds, sections, the largest functions, generic functions with their copies
    #[arg(long, help_heading = "What to show", conflicts_with = "by")]
    pub(crate) full: bool,
    /// List the file piece by piece, as CSV or (with `--format json`) one JSON object a line
    #[arg(long, help_heading = "What to show", conflicts_with_all = ["full", "by", "filter", "rows", "sort"])]
    pub(crate) spans: bool,
    /// Say what at least would leave without each dependency, without panics, backtraces, formatting
    #[arg(long, help_heading = "What to show", conflicts_with_all = ["full", "by", "spans", "filter", "sort"])]
    pub(crate) retained: bool,
    /// Show what keeps what, as a tree
    #[arg(long, help_heading = "What to show", conflicts_with_all = ["full", "by", "spans", "filter", "sort"])]
    pub(crate) tree: bool,
    /// How deep the tree goes
    #[arg(
        long,
        value_name = "STEPS",
        requires = "tree",
        help_heading = "What to show"
    )]
    pub(crate) depth: Option<usize>,
    /// How many bytes a row of the tree has at least; smaller ones are summed up
    #[arg(
        long,
        value_name = "BYTES",
        requires = "tree",
        help_heading = "What to show"
    )]
    pub(crate) min_size: Option<u64>,
    /// Keep the rows that match this regular expression; the others are summed up in one
    #[arg(long, value_name = "REGEX", help_heading = "What to show")]
    pub(crate) filter: Option<String>,
    /// How many rows of each table (0: all)
    #[arg(short = 'n', value_name = "ROWS", help_heading = "What to show")]
    pub(crate) rows: Option<usize>,
    /// What to sort rows by
    #[arg(long, value_enum, help_heading = "What to show")]
    pub(crate) sort: Option<SortBy>,

    #[command(flatten)]
    pub(crate) witnesses: WitnessArguments,

    /// Also keep all that is known as a snapshot, for `cargo whittle diff` (compressed, unless the name ends in `.json`)
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub(crate) save: Option<PathBuf>,
    /// Add a line to the history [default: whittle-history.jsonl at the workspace's root]
    #[arg(
        long,
        value_name = "PATH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = crate::history::FILE,
        help_heading = "Output"
    )]
    pub(crate) record: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

/// The arguments of `why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArguments {
    /// What to ask about: `regex`, `regex@1.12.2`, `HiArgs::from_low_args`, `rg::flags`, `0x1c03e0`, `^core::fmt::`
    pub(crate) name: String,
    /// The file to ask about; without it, the package is built
    pub(crate) file: Option<PathBuf>,

    /// How many ways to it are shown, each over another holder
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "What to show"
    )]
    pub(crate) paths: usize,
    /// How many rows of each list (0: all)
    #[arg(short = 'n', value_name = "ROWS", help_heading = "What to show")]
    pub(crate) rows: Option<usize>,

    #[command(flatten)]
    pub(crate) witnesses: WitnessArguments,

    /// How to write the results
    #[arg(long, value_enum, default_value_t = WhyFormat::Text, help_heading = "Output")]
    pub(crate) format: WhyFormat,
    /// Write the results to this file instead of standard output
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Colour: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Option<Color>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

/// What else is known about a file that is there.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What else is known about FILE")]
pub(crate) struct WitnessArguments {
    /// The map that the linker wrote for FILE (lld, GNU ld, mold, Apple's ld)
    #[arg(long, value_name = "PATH", requires = "file")]
    pub(crate) link_map: Option<PathBuf>,
    /// A file with the symbols of FILE
    #[arg(long, value_name = "PATH", requires = "file")]
    pub(crate) debug_file: Option<PathBuf>,
}

impl WitnessArguments {
    /// Refuses what was typed beside a snapshot, to which nothing can be added.
    pub(crate) fn refuse_for_snapshot(&self, path: &Path) -> Outcome<()> {
        let typed = match (&self.link_map, &self.debug_file) {
            (Some(_), _) => "--link-map",
            (None, Some(_)) => "--debug-file",
            (None, None) => return Ok(()),
        };
        Err(Trouble::new(
            anyhow!(
                "`{typed}` is for a program, and `{}` is a snapshot",
                path.display()
            ),
            "give it to the run that writes the snapshot",
        ))
    }
}

/// How the answer of `why` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhyFormat {
    /// For people
    Text,
    /// For programs; see docs/why.md
    Json,
    /// A picture, through Graphviz
    Dot,
    /// For pull requests and issues
    Markdown,
}

/// What to sort rows by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// Bytes of the file
    File,
    /// Bytes of memory
    Memory,
    /// Bytes of code
    Code,
    /// The name
    Name,
    /// Copies of a generic function
    Copies,
}

/// Where results go and how they look.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// How to write the results
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write the results to this file instead of standard output
    #[arg(long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Colour: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<Color>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs; see docs/output.md
    Json,
    /// For pull requests and issues
    Markdown,
    /// For spreadsheets
    Csv,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to build, in cargo's own words.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What to build (as in `cargo build`)")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of cargo's own"
)]
pub(crate) struct BuildArguments {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    #[command(flatten)]
    pub(crate) workspace: clap_cargo::Workspace,
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
    /// Build this package's library
    #[arg(long)]
    pub(crate) lib: bool,
    /// Build this binary
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Vec<String>,
    /// Build all binaries
    #[arg(long)]
    pub(crate) bins: bool,
    /// Build this example
    #[arg(long, value_name = "NAME")]
    pub(crate) example: Vec<String>,
    /// Build all examples
    #[arg(long)]
    pub(crate) examples: bool,
    /// Build with this profile; `release` is the default, since that is what ships
    #[arg(long, value_name = "NAME", conflicts_with = "release")]
    pub(crate) profile: Option<String>,
    /// Build with the `release` profile, which is the default here
    #[arg(short, long)]
    pub(crate) release: bool,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
    /// Folder for all that is built
    #[arg(long, value_name = "PATH")]
    pub(crate) target_dir: Option<PathBuf>,
    /// How many jobs cargo runs at once
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) jobs: Option<String>,
    /// Assert that `Cargo.lock` stays as it is
    #[arg(long)]
    pub(crate) locked: bool,
    /// Run without the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Both `--locked` and `--offline`
    #[arg(long)]
    pub(crate) frozen: bool,
    /// Override a configuration value of cargo's
    #[arg(long, value_name = "KEY=VALUE|PATH")]
    pub(crate) config: Vec<String>,
}

impl BuildArguments {
    /// The flags that were typed, if any: they say what to build and mean nothing beside a FILE.
    pub(crate) fn typed(&self) -> Option<&'static str> {
        let typed = [
            (self.manifest.manifest_path.is_some(), "--manifest-path"),
            (!self.workspace.package.is_empty(), "--package"),
            (
                self.workspace.workspace || self.workspace.all,
                "--workspace",
            ),
            (!self.workspace.exclude.is_empty(), "--exclude"),
            (!self.features.features.is_empty(), "--features"),
            (self.features.all_features, "--all-features"),
            (self.features.no_default_features, "--no-default-features"),
            (self.lib, "--lib"),
            (!self.bin.is_empty(), "--bin"),
            (self.bins, "--bins"),
            (!self.example.is_empty(), "--example"),
            (self.examples, "--examples"),
            (self.profile.is_some(), "--profile"),
            (self.release, "--release"),
            (self.target.is_some(), "--target"),
            (self.target_dir.is_some(), "--target-dir"),
            (self.jobs.is_some(), "--jobs"),
            (self.locked, "--locked"),
            (self.offline, "--offline"),
            (self.frozen, "--frozen"),
            (!self.config.is_empty(), "--config"),
        ];
        typed
            .into_iter()
            .find(|(is_typed, _)| *is_typed)
            .map(|(_, flag)| flag)
    }
}
