//! What to build: cargo's own selection flags as plain data, and the one place where they become arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;

/// What to build and how, in cargo's words. The default is `cargo build --release`.
///
/// Every field means what the flag of that name means to cargo; nothing is checked here, cargo does that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// `--manifest-path`.
    pub manifest_path: Option<PathBuf>,
    /// `-p`, `--workspace`, `--exclude`.
    pub packages: Packages,
    /// `--lib`, `--bin`, `--bins`, `--example`, `--examples`.
    pub targets: Targets,
    /// `--features`, `--all-features`, `--no-default-features`.
    pub features: Features,
    /// `--profile`.
    pub profile: String,
    /// `--target`. `None` is not the same as the host's triple: cargo then keeps host and target artifacts together.
    pub target: Option<String>,
    /// `--target-dir`.
    pub target_dir: Option<PathBuf>,
    /// `--jobs`, as cargo spells it (a number, negative for "all but", or `default`).
    pub jobs: Option<String>,
    /// `--config`, each a `KEY=VALUE` or the path of a file.
    pub config: Vec<String>,
    /// `--locked`.
    pub locked: bool,
    /// `--offline`.
    pub offline: bool,
    /// `--frozen`.
    pub frozen: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            manifest_path: None,
            packages: Packages::default(),
            targets: Targets::default(),
            features: Features::default(),
            profile: "release".to_owned(),
            target: None,
            target_dir: None,
            jobs: None,
            config: Vec::new(),
            locked: false,
            offline: false,
            frozen: false,
        }
    }
}

/// Which packages of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Packages {
    /// What cargo takes when nothing is said: the package one stands in, or the default members.
    #[default]
    Default,
    /// `-p`, each a package id specification.
    Named(Vec<String>),
    /// `--workspace`.
    Workspace {
        /// `--exclude`, each a package id specification.
        exclude: Vec<String>,
    },
}

/// Which targets of these packages. When none is chosen, cargo takes libraries and binaries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// `--lib`.
    pub lib: bool,
    /// `--bin` and `--bins`.
    pub bins: Names,
    /// `--example` and `--examples`.
    pub examples: Names,
}

/// None, some or all targets of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// No flag of that kind.
    #[default]
    None,
    /// `--bins`, `--examples`.
    All,
    /// `--bin NAME`, `--example NAME`; names may hold cargo's wildcards.
    Named(Vec<String>),
}

/// Which features of the selected packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `--features`, each a feature or a list of them as cargo takes it.
    pub named: Vec<String>,
    /// `--all-features`.
    pub all: bool,
    /// `--no-default-features`.
    pub no_default: bool,
}

