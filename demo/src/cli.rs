//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use regex::Regex;

use crate::entry::Level;

/// Summarises JSON-lines logs.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count entries and give percentiles of their latency
    Summary(SummaryArgs),
    /// Write a log to try things on; the same arguments always give the same bytes
    Generate(GenerateArgs),
}

#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Logs to read, one JSON object a line; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Only entries whose message matches this regular expression
    #[arg(short = 'e', long, value_name = "REGEX")]
    pub pattern: Option<Regex>,

    /// Only entries of this level or above
    #[arg(short, long, value_enum)]
    pub level: Option<Level>,

    /// What makes a row
    #[arg(long, value_enum, default_value_t = Grouping::Both)]
    pub by: Grouping,

    /// How to print the summary
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Exit with 1 when a line is not a log entry
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// How many lines
    #[arg(short, long, default_value_t = 1000)]
    pub lines: u64,

    /// Another number gives another log
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Cut every N-th line short, so that it is not a log entry (0: none)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub damage_every: u64,

    /// Where to write; standard output when not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What the entries of one row have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Grouping {
    Level,
    Service,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}
