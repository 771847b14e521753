//! Builds under other settings, judged by what the programs say of themselves.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use object::{Object as _, ObjectSymbol as _};
use whittle_cargo::{
    ArtifactKind, Build, Cargo, CargoError, Selection, SettingValue, Settings, Variant,
    VariantBuilder,
};

use crate::project::{Project, Result, artifact, manifest, note, state};

/// Each crate says how it was compiled.
const SAYS: &str = r#"
    format!("{} abort={} debug={} flags={}{}{}{}", module_path!(), cfg!(panic = "abort"), cfg!(debug_assertions),
        if cfg!(users) { "users " } else { "" }, if cfg!(tables) { "tables " } else { "" },
        if cfg!(own) { "own " } else { "" }, if cfg!(last) { "last " } else { "" })
"#;

fn project() -> Result<Project> {
    Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "app",
                "build = \"build.rs\"\n[dependencies]\ndep = { path = \"dep\" }\n[workspace]\n[lints.rust]\nunexpected_cfgs = \"allow\"\n",
            ),
        ),
        (
            "src/main.rs",
            &format!(
                "fn main() {{ println!(\"{{}}\\n{{}}\\n{{}}\", {{ {SAYS} }}, dep::says(), env!(\"SCRIPT\")); }}\n"
            ),
        ),
        (
            "build.rs",
            "fn main() { println!(\"cargo::rustc-env=SCRIPT=script own={}\", cfg!(own)); }\n",
        ),
        (
            "dep/Cargo.toml",
            &manifest("dep", "[lints.rust]\nunexpected_cfgs = \"allow\"\n"),
        ),
        (
            "dep/src/lib.rs",
            &format!("pub fn says() -> String {{ {SAYS} }}\n"),
        ),
    ])
}

struct Bench {
    project: Project,
    build: Build,
    builder: VariantBuilder,
}

impl Bench {
    fn new(project: Project, selection: &Selection) -> Result<Self> {
        let cargo = project.cargo();
        Self::with(project, &cargo, selection)
    }

    fn with(project: Project, cargo: &Cargo, selection: &Selection) -> Result<Self> {
        let build = cargo.build(selection, &mut |_| ())?;
        let app = artifact(&build, ArtifactKind::Bin, "app")?;
        let builder = cargo.variants(selection, &build, app, &mut |_| ())?;
        Ok(Self {
            project,
            build,
            builder,
        })
    }

    fn variant(&self, settings: &Settings) -> Result<Variant> {
        let mut said = String::new();
        let into = self.project.path("target/out/variant");
        let variant = self
            .builder
            .build(settings, &into, &mut |event| note(&mut said, &event));
        variant.map_err(|error| format!("{error}\n{said}").into())
    }

    /// The three lines of the program: its own, the dependency's, the build script's.
    fn says(&self, settings: &Settings) -> Result<Vec<String>> {
        says(&self.variant(settings)?.path)
    }
}

fn says(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).stdin(Stdio::null()).output()?;
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(|line| line.trim().to_owned()).collect())
}

