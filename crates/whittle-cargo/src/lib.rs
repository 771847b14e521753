//! Runs cargo: metadata, builds, and the explain twin. The only crate of the workspace that starts processes.
//!
//! Takes a [`Selection`], which is what cargo's own flags say, and gives back values: [`Cargo::build`] a [`Build`] with
//! the files that came out and a [`BuildRecord`] of what went in, [`Cargo::twin`] a [`Twin`]: the same build with its
//! symbols left in and a link map beside it. On the way it emits [`Event`]s and draws nothing. What a file contains is
//! for others to find out.
//!
//! ```no_run
//! use whittle_cargo::{Cargo, Selection};
//!
//! let cargo = Cargo::from_env();
//! let selection = Selection::default(); // as `cargo build --release`
//! let build = cargo.build(&selection, &mut |event| eprintln!("{event:?}"))?;
//! for artifact in &build.artifacts {
//!     let twin = cargo.twin(&selection, &build, artifact, &mut |_| ())?;
//!     eprintln!("{} is explained by {}", artifact.path.display(), twin.path.display());
//! }
//! # Ok::<(), whittle_cargo::CargoError>(())
//! ```
//!
//! Some work needs a process of its own, which is the program itself: it calls [`Helper::serve`] first thing in `main`, and
//! [`Cargo::helper`] says where it is. With that,
//!
//! | | |
//! |---|---|
//! | [`Invocation`] | runs any command, with a time limit, everything it started killed at its end, and what it used measured |
//! | [`Cargo::variants`] | a [`VariantBuilder`]: one artifact built under other [`Settings`], beside the user's build |
//! | [`VariantBuilder::capture`] | a [`CapturedLink`]: the last link, to be run again with other arguments |
//! | [`BuildCommand`] | what ships where that is no plain `cargo build`, under other settings; [`Cargo::survey`] says whose it is |
//! | [`VariantBuilder::compile_tests`] | a [`TestSuite`]: the user's tests, to be run against any executable |
//! | [`VariantBuilder::compile_bench`] | a [`Bench`]: a benchmark of the user's under other settings |
//! | [`Edit`], [`Undo`] | settings written into the user's files, and taken back |
//! | [`Cargo::toolchains`], [`linkers`] | what is installed |
//! | [`Repository`], [`Worktree`] | commits, and their sources in a folder of their own |
//!
//! Children run with stdin closed: cargo hands its own stdin on when it asks rustc about the target, and text that waits
//! there makes that fail for good (the answer is cached in `target/.rustc_info.json`).

mod artifact;
mod bench;
mod build;
mod build_command;
mod cargo;
mod compiler;
mod edit;
mod error;
mod event;
mod git;
mod helper;
mod link;
mod linkers;
mod lock;
mod process;
mod profile;
mod record;
mod runner;
mod saved;
mod selection;
mod settings;
mod stamp;
mod suite;
mod survey;
mod toolchain;
mod toolchains;
mod twin;
mod update;
mod variant;

pub use cargo_metadata::{self, Metadata, PackageId};

pub use crate::artifact::{Artifact, ArtifactKind};
pub use crate::bench::Bench;
pub use crate::build::{Build, BuildWarning};
pub use crate::build_command::{
    BuildCommand, BuildCommandError, CommandBuild, CommandTrial, Place,
};
pub use crate::cargo::{Cargo, Stderr};
pub use crate::edit::{Edit, EditError, EditRequest, FileEdit, Undo};
pub use crate::error::CargoError;
pub use crate::event::{Event, Events, Freshness, Step};
pub use crate::git::{Commit, GitError, Repository, Worktree};
pub use crate::helper::Helper;
pub use crate::link::{CapturedLink, LinkChange, LinkError, NotCaptured, Relinked};
pub use crate::linkers::{InstalledLinker, LinkerKind, LinkerOrigin, linkers};
pub use crate::lock::{Lock, free_space};
pub use crate::process::{Ending, Invocation, Output, ProcessError, Run, Sink, Usage, Words};
pub use crate::profile::ResolvedProfile;
pub use crate::record::{
    Asked, BuildRecord, BuildScript, Dependency, DependencyKind, NativeLibrary, NativeLinkage,
    Package, PackageSource, Unit, UnitProfile,
};
pub use crate::runner::Runner;
pub use crate::selection::{Features, Names, Packages, Selection, Targets};
pub use crate::settings::{SettingValue, Settings};
pub use crate::suite::{Counts, TestBinary, TestKind, TestOutcome, TestSuite};
pub use crate::toolchain::Toolchain;
pub use crate::toolchains::{Channel, InstalledToolchain};
pub use crate::twin::{NoMap, Origin, Twin, TwinWarning};
pub use crate::variant::{Variant, VariantBuilder};
