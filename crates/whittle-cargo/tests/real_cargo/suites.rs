//! A package's tests, run against executables that they were not compiled with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use whittle_cargo::{
    ArtifactKind, CargoError, Counts, Ending, Features, Selection, Settings, TestKind, TestOutcome,
    TestSuite, VariantBuilder,
};

use crate::project::{MAIN, Project, Result, artifact, manifest, note};

const LIMIT: Duration = Duration::from_secs(60);

fn project() -> Result<Project> {
    Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "app",
                "build = \"build.rs\"\ndescription = \"what it does\"\n[features]\nextra = []\n[workspace]\n\
                 [[test]]\nname = \"own-harness\"\nharness = false\n\
                 [[test]]\nname = \"extra\"\nrequired-features = [\"extra\"]\n",
            ),
        ),
        (
            "build.rs",
            "fn main() { println!(\"cargo::rerun-if-changed=build.rs\\ncargo::rustc-env=SCRIPT=says\"); }\n",
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"hello {}\", std::env::args().count()); }\n\
             #[test] fn checked() { assert!(cfg!(debug_assertions)) }\n\
             #[test] fn fine() {}\n",
        ),
        (
            "tests/program.rs",
            "use std::process::Command;\n\
             fn run() -> String { String::from_utf8(Command::new(env!(\"CARGO_BIN_EXE_app\")).output().unwrap().stdout).unwrap() }\n\
             mod inner { #[test] fn says_hello() { assert_eq!(super::run(), \"hello 1\\n\"); } }\n\
             #[test] fn says_something() { assert_ne!(run(), \"\"); }\n\
             #[test] #[ignore] fn never() { panic!() }\n\
             #[test] fn surroundings() {\n\
                 let var = |key| std::env::var(key).unwrap();\n\
                 assert_eq!(var(\"CARGO_PKG_NAME\"), \"app\");\n\
                 assert_eq!(var(\"CARGO_PKG_DESCRIPTION\"), \"what it does\");\n\
                 assert_eq!(var(\"CARGO_MANIFEST_DIR\"), env!(\"CARGO_MANIFEST_DIR\"));\n\
                 assert_eq!(var(\"SCRIPT\"), \"says\");\n\
                 assert_eq!(std::env::current_dir().unwrap(), std::path::Path::new(env!(\"CARGO_MANIFEST_DIR\")));\n\
                 assert!(std::path::Path::new(env!(\"CARGO_TARGET_TMPDIR\")).is_dir());\n\
             }\n",
        ),
        (
            "tests/own-harness.rs",
            "fn main() { println!(\"no such format\"); }\n",
        ),
        (
            "tests/extra.rs",
            "#[test] fn extra() { panic!(\"on purpose\") }\n",
        ),
    ])
}

fn builder(project: &Project, selection: &Selection) -> Result<VariantBuilder> {
    let build = project.build(selection)?;
    let app = artifact(&build, ArtifactKind::Bin, "app")?;
    Ok(project
        .cargo()
        .variants(selection, &build, app, &mut |_| ())?)
}

fn compile(builder: &VariantBuilder, kind: TestKind, settings: &Settings) -> Result<TestSuite> {
    let mut said = String::new();
    builder
        .compile_tests(kind, settings, &mut |event| note(&mut said, &event))
        .map_err(|error| format!("{error}\n{said}").into())
}

fn run(suite: &TestSuite, executable: Option<&Path>) -> Result<Vec<TestOutcome>> {
    Ok(suite.run(executable, LIMIT, &mut |_| ())?)
}