fn keys(keys: &[(&str, SettingValue)]) -> BTreeMap<String, SettingValue> {
    keys.iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn settings_reach_the_crates_they_are_for_and_nothing_of_the_users() -> Result {
    let bench = Bench::new(project()?, &Selection::default())?;
    let users = bench.build.artifacts[0].path.clone();
    let before = state(&users)?;

    let plain = [
        "app abort=false debug=false flags=",
        "dep abort=false debug=false flags=",
        "script own=false",
    ];
    assert_eq!(bench.says(&Settings::default())?, plain);

    let settings = Settings {
        profile: keys(&[("panic", "abort".into()), ("debug-assertions", true.into())]),
        packages: [(
            "dep".to_owned(),
            keys(&[("debug-assertions", false.into())]),
        )]
        .into(),
        last_crate: texts(&["--cfg=last"]),
        ..Settings::default()
    };
    assert_eq!(
        bench.says(&settings)?,
        [
            "app abort=true debug=true flags=last",
            "dep abort=true debug=false flags=",
            "script own=false"
        ]
    );

    assert_eq!(state(&users)?, before);
    assert_eq!(bench.project.stale(&["--release"])?, [""; 0]);
    Ok(())
}

#[test]
fn settings_outrank_manifest_configuration_and_environment() -> Result {
    let project = project()?;
    let text = fs::read_to_string(project.path("Cargo.toml"))?;
    project.write(
        "Cargo.toml",
        &format!("{text}\n[profile.small]\ninherits = \"release\"\ndebug-assertions = true\n"),
    )?;
    project.write(
        ".cargo/config.toml",
        "[profile.small]\ndebug-assertions = true\n",
    )?;
    let mut cargo = project.cargo();
    cargo.environment.push((
        "CARGO_PROFILE_SMALL_DEBUG_ASSERTIONS".into(),
        Some("true".into()),
    ));
    let selection = Selection {
        profile: "small".into(),
        ..Selection::default()
    };
    let bench = Bench::with(project, &cargo, &selection)?;
    assert!(bench.says(&Settings::default())?[0].contains("debug=true"));
    let settings = Settings {
        profile: keys(&[("debug-assertions", false.into())]),
        ..Settings::default()
    };
    assert!(bench.says(&settings)?[0].contains("debug=false"));
    Ok(())
}

#[test]
fn flags_are_added_to_the_users_own_wherever_these_come_from() -> Result {
    let host = project()?.cargo().toolchain(&mut |_| ())?.host;
    let build = "[build]\nrustflags = [\"--cfg\", \"users\"]\n";
    let tables = format!(
        "[target.{host}]\nrustflags = \"--cfg users\"\n[target.'cfg(unix)']\nrustflags = [\"--cfg=tables\"]\n"
    );
    let ignored = format!("{build}{tables}");
    let nothing = String::new();
    let variable =
        |key: &str, value: &str| Some((OsString::from(key), Some(OsString::from(value))));
    for (config, environment, expected) in [
        (build, None, "users own"),
        (&*tables, None, "users tables own"),
        // The tables for targets outrank those for all builds.
        (&*ignored, None, "users tables own"),
        (
            &*ignored,
            variable("RUSTFLAGS", "--cfg tables"),
            "tables own",
        ),
        (
            &*ignored,
            variable("CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}users"),
            "users own",
        ),
        (&*ignored, variable("RUSTFLAGS", ""), "own"),
        (
            &*nothing,
            variable("CARGO_BUILD_RUSTFLAGS", "--cfg users"),
            "users own",
        ),
        (&*nothing, None, "own"),
    ] {
        let project = project()?;
        project.write(".cargo/config.toml", config)?;
        let mut cargo = project.cargo();
        cargo.environment.extend(environment.clone());
        for target in [None, Some(host.clone())] {
            let selection = Selection {
                target,
                ..Selection::default()
            };
            let build = cargo.build(&selection, &mut |_| ())?;
            let app = artifact(&build, ArtifactKind::Bin, "app")?;
            let builder = cargo.variants(&selection, &build, app, &mut |_| ())?;
            let settings = Settings {
                rustflags: texts(&["--cfg=own"]),
                ..Settings::default()
            };
            let into = project.path("target/out/variant");
            builder.build(&settings, &into, &mut |_| ())?;
            let said = says(&into)?;
            let context = format!("{config:?} {environment:?} {:?}", selection.target);
            for line in &said[..2] {
                assert!(
                    line.ends_with(&format!("flags={expected}")),
                    "{line} {context}"
                );
            }
            // Cargo gives no flags to what runs here when it is told what is built for.
            let is_for_all = selection.target.is_none();
            assert_eq!(said[2], format!("script own={is_for_all}"), "{context}");
        }
    }
    Ok(())
}

#[test]
fn unstable_flags_and_features_reach_a_stable_compiler_only_when_asked() -> Result {
    let bench = Bench::new(
        Project::new(&[
            ("Cargo.toml", &manifest("app", "[workspace]\n")),
            (
                "src/main.rs",
                "fn main() { println!(\"{}\\n{}\", std::panic::Location::caller().line(), file!()); }\n",
            ),
        ])?,
        &Selection::default(),
    )?;
    assert_eq!(bench.says(&Settings::default())?, ["1", "src/main.rs"]);
    let hidden = Settings {
        rustflags: texts(&["-Zlocation-detail=none"]),
        bootstrap: true,
        ..Settings::default()
    };
    assert_eq!(bench.says(&hidden)?[0], "0");

    // A key of the profile that cargo takes only with its feature.
    let trimmed = Settings {
        profile: keys(&[("trim-paths", "all".into())]),
        unstable: keys(&[("trim-paths", true.into())]),
        bootstrap: true,
        ..Settings::default()
    };
    assert_eq!(bench.says(&trimmed)?[1], "src/main.rs");
    let without_feature = Settings {
        unstable: BTreeMap::new(),
        ..trimmed
    };
    assert!(bench.variant(&without_feature).is_err());
    Ok(())
}

#[test]
fn what_settings_do_not_reach_is_compiled_once() -> Result {
    let bench = Bench::new(project()?, &Selection::default())?;
    let names = |variant: &Variant| {
        let mut names: Vec<String> = variant
            .compiled
            .iter()
            .map(|id| {
                if id.repr.contains("dep") {
                    "dep"
                } else {
                    "app"
                }
                .to_owned()
            })
            .collect();
        names.sort();
        names
    };
    let small = Settings {
        profile: keys(&[("opt-level", "s".into())]),
        ..Settings::default()
    };
    let first = bench.variant(&small)?;
    assert_eq!(names(&first), ["app", "app", "dep"]); // one is the build script
    let bytes = fs::read(&first.path)?;

    let linked = Settings {
        link_args: texts(&["-Wl,--defsym=planted=1234"]),
        last_crate: texts(&["-Cstrip=none"]),
        ..small.clone()
    };
    let second = bench.variant(&linked)?;
    assert_eq!(names(&second), ["app"]);
    let planted = fs::read(&second.path)?;
    let file = object::File::parse(&*planted)?;
    assert!(
        file.symbols()
            .any(|symbol| symbol.name() == Ok("planted") && symbol.address() == 1234)
    );

    let again = bench.variant(&small)?;
    assert_eq!(names(&again), [""; 0]);
    assert_eq!(fs::read(&again.path)?, bytes);

    let cpu = |variant: &Variant| variant.usage.map(|usage| usage.cpu());
    assert!(cpu(&first) > cpu(&again), "{first:?} {again:?}");
    assert!(cpu(&first) > Some(Duration::from_millis(50)), "{first:?}");
    Ok(())
}

#[test]
fn a_build_apart_is_the_first_of_the_variants() -> Result {
    let project = project()?;
    // A place of its own for what is not for the user, which stays the user's.
    project.write(".cargo/config.toml", "[build]\nbuild-dir = \"users\"\n")?;
    let (cargo, selection) = (project.cargo(), Selection::default());
    let build = cargo.build_apart(&selection, &mut |_| ())?;
    let tag = fs::read_to_string(project.path("target/CACHEDIR.TAG"))?;
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
    let app = artifact(&build, ArtifactKind::Bin, "app")?;
    let bytes = fs::read(&app.path)?;
    let builder = cargo.variants(&selection, &build, app, &mut |_| ())?;
    assert!(app.path.starts_with(builder.target_directory()));
    assert_eq!(build.plain_path(app), project.path("target/release/app"));
    assert!(!project.path("target/release").exists() && !project.path("users").exists());

    let into = project.path("target/out/variant");
    let same = builder.build(&Settings::default(), &into, &mut |_| ())?;
    assert_eq!((same.compiled.len(), fs::read(&into)?), (0, bytes));
    let last = Settings {
        last_crate: texts(&["--cfg=last"]),
        ..Settings::default()
    };
    let last = builder.build(&last, &into, &mut |_| ())?;
    assert_eq!(last.compiled.len(), 1);
    assert!(says(&into)?[0].ends_with("flags=last"));
    Ok(())
}

#[test]
fn what_does_not_build_is_an_error_and_hurts_nobody() -> Result {
    let bench = Bench::new(project()?, &Selection::default())?;
    let users = bench.build.artifacts[0].path.clone();
    let before = state(&users)?;
    let into = bench.project.path("target/out/variant");
    for settings in [
        Settings {
            profile: keys(&[("opt-level", "huge".into())]),
            ..Settings::default()
        },
        Settings {
            link_args: texts(&["-Wl,--no-such-argument"]),
            ..Settings::default()
        },
        // A stable compiler takes none.
        Settings {
            rustflags: texts(&["-Zno-such-flag"]),
            ..Settings::default()
        },
    ] {
        let error = bench.builder.build(&settings, &into, &mut |_| ());
        assert!(
            matches!(error, Err(CargoError::Failed { .. })),
            "{settings:?}: {error:?}"
        );
        assert!(!into.exists());
    }
    assert_eq!(state(&users)?, before);
    Ok(())
}

#[test]
fn a_build_that_takes_too_long_is_ended() -> Result {
    let project = project()?;
    let file = project.path("started");
    project.write(
        "build.rs",
        &format!("fn main() {{ std::fs::write({file:?}, \"\").unwrap(); std::thread::sleep(std::time::Duration::from_secs(120)); }}\n"),
    )?;
    let mut cargo = project.cargo();
    cargo.limit = Some(Duration::from_secs(10));
    let error = cargo.build(&Selection::default(), &mut |_| ());
    let error = error.err().ok_or("it was not ended")?;
    assert!(
        error.to_string().ends_with("failed (time limit reached)"),
        "{error}"
    );
    assert!(file.exists());
    Ok(())
}

#[test]
fn a_cargo_without_a_helper_builds_but_does_not_measure() -> Result {
    let project = project()?;
    let mut cargo = project.cargo();
    cargo.helper = None;
    let selection = Selection::default();
    let build = cargo.build(&selection, &mut |_| ())?;
    assert_eq!(build.usage, None);
    let error = cargo.rustflags(&selection, &mut |_| ());
    assert!(matches!(error, Err(CargoError::NoHelper)), "{error:?}");

    let measured = project.cargo().build(&selection, &mut |_| ())?;
    assert!(
        measured
            .usage
            .is_some_and(|usage| usage.cpu() > Duration::ZERO)
    );
    Ok(())
}

#[test]
fn a_relative_place_for_the_file_is_this_processs_own() -> Result {
    let bench = Bench::new(project()?, &Selection::default())?;
    let folder = tempfile::tempdir_in(".")?;
    let into: PathBuf = Path::new(folder.path().file_name().ok_or("it has a name")?).join("a/b");
    bench
        .builder
        .build(&Settings::default(), &into, &mut |_| ())?;
    assert_eq!(says(&into.canonicalize()?)?.len(), 3);
    Ok(())
}
