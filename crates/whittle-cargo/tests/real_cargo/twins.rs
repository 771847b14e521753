//! The twin: it has what the artifact lacks, and nobody notices that it was built.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use object::{Object as _, ObjectSection as _, SectionFlags};
use whittle_cargo::{
    Artifact, ArtifactKind, Build, CargoError, Event, Features, Names, NoMap, Origin, Packages,
    Selection, Step, Targets, Twin, TwinWarning,
};

use crate::project::{MAIN, Project, Result, artifact, manifest, state};

/// Names, and bytes, of the sections that are loaded; the build id is a hash of the whole file.
fn loaded(path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    let mut sections = Vec::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            return Err("not ELF".into());
        };
        if sh_flags.contains(object::elf::SHF_ALLOC) && section.name()? != ".note.gnu.build-id" {
            sections.push((section.name()?.to_owned(), section.data()?.to_vec()));
        }
    }
    Ok(sections)
}

/// Whether the file names its own functions.
fn has_symbol(path: &Path, part: &str) -> Result<bool> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    Ok(object::Object::symbols(&file)
        .any(|symbol| object::ObjectSymbol::name(&symbol).is_ok_and(|name| name.contains(part))))
}

/// Builds a twin, and checks that it is one and that the artifact is as it was.
fn checked_twin(
    project: &Project,
    selection: &Selection,
    build: &Build,
    artifact: &Artifact,
) -> Result<Twin> {
    let before = state(&artifact.path)?;
    let twin = project.twin(selection, build, artifact)?;
    assert!(before == state(&artifact.path)?, "the artifact changed");
    assert!(!project.path("target/whittle/saved").exists());
    assert_ne!(twin.path, artifact.path);
    if cfg!(target_os = "linux") {
        assert!(
            loaded(&twin.path)? == loaded(&artifact.path)?,
            "the twin is none"
        );
        if twin.map.is_some() {
            let map = fs::read_to_string(twin.map.as_ref().ok_or("a map")?)?;
            assert!(
                map.contains(".text") && map.contains(".rcgu.o"),
                "{map:.300}"
            );
        }
    }
    Ok(twin)
}

fn stripped(name: &str, rest: &str) -> String {
    manifest(
        name,
        &format!("[profile.release]\nstrip = \"symbols\"\n{rest}"),
    )
}

#[test]
fn a_stripped_program_gets_its_names_and_map_and_stays_fresh() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let program = artifact(&build, ArtifactKind::Bin, "solo")?;
    assert!(!has_symbol(&program.path, "solo")?);

    let twin = checked_twin(&project, &selection, &build, program)?;
    assert_eq!((twin.origin, &twin.warnings[..]), (Origin::Built, &[][..]));
    assert!(has_symbol(&twin.path, "solo")?);
    assert!(twin.map.is_some());
    assert!(twin.path.starts_with(project.path("target/whittle")));
    assert_eq!(project.stale(&["--release"])?, [""; 0]);

    // Cargo keeps one program, not a second one for each twin.
    let programs = fs::read_dir(project.path("target/release/deps"))?
        .map(|entry| Ok(entry?.metadata()?.len()))
        .filter(|len| len.as_ref().is_ok_and(|len| *len > 100_000));
    assert_eq!(programs.collect::<Result<Vec<_>>>()?.len(), 1);
    Ok(())
}

#[test]
fn a_twin_is_reused_until_the_program_is_built_anew() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let first = project.twin(&selection, &build, &build.artifacts[0])?;

    let build = project.build(&selection)?;
    let mut steps = Vec::new();
    let second = project
        .cargo()
        .twin(&selection, &build, &build.artifacts[0], &mut |event| {
            if let Event::Running { step, .. } = event {
                steps.push(step);
            }
        })?;
    assert_eq!(steps, []);
    assert_eq!(
        (second.origin, &second.path, &second.map),
        (Origin::Reused, &first.path, &first.map)
    );

    // Other sources, and back again: the map must never be the other program's.
    for marker in ["first_marker", "second_marker", "first_marker"] {
        let main = format!(
            "#[inline(never)] #[no_mangle] fn {marker}() {{ println!(\"{marker}\") }} fn main() {{ {marker}() }}\n"
        );
        project.write("src/main.rs", &main)?;
        let build = project.build(&selection)?;
        let twin = checked_twin(&project, &selection, &build, &build.artifacts[0])?;
        assert_eq!(twin.origin, Origin::Built);
        assert!(has_symbol(&twin.path, marker)?);
        assert!(fs::read_to_string(twin.map.ok_or("a map")?)?.contains(marker));
    }
    Ok(())
}

