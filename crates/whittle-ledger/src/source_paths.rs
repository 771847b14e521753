//! Versions from the paths of source files that panic locations leave in a program's constants.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;
use whittle_image::{Compression, Image, SectionRole};

/// Package versions that paths in the program's constants mention, by crate name (with `_`).
#[derive(Debug, Clone, Default)]
pub(crate) struct SourcePaths {
    /// From cargo's registry: `…/registry/src/INDEX/NAME-VERSION/…`. The value is the package's own spelling.
    pub(crate) registry: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Vendored for the standard library: `/rust/deps/NAME-VERSION/…`.
    pub(crate) standard: BTreeSet<String>,
}

impl SourcePaths {
    /// Looks through all constants of the file.
    pub(crate) fn find(image: &Image<'_>) -> Self {
        let mut found = Self::default();
        let registry = memmem::Finder::new("registry/src/");
        let registry_windows = memmem::Finder::new("registry\\src\\");
        let standard = memmem::Finder::new("/rust/deps/");
        let standard_windows = memmem::Finder::new("/rust/deps\\");
        let constants = image
            .sections
            .iter()
            .filter(|section| section.access.loaded && section.compression == Compression::None)
            .filter(|section| {
                matches!(
                    section.role,
                    SectionRole::ReadOnlyData | SectionRole::RelocatedReadOnlyData
                )
            });
        for section in constants {
            let bytes = section.stored();
            for finder in [&registry, &registry_windows] {
                for at in finder.find_iter(bytes) {
                    let rest = &bytes[at + finder.needle().len()..];
                    // The folder of the index comes first.
                    let package =
                        component(rest).and_then(|index| component(rest.get(index.len() + 1..)?));
                    if let Some((name, version)) = package.and_then(split_version) {
                        found
                            .registry
                            .entry(name.replace('-', "_"))
                            .or_default()
                            .insert((name.to_owned(), version.to_owned()));
                    }
                }
            }
            for finder in [&standard, &standard_windows] {
                for at in finder.find_iter(bytes) {
                    let package = component(&bytes[at + finder.needle().len()..]);
                    if let Some((name, _)) = package.and_then(split_version) {
                        found.standard.insert(name.replace('-', "_"));
                    }
                }
            }
        }
        found
    }

    /// The version of a crate, if the paths mention exactly one: the package's own spelling and the version.
    pub(crate) fn only_version(&self, crate_name: &str) -> Option<&(String, String)> {
        let versions = self.registry.get(crate_name)?;
        versions.first().filter(|_| versions.len() == 1)
    }
}

