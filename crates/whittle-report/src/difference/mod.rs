//! What changed between two builds: `cargo whittle diff`.

mod csv;
mod json;
mod markdown;
mod text;
pub(crate) mod words;

use whittle_ledger::{Blame, DeltaTable, Difference};

pub use csv::write as csv;
pub use json::write as json;
pub(crate) use json::{cause, side};
pub(crate) use markdown::body as markdown_body;
pub use markdown::write as markdown;
pub(crate) use text::causes as text_causes;
pub use text::write as text;

/// What to write.
pub struct Report<'a> {
    /// What changed.
    pub difference: &'a Difference<'a>,
    /// What it is due to.
    pub blames: &'a [Blame],
    /// The rows.
    pub table: &'a DeltaTable,
    /// What the user calls the old side.
    pub old: &'a str,
    /// What the user calls the new side.
    pub new: &'a str,
    /// What is not as good as it could be.
    pub notes: &'a [String],
    /// Rows of text and Markdown; `None` for the default, 0 for all.
    pub rows: Option<usize>,
}