#[test]
fn twins_of_two_variants_do_not_get_each_others_map() -> Result {
    let main = "#[cfg(feature = \"loud\")] #[inline(never)] #[no_mangle] fn loud_one() { println!(\"LOUD\") }\n\
                #[cfg(not(feature = \"loud\"))] #[inline(never)] #[no_mangle] fn quiet_one() { println!(\"quiet\") }\n\
                fn main() { #[cfg(feature = \"loud\")] loud_one(); #[cfg(not(feature = \"loud\"))] quiet_one(); }\n";
    let project = Project::new(&[
        ("Cargo.toml", &stripped("solo", "[features]\nloud = []\n")),
        ("src/main.rs", main),
    ])?;
    let loud = Features {
        named: vec!["loud".into()],
        ..Features::default()
    };
    for (features, marker) in [
        (Features::default(), "quiet_one"),
        (loud, "loud_one"),
        (Features::default(), "quiet_one"),
    ] {
        let selection = Selection {
            features,
            ..Selection::default()
        };
        let build = project.build(&selection)?;
        let twin = checked_twin(&project, &selection, &build, &build.artifacts[0])?;
        assert!(has_symbol(&twin.path, marker)?);
        assert!(fs::read_to_string(twin.map.ok_or("a map")?)?.contains(marker));
    }
    Ok(())
}

#[test]
fn a_twin_that_was_thrown_away_is_built_again() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    for _ in 0..2 {
        let twin = checked_twin(&project, &selection, &build, &build.artifacts[0])?;
        assert_eq!((twin.origin, twin.map.is_some()), (Origin::Built, true));
        fs::remove_dir_all(project.path("target/whittle"))?;
    }
    Ok(())
}

#[test]
fn a_library_that_is_built_over_comes_back_with_all_that_cargo_knows_of_it() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &stripped(
                "both",
                "[lib]\ncrate-type = [\"rlib\", \"cdylib\", \"staticlib\"]\n",
            ),
        ),
        (
            "src/lib.rs",
            "#[no_mangle] pub extern \"C\" fn answer() -> usize { helper() }\n#[inline(never)] fn helper() -> usize { std::env::args().count() }\n",
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", both::answer()); }\n",
        ),
    ])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let library = artifact(&build, ArtifactKind::Cdylib, "both")?;
    let others: Vec<_> = build
        .artifacts
        .iter()
        .filter(|other| *other != library)
        .collect();
    let before = others
        .iter()
        .map(|other| state(&other.path))
        .collect::<Result<Vec<_>>>()?;

    let twin = checked_twin(&project, &selection, &build, library)?;
    assert!(has_symbol(&twin.path, "helper")? && !has_symbol(&library.path, "helper")?);
    assert_eq!((twin.map.is_some(), &twin.warnings[..]), (true, &[][..]));
    assert!(
        others
            .iter()
            .map(|other| state(&other.path))
            .collect::<Result<Vec<_>>>()?
            == before
    );
    assert_eq!(project.stale(&["--release"])?, [""; 0]);
    assert_eq!(
        project.twin(&selection, &build, library)?.origin,
        Origin::Reused
    );

    let program = artifact(&build, ArtifactKind::Bin, "both")?;
    checked_twin(&project, &selection, &build, program)?;
    assert_eq!(project.stale(&["--release"])?, [""; 0]);

    let archive = artifact(&build, ArtifactKind::Staticlib, "both")?;
    let error = project
        .cargo()
        .twin(&selection, &build, archive, &mut |_| ())
        .err()
        .ok_or("no linker, no twin")?;
    assert_eq!(
        error.to_string(),
        "`both` is a static library, which is not linked"
    );
    Ok(())
}

