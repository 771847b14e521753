//! A workspace in a temporary folder, and what cargo itself says about it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use whittle_cargo::{Artifact, ArtifactKind, Build, Cargo, Event, Helper, Selection, Stderr, Twin};

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A workspace in a folder that goes with it.
pub struct Project {
    root: PathBuf,
    _folder: TempDir,
}

/// What surrounds the tests and is not theirs: settings that would reach the children.
const NOT_OURS: [&str; 7] = [
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

impl Project {
    pub fn new(files: &[(&str, &str)]) -> Result<Self> {
        Self::named("project", files)
    }

    pub fn named(name: &str, files: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // Cargo resolves links in paths, and so must what is compared with them.
        let root = folder.path().canonicalize()?.join(name);
        fs::create_dir(&root)?;
        let project = Self {
            root,
            _folder: folder,
        };
        for (path, text) in files {
            project.write(path, text)?;
        }
        Ok(project)
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    pub fn write(&self, path: &str, text: &str) -> Result {
        let path = self.path(path);
        fs::create_dir_all(path.parent().ok_or("every file is in a folder")?)?;
        fs::write(path, text)?;
        Ok(())
    }

    pub fn cargo(&self) -> Cargo {
        Cargo {
            directory: Some(self.root.clone()),
            environment: NOT_OURS
                .iter()
                .map(|key| ((*key).into(), None))
                .chain([("CARGO_NET_OFFLINE".into(), Some("true".into()))])
                .collect(),
            stderr: Stderr::Events,
            helper: Some(Helper::at(env!("CARGO_BIN_EXE_whittle-helper"))),
            ..Cargo::from_env()
        }
    }

    /// Builds and shows what cargo said if that fails.
    pub fn build(&self, selection: &Selection) -> Result<Build> {
        let mut said = String::new();
        let build = self
            .cargo()
            .build(selection, &mut |event| note(&mut said, &event));
        build.map_err(|error| format!("{error}\n{said}").into())
    }

    pub fn twin(&self, selection: &Selection, build: &Build, artifact: &Artifact) -> Result<Twin> {
        let mut said = String::new();
        let twin = self.cargo().twin(selection, build, artifact, &mut |event| {
            note(&mut said, &event);
        });
        twin.map_err(|error| format!("{error}\n{said}").into())
    }

    /// The crates that a plain `cargo build` with these arguments finds not fresh; the judge of what we left behind.
    pub fn stale(&self, args: &[&str]) -> Result<Vec<String>> {
        let mut command = Command::new(Cargo::from_env().program);
        command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .env("CARGO_NET_OFFLINE", "true");
        for key in NOT_OURS {
            command.env_remove(key);
        }
        let output = command.arg("build").args(args).arg("-v").output()?;
        let text = String::from_utf8(output.stderr)?;
        if !output.status.success() {
            return Err(text.into());
        }
        let is_stale = |line: &&str| {
            ["Dirty", "Compiling"]
                .iter()
                .any(|word| line.trim_start().starts_with(word))
        };
        Ok(text
            .lines()
            .filter(is_stale)
            .map(ToOwned::to_owned)
            .collect())
    }
}

pub fn note(said: &mut String, event: &Event<'_>) {
    if let Event::Running { command: line, .. } | Event::Stderr(line) | Event::Stdout(line) = event
    {
        said.push_str(line);
        said.push('\n');
    }
}

/// The one artifact of that kind and name.
pub fn artifact<'a>(build: &'a Build, kind: ArtifactKind, name: &str) -> Result<&'a Artifact> {
    let mut found = build
        .artifacts
        .iter()
        .filter(|artifact| artifact.kind == kind && artifact.target_name == name);
    match (found.next(), found.next()) {
        (Some(artifact), None) => Ok(artifact),
        _ => Err(format!("not one {kind} `{name}` among {:?}", build.artifacts).into()),
    }
}

/// Bytes and time of a file.
pub fn state(path: &Path) -> Result<(Vec<u8>, std::time::SystemTime)> {
    Ok((fs::read(path)?, fs::metadata(path)?.modified()?))
}

pub const MAIN: &str = "fn main() { println!(\"{:?}\", std::env::args().collect::<Vec<_>>()); }\n";

pub fn manifest(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
}
