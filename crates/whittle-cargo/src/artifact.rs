//! The files that a build gives its user.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{CrateType, Message, PackageId, TargetKind, camino::Utf8Path};
use serde::{Deserialize, Serialize};

use crate::error::CargoError;
use crate::saved::remove_file;
use crate::stamp::FileStamp;

/// One file that was built because it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Artifact {
    /// Whose it is.
    pub package: PackageId,
    /// The target's name, as `--bin` and `--example` take it.
    pub target_name: String,
    /// What it is.
    pub kind: ArtifactKind,
    /// Where it is, as cargo said.
    pub path: PathBuf,
    /// Whether it was there already and cargo had nothing to do.
    pub fresh: bool,
}

/// What a linker or archiver made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// A program.
    Bin,
    /// From `examples/`: a program, or a dynamic library where its manifest says so.
    Example,
    /// A dynamic library for other languages.
    Cdylib,
    /// A dynamic library for Rust.
    Dylib,
    /// An archive of object files for another linker.
    Staticlib,
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bin => "program",
            Self::Example => "example",
            Self::Cdylib => "C dynamic library",
            Self::Dylib => "Rust dynamic library",
            Self::Staticlib => "static library",
        })
    }
}

/// The artifacts of a build in a stable order: by package, kind, name and path.
///
/// Cargo names files of dependencies as well: a path dependency that is also a `cdylib` is linked, but into `deps/` and
/// for nobody. What was asked for is put into the folder of the profile or its `examples/`.
pub(crate) fn find(messages: &[Message], target_directory: &Path, profile: &str) -> Vec<Artifact> {
    let mut artifacts = Vec::new();
    for message in messages {
        let Message::CompilerArtifact(message) = message else {
            continue;
        };
        let files: Vec<&Utf8Path> = match &message.executable {
            Some(executable) => vec![executable],
            None => message.filenames.iter().map(AsRef::as_ref).collect(),
        };
        for path in files {
            let Some(kind) = kind_of(message, path) else {
                continue;
            };
            if is_for_the_user(path.as_std_path(), target_directory, profile) {
                artifacts.push(Artifact {
                    package: message.package_id.clone(),
                    target_name: message.target.name.clone(),
                    kind,
                    path: path.to_owned().into_std_path_buf(),
                    fresh: message.fresh,
                });
            }
        }
    }
    artifacts.sort_by(|a, b| {
        (&a.package, a.kind, &a.target_name, &a.path).cmp(&(
            &b.package,
            b.kind,
            &b.target_name,
            &b.path,
        ))
    });
    artifacts.dedup();
    artifacts
}

/// Removes cargo's own names of a file it has built, with hashes that only cargo knows, so that it builds it again when it
/// is asked to. `folder` is cargo's own of the profile, which has `deps/` and `examples/` in it.
pub(crate) fn forget(folder: &Path, built: &FileStamp, keep: &Path) -> Result<(), CargoError> {
    for folder in [folder.join("deps"), folder.join("examples")] {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let other = entry.path();
            let is_it = FileStamp::of(&other).is_ok_and(|stamp| stamp.is_same_file(built));
            if is_it && other != *keep {
                remove_file(&other).map_err(CargoError::io("remove", &other))?;
            }
        }
    }
    Ok(())
}

fn kind_of(message: &cargo_metadata::Artifact, path: &Utf8Path) -> Option<ArtifactKind> {
    let target = &message.target;
    if message.executable.is_some() {
        return match target.kind.first()? {
            TargetKind::Bin => Some(ArtifactKind::Bin),
            TargetKind::Example => Some(ArtifactKind::Example),
            _ => None,
        };
    }
    let is_dynamic = ["so", "dylib", "dll", "wasm"].contains(&path.extension()?);
    if target.is_kind(TargetKind::Example) {
        return is_dynamic.then_some(ArtifactKind::Example);
    }
    let has = |wanted: &CrateType| target.crate_types.contains(wanted);
    // Import libraries (`x.dll.lib`, `libx.dll.a`) and `.pdb` files are named by cargo as well.
    let inner = path
        .file_stem()
        .and_then(|stem| Utf8Path::new(stem).extension());
    let is_import_library = inner == Some("dll");
    match path.extension()? {
        _ if is_dynamic && has(&CrateType::CDyLib) => Some(ArtifactKind::Cdylib),
        _ if is_dynamic && has(&CrateType::DyLib) => Some(ArtifactKind::Dylib),
        "a" | "lib" if has(&CrateType::StaticLib) && !is_import_library => {
            Some(ArtifactKind::Staticlib)
        }
        _ => None,
    }
}

/// Whether a file is where cargo puts what was asked for: `[TRIPLE/]PROFILE/[examples/]FILE`.
fn is_for_the_user(path: &Path, target_directory: &Path, profile: &str) -> bool {
    let Ok(inside) = path.strip_prefix(target_directory) else {
        return false;
    };
    let mut folder = inside.parent();
    if folder.is_some_and(|folder| folder.ends_with("examples")) {
        folder = folder.and_then(Path::parent);
    }
    folder.is_some_and(|folder| {
        folder.ends_with(profile_folder(profile)) && folder.components().count() <= 2
    })
}

/// Where cargo puts the files of a profile; see "Build cache" in the Cargo book.
pub(crate) fn profile_folder(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_user_lies_in_the_profiles_folder() {
        let target = Path::new("/p/target");
        for (path, profile, expected) in [
            ("/p/target/release/app", "release", true),
            ("/p/target/release/app", "bench", true),
            ("/p/target/debug/app", "dev", true),
            (
                "/p/target/x86_64-unknown-linux-gnu/small/app",
                "small",
                true,
            ),
            ("/p/target/release/examples/tour", "release", true),
            (
                "/p/target/thumbv7em-none-eabihf/release/examples/tour",
                "release",
                true,
            ),
            ("/p/target/release/deps/libboth.so", "release", false),
            (
                "/p/target/release/build/x-0123/out/libboth.so",
                "release",
                false,
            ),
            ("/p/target/debug/app", "release", false),
            ("/p/elsewhere/release/app", "release", false),
            ("/p/target/app", "release", false),
        ] {
            assert_eq!(
                is_for_the_user(Path::new(path), target, profile),
                expected,
                "{path}"
            );
        }
    }
}