#[test]
fn examples_profiles_targets_and_odd_paths_have_twins() -> Result {
    let rest =
        "[profile.small]\ninherits = \"release\"\nopt-level = \"s\"\nstrip = true\nlto = true\n";
    let project = Project::named(
        "a folder, with a comma",
        &[
            (
                "Cargo.toml",
                &manifest(
                    "odd-one",
                    &format!("{rest}[[example]]\nname = \"plugin\"\ncrate-type = [\"cdylib\"]\n"),
                ),
            ),
            (
                "examples/plugin.rs",
                "#[no_mangle] pub extern \"C\" fn answer() -> usize { std::env::args().count() }\n",
            ),
            ("src/main.rs", MAIN),
            ("examples/grand-tour.rs", MAIN),
        ],
    )?;
    let host = project.cargo().toolchain(&mut |_| ())?.host;
    let selection = Selection {
        profile: "small".into(),
        target: Some(host.clone()),
        target_dir: Some("out, put".into()),
        targets: Targets {
            bins: Names::All,
            examples: Names::All,
            ..Targets::default()
        },
        ..Selection::default()
    };
    let build = project.build(&selection)?;
    for (kind, name) in [
        (ArtifactKind::Bin, "odd-one"),
        (ArtifactKind::Example, "grand-tour"),
        (ArtifactKind::Example, "plugin"),
    ] {
        let twin = checked_twin(&project, &selection, &build, artifact(&build, kind, name)?)?;
        assert_eq!(
            (twin.map.is_some(), &twin.warnings[..]),
            (true, &[][..]),
            "{name}"
        );
        assert!(twin.path.starts_with(project.path("out, put/whittle")));
    }
    let args = [
        "--profile=small",
        "--bins",
        "--examples",
        "--target-dir=out, put",
        "--target",
        &host,
    ];
    assert_eq!(project.stale(&args)?, [""; 0]);
    Ok(())
}

#[test]
fn every_program_of_a_workspace_has_its_own_twin() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"two\", \"common\"]\nresolver = \"2\"\n[profile.release]\nstrip = true\n",
        ),
        (
            "one/Cargo.toml",
            &manifest(
                "one",
                "[features]\nextra = []\n[dependencies]\ncommon = { path = \"../common\", features = [\"more\"] }\n",
            ),
        ),
        (
            "one/src/main.rs",
            "fn main() { println!(\"{}\", common::f()); }\n",
        ),
        (
            "one/src/bin/third.rs",
            "fn main() { println!(\"third {}\", common::f()); }\n",
        ),
        (
            "two/Cargo.toml",
            &manifest("two", "[dependencies]\ncommon = { path = \"../common\" }\n"),
        ),
        (
            "two/src/main.rs",
            "fn main() { println!(\"{}\", common::f()); }\n",
        ),
        (
            "common/Cargo.toml",
            &manifest("common", "[features]\nmore = []\n"),
        ),
        (
            "common/src/lib.rs",
            "pub fn f() -> usize { std::env::args().count() + usize::from(cfg!(feature = \"more\")) }\n",
        ),
    ])?;
    // `extra` is a feature of one package only; cargo builds both, so their twins must build as well.
    let features = Features {
        named: vec!["extra".into()],
        ..Features::default()
    };
    let packages = Packages::Named(vec!["one".into(), "two".into()]);
    let selection = Selection {
        packages,
        features,
        ..Selection::default()
    };
    let build = project.build(&selection)?;
    let names: Vec<_> = build
        .artifacts
        .iter()
        .map(|artifact| artifact.target_name.as_str())
        .collect();
    assert_eq!(names, ["one", "third", "two"]);
    let mut paths = Vec::new();
    for artifact in &build.artifacts[..2] {
        let twin = checked_twin(&project, &selection, &build, artifact)?;
        assert_eq!(twin.warnings, []);
        paths.push(twin.path);
    }
    // Built alone, `two` gets `common` without the feature that `one` asks for: said, for the reader to judge.
    let before = state(&build.artifacts[2].path)?;
    let twin = project.twin(&selection, &build, &build.artifacts[2])?;
    let common = build
        .record
        .packages_with_crate_name("common")
        .next()
        .ok_or("a package")?;
    assert_eq!(
        twin.warnings,
        [TwinWarning::OtherDependencies {
            packages: vec![common.id.clone()]
        }]
    );
    assert!(before == state(&build.artifacts[2].path)?);
    paths.push(twin.path);
    paths.dedup();
    assert_eq!(paths.len(), 3);
    assert_eq!(
        project.stale(&["--release", "-pone", "-ptwo", "--features=extra"])?,
        [""; 0]
    );
    Ok(())
}

