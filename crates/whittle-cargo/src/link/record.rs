//! What is noted down of a link, and where.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const FORMAT: &str = "cargo-whittle/link";
const VERSION: u32 = 1;

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Record {
    format: String,
    version: u32,
    pub(super) program: OsString,
    /// Without response files; those that name inputs name the kept ones.
    pub(super) args: Vec<OsString>,
    /// Which of them is the path of the output.
    output: usize,
    pub(super) directory: PathBuf,
    /// What rustc sets for its linker.
    pub(super) environment: Vec<(OsString, Option<OsString>)>,
}

impl Record {
    /// `None` if no argument says where the output goes.
    pub(super) fn new(
        program: OsString,
        args: Vec<OsString>,
        directory: PathBuf,
        environment: Vec<(OsString, Option<OsString>)>,
    ) -> Option<Self> {
        let output = output(&args)?;
        Some(Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program,
            args,
            output,
            directory,
            environment,
        })
    }

    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let record: Self = serde_json::from_slice(&fs::read(path)?)?;
        if record.format == FORMAT && record.version == VERSION && record.output < record.args.len()
        {
            Ok(record)
        } else {
            Err(io::Error::other("it was written by another version"))
        }
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self)?)
    }

    /// The arguments with another output.
    pub(super) fn args_for(&self, output: &Path) -> Vec<OsString> {
        let mut args = self.args.clone();
        if let Some(arg) = args.get_mut(self.output) {
            output.as_os_str().clone_into(arg);
        }
        args
    }
}

/// Which argument is the path of the output: rustc writes `-o PATH`.
pub(super) fn output(args: &[OsString]) -> Option<usize> {
    let flag = args.iter().rposition(|arg| arg == "-o")?;
    (flag + 1 < args.len()).then_some(flag + 1)
}

/// Where the record of a link lies in the folder of its capture.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("link.json")
}

/// Notes down what the compiler of the last crate was told.
pub(super) fn write_compiler_args(folder: &Path, args: &[OsString]) -> io::Result<()> {
    fs::write(compiler_path(folder), serde_json::to_vec(args)?)
}

/// What the compiler of the last crate was told.
pub(super) fn read_compiler_args(folder: &Path) -> io::Result<Vec<OsString>> {
    Ok(serde_json::from_slice(&fs::read(compiler_path(folder))?)?)
}

/// Where the arguments of the compiler lie in the folder of a capture.
pub(super) fn compiler_path(folder: &Path) -> PathBuf {
    folder.join("compiler.json")
}