/// Whose a source file or object is, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathOwner<'path> {
    /// A package that cargo unpacked from a registry.
    Registry {
        package: &'path str,
        version: &'path str,
    },
    /// The standard library, or a package that it brings along.
    Standard { name: &'path str },
    /// A package that cargo checked out from a repository.
    Git { package: &'path str },
}

impl<'path> PathOwner<'path> {
    /// Reads a path; what follows the package's folder does not matter.
    pub(crate) fn of(path: &'path str) -> Option<Self> {
        let path = path.as_bytes();
        for mark in ["registry/src/", "registry\\src\\"] {
            if let Some(at) = memmem::find(path, mark.as_bytes()) {
                let rest = &path[at + mark.len()..];
                let package = rest.get(component(rest)?.len() + 1..)?;
                let (package, version) = split_version(last_component(package)?)?;
                return Some(Self::Registry { package, version });
            }
        }
        for mark in ["git/checkouts/", "git\\checkouts\\"] {
            if let Some(at) = memmem::find(path, mark.as_bytes()) {
                // `REPOSITORY-HASH/COMMIT/PACKAGE/src/…`; the package may be the whole repository.
                let rest = std::str::from_utf8(&path[at + mark.len()..]).ok()?;
                let mut folders = rest.split(['/', '\\']);
                let repository = folders.next()?;
                let package = folders.nth(1).filter(|&folder| folder != "src");
                let of_repository = repository.rsplit_once('-').map(|(name, _)| name);
                return Some(Self::Git {
                    package: package.or(of_repository)?,
                });
            }
        }
        // On Windows the compiler goes on with `\` behind what stands for its own folders.
        for mark in ["/rust/deps/", "/rust/deps\\"] {
            if let Some(at) = memmem::find(path, mark.as_bytes()) {
                let (name, _) = split_version(last_component(&path[at + mark.len()..])?)?;
                return Some(Self::Standard { name });
            }
        }
        // Where the standard library was built with the program: `…/lib/rustlib/src/rust/library/core/src/…`
        for mark in [
            "/rustlib/src/rust/library/",
            "\\rustlib\\src\\rust\\library\\",
        ] {
            if let Some(at) = memmem::find(path, mark.as_bytes()) {
                let name = component(&path[at + mark.len()..])?;
                return Some(Self::Standard { name });
            }
        }
        // `/rustc/COMMIT/library/core/src/…`
        let rest = path.strip_prefix(b"/rustc/")?;
        let rest = rest.get(component(rest)?.len() + 1..)?;
        let rest = rest.strip_prefix(b"library")?;
        let name = component(
            rest.strip_prefix(b"/")
                .or_else(|| rest.strip_prefix(b"\\"))?,
        )?;
        Some(Self::Standard { name })
    }
}

/// The part of a source file's path that stays when a package gets another version or the machine keeps its files
/// elsewhere: `regex-syntax/src/ast/parse.rs`.
pub(crate) fn stable_path(path: &str) -> String {
    for mark in ["registry/src/", "registry\\src\\", "/rust/deps/"] {
        let Some((_, rest)) = path.split_once(mark) else {
            continue;
        };
        // The folder of the index comes first, except in the standard library's own.
        let rest = match mark {
            "/rust/deps/" => rest,
            _ => rest.split_once(['/', '\\']).map_or(rest, |(_, rest)| rest),
        };
        let (package, file) = rest.split_once(['/', '\\']).unwrap_or((rest, ""));
        let name = split_version(package).map_or(package, |(name, _)| name);
        return format!("{name}/{file}");
    }
    for mark in ["git/checkouts/", "git\\checkouts\\"] {
        if let Some((_, rest)) = path.split_once(mark) {
            // `REPOSITORY-HASH/COMMIT/…`
            let mut parts = rest.splitn(3, ['/', '\\']);
            let repository = parts.next().unwrap_or_default();
            let name = repository
                .rsplit_once('-')
                .map_or(repository, |(name, _)| name);
            return format!("{name}/{}", parts.nth(1).unwrap_or_default());
        }
    }
    if let Some((_, rest)) = path
        .split_once("/library/")
        .filter(|(before, _)| before.starts_with("/rustc/"))
    {
        return format!("library/{rest}");
    }
    // A package of the workspace is named from its root, one beside it in full.
    let is_absolute = path.starts_with('/') || path.get(1..3).is_some_and(|drive| drive == ":\\");
    let mark = ["/src/", "\\src\\"]
        .iter()
        .filter_map(|mark| path.rfind(mark))
        .max();
    match mark {
        Some(at) if is_absolute => {
            let package = path[..at].rfind(['/', '\\']).map_or(0, |at| at + 1);
            path[package..].to_owned()
        }
        _ => path.to_owned(),
    }
}

/// The folder of a source file of the program's own: what stands before `src`, else the file's folder.
///
/// Cargo hands paths of the workspace to the compiler as seen from its root, all others in full.
pub(crate) fn own_folder(path: &str) -> Option<&str> {
    let mark = ["/src/", "\\src\\"]
        .iter()
        .filter_map(|mark| path.rfind(mark))
        .max();
    let folder = match mark {
        Some(at) => &path[..at],
        None if path.starts_with("src/") || path.starts_with("src\\") => "src",
        None => path.rfind(['/', '\\']).map_or(path, |at| &path[..at]),
    };
    let is_relative = !folder.starts_with(['/', '\\']) && folder.as_bytes().get(1) != Some(&b':');
    let shown = if is_relative {
        folder
    } else {
        folder.rsplit(['/', '\\']).next()?
    };
    let is_plain = shown
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\\' | '+'));
    (is_plain && !shown.is_empty() && shown.len() <= 128).then_some(shown)
}

/// The text before the next separator, or all of it if there is none.
fn last_component(bytes: &[u8]) -> Option<&str> {
    component(bytes).or_else(|| {
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.is_empty() && text.len() <= 128).then_some(text)
    })
}

