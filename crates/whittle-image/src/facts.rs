//! What the file says about how it was built.

use crate::audit::AuditedPackage;

/// What the file says about how it was built and what it needs to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFacts {
    /// The unique number the linker gave to the build (`.note.gnu.build-id`).
    pub build_id: Option<Vec<u8>>,
    /// Lines of `.comment`: compilers and linkers, each once, in the order of the file.
    pub producers: Vec<String>,
    /// The program that loads this one (`.interp`).
    pub interpreter: Option<String>,
    /// Libraries it needs (`DT_NEEDED`).
    pub needed: Vec<String>,
    /// Versions of symbols that it asks of these libraries, such as `GLIBC_2.34`, each once, in the order of the file: it
    /// does not start where one is missing (`.gnu.version_r`).
    pub needed_versions: Vec<String>,
    /// File name and checksum of a debug companion (`.gnu_debuglink`).
    pub debug_link: Option<(String, u32)>,
    /// The path of the debug file, where the file names one (PDB, in PE's debug directory). It is not read.
    pub pdb: Option<String>,
    /// The packages of the build, where `cargo auditable` left them in the file (`.dep-v0`), in ascending order.
    pub audited: Vec<AuditedPackage>,
    /// A packer that hides the program, such as UPX: only the packed form can be accounted for.
    pub packer: Option<&'static str>,
}

impl BuildFacts {
    /// The version of the rustc that compiled (part of) the file, as `.comment` gives it: `1.95.0 (59807616e 2026-04-14)`.
    #[must_use]
    pub fn rustc(&self) -> Option<&str> {
        self.producers
            .iter()
            .find_map(|line| line.strip_prefix("rustc version "))
    }
}
