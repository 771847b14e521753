//! Values to text, JSON, Markdown and CSV. The only crate that formats.
//!
//! Takes the plain values of `whittle-ledger` ([`Findings`](whittle_ledger::Findings), [`Table`](whittle_ledger::Table),
//! spans) and writes them. Nothing here knows whether there is a terminal: width and colour are values of [`Options`].
//!
//! Names come from files and are data: in whatever is written they have gone through [`plain`]. Rows that are not shown
//! are summed up, so that totals stand whatever was left out.
//!
//! | module | for |
//! |---|---|
//! | [`text`] | people |
//! | [`json`] | programs; the schema is `docs/explain.schema.json` |
//! | [`csv`] | spreadsheets |
//! | [`markdown`] | pull requests and issues |
//! | [`spans`] | the tiling itself, byte by byte |
//! | [`why`] | why something is in the file, with the schema `docs/why.schema.json` |
//! | [`check`] | what became of a budget, for people and for the services that run it |
//! | [`difference`] | what changed between two builds, with the schema `docs/diff.schema.json` |
//! | [`history`] | how a size moved over time, with the schema `docs/history.schema.json` |
//! | [`shrink`], [`levers`] | trials and what they gave, with the schema `docs/shrink.schema.json`; the settings that are tried |

mod numbers;
mod options;
mod paint;
mod plain;
mod rows;
mod words;

pub mod check;
pub mod csv;
pub mod difference;
pub mod history;
pub mod json;
pub mod levers;
pub mod markdown;
pub mod shrink;
pub mod spans;
pub mod text;
pub mod why;

pub use numbers::grouped;
pub use options::{Options, Program, Sort, Subject};
pub use plain::plain;