/// The text before the next separator, if it looks like the name of a folder.
fn component(bytes: &[u8]) -> Option<&str> {
    const MAX_LEN: usize = 128;
    let end = bytes
        .iter()
        .take(MAX_LEN)
        .position(|byte| matches!(byte, b'/' | b'\\'))?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

/// Splits `regex-syntax-0.8.6` at the dash before the version: three numbers, then perhaps a pre-release or build.
fn split_version(folder: &str) -> Option<(&str, &str)> {
    folder.match_indices('-').find_map(|(at, _)| {
        let (name, version) = (&folder[..at], &folder[at + 1..]);
        let core = version.split(['-', '+']).next()?;
        let mut numbers = core.split('.');
        let three = (0..3).all(|_| {
            numbers
                .next()
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        });
        (three && numbers.next().is_none() && !name.is_empty()).then_some((name, version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_what_another_version_or_machine_changes() {
        for (path, stable) in [
            (
                "/home/me/.cargo/registry/src/index-1/regex-1.2.3/src/a.rs",
                "regex/src/a.rs",
            ),
            (
                "/home/me/.cargo/registry/src/index-2/regex-1.3.0/src/a.rs",
                "regex/src/a.rs",
            ),
            (
                "/home/me/.cargo/git/checkouts/fork-0a1b/77aa/deep/src/a.rs",
                "fork/deep/src/a.rs",
            ),
            (
                "/rust/deps/hashbrown-0.15.2/src/raw.rs",
                "hashbrown/src/raw.rs",
            ),
            (
                "/rustc/59807616e1fa/library/core/src/str/mod.rs",
                "library/core/src/str/mod.rs",
            ),
            ("/home/me/beside/src/lib.rs", "beside/src/lib.rs"),
            ("src/main.rs", "src/main.rs"),
            ("crates/core/main.rs", "crates/core/main.rs"),
        ] {
            assert_eq!(stable_path(path), stable);
        }
    }

    #[test]
    fn folder_names_split_before_the_version() {
        assert_eq!(
            split_version("regex-syntax-0.8.6"),
            Some(("regex-syntax", "0.8.6"))
        );
        assert_eq!(
            split_version("http-2-client-1.0.0-rc.1"),
            Some(("http-2-client", "1.0.0-rc.1"))
        );
        assert_eq!(
            split_version("zstd-sys-2.0.15+zstd.1.5.7"),
            Some(("zstd-sys", "2.0.15+zstd.1.5.7"))
        );
        assert_eq!(split_version("no-version"), None);
        assert_eq!(split_version("-1.2.3"), None);
    }

    #[test]
    fn paths_of_sources_name_their_package() {
        let registry = |package, version| Some(PathOwner::Registry { package, version });
        assert_eq!(
            PathOwner::of(
                "/h/.cargo/registry/src/index.crates.io-19/zstd-sys-2.0.15+zstd.1.5.7/zstd/lib"
            ),
            registry("zstd-sys", "2.0.15+zstd.1.5.7")
        );
        assert_eq!(
            PathOwner::of("/h/.cargo/registry/src/index.crates.io-19/ring-0.17.8"),
            registry("ring", "0.17.8")
        );
        assert_eq!(
            PathOwner::of("/rustc/59807616e1b2/library/core/src/fmt/mod.rs"),
            Some(PathOwner::Standard { name: "core" })
        );
        assert_eq!(
            PathOwner::of("/rust/deps/hashbrown-0.16.1/src/raw.rs"),
            Some(PathOwner::Standard { name: "hashbrown" })
        );
        for (path, name) in [
            (
                "/rustc/59807616e1b2/library\\core\\src\\fmt\\mod.rs",
                "core",
            ),
            ("/rust/deps\\hashbrown-0.16.1\\src\\raw.rs", "hashbrown"),
            (
                "/usr/lib/rustlib/src/rust/library/alloc/src/vec/mod.rs",
                "alloc",
            ),
            (
                "C:\\rust\\lib\\rustlib\\src\\rust\\library\\std\\src\\io.rs",
                "std",
            ),
        ] {
            assert_eq!(PathOwner::of(path), Some(PathOwner::Standard { name }));
        }
        let git = |package| Some(PathOwner::Git { package });
        assert_eq!(
            PathOwner::of(
                "/h/.cargo/git/checkouts/salsa-1f2e3d/0a1b2c3/components/macros/src/a.rs"
            ),
            git("components")
        );
        assert_eq!(
            PathOwner::of("/h/.cargo/git/checkouts/my-lib-1f2e3d/0a1b2c3/src/lib.rs"),
            git("my-lib")
        );
        assert_eq!(PathOwner::of("/home/me/src/main.c"), None);
        assert_eq!(PathOwner::of("registry/src/"), None);
    }

    #[test]
    fn own_sources_are_known_by_their_folder() {
        assert_eq!(own_folder("crates/core/src/main.rs"), Some("crates/core"));
        assert_eq!(own_folder("crates/core/main.rs"), Some("crates/core"));
        assert_eq!(own_folder("src/bin/tool.rs"), Some("src"));
        assert_eq!(own_folder("/home/me/tool/src/main.rs"), Some("tool"));
        assert_eq!(own_folder("C:\\me\\tool\\src\\main.rs"), Some("tool"));
        assert_eq!(own_folder("build.rs"), Some("build.rs"));
        assert_eq!(own_folder("\u{1b}[31m/src/main.rs"), None);
    }

    #[test]
    fn what_is_no_folder_name_is_passed_over() {
        assert_eq!(
            component(b"index.crates.io-1949cf8c6b5b557f/memchr-2.7.6/src"),
            Some("index.crates.io-1949cf8c6b5b557f")
        );
        assert_eq!(component(b"no separator"), None);
        assert_eq!(component(b"\x1b[31m/red"), None);
        assert_eq!(component(b"/empty"), None);
    }
}
