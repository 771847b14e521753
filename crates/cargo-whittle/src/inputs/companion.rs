//! Debug companions: a file with the symbols of another. Found as GDB finds them ("Debugging Information in Separate
//! Files"): by build-id, else by the debug link and its checksum. For macOS, in the bundle that `dsymutil` leaves beside the
//! file, by the UUID.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use whittle_image::{Format, Image};

use super::file;
use crate::trouble::{Outcome, Trouble};

/// Where distributions keep debug files.
const GLOBAL: &str = "/usr/lib/debug";

/// The bytes of a companion and where they were found.
#[derive(Debug)]
pub(crate) struct Companion {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the companion that the user names.
pub(crate) fn given(path: &Path) -> Outcome<Companion> {
    Ok(Companion {
        path: path.to_owned(),
        bytes: file::read(path, "the debug file")?,
    })
}

/// Looks for a companion of a stripped file at the places where tools leave them.
pub(crate) fn find(path: &Path, image: &Image<'_>) -> Option<Companion> {
    if !image.is_stripped() {
        return None;
    }
    match image.target.format {
        Format::MachO => in_bundle(path, image),
        _ => by_build_id(image).or_else(|| by_debug_link(path, image)),
    }
}

/// Looks into `NAME.dSYM`. What stands in it has the name of the file that the linker wrote, which cargo renames.
fn in_bundle(path: &Path, image: &Image<'_>) -> Option<Companion> {
    // A bundle of honest tools has one file for each program.
    const MAX_FILES: usize = 64;
    let mut bundle = path.as_os_str().to_owned();
    bundle.push(".dSYM");
    let folder = Path::new(&bundle).join("Contents/Resources/DWARF");
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .take(MAX_FILES)
        .collect();
    files.sort_unstable();
    files.into_iter().find_map(|path| {
        let bytes = file::read(&path, "the debug file").ok()?;
        let is_of_file = Image::parse(&bytes).is_ok_and(|it| it.describes(image));
        is_of_file.then_some(Companion { path, bytes })
    })
}

fn by_build_id(image: &Image<'_>) -> Option<Companion> {
    let id = image.facts.build_id.as_deref()?;
    let (first, rest) = id.split_first()?;
    let mut name = String::new();
    for byte in rest {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    let path = Path::new(GLOBAL)
        .join(".build-id")
        .join(format!("{first:02x}"))
        .join(format!("{name}.debug"));
    let bytes = file::read(&path, "the debug file").ok()?;
    let has_same_id =
        Image::parse(&bytes).is_ok_and(|companion| companion.facts.build_id.as_deref() == Some(id));
    has_same_id.then_some(Companion { path, bytes })
}

fn by_debug_link(path: &Path, image: &Image<'_>) -> Option<Companion> {
    let (name, checksum) = image.facts.debug_link.as_ref()?;
    // The name comes from the file: it must not lead elsewhere.
    if name.is_empty() || name.contains(['/', '\\']) || name == ".." {
        return None;
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let absolute = std::path::absolute(folder).ok();
    let below_global = absolute
        .as_deref()
        .and_then(|folder| folder.strip_prefix("/").ok())
        .map(|folder| Path::new(GLOBAL).join(folder));
    let folders = [
        Some(folder.to_owned()),
        Some(folder.join(".debug")),
        below_global,
    ];
    folders.into_iter().flatten().find_map(|folder| {
        let path = folder.join(name);
        let bytes = file::read(&path, "the debug file").ok()?;
        (crc32(&bytes) == *checksum).then_some(Companion { path, bytes })
    })
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(bytes);
    checksum.finalize()
}

/// Checks that a companion that the user named belongs to the file.
///
/// # Errors
/// If both carry a build-id and these differ, or if the companion has no symbols.
pub(crate) fn check(image: &Image<'_>, companion: &Image<'_>, path: &Path) -> Outcome<()> {
    let differs = match (&image.facts.build_id, &companion.facts.build_id) {
        (Some(own), Some(other)) => own != other,
        // Each slice of a universal file has a number of its own.
        _ => companion.is_container() && !companion.describes(image),
    };
    if differs {
        return Err(Trouble::new(
            anyhow!(
                "the debug file `{}` belongs to another build: its build-id differs",
                path.display()
            ),
            "give the debug file of the very build that made the file",
        ));
    }
    if companion.is_stripped() {
        return Err(Trouble::plain(anyhow!(
            "the debug file `{}` has no symbols",
            path.display()
        )));
    }
    Ok(())
}
