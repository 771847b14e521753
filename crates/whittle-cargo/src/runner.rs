//! What starts programs of a target: an emulator, a remote machine, a wrapper ("`target.<triple>.runner`" in the Cargo book).

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_config2::{Config, PathAndArgs, ResolveOptions, TargetTripleRef};
use toml_edit::{DocumentMut, Item, Value};

use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::selection::Selection;

/// A program that is given the program to be run, and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// The program and its own arguments.
    pub words: Vec<OsString>,
}

impl Runner {
    /// The program to start and its arguments, so that `program` is run.
    #[must_use]
    pub fn command(&self, program: OsString) -> (OsString, Vec<OsString>) {
        let mut words = self.words.iter().cloned().chain([program]);
        let first = words.next().unwrap_or_default();
        (first, words.collect())
    }

    fn of(found: PathAndArgs) -> Self {
        let mut words = vec![found.path.into_os_string()];
        words.extend(found.args);
        Self { words }
    }
}

impl Cargo {
    /// What cargo would start the programs of a target with.
    ///
    /// # Errors
    /// [`CargoError::Configuration`] if cargo's configuration cannot be read.
    pub(crate) fn runner(
        &self,
        selection: &Selection,
        target: &str,
    ) -> Result<Option<Runner>, CargoError> {
        let directory = match &self.directory {
            Some(directory) => directory.clone(),
            None => env::current_dir().map_err(CargoError::io("find", "."))?,
        };
        let unreadable =
            |source: Box<dyn std::error::Error + Send + Sync>| CargoError::Configuration { source };
        // The flag comes first, and of several the last.
        for argument in selection.config.iter().rev() {
            let (document, origin) = document(argument, &directory).map_err(unreadable)?;
            if let Some(words) = runner_in(&document, target) {
                return Ok(Some(Runner {
                    words: resolved(words, &origin),
                }));
            }
        }
        let options = ResolveOptions::default().rustc(PathAndArgs::new(self.rustc.clone()));
        let config = Config::load_with_options(&directory, options)
            .map_err(|source| unreadable(source.into()))?;
        let found = config
            .runner(TargetTripleRef::from(target))
            .map_err(|source| unreadable(source.into()))?;
        Ok(found.map(Runner::of))
    }
}

/// What `--config` gives: a line of TOML, or a file of it; and the folder from which relative paths start.
fn document(
    argument: &str,
    directory: &Path,
) -> Result<(DocumentMut, PathBuf), Box<dyn std::error::Error + Send + Sync>> {
    let path = directory.join(argument);
    if !path.is_file() {
        return Ok((argument.parse()?, directory.to_owned()));
    }
    let document = fs::read_to_string(&path)?.parse()?;
    // As for files of configuration, which stand in a `.cargo`: "paths … relative to the parent directory of the
    // directory where the config file is located" (Cargo book, "Config-relative paths").
    let folder = path.parent().and_then(Path::parent);
    Ok((document, folder.unwrap_or(directory).to_owned()))
}

/// The runner of a target by its triple: text is split at spaces, as cargo does it.
fn runner_in(document: &DocumentMut, target: &str) -> Option<Vec<String>> {
    let runner = document
        .get("target")
        .and_then(|targets| targets.get(target))
        .and_then(|target| target.get("runner"))?;
    let words: Vec<String> = match runner {
        Item::Value(Value::String(text)) => {
            text.value().split_whitespace().map(str::to_owned).collect()
        }
        Item::Value(Value::Array(words)) => words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    (!words.is_empty()).then_some(words)
}

/// A program with a slash in its name is a path; another one is looked for in `PATH`.
fn resolved(words: Vec<String>, origin: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    if let Some(program) = words.first_mut()
        && Path::new(program).components().count() > 1
    {
        *program = origin.join(&*program).into_os_string();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "aarch64-unknown-linux-gnu";

    fn found(folder: &Path, config: &[&str]) -> Option<Vec<String>> {
        let cargo = Cargo {
            directory: Some(folder.to_owned()),
            ..Cargo::from_env()
        };
        let selection = Selection {
            config: config.iter().map(|text| (*text).to_owned()).collect(),
            ..Selection::default()
        };
        let runner = cargo.runner(&selection, TARGET).expect("it can be read")?;
        let words = runner.words.iter();
        Some(
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    #[test]
    fn a_runner_is_found_where_cargo_finds_it() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let write = |text: &str| {
            fs::create_dir_all(folder.path().join(".cargo"))?;
            fs::write(folder.path().join(".cargo/config.toml"), text)
        };
        assert_eq!(found(folder.path(), &[]), None);
        write(
            "[target.'cfg(target_arch = \"aarch64\")']\nrunner = ['qemu-aarch64', '-L', '/a b']\n",
        )?;
        let by_cfg = Some(vec!["qemu-aarch64".into(), "-L".into(), "/a b".into()]);
        assert_eq!(found(folder.path(), &[]), by_cfg);
        write("[target.aarch64-unknown-linux-gnu]\nrunner = 'tools/run -v'\n")?;
        let tool = folder.path().join("tools/run");
        let by_triple = vec![tool.to_string_lossy().into_owned(), "-v".to_owned()];
        assert_eq!(found(folder.path(), &[]), Some(by_triple));
        let flags = [
            "target.aarch64-unknown-linux-gnu.runner='first'",
            "target.aarch64-unknown-linux-gnu.runner='last one'",
            "build.jobs=1",
        ];
        let by_flag = Some(vec!["last".to_owned(), "one".to_owned()]);
        assert_eq!(found(folder.path(), &flags), by_flag);
        write("[target")?;
        let cargo = Cargo {
            directory: Some(folder.path().to_owned()),
            ..Cargo::from_env()
        };
        assert!(matches!(
            cargo.runner(&Selection::default(), TARGET),
            Err(CargoError::Configuration { .. })
        ));
        Ok(())
    }

    #[test]
    fn the_program_comes_after_the_runners_own_words() {
        let runner = Runner {
            words: vec!["qemu".into(), "-L".into()],
        };
        let (program, words) = runner.command("demo".into());
        assert_eq!(
            (program, words),
            ("qemu".into(), vec!["-L".into(), "demo".into()])
        );
    }
}
