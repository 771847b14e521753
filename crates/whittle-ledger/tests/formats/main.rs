//! One small program in every object format: everything adds up, sections are as large as other readers say, and names
//! say whose the bytes are. The programs are in `fixtures/`, which says how they were built.

/// Archives and universal files, made of other files.
#[path = "../../../whittle-image/tests/it/archives.rs"]
mod archives;
mod chained;
mod containers;
mod damage;
mod elf;
mod fixture;
mod macho;
mod objects;
mod pe;
mod reach;
mod wasm;