/// One target of one package, as `cargo rustc` wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OneTarget<'a> {
    Lib,
    Bin(&'a str),
    Example(&'a str),
}

impl Selection {
    /// The arguments of `cargo build`.
    #[must_use]
    pub fn build_args(&self) -> Vec<OsString> {
        let mut args = Args::new("build");
        match &self.packages {
            Packages::Default => {}
            Packages::Named(names) => args.each("--package", names),
            Packages::Workspace { exclude } => {
                args.flag("--workspace", true);
                args.each("--exclude", exclude);
            }
        }
        args.flag("--lib", self.targets.lib);
        args.names("--bin", "--bins", &self.targets.bins);
        args.names("--example", "--examples", &self.targets.examples);
        self.compile(&mut args, &self.features);
        args.0
    }

    /// The arguments of `cargo metadata`, which knows neither profile nor target directory.
    ///
    /// `platform` keeps dependencies of other platforms out: without it cargo wants them all downloaded.
    #[must_use]
    pub fn metadata_args(&self, platform: Option<&str>) -> Vec<OsString> {
        let mut args = Args::new("metadata");
        args.option("--format-version", Some("1"));
        // A target given as a specification file has no name that cargo would filter by.
        args.option(
            "--filter-platform",
            platform.filter(|platform| !is_specification_file(platform)),
        );
        args.features(&self.features);
        self.manifest(&mut args);
        args.0
    }

    /// The arguments of `cargo metadata` that reads the workspace's own manifests only: quick, and downloads nothing.
    #[must_use]
    pub fn workspace_args(&self) -> Vec<OsString> {
        let mut args = Args::new("metadata");
        args.option("--format-version", Some("1"));
        args.flag("--no-deps", true);
        self.manifest(&mut args);
        args.0
    }

    /// The arguments of `cargo test --no-run` for targets of one package, each given by its own argument.
    pub(crate) fn test_args(
        &self,
        package: &str,
        targets: &[OsString],
        features: &Features,
    ) -> Vec<OsString> {
        let mut args = Args::new("test");
        args.flag("--no-run", true);
        args.option("--package", Some(package));
        args.0.extend(targets.iter().cloned());
        self.compile(&mut args, features);
        args.0
    }

    /// The arguments of `cargo bench --no-run` for one benchmark of one package.
    pub(crate) fn bench_args(
        &self,
        package: &str,
        name: &str,
        features: &Features,
    ) -> Vec<OsString> {
        let mut args = Args::new("bench");
        args.flag("--no-run", true);
        args.option("--package", Some(package));
        args.option("--bench", Some(name));
        self.compile(&mut args, features);
        args.0
    }

    /// The arguments of a `cargo tree` that prints next to nothing: the quickest command that asks the compiler about the
    /// target as a build would.
    pub(crate) fn tree_args(&self) -> Vec<OsString> {
        let mut args = Args::new("tree");
        args.option("--depth", Some("0"));
        args.option("--edges", Some("normal"));
        args.option("--target", self.target.as_deref());
        self.manifest(&mut args);
        args.0
    }

    /// The arguments of `cargo rustc` for one target of this selection, `trailing` being rustc's own.
    pub(crate) fn rustc_args(
        &self,
        package: &str,
        target: OneTarget<'_>,
        features: &Features,
        trailing: impl IntoIterator<Item = OsString>,
    ) -> Vec<OsString> {
        let mut args = Args::new("rustc");
        args.option("--package", Some(package));
        match target {
            OneTarget::Lib => args.flag("--lib", true),
            OneTarget::Bin(name) => args.option("--bin", Some(name)),
            OneTarget::Example(name) => args.option("--example", Some(name)),
        }
        self.compile(&mut args, features);
        args.0.push("--".into());
        args.0.extend(trailing);
        args.0
    }

    /// What `cargo build` and `cargo rustc` have in common.
    fn compile(&self, args: &mut Args, features: &Features) {
        args.features(features);
        args.option("--profile", Some(&self.profile));
        args.option("--target", self.target.as_deref());
        args.path("--target-dir", self.target_dir.as_ref());
        args.option("--jobs", self.jobs.as_deref());
        args.option("--message-format", Some("json-render-diagnostics"));
        self.manifest(args);
    }

    fn manifest(&self, args: &mut Args) {
        args.path("--manifest-path", self.manifest_path.as_ref());
        args.each("--config", &self.config);
        args.flag("--locked", self.locked);
        args.flag("--offline", self.offline);
        args.flag("--frozen", self.frozen);
    }
}

impl Features {
    /// Those of the features that can be asked of one package: `cargo build` gives each feature to the selected packages
    /// that have it, `cargo rustc` fails when its one package does not.
    pub(crate) fn of_package(&self, package: &Package) -> Self {
        let has = |feature: &String| match feature.split_once('/') {
            None => package.features.contains_key(feature),
            Some((name, inner)) => {
                let name = name.trim_end_matches('?');
                (package.name == name && package.features.contains_key(inner))
                    || package.dependencies.iter().any(|dependency| {
                        dependency.rename.as_deref().unwrap_or(&dependency.name) == name
                    })
            }
        };
        let named = self
            .named
            .iter()
            .flat_map(|list| list.split([',', ' ']).map(ToOwned::to_owned));
        Features {
            named: named.filter(has).collect(),
            ..self.clone()
        }
    }
}

/// A target that is described by a file, not built into rustc.
pub(crate) fn is_specification_file(target: &str) -> bool {
    Path::new(target)
        .extension()
        .is_some_and(|extension| extension == "json")
}

struct Args(Vec<OsString>);

impl Args {
    fn new(command: &str) -> Self {
        Self(vec![command.into()])
    }

    fn flag(&mut self, flag: &str, given: bool) {
        if given {
            self.0.push(flag.into());
        }
    }

    /// Joined by `=`, so that a value that starts with a dash stays a value.
    fn option(&mut self, option: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push(format!("{option}={value}").into());
        }
    }

    fn path(&mut self, option: &str, value: Option<&PathBuf>) {
        if let Some(value) = value {
            let mut arg = OsString::from(option);
            arg.push("=");
            arg.push(value);
            self.0.push(arg);
        }
    }

    fn each(&mut self, option: &str, values: &[String]) {
        for value in values {
            self.option(option, Some(value));
        }
    }

    fn names(&mut self, one: &str, all: &str, names: &Names) {
        match names {
            Names::None => {}
            Names::All => self.flag(all, true),
            Names::Named(names) => self.each(one, names),
        }
    }

    fn features(&mut self, features: &Features) {
        self.each("--features", &features.named);
        self.flag("--all-features", features.all);
        self.flag("--no-default-features", features.no_default);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: Vec<OsString>) -> Vec<String> {
        args.into_iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn the_default_is_a_plain_release_build() {
        assert_eq!(
            words(Selection::default().build_args()),
            [
                "build",
                "--profile=release",
                "--message-format=json-render-diagnostics"
            ]
        );
    }

    #[test]
    fn every_field_becomes_its_flag() {
        let selection = Selection {
            manifest_path: Some("some dir/Cargo.toml".into()),
            packages: Packages::Workspace {
                exclude: vec!["a".into(), "b".into()],
            },
            targets: Targets {
                lib: true,
                bins: Names::All,
                examples: Names::Named(vec!["tour".into()]),
            },
            features: Features {
                named: vec!["x".into(), "y/z".into()],
                all: true,
                no_default: true,
            },
            profile: "dist".into(),
            target: Some("wasm32-wasip1".into()),
            target_dir: Some("elsewhere".into()),
            jobs: Some("-1".into()),
            config: vec!["profile.dist.lto=true".into()],
            locked: true,
            offline: true,
            frozen: true,
        };
        assert_eq!(
            words(selection.build_args()),
            [
                "build",
                "--workspace",
                "--exclude=a",
                "--exclude=b",
                "--lib",
                "--bins",
                "--example=tour",
                "--features=x",
                "--features=y/z",
                "--all-features",
                "--no-default-features",
                "--profile=dist",
                "--target=wasm32-wasip1",
                "--target-dir=elsewhere",
                "--jobs=-1",
                "--message-format=json-render-diagnostics",
                "--manifest-path=some dir/Cargo.toml",
                "--config=profile.dist.lto=true",
                "--locked",
                "--offline",
                "--frozen",
            ]
        );
        assert_eq!(
            words(selection.metadata_args(Some("wasm32-wasip1"))),
            [
                "metadata",
                "--format-version=1",
                "--filter-platform=wasm32-wasip1",
                "--features=x",
                "--features=y/z",
                "--all-features",
                "--no-default-features",
                "--manifest-path=some dir/Cargo.toml",
                "--config=profile.dist.lto=true",
                "--locked",
                "--offline",
                "--frozen",
            ]
        );
    }

    #[test]
    fn one_target_replaces_packages_and_targets() {
        let selection = Selection {
            packages: Packages::Named(vec!["one".into(), "two".into()]),
            targets: Targets {
                bins: Names::All,
                ..Targets::default()
            },
            ..Selection::default()
        };
        let args = selection.rustc_args(
            "two@1.0.0",
            OneTarget::Bin("b"),
            &Features::default(),
            ["-Cstrip=none".into()],
        );
        assert_eq!(
            words(args),
            [
                "rustc",
                "--package=two@1.0.0",
                "--bin=b",
                "--profile=release",
                "--message-format=json-render-diagnostics",
                "--",
                "-Cstrip=none",
            ]
        );
    }

    #[test]
    fn one_package_is_asked_for_its_own_features_only() -> serde_json::Result<()> {
        let package: Package = serde_json::from_str(
            r#"{
                "name": "one", "version": "1.0.0", "id": "one", "manifest_path": "/p/Cargo.toml", "targets": [],
                "features": { "fast": [], "default": [] },
                "dependencies": [
                    { "name": "real-name", "rename": "other", "req": "*", "kind": null, "optional": false,
                      "uses_default_features": true, "features": [], "target": null }
                ]
            }"#,
        )?;
        let features = Features {
            named: vec![
                "fast,unknown".into(),
                "one/fast two/fast other?/x real-name/x".into(),
            ],
            all: false,
            no_default: true,
        };
        let own = features.of_package(&package);
        assert_eq!(own.named, ["fast", "one/fast", "other?/x"]);
        assert!(own.no_default);
        Ok(())
    }

    #[test]
    fn a_target_specification_file_is_no_platform_to_filter_by() {
        let args = words(Selection::default().metadata_args(Some("targets/board.json")));
        assert_eq!(args, ["metadata", "--format-version=1"]);
    }
}