fn script(project: &Project, name: &str, line: &str) -> Result<PathBuf> {
    let name = format!("target/{name}");
    project.write(&name, &format!("#!/bin/sh\n{line}\n"))?;
    let path = project.path(&name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn counts(passed: u64, failed: u64, ignored: u64) -> Counts {
    Counts {
        passed,
        failed,
        ignored,
    }
}

#[test]
fn tests_judge_the_executable_that_they_are_given() -> Result {
    let project = project()?;
    let builder = builder(&project, &Selection::default())?;
    let suite = compile(&builder, TestKind::Integration, &Settings::default())?;
    let names: Vec<_> = suite.binaries.iter().map(|binary| &*binary.name).collect();
    assert_eq!(names, ["own-harness", "program"]);
    assert!(suite.runs_the_program());
    assert!(
        suite
            .usage
            .is_some_and(|usage| usage.cpu() > Duration::ZERO)
    );

    let as_built = run(&suite, None)?;
    assert!(
        as_built.iter().all(TestOutcome::is_success),
        "{as_built:#?}"
    );
    assert_eq!(
        (as_built[0].counts, &*as_built[0].printed),
        (None, "no such format\n")
    );
    assert_eq!(as_built[1].counts, Some(counts(3, 0, 1)));

    let other = script(&project, "other", "echo good day")?;
    let judged = run(&suite, Some(&other))?;
    assert!(judged[0].is_success());
    assert_eq!(judged[1].ending, Ending::Exited(101));
    assert_eq!(judged[1].failed, ["inner::says_hello"]);
    assert_eq!(judged[1].counts, Some(counts(2, 1, 1)));
    assert!(judged[1].printed.contains("good day"), "{judged:#?}");

    let silent = script(&project, "silent", "exit 0")?;
    let judged = run(&suite, Some(&silent))?;
    assert_eq!(judged[1].failed, ["inner::says_hello", "says_something"]);

    assert!(run(&suite, None)?.iter().all(TestOutcome::is_success));
    Ok(())
}

#[test]
fn a_test_that_hangs_is_ended_with_what_it_runs() -> Result {
    let project = project()?;
    let builder = builder(&project, &Selection::default())?;
    let suite = compile(&builder, TestKind::Integration, &Settings::default())?;
    let hanging = script(&project, "hanging", "sleep 100")?;
    let start = Instant::now();
    let judged = suite.run(Some(&hanging), Duration::from_secs(1), &mut |_| ())?;
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(judged[1].ending, Ending::TimedOut);
    assert_eq!((judged[1].counts, judged[1].failed.len()), (None, 0));
    assert!(run(&suite, None)?.iter().all(TestOutcome::is_success));
    Ok(())
}

#[test]
fn what_a_killed_run_leaves_in_the_programs_place_is_nobodys_result() -> Result {
    let project = project()?;
    let builder = builder(&project, &Selection::default())?;
    let own = builder.build(
        &Settings::default(),
        &project.path("target/own"),
        &mut |_| (),
    )?;
    let own = fs::read(own.path)?;
    let suite = compile(&builder, TestKind::Integration, &Settings::default())?;

    // As after a kill: another file in the place, the original beside it.
    let place = builder.target_directory().join("release/app");
    fs::rename(
        &place,
        builder.target_directory().join("release/app.whittle"),
    )?;
    fs::copy(script(&project, "other", "echo good day")?, &place)?;

    let again = builder.build(
        &Settings::default(),
        &project.path("target/own"),
        &mut |_| (),
    )?;
    assert_eq!(fs::read(again.path)?, own);
    assert!(run(&suite, None)?.iter().all(TestOutcome::is_success));
    Ok(())
}

#[test]
fn features_decide_which_tests_there_are() -> Result {
    let project = project()?;
    let selection = Selection {
        features: Features {
            named: vec!["extra".to_owned()],
            ..Features::default()
        },
        ..Selection::default()
    };
    let builder = builder(&project, &selection)?;
    let suite = compile(&builder, TestKind::Integration, &Settings::default())?;
    assert_eq!(suite.binaries[0].name, "extra");
    assert_eq!(run(&suite, None)?[0].failed, ["extra"]);
    Ok(())
}

#[test]
fn unit_tests_run_as_the_settings_have_them_compiled() -> Result {
    let project = project()?;
    let builder = builder(&project, &Selection::default())?;
    let unchecked = compile(&builder, TestKind::Unit, &Settings::default())?;
    let outcomes = run(&unchecked, None)?;
    assert_eq!(outcomes.len(), 1);
    assert_eq!(
        (&*outcomes[0].failed, outcomes[0].counts),
        (&["checked".to_owned()][..], Some(counts(1, 1, 0)))
    );

    let settings = Settings {
        profile: [("debug-assertions".to_owned(), true.into())].into(),
        ..Settings::default()
    };
    let checked = compile(&builder, TestKind::Unit, &settings)?;
    assert!(run(&checked, None)?.iter().all(TestOutcome::is_success));

    assert!(!checked.runs_the_program());
    let error = checked.run(Some(Path::new("/bin/true")), LIMIT, &mut |_| ());
    assert!(matches!(error, Err(CargoError::NoPlace)), "{error:?}");
    Ok(())
}

#[test]
fn a_package_without_tests_has_an_empty_suite() -> Result {
    let project = Project::new(&[
        ("Cargo.toml", &manifest("app", "[workspace]\n")),
        ("src/main.rs", MAIN),
    ])?;
    let builder = builder(&project, &Selection::default())?;
    let suite = compile(&builder, TestKind::Integration, &Settings::default())?;
    assert!(suite.binaries.is_empty() && suite.usage.is_none());
    assert_eq!(run(&suite, None)?, []);
    Ok(())
}

#[test]
fn tests_that_do_not_compile_are_cargos_to_explain() -> Result {
    let project = project()?;
    project.write("tests/program.rs", "nonsense\n")?;
    let builder = builder(&project, &Selection::default())?;
    let error = builder.compile_tests(TestKind::Integration, &Settings::default(), &mut |_| ());
    assert!(matches!(error, Err(CargoError::Failed { .. })), "{error:?}");
    Ok(())
}
