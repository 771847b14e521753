//! The packages, and how they are downloaded: by the clients that their users have.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Wheels: package and platform. Versions are not given: what is published today counts.
const WHEELS: [(&str, &str); 8] = [
    ("ruff", "macosx_11_0_arm64"),
    ("ruff", "macosx_10_12_x86_64"),
    ("ruff", "win_amd64"),
    ("ruff", "win32"),
    ("ruff", "win_arm64"),
    ("ruff", "manylinux_2_17_x86_64"),
    ("ruff", "manylinux_2_17_aarch64"),
    ("cryptography", "macosx_10_9_universal2"),
];

/// Packages of npm: programs, add-ons for Node, WebAssembly.
const MODULES: [&str; 14] = [
    "@biomejs/cli-darwin-arm64",
    "@biomejs/cli-win32-x64",
    "@swc/core-darwin-x64",
    "@swc/core-win32-x64-msvc",
    "@swc/core-win32-arm64-msvc",
    "lightningcss-darwin-arm64",
    "lightningcss-win32-x64-msvc",
    "@rollup/rollup-darwin-arm64",
    "@rollup/rollup-win32-x64-gnu",
    "@rollup/rollup-win32-ia32-msvc",
    "@rollup/wasm-node",
    "@swc/wasm",
    "@biomejs/wasm-web",
    "@resvg/resvg-wasm",
];

/// Downloads and unpacks what is not there yet, each package in a folder of its own.
pub fn download(folder: &Path) {
    for (package, platform) in WHEELS {
        into(&folder.join(format!("{package}-{platform}")), |folder| {
            let arguments = [
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--python-version=3.12",
                "--platform",
                platform,
                package,
            ];
            run("pip", arguments, folder);
            for wheel in packed(folder, "whl") {
                run("python3", ["-m", "zipfile", "-e", &wheel, "."], folder);
            }
        });
    }
    for package in MODULES {
        into(&folder.join(package.replace('/', "-")), |folder| {
            run("npm", ["pack", "--silent", package], folder);
            for archive in packed(folder, "tgz") {
                run("tar", ["-xzf", &archive], folder);
            }
        });
    }
}

/// Fills a folder, unless it was filled before: it has its name only when it is whole.
fn into(folder: &Path, fill: impl FnOnce(&Path)) {
    if folder.is_dir() {
        return;
    }
    let part = folder.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).expect("a folder");
    fill(&part);
    fs::rename(&part, folder).expect("the folder is whole");
}

/// The packed files in a folder.
fn packed(folder: &Path, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let packed = paths.filter(|path| path.extension() == Some(OsStr::new(extension)));
    packed.map(|path| path.display().to_string()).collect()
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>, folder: &Path) {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .status();
    let status = status.unwrap_or_else(|error| panic!("cannot start `{program}`: {error}"));
    assert!(
        status.success(),
        "`{program}` failed in {}",
        folder.display()
    );
}
