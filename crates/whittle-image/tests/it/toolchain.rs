//! The C compiler, the linker behind it and binutils: what makes real files, and what reads them beside us.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub type Error = Box<dyn std::error::Error>;

/// A folder in which files are made.
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            folder: TempDir::new()?,
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file there.
    pub fn write(&self, name: &str, contents: &str) -> Result<(), Error> {
        Ok(std::fs::write(self.path(name), contents)?)
    }

    /// Reads a file from there.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        Ok(std::fs::read(self.path(name))?)
    }

    /// Runs a program there and returns what it printed. Its failure is an error.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.folder())
            .env("LC_ALL", "C")
            .output()
            .map_err(|error| format!("`{program}` cannot be started: {error}"))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{program} {arguments:?}` failed: {errors}").into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Compiles and links: `cc OPTIONS -o NAME`, and returns the file.
    pub fn cc(&self, name: &str, options: &[&str]) -> Result<Vec<u8>, Error> {
        self.run("cc", &[options, &["-o", name]].concat())?;
        self.read(name)
    }
}
