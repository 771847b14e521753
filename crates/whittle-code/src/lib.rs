//! References: which places of an executable file mention which others.
//!
//! [`References::find`] takes what a file says ([`whittle_image::Image`]) and reads its machine code, its pointers and
//! its unwind entries: calls and jumps, addresses that instructions make, what they read and write, slots of the global
//! offset table and stubs of the procedure linkage table resolved to what is behind them. Nobody owns a place here and
//! no language is known; which item a place belongs to is for others to say.
//!
//! | module | what it holds |
//! |---|---|
//! | [`References`] | all references of a file, its functions, how much of it could be read |
//! | [`Incoming`] | the same, by where they lead |
//! | [`Dispatch`] | calls through a table of functions |
//! | `function`, `region` | where functions start; code cut into functions, gaps and data |
//! | `x86`, `aarch64`, `wasm` | which addresses, functions and globals instructions name |
//! | `finder` | from such an address to a reference |
//! | `slot`, `pointer`, `patch` | what relocations say: for slots and stubs, for data, for the code of object files |
//!
//! What can be had of a file depends on its kind and processor:
//!
//! | file | code | data |
//! |---|---|---|
//! | program that may be loaded anywhere, shared library; `x86_64`, `aarch64` | decoded | relocations |
//! | program at a fixed address; `x86_64`, `aarch64` | decoded; on `x86_64` numbers that are addresses, inferred | relocations, and words that are addresses, inferred |
//! | WebAssembly module | decoded; numbers that are addresses, inferred | words that are addresses, inferred |
//! | object file; `x86_64`, `i686`, `aarch64` | decoded, and relocations | relocations |
//! | object file; other processors | relocations | relocations |
//! | linked file; other processors | nothing, see [`Coverage`] | relocations |
//!
//! The bytes may be hostile: there is no panic, and time and memory are proportional to the file's length. Nothing here
//! reads files or the clock.

mod aarch64;
mod coverage;
mod dispatch;
mod finder;
mod function;
mod incoming;
mod patch;
mod pointer;
mod reference;
mod references;
mod region;
mod slot;
mod wasm;
mod x86;

pub use coverage::{CodeBytes, Coverage, Method};
pub use dispatch::Dispatch;
pub use function::{Function, FunctionSource};
pub use incoming::Incoming;
pub use reference::{Certainty, Reference, ReferenceKind};
pub use references::References;
