//! The ledger: who owns which bytes of an executable file, and how we know.
//!
//! [`Ledger::build`] takes what a file says ([`whittle_image::Image`]) and what else is known about it ([`Witnesses`])
//! and accounts for every byte: the spans of the file tile it, each has one owner, and their lengths add up to the
//! file's length. Memory is a second domain, thread-local storage a third; they are never added to the file's.
//!
//! A guess never looks like a fact: each attribution carries its [`Certainty`] and the [`Source`] it rests on.
//!
//! The stages inside, in order: items and their bytes (`items`), descriptions go to what they describe
//! (`descriptions`), both for each member of a container (`found`), items get their crates (`attribution`), sections are laid out in the file and in memory
//! (`layout`). [`Snapshot`] rolls a ledger up to what can be kept, [`Difference`] compares two, [`Budget`] holds one against
//! limits. [`Causes`] says why bytes exist, [`Table`] sums a ledger up along axes, [`savings`](Ledger::savings) says what could be got back.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use whittle_code::References;
//! use whittle_image::Image;
//! use whittle_ledger::{Axis, Ledger, Table, Witnesses};
//!
//! let bytes = std::fs::read(std::env::current_exe()?)?;
//! # if bytes.starts_with(b"\x7fELF") {
//! let image = Image::parse(&bytes)?;
//! let references = References::find(&image);
//! let ledger = Ledger::build(&image, &Witnesses::none(), &references)?;
//! let by_crate = Table::of(&ledger, &[Axis::Crate]);
//! assert_eq!(by_crate.rows.iter().map(|row| row.file).sum::<u64>(), image.file_len());
//! for row in by_crate.rows.iter().take(10) {
//!     println!("{:>10}  {}", row.file, row.values[0]);
//! }
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here reads files, starts processes or asks the clock.

mod anchors;
mod attribution;
mod axis;
mod budget;
mod cause;
mod certainty;
mod compiler;
mod constants;
mod crates;
mod descriptions;
mod difference;
mod findings;
mod found;
mod graph;
mod item_text;
mod items;
mod kind;
mod known_symbols;
mod labels;
mod layout;
mod ledger;
mod mapped;
mod mentioned;
mod named_packages;
mod nameless;
mod neighbours;
mod owner;
mod padding;
mod paper;
mod savings;
mod snapshot;
mod source_paths;
mod symbols;
mod table;
mod tiling;
mod unit;
mod unused_tables;
mod why;
mod witness;

pub use axis::{Axis, UnknownAxis};
pub use budget::{
    Bound, Budget, BudgetError, Checked as BudgetChecked, Culprit, Limit, Measure, Override,
    Ruling, Subject as BudgetSubject, UnknownSubject, Verdict,
};
pub use cause::{Cause, Causes, Reason};
pub use certainty::{Certainty, Source};
pub use constants::PanicLocation;
pub use crates::{Crate, CrateId, Family};
pub use difference::{
    Blame, Build as BuildChange, Bump, Delta, DeltaTable, Difference, DifferenceError,
    FeatureChange, Mismatch, Motive, NewPackage, Pair, SettingChange, Share, Stage, Value,
};
pub use findings::{Bringer, FileFacts, Findings, FullTables, Request};
pub use graph::{
    Forecast, Graph, GraphError, Keeping, KeepingRequest, Leaving, Mention, Nearest, NodeId,
    NodeSet, RootKind, Shares, TreeEntry, TreeRequest, TreeRow, Without, forecasts, tree,
};
pub use kind::Kind;
pub use layout::Domain;
pub use ledger::{Ledger, LedgerError, Span, Totals};
pub use named_packages::NamedPackage;
pub use owner::{Attribution, Item, ItemId, ItemKind, Owner, SharedId, Structure};
pub use savings::{Callers, EqualItems, Exactness, GenericCopies, Repeats, Saving, SavingKind};
pub use snapshot::{
    BuildFacts, DependencyFacts, Entry, EntryKind, ItemKey, PackageFacts, ProgramFacts, Snapshot,
    SnapshotError,
};
pub use table::{Copies, Row, Table};
pub use why::{
    Candidate, Holder, Kept, MAX_LISTED, NotFound, Query, Step, Subject, SubjectKind, Why,
};
pub use witness::{Package, Packages, StandardLibrary, Witnesses};
