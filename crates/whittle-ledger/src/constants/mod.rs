//! Constants without a symbol: where they start, what they are, who uses them, whose they are.
//!
//! Symbols cover about a quarter of a program's constants. The rest is found by what mentions it: a constant starts
//! where an instruction or a pointer leads, and belongs with its users, since a compiler gives each unit constants of its
//! own.
//!
//! | module | what it holds |
//! |---|---|
//! | `shapes` | what pointers beside plain numbers give away: panic locations, texts with their length |
//! | `jump_tables` | tables of jump targets, which are part of their function |
//! | `cut` | claims on what neither symbols nor the linker's map explain |
//! | `recognise` | what a constant holds: text, panic location, virtual table |
//! | `users` | which items use which constant |
//! | `origin` | the crates of constants, by their users |

mod cut;
mod jump_tables;
mod origin;
mod recognise;
mod shapes;
mod users;

pub(crate) use cut::{Cutter, Gap, Pool};
pub(crate) use origin::{compiled_by_users, defined_by_users};
pub(crate) use recognise::recognise;
pub use shapes::PanicLocation;
pub(crate) use shapes::{Shapes, bytes_of};
pub(crate) use users::Users;
