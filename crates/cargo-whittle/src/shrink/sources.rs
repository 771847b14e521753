//! The sources of every package that is linked, read for the detectors.

use std::fs;
use std::path::{Path, PathBuf};

use whittle_cargo::{Build, Package};
use whittle_trial::detect::panics::PackageSources;
use whittle_trial::detect::sources;

/// Longer files are tables that a program wrote.
const LONGEST: u64 = 4 << 20;
/// More files than the sources of any package have.
const MOST_FILES: usize = 20_000;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct SourceScan {
    /// By package, in the order of the build's record.
    pub(crate) packages: Vec<PackageSources>,
    /// Files that could not be read as Rust, by package and path.
    pub(crate) unread: Vec<String>,
    /// Packages whose folder is not known.
    pub(crate) missing: Vec<String>,
}

impl SourceScan {
    /// Reads the sources of every package that has a crate in the program; build scripts and macros run elsewhere.
    pub(crate) fn of(build: &Build) -> Self {
        let mut scan = Self::default();
        let record = &build.record;
        let linked = record
            .packages
            .iter()
            .filter(|package| record.units.iter().any(|unit| unit.package == package.id));
        for package in linked {
            scan.package(package);
        }
        scan
    }

    fn package(&mut self, package: &Package) {
        let Some(folder) = &package.folder else {
            self.missing.push(package.name.clone());
            return;
        };
        let mut hits = Vec::new();
        for path in rust_files(folder) {
            let inside = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            let is_short = fs::metadata(&path).is_ok_and(|facts| facts.len() <= LONGEST);
            let text = is_short.then(|| fs::read_to_string(&path).ok()).flatten();
            match text.as_deref().map(sources::scan) {
                Some(Ok(found)) => {
                    hits.extend(found.into_iter().map(|hit| (inside.clone(), hit)));
                }
                _ => self.unread.push(format!("{}: {inside}", package.name)),
            }
        }
        self.packages.push(PackageSources {
            name: package.name.clone(),
            version: package.version.clone(),
            is_member: package.is_member,
            hits,
        });
    }
}

/// The package's own sources, in a stable order: all but its tests, benchmarks, examples, build output and other packages
/// inside.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    const ELSEWHERE: [&str; 6] = ["tests", "benches", "examples", "target", "fuzz", ".git"];
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        let mut entries: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let is_top = next == folder;
            // Links may lead around in circles.
            let is_link = fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_symlink());
            if is_link || files.len() >= MOST_FILES {
                continue;
            }
            if path.is_dir() {
                let is_elsewhere = is_top && ELSEWHERE.contains(&name);
                if !is_elsewhere && !path.join("Cargo.toml").is_file() {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !(is_top && name == "build.rs")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_compiled_into_the_program_is_read() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        for name in [
            "build.rs",
            "src/main.rs",
            "src/inner/mod.rs",
            "src/tests/mod.rs",
            "tests/it.rs",
            "examples/e.rs",
            "crates/other/src/lib.rs",
            "src/data.txt",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
            fs::write(path, "")?;
        }
        fs::write(folder.path().join("crates/other/Cargo.toml"), "")?;
        let found: Vec<String> = rust_files(folder.path())
            .iter()
            .filter_map(|path| path.strip_prefix(folder.path()).ok())
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            found,
            ["src/inner/mod.rs", "src/main.rs", "src/tests/mod.rs"]
        );
        Ok(())
    }
}
