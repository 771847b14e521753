//! Which files come out of a build.

use whittle_cargo::{ArtifactKind, Build, Names, Packages, Selection, Targets};

use crate::project::{MAIN, Project, Result, manifest};

fn found(build: &Build) -> Vec<(ArtifactKind, &str)> {
    build
        .artifacts
        .iter()
        .map(|artifact| (artifact.kind, artifact.target_name.as_str()))
        .collect()
}

fn inside<'a>(project: &Project, build: &'a Build) -> Vec<&'a str> {
    let root = project.path("");
    let paths = build
        .artifacts
        .iter()
        .map(|artifact| artifact.path.strip_prefix(&root));
    paths
        .map(|path| {
            path.ok()
                .and_then(|path| path.to_str())
                .unwrap_or("elsewhere")
        })
        .collect()
}

#[test]
fn one_program_is_found_and_fresh_the_second_time() -> Result {
    let project = Project::new(&[("Cargo.toml", &manifest("solo", "")), ("src/main.rs", MAIN)])?;
    let build = project.build(&Selection::default())?;
    assert_eq!(found(&build), [(ArtifactKind::Bin, "solo")]);
    assert_eq!(inside(&project, &build), ["target/release/solo"]);
    assert!(!build.artifacts[0].fresh);
    assert_eq!(build.warnings, []);
    assert_eq!(build.record.profile, "release");
    assert_eq!(build.record.target, build.record.toolchain.host);

    let again = project.build(&Selection::default())?;
    assert!(again.artifacts[0].fresh);
    assert_eq!(again.record, build.record);
    Ok(())
}

#[test]
fn programs_examples_and_libraries_are_told_apart() -> Result {
    let library =
        "[lib]\nname = \"every_kind\"\ncrate-type = [\"rlib\", \"cdylib\", \"staticlib\"]\n";
    let project = Project::new(&[
        ("Cargo.toml", &manifest("every-kind", library)),
        (
            "src/lib.rs",
            "#[no_mangle] pub extern \"C\" fn answer() -> i32 { 42 }\n",
        ),
        ("src/main.rs", MAIN),
        ("src/bin/second-one.rs", MAIN),
        ("examples/tour.rs", MAIN),
    ])?;
    let selection = Selection {
        targets: Targets {
            lib: true,
            bins: Names::All,
            examples: Names::All,
        },
        ..Selection::default()
    };
    let build = project.build(&selection)?;
    assert_eq!(
        found(&build),
        [
            (ArtifactKind::Bin, "every-kind"),
            (ArtifactKind::Bin, "second-one"),
            (ArtifactKind::Example, "tour"),
            (ArtifactKind::Cdylib, "every_kind"),
            (ArtifactKind::Staticlib, "every_kind"),
        ]
    );
    if cfg!(target_os = "linux") {
        assert_eq!(
            inside(&project, &build),
            [
                "target/release/every-kind",
                "target/release/second-one",
                "target/release/examples/tour",
                "target/release/libevery_kind.so",
                "target/release/libevery_kind.a",
            ]
        );
    }

    let one = Selection {
        targets: Targets {
            bins: Names::Named(vec!["second-one".into()]),
            ..Targets::default()
        },
        ..Selection::default()
    };
    assert_eq!(
        found(&project.build(&one)?),
        [(ArtifactKind::Bin, "second-one")]
    );
    Ok(())
}

#[test]
fn a_linked_library_that_is_only_a_dependency_is_no_artifact() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "user",
                "[dependencies]\nboth = { path = \"both\" }\n[workspace]\n",
            ),
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", both::answer()); }\n",
        ),
        (
            "both/Cargo.toml",
            &manifest("both", "[lib]\ncrate-type = [\"rlib\", \"cdylib\"]\n"),
        ),
        ("both/src/lib.rs", "pub fn answer() -> i32 { 42 }\n"),
    ])?;
    let build = project.build(&Selection::default())?;
    assert_eq!(found(&build), [(ArtifactKind::Bin, "user")]);
    let both = Selection {
        packages: Packages::Workspace { exclude: vec![] },
        ..Selection::default()
    };
    assert_eq!(
        found(&project.build(&both)?),
        [(ArtifactKind::Bin, "user"), (ArtifactKind::Cdylib, "both")]
    );
    Ok(())
}

#[test]
fn profile_target_and_target_directory_are_cargos() -> Result {
    let profile = "[profile.small]\ninherits = \"release\"\nopt-level = \"s\"\n";
    let project = Project::new(&[
        ("Cargo.toml", &manifest("solo", profile)),
        ("src/main.rs", MAIN),
    ])?;
    let host = project.cargo().toolchain(&mut |_| ())?.host;
    let selection = Selection {
        profile: "small".into(),
        target: Some(host.clone()),
        target_dir: Some("out put".into()),
        config: vec!["profile.small.debug=1".into()],
        ..Selection::default()
    };
    let build = project.build(&selection)?;
    assert_eq!(
        inside(&project, &build),
        [format!("out put/{host}/small/solo")]
    );
    let unit = &build.record.units[0].profile;
    assert_eq!(
        (unit.opt_level.as_str(), unit.debuginfo.as_str()),
        ("s", "1")
    );
    assert_eq!(
        (build.record.target.as_str(), build.record.profile.as_str()),
        (host.as_str(), "small")
    );
    assert!(!project.path("target").exists());
    assert!(
        !project.path("out put/whittle").exists(),
        "cargo must be the one to create the target directory"
    );
    assert!(project.path("out put/CACHEDIR.TAG").exists());
    Ok(())
}

#[test]
fn a_target_set_in_the_configuration_is_noticed() -> Result {
    let project = Project::new(&[("Cargo.toml", &manifest("solo", "")), ("src/main.rs", MAIN)])?;
    let host = project.cargo().toolchain(&mut |_| ())?.host;
    project.write(
        ".cargo/config.toml",
        &format!("[build]\ntarget = \"{host}\"\n"),
    )?;
    let build = project.build(&Selection {
        profile: "dev".into(),
        ..Selection::default()
    })?;
    assert_eq!(
        inside(&project, &build),
        [format!("target/{host}/debug/solo")]
    );
    assert_eq!(build.record.target, host);
    Ok(())
}
