//! Files that nobody chose: every ELF file of the machine has to be read, and every axis has to add up to its size.

use std::fs;
use std::path::{Path, PathBuf};

use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Axis, Ledger, Table, Witnesses};

use crate::whittle::own_program;

/// Reads a file and adds it up on every axis; what is no ELF file is passed over. Returns whether it was one.
fn adds_up(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else {
        return false;
    };
    if !bytes.starts_with(b"\x7fELF") {
        return false;
    }
    let image = Image::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let size = fs::metadata(path).expect("the file is there").len();
    for axis in Axis::ALL {
        let sum: u64 = Table::of(&ledger, &[axis])
            .rows
            .iter()
            .map(|row| row.file)
            .sum();
        assert_eq!(sum, size, "{} by {axis}", path.display());
    }
    true
}

/// All regular files below some folders; links are not followed.
fn files_below(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let (mut folders, mut files) = (folders, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

fn sysroot() -> PathBuf {
    let output = std::process::Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .expect("rustc runs");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

#[test]
fn a_spread_of_files_adds_up() {
    assert!(adds_up(own_program()));
    // Programs and libraries of the system, every so many of them, none too large for an ordinary test.
    let small = |path: &PathBuf| fs::metadata(path).is_ok_and(|facts| facts.len() < 2_000_000);
    let files: Vec<PathBuf> = files_below(vec!["/usr/bin".into(), "/usr/lib".into()])
        .into_iter()
        .filter(small)
        .collect();
    let step = (files.len() / 300).max(1);
    let read = files
        .iter()
        .step_by(step)
        .filter(|path| adds_up(path))
        .count();
    assert!(
        read > 0 || files.is_empty(),
        "there are ELF files among them"
    );
}

#[test]
#[ignore = "reads every file of the machine, which takes minutes: run it with `--ignored`"]
fn every_elf_file_of_the_machine_adds_up() {
    let target = own_program()
        .parent()
        .expect("it is in a folder")
        .to_owned();
    let folders = vec![
        "/usr".into(),
        "/lib".into(),
        "/opt".into(),
        sysroot(),
        target,
    ];
    let read = files_below(folders)
        .iter()
        .filter(|path| adds_up(path))
        .count();
    assert!(read > 100, "only {read} ELF files were found");
}