#[test]
fn a_killed_run_is_put_right_by_the_next() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &stripped("both", "[lib]\ncrate-type = [\"rlib\", \"cdylib\"]\n"),
        ),
        (
            "src/lib.rs",
            "#[no_mangle] pub extern \"C\" fn answer() -> usize { std::env::args().count() }\n",
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", both::answer()); }\n",
        ),
    ])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let library = artifact(&build, ArtifactKind::Cdylib, "both")?;
    let before = state(&library.path)?;
    // As if the process had ended when the twin lay in the library's place: what it had saved stays behind.
    let saved = project.path("target/whittle/saved");
    let kept = project.path("kept");
    let twin = project
        .cargo()
        .twin(&selection, &build, library, &mut |event| {
            if matches!(
                event,
                Event::Running {
                    step: Step::Twin,
                    ..
                }
            ) {
                copy_folder(&saved, &kept);
            }
        })?;
    assert!(project.stale(&["--release"])?.is_empty());
    fs::rename(&twin.path, &library.path)?;
    fs::write(
        project
            .path("target/release/deps")
            .join(library.path.file_name().ok_or("a name")?),
        "half a file",
    )?;
    for file in fs::read_dir(project.path("target/release/.fingerprint"))? {
        let file = file?.path().join("lib-both");
        if file.exists() {
            fs::write(file, "half a file")?;
        }
    }
    fs::rename(&kept, &saved)?;

    let mut restored = Vec::new();
    project.cargo().build(&selection, &mut |event| {
        if let Event::Restored { path } = event {
            restored.push(path.to_owned());
        }
    })?;
    assert!(restored.contains(&library.path), "{restored:?}");
    assert!(
        before.0 == fs::read(&library.path)?,
        "the library is not back"
    );
    assert!(
        before.1 == fs::metadata(&library.path)?.modified()?,
        "cargo had to build it again"
    );
    assert!(!saved.exists());
    assert!(project.stale(&["--release"])?.is_empty());
    Ok(())
}

/// Files, one folder deep, with their times.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the copy has a place");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("its entries can be read").path();
        let copy = to.join(path.file_name().expect("files have names"));
        fs::copy(&path, &copy).expect("it can be copied");
        let modified = fs::metadata(&path)
            .and_then(|metadata| metadata.modified())
            .expect("it has a time");
        let file = fs::File::options()
            .write(true)
            .open(copy)
            .expect("it can be opened");
        file.set_modified(modified).expect("it can be given a time");
    }
}

#[test]
fn a_damaged_journal_stops_nobody() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let build = project.build(&Selection::default())?;
    let before = state(&build.artifacts[0].path)?;
    project.write(
        "target/whittle/saved/journal.json",
        "{\"format\":\"cargo-whittle/saved-files\",\"version\":1",
    )?;
    let again = project.build(&Selection::default())?;
    assert!(again.artifacts[0].fresh);
    assert!(before == state(&build.artifacts[0].path)?);
    assert!(!project.path("target/whittle/saved").exists());
    Ok(())
}

#[test]
fn a_panic_in_the_middle_leaves_the_artifact_in_place() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let program = &build.artifacts[0];
    let before = state(&program.path)?;
    // The last thing that is heard of the twin, when cargo has put it in place.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        project
            .cargo()
            .twin(&selection, &build, program, &mut |event| {
                if matches!(event, Event::Stderr(line) if line.contains("Finished")) {
                    assert!(
                        before.0 == fs::read(&program.path).expect("it is there"),
                        "the twin is in place"
                    );
                }
            })
    }));
    assert!(
        panicked.is_err(),
        "the test's own assertion fails when the twin lies in the program's place"
    );
    assert!(before == state(&program.path)?);
    assert!(!project.path("target/whittle/saved").exists());
    assert_eq!(project.stale(&["--release"])?, [""; 0]);
    assert_eq!(
        checked_twin(&project, &selection, &build, program)?.origin,
        Origin::Built
    );
    Ok(())
}

