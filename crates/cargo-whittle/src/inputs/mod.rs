//! Finds and reads what the other crates only take as bytes: files, link maps, debug companions, builds.

pub(crate) mod companion;
pub(crate) mod file;
pub(crate) mod libraries;
pub(crate) mod project;
