//! What goes wrong, and what is said about it.

use std::ffi::OsString;
use std::fs;

use whittle_cargo::{BuildWarning, CargoError, Event, PackageSource, Selection};

use crate::project::{MAIN, Project, Result, manifest};

#[test]
fn a_failing_build_shows_cargos_own_messages() -> Result {
    let project = Project::new(&[
        ("Cargo.toml", &manifest("broken", "")),
        ("src/main.rs", "fn main() { nonsense() }\n"),
    ])?;
    let mut said = Vec::new();
    let error = project.cargo().build(&Selection::default(), &mut |event| {
        if let Event::Stderr(line) = event {
            said.push(line.to_owned());
        }
    });
    let error = error.err().ok_or("the program does not compile")?;
    assert!(matches!(error, CargoError::Failed { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with('`') && error.to_string().contains("build --profile=release"),
        "{error}"
    );
    assert!(error.help().is_some_and(|help| help.contains("above")));
    assert!(said.iter().any(|line| line.contains("E0425")), "{said:#?}");
    Ok(())
}

#[test]
fn a_pure_library_links_nothing() -> Result {
    let project = Project::new(&[
        ("Cargo.toml", &manifest("pure", "")),
        ("src/lib.rs", "pub fn f() {}\n"),
    ])?;
    let error = project
        .cargo()
        .build(&Selection::default(), &mut |_| ())
        .err()
        .ok_or("nothing is linked")?;
    assert_eq!(
        error.to_string(),
        "nothing that was built is linked: `pure`"
    );
    assert!(error.help().is_some_and(|help| help.contains("--example")));
    Ok(())
}

#[test]
fn a_folder_without_a_package_is_named() -> Result {
    let project = Project::new(&[("readme", "")])?;
    let error = project
        .cargo()
        .build(&Selection::default(), &mut |_| ())
        .err()
        .ok_or("no manifest")?;
    assert!(
        matches!(&error, CargoError::NoManifest { path } if *path == project.path("")),
        "{error:?}"
    );

    let selection = Selection {
        manifest_path: Some("nowhere/Cargo.toml".into()),
        ..Selection::default()
    };
    let error = project
        .cargo()
        .metadata(&selection, &mut |_| ())
        .err()
        .ok_or("no manifest")?;
    assert!(
        matches!(&error, CargoError::NoManifest { path } if *path == project.path("nowhere/Cargo.toml")),
        "{error:?}"
    );
    assert!(
        error
            .help()
            .is_some_and(|help| help.contains("--manifest-path"))
    );
    Ok(())
}

#[test]
fn a_broken_manifest_is_cargos_to_explain() -> Result {
    let project = Project::new(&[("Cargo.toml", "[package\n")])?;
    let mut said = String::new();
    let error = project.cargo().build(&Selection::default(), &mut |event| {
        if let Event::Stderr(line) = event {
            said.push_str(line);
        }
    });
    assert!(matches!(error.err(), Some(CargoError::Failed { .. })));
    assert!(said.contains("Cargo.toml"), "{said}");
    Ok(())
}

#[test]
fn programs_that_are_not_there_are_named() -> Result {
    let project = Project::new(&[("Cargo.toml", &manifest("solo", "")), ("src/main.rs", MAIN)])?;
    let mut cargo = project.cargo();
    cargo.program = OsString::from("no-such-cargo");
    let error = cargo
        .build(&Selection::default(), &mut |_| ())
        .err()
        .ok_or("there is no such program")?;
    assert_eq!(error.to_string(), "cannot run `no-such-cargo`");
    assert!(error.help().is_some_and(|help| help.contains("`CARGO`")));

    let mut cargo = project.cargo();
    cargo.rustc = OsString::from("no-such-rustc");
    let error = cargo
        .build(&Selection::default(), &mut |_| ())
        .err()
        .ok_or("there is no such program")?;
    assert!(error.help().is_some_and(|help| help.contains("`RUSTC`")));

    let mut cargo = project.cargo();
    cargo.directory = Some(project.path("gone"));
    let error = cargo
        .metadata(&Selection::default(), &mut |_| ())
        .err()
        .ok_or("there is no such folder")?;
    assert!(!matches!(error, CargoError::NotFound { .. }), "{error:?}");
    Ok(())
}

#[test]
fn what_a_dependency_prints_is_no_message() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "user",
                "[dependencies]\nloud = { path = \"loud\" }\n[workspace]\n",
            ),
        ),
        ("src/main.rs", "loud::nothing!();\nfn main() {}\n"),
        (
            "loud/Cargo.toml",
            &manifest("loud", "[lib]\nproc-macro = true\n"),
        ),
        (
            "loud/src/lib.rs",
            "#[proc_macro] pub fn nothing(input: proc_macro::TokenStream) -> proc_macro::TokenStream { println!(\"{{loud}}\"); input }\n",
        ),
    ])?;
    let mut lines = Vec::new();
    let build = project.cargo().build(&Selection::default(), &mut |event| {
        if let Event::Stdout(line) = event {
            lines.push(line.to_owned());
        }
    })?;
    assert_eq!(lines, ["{loud}"]);
    assert_eq!(build.artifacts.len(), 1);
    Ok(())
}

#[test]
fn an_artifact_that_went_away_is_named() -> Result {
    let project = Project::new(&[("Cargo.toml", &manifest("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    fs::remove_file(&build.artifacts[0].path)?;
    let error = project
        .cargo()
        .twin(&selection, &build, &build.artifacts[0], &mut |_| ());
    let error = error.err().ok_or("the program is gone")?;
    assert!(
        matches!(&error, CargoError::ArtifactVanished { path } if *path == build.artifacts[0].path),
        "{error:?}"
    );
    assert!(error.help().is_some());
    Ok(())
}

#[test]
#[cfg(unix)]
fn a_build_without_a_dependency_graph_is_still_a_build() -> Result {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "user",
                "[dependencies]\nshared = { path = \"shared\" }\n[workspace]\nexclude = [\"shared\"]\n",
            ),
        ),
        ("src/main.rs", "fn main() { shared::f(); }\n"),
        ("shared/Cargo.toml", &manifest("shared", "")),
        ("shared/src/lib.rs", "pub fn f() {}\n"),
    ])?;
    // As when a dependency of tests only would have to be downloaded and there is no network.
    let real = project.cargo().program;
    let wrapper = format!(
        "#!/bin/sh\ncase \"$*\" in *--filter-platform*) echo 'no network' >&2; exit 101;; esac\nexec '{}' \"$@\"\n",
        real.to_string_lossy()
    );
    project.write("wrapper", &wrapper)?;
    fs::set_permissions(project.path("wrapper"), fs::Permissions::from_mode(0o755))?;
    let mut cargo = project.cargo();
    cargo.program = project.path("wrapper").into();
    let build = cargo.build(&Selection::default(), &mut |_| ())?;
    let [BuildWarning::NoDependencies { reason }] = &build.warnings[..] else {
        return Err(format!("{:?}", build.warnings).into());
    };
    assert!(reason.contains("metadata"), "{reason}");
    let packages: Vec<_> = build
        .record
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    assert_eq!(packages, [("shared", "0.1.0"), ("user", "0.1.0")]);
    assert_eq!(build.record.packages[0].source, PackageSource::Path);
    Ok(())
}