#[test]
fn a_build_that_comes_between_is_noticed() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let program = &build.artifacts[0];
    let before = state(&program.path)?;
    // Somebody else's `cargo build`, when the twin is in place: cargo puts the program back.
    let error = project
        .cargo()
        .twin(&selection, &build, program, &mut |event| {
            if matches!(event, Event::Stderr(line) if line.contains("Finished")) {
                assert_eq!(project.stale(&["--release"]).expect("it builds"), [""; 0]);
            }
        });
    assert!(matches!(error.err(), Some(CargoError::Overtaken { .. })));
    assert!(before == state(&program.path)?);
    Ok(())
}

#[test]
fn a_build_directory_elsewhere_is_looked_after_too() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &stripped("both", "[lib]\ncrate-type = [\"rlib\", \"cdylib\"]\n"),
        ),
        (".cargo/config.toml", "[build]\nbuild-dir = \"inner\"\n"),
        (
            "src/lib.rs",
            "#[no_mangle] pub extern \"C\" fn answer() -> usize { std::env::args().count() }\n",
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", both::answer()); }\n",
        ),
    ])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    for (kind, name) in [(ArtifactKind::Cdylib, "both"), (ArtifactKind::Bin, "both")] {
        let twin = checked_twin(&project, &selection, &build, artifact(&build, kind, name)?)?;
        assert_eq!(
            (twin.map.is_some(), &twin.warnings[..]),
            (true, &[][..]),
            "{kind}"
        );
        assert_eq!(project.stale(&["--release"])?, [""; 0], "{kind}");
    }
    Ok(())
}

#[test]
fn a_failing_twin_leaves_the_artifact_in_place() -> Result {
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let before = state(&build.artifacts[0].path)?;
    project.write("src/main.rs", "fn main() { nonsense() }\n")?;
    let error = project
        .cargo()
        .twin(&selection, &build, &build.artifacts[0], &mut |_| ());
    assert!(matches!(error.err(), Some(CargoError::Failed { .. })));
    assert!(before == state(&build.artifacts[0].path)?);
    assert!(!project.path("target/whittle/saved").exists());
    Ok(())
}

#[test]
#[cfg(target_os = "linux")]
fn a_linker_that_refuses_the_map_gets_a_second_chance() -> Result {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::new(&[("Cargo.toml", &stripped("solo", "")), ("src/main.rs", MAIN)])?;
    let linker = "#!/bin/sh\nfor arg; do case $arg in -Map*) echo no maps >&2; exit 1;; esac; done\nexec cc \"$@\"\n";
    project.write("linker", linker)?;
    fs::set_permissions(project.path("linker"), fs::Permissions::from_mode(0o755))?;
    let host = project.cargo().toolchain(&mut |_| ())?.host;
    project.write(
        ".cargo/config.toml",
        &format!("[target.{host}]\nlinker = \"./linker\"\n"),
    )?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let twin = checked_twin(&project, &selection, &build, &build.artifacts[0])?;
    assert_eq!(
        twin.warnings,
        [TwinWarning::NoMap {
            why: NoMap::LinkerRefused
        }]
    );
    assert_eq!(twin.map, None);
    assert!(has_symbol(&twin.path, "solo")?);

    // One that takes the flag and writes nothing.
    let linker = linker.replace(
        "echo no maps >&2; exit 1",
        "set -- \"$@\" -Wl,-Map=/dev/null",
    );
    project.write("linker", &linker)?;
    project.write("src/main.rs", "fn main() { print!(\"\") }\n")?;
    let build = project.build(&selection)?;
    let twin = checked_twin(&project, &selection, &build, &build.artifacts[0])?;
    assert_eq!(
        twin.warnings,
        [TwinWarning::NoMap {
            why: NoMap::NotWritten
        }]
    );
    assert_eq!(
        project
            .twin(&selection, &build, &build.artifacts[0])?
            .warnings,
        twin.warnings
    );
    Ok(())
}
