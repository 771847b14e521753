//! What outranks the lines that `--apply` writes: for whoever wants to know why a plain build does not hear them.
//!
//! Cargo asks `--config`, the environment and configuration files before the manifest for keys of a profile, and takes
//! flags from the environment instead of configuration ("Hierarchical structure" and "`build.rustflags`" in the Cargo
//! book).

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use whittle_cargo::Settings as CargoSettings;

/// Where cargo looks.
pub(crate) struct Overrides<'a> {
    /// The profile that was written to.
    pub(crate) profile: &'a str,
    /// What was written.
    pub(crate) settings: &'a CargoSettings,
    /// The workspace's root.
    pub(crate) root: &'a Path,
    /// The folder that cargo is called in.
    pub(crate) directory: &'a Path,
    /// What `--config` says.
    pub(crate) config: &'a [String],
}

impl Overrides<'_> {
    /// Everything that outranks a line, each in plain words.
    pub(crate) fn find(
        &self,
        is_set: &dyn Fn(&str) -> bool,
        cargo_home: Option<&Path>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let spelled = |text: &str| text.to_uppercase().replace('-', "_");
        let keys: Vec<&str> = self.settings.profile.keys().map(String::as_str).collect();
        for key in &keys {
            let dotted = format!("profile.{}.{key}", self.profile);
            found.extend(
                self.config
                    .iter()
                    .filter(|config| config.trim_start().starts_with(&dotted))
                    .map(|config| format!("`--config {config}`")),
            );
            let variable = format!("CARGO_PROFILE_{}_{}", spelled(self.profile), spelled(key));
            if is_set(&variable) {
                found.push(format!("`{variable}` in the environment"));
            }
        }
        for file in configuration_files(self.directory, cargo_home) {
            let Some(configuration) = read(&file) else {
                continue;
            };
            found.extend(
                keys_of(&configuration, self.profile, &keys)
                    .map(|key| format!("`{key}` in `{}`", file.display())),
            );
        }
        let has_flags = !self.settings.rustflags.is_empty() || !self.settings.link_args.is_empty();
        if has_flags {
            for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
                if is_set(variable) {
                    found.push(format!("`{variable}` in the environment"));
                }
            }
            if !self.directory.starts_with(self.root) {
                found.push(format!(
                    "cargo, called in `{}`, which does not read `{}`",
                    self.directory.display(),
                    self.root.join(".cargo/config.toml").display()
                ));
            }
        }
        found
    }
}

/// The home of cargo's own configuration file.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// Configuration files that cargo reads when it is called in a folder, the nearest first.
pub(crate) fn configuration_files(directory: &Path, cargo_home: Option<&Path>) -> Vec<PathBuf> {
    let folders = directory
        .ancestors()
        .map(|folder| folder.join(".cargo"))
        .chain(cargo_home.map(Path::to_owned));
    let mut files: Vec<PathBuf> = folders
        .filter_map(|folder| {
            // The name without an extension comes first where both are there.
            ["config", "config.toml"]
                .map(|name| folder.join(name))
                .into_iter()
                .find(|path| path.is_file())
        })
        .collect();
    files.dedup();
    files
}

fn read(path: &Path) -> Option<Table> {
    fs::read_to_string(path).ok()?.parse().ok()
}

/// The keys of a profile that a configuration file has.
fn keys_of<'k>(
    configuration: &'k Table,
    profile: &'k str,
    keys: &'k [&str],
) -> impl Iterator<Item = String> + 'k {
    let table = configuration
        .get("profile")
        .and_then(|profiles| profiles.get(profile))
        .and_then(Value::as_table);
    keys.iter()
        .filter(move |key| table.is_some_and(|table| table.contains_key(**key)))
        .map(move |key| format!("profile.{profile}.{key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(flags: &[&str]) -> CargoSettings {
        CargoSettings {
            profile: [
                ("strip".to_owned(), "symbols".into()),
                ("codegen-units".to_owned(), 1.into()),
            ]
            .into(),
            rustflags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            ..CargoSettings::default()
        }
    }

    #[test]
    fn what_outranks_a_line_is_named_and_nothing_else() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("project");
        fs::create_dir_all(root.join(".cargo"))?;
        let file = root.join(".cargo/config.toml");
        fs::write(
            &file,
            "[profile.release]\nstrip = false\nlto = true\n[profile.dev]\ncodegen-units = 1\n",
        )?;
        let config = [
            "profile.release.codegen-units=4".to_owned(),
            "profile.dev.strip=true".to_owned(),
        ];
        let find = |settings: &CargoSettings, directory: &Path, variables: &[&str]| {
            Overrides {
                profile: "release",
                settings,
                root: &root,
                directory,
                config: &config,
            }
            .find(&|name| variables.contains(&name), None)
        };
        assert_eq!(
            find(
                &settings(&[]),
                &root,
                &[
                    "CARGO_PROFILE_RELEASE_STRIP",
                    "CARGO_PROFILE_RELEASE_LTO",
                    "RUSTFLAGS"
                ]
            ),
            [
                "`--config profile.release.codegen-units=4`".to_owned(),
                "`CARGO_PROFILE_RELEASE_STRIP` in the environment".to_owned(),
                format!("`profile.release.strip` in `{}`", file.display()),
            ]
        );
        let elsewhere = find(&settings(&["-Cx"]), folder.path(), &["RUSTFLAGS"]).join("; ");
        assert!(
            elsewhere.contains("`RUSTFLAGS` in the environment"),
            "{elsewhere}"
        );
        assert!(elsewhere.contains("does not read"), "{elsewhere}");
        assert!(!elsewhere.contains("profile.release.strip"), "{elsewhere}");
        Ok(())
    }
}
