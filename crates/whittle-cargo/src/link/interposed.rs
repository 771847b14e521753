//! The helper in the linker's place, and how it gets there.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::arguments::{self, Named};
use super::record::{self, Record};
use crate::cargo::Cargo;
use crate::compiler::become_command;
use crate::helper::{COMPILER, Helper, LINKER};
use crate::saved::link_or_copy;

/// The folder of the capture.
const CAPTURE: &str = "CARGO_WHITTLE_CAPTURE";
/// The linker by which the last crate is known: the value of its trailing flag.
const MARK: &str = "CARGO_WHITTLE_LINKER_MARK";
/// The linker that rustc takes when nobody says which.
const DEFAULT: &str = "CARGO_WHITTLE_DEFAULT_LINKER";

/// What rustc sets for linkers (`linker_with_args` and `exec_linker` of rustc 1.56 to 1.95): where its own tools are, and
/// the language of messages.
const SET_BY_RUSTC: [&str; 3] = ["PATH", "LC_ALL", "VSLANG"];

/// Makes one run of `cargo rustc` capture the link of the crate whose trailing flags name the helper as its linker.
pub(super) fn ask(
    command: &mut Command,
    cargo: &Cargo,
    helper: &Helper,
    default_linker: &str,
    folder: &Path,
) {
    command
        .env("RUSTC", helper.program())
        .env(COMPILER, &cargo.rustc)
        .env(MARK, helper.program())
        .env(DEFAULT, default_linker)
        .env(CAPTURE, folder);
}

/// The compiler's part: tells the helper, if it is this call's linker, which one it stands for.
pub(crate) fn interpose(command: &mut Command, args: &[OsString]) {
    let (mark, default) = (env::var_os(MARK), env::var_os(DEFAULT));
    command.env_remove(MARK).env_remove(DEFAULT);
    let mut linkers = codegen_values(args, "linker");
    let (Some(mark), Some(default), Some(folder)) = (mark, default, env::var_os(CAPTURE)) else {
        return;
    };
    if linkers.pop() != Some(&mark) {
        command.env_remove(CAPTURE);
        return;
    }
    // What is not written down is missed by whoever reads; the build is not to fail for it.
    let _ = record::write_compiler_args(Path::new(&folder), args);
    match linkers.pop() {
        Some(real) => {
            command.env(LINKER, real);
            // rustc guesses from the linker's name which arguments it takes.
            if let Ok(alias) = alias(Path::new(&folder), Path::new(&mark), Path::new(real)) {
                let mut flag = OsString::from("-Clinker=");
                flag.push(alias);
                command.arg(flag);
            }
        }
        None => {
            command.env(LINKER, default);
        }
    }
}

/// The helper under the name of another program.
fn alias(folder: &Path, helper: &Path, real: &Path) -> io::Result<PathBuf> {
    let name = real.file_name().unwrap_or(real.as_os_str());
    let folder = folder.join("alias");
    fs::create_dir_all(&folder)?;
    let alias = folder.join(name);
    #[cfg(unix)]
    std::os::unix::fs::symlink(helper, &alias)?;
    #[cfg(not(unix))]
    link_or_copy(helper, &alias)?;
    Ok(alias)
}

/// What runs when the executable is started as a linker: keeps the inputs and becomes the real one.
pub(crate) fn link(args: Vec<OsString>) -> ExitCode {
    let (Some(program), Some(folder)) = (env::var_os(LINKER), env::var_os(CAPTURE)) else {
        return ExitCode::FAILURE;
    };
    if let Err(error) = capture(&program, args.clone(), Path::new(&folder)) {
        // A link that was asked for and not caught is a failure; rustc shows this.
        let _ = writeln!(io::stderr(), "error: cannot capture the link: {error}");
        return ExitCode::FAILURE;
    }
    let mut command = Command::new(program);
    command.args(args).env_remove(LINKER).env_remove(CAPTURE);
    become_command(command)
}

fn capture(program: &OsStr, args: Vec<OsString>, folder: &Path) -> io::Result<()> {
    let directory = env::current_dir()?;
    let inputs = folder.join("inputs");
    fs::create_dir_all(&inputs)?;
    let mut args = arguments::expand(args, &directory)?;
    let output = record::output(&args);
    for (index, arg) in args.iter_mut().enumerate() {
        if Some(index) == output {
            continue;
        }
        let Some(Named { prefix, path }) = arguments::named(arg, &directory) else {
            continue;
        };
        let Some(name) = path.file_name().filter(|_| !stays(&path)) else {
            continue;
        };
        let mut kept = OsString::from(format!("{index}-"));
        kept.push(name);
        let kept = inputs.join(kept);
        keep(&path, &kept)?;
        let mut word = OsString::from(prefix);
        word.push(kept);
        *arg = word;
    }
    let environment = SET_BY_RUSTC
        .iter()
        .filter_map(|key| Some(((*key).into(), Some(env::var_os(key)?))))
        .collect();
    Record::new(program.to_owned(), args, directory, environment)
        .ok_or_else(|| io::Error::other("no argument says where the output goes"))?
        .write(&record::path(folder))
}

/// What is part of the toolchain, and folders, which are searched for libraries; but not the folder of rustc's own where
/// it puts import libraries that it makes (`raw-dylib`).
fn stays(path: &Path) -> bool {
    let is_toolchains = path.components().any(|part| part.as_os_str() == "rustlib");
    is_toolchains || (path.is_dir() && !path.ends_with("raw-dylibs"))
}

fn keep(from: &Path, to: &Path) -> io::Result<()> {
    // A failed link is tried again by rustc, with fewer arguments.
    if to.exists() {
        return Ok(());
    }
    if !from.is_dir() {
        return link_or_copy(from, to);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        link_or_copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// All values of `-C NAME=…` in their order, in each of its spellings.
fn codegen_values<'a>(args: &'a [OsString], name: &str) -> Vec<&'a OsStr> {
    let mut values = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else { continue };
        let option = match text {
            "-C" | "--codegen" => args.next().and_then(|arg| arg.to_str()),
            _ => text
                .strip_prefix("-C")
                .or_else(|| text.strip_prefix("--codegen=")),
        };
        let value = option
            .and_then(|option| option.split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        values.extend(value.map(OsStr::new));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_in_each_spelling() {
        let args = [
            "-C",
            "linker=a",
            "-Clinker=b=c",
            "--codegen=linker=d",
            "--codegen",
            "linker=e",
            "-Clinker-flavor=f",
            "-C",
            "opt-level=3",
            "linker=g",
            "-C",
        ]
        .map(OsString::from);
        assert_eq!(codegen_values(&args, "linker"), ["a", "b=c", "d", "e"]);
    }
}
