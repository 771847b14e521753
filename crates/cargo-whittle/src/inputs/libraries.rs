//! What stands in the library files of a build and of its toolchain: by which numbers symbols know a crate, after which
//! hashes its constants are named, and which objects a build script brought.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use whittle_cargo::{Build, PackageId};
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Package, Packages, StandardLibrary};

use super::file;

/// Reads the library files of the build's packages. What cannot be read is left out: it is evidence, and no more.
pub(crate) fn read_packages(build: &Build, packages: &mut Packages) {
    let record = &build.record;
    let index_of = |id: &PackageId| record.packages.iter().position(|package| &package.id == id);
    for unit in &record.units {
        let Some(package) = index_of(&unit.package).and_then(|index| packages.list.get_mut(index))
        else {
            continue;
        };
        for path in unit.files.iter().filter(|path| is_library(path)) {
            let Ok(bytes) = file::read(path, "the library file") else {
                continue;
            };
            let ids = Package::stable_ids_in(&bytes, &unit.crate_name);
            package.stable_ids.extend(ids);
            let foreign = Package::foreign_objects_in(&bytes);
            package.foreign_objects.extend(foreign);
            package
                .constant_hashes
                .extend(Package::constant_hashes_in(&bytes));
        }
    }
}

/// Reads the library files of the toolchain, if link-time optimization made one module of the program: elsewhere the map
/// names them.
///
/// The map tells where they are, since a part of them is never merged.
pub(crate) fn read_standard(map: &LinkMap<'_>, packages: &mut Packages) {
    let libraries = || {
        map.objects()
            .iter()
            .map(|object| Path::new(object.path))
            .filter(|path| is_library(path))
    };
    let of_toolchain = |path: &&Path| {
        let mut parts = path.components();
        parts.any(|part| part.as_os_str() == "rustlib")
    };
    let is_merged = libraries().all(|path| of_toolchain(&path));
    let folders: BTreeSet<&Path> = libraries()
        .filter(of_toolchain)
        .filter_map(Path::parent)
        .filter(|_| is_merged)
        .collect();
    for folder in folders {
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_library(path))
            .collect();
        files.sort_unstable();
        for path in files {
            let (Some(crate_name), Ok(bytes)) =
                (crate_name(&path), file::read(&path, "the library file"))
            else {
                continue;
            };
            packages.standard.push(StandardLibrary {
                crate_name: crate_name.to_owned(),
                constant_hashes: Package::constant_hashes_in(&bytes),
            });
        }
    }
}

fn is_library(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "rlib")
}

/// `core` of `libcore-0123456789abcdef.rlib`.
fn crate_name(path: &Path) -> Option<&str> {
    let stem = path.file_stem()?.to_str()?;
    let name = stem.strip_prefix("lib").unwrap_or(stem);
    Some(name.rsplit_once('-').map_or(name, |(name, _)| name))
}
