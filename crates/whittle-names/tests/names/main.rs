//! Names against judges that are not ours: `rustc-demangle`, the grammar that generated them, and the compiler that
//! wrote this very executable.

#![expect(
    clippy::format_push_string,
    reason = "names are put together once, for reading, not for speed"
)]

mod attribution;
mod cpp;
mod executable;
mod grammar;
mod hostile;
mod judge;
mod tree;
