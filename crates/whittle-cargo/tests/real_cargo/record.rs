//! What went into a build.

use std::path::Path;

use whittle_cargo::{
    BuildRecord, DependencyKind, NativeLinkage, PackageSource, Packages, Selection, Targets,
};

use crate::project::{MAIN, Project, Result, manifest};

/// A program that uses both versions of `shape`, one of them only through `draw`.
fn two_versions() -> Result<Project> {
    Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "studio",
                "[dependencies]\nshape-next = { package = \"shape\", path = \"shape-2\" }\n\
                 draw-it = { path = \"draw\", features = [\"wide\"] }\n\
                 [workspace]\nexclude = [\"shape-1\", \"shape-2\"]\n",
            ),
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", shape_next::sides() + draw_it::sides()); }\n",
        ),
        (
            "draw/Cargo.toml",
            &manifest(
                "draw-it",
                "[features]\nwide = []\nnarrow = []\n[dependencies]\nshape = { path = \"../shape-1\" }\n",
            ),
        ),
        (
            "draw/src/lib.rs",
            "pub fn sides() -> usize { shape::sides() }\n",
        ),
        (
            "shape-1/Cargo.toml",
            "[package]\nname = \"shape\"\nversion = \"1.2.3\"\nedition = \"2021\"\n",
        ),
        (
            "shape-1/src/lib.rs",
            "pub fn sides() -> usize { std::env::args().count() }\n",
        ),
        (
            "shape-2/Cargo.toml",
            "[package]\nname = \"shape\"\nversion = \"2.0.0\"\nedition = \"2021\"\n",
        ),
        (
            "shape-2/src/lib.rs",
            "pub fn sides() -> usize { std::env::vars().count() }\n",
        ),
    ])
}

#[test]
fn two_versions_of_a_package_are_told_apart() -> Result {
    let project = two_versions()?;
    let record = project.build(&Selection::default())?.record;
    let all: Vec<_> = record
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    assert_eq!(
        all,
        [
            ("draw-it", "0.1.0"),
            ("shape", "1.2.3"),
            ("shape", "2.0.0"),
            ("studio", "0.1.0")
        ]
    );
    assert!(
        record
            .packages
            .iter()
            .all(|package| package.source == PackageSource::Path)
    );
    let [draw, one, two, studio] = &record.packages[..] else {
        return Err("four packages".into());
    };
    assert_eq!(studio.folder.as_deref(), Some(project.path("").as_path()));

    let versions: Vec<_> = record
        .packages_with_crate_name("shape")
        .map(|package| package.version.as_str())
        .collect();
    assert_eq!(versions, ["1.2.3", "2.0.0"]);
    assert_eq!(
        record.dependency_by_crate_name(&studio.id, "shape"),
        Some(two)
    );
    assert_eq!(
        record.dependency_by_crate_name(&draw.id, "shape"),
        Some(one)
    );
    assert_eq!(
        record.dependency_by_crate_name(&studio.id, "draw_it"),
        Some(draw)
    );
    assert_eq!(record.dependency_by_crate_name(&one.id, "shape"), None);

    let renamed = studio
        .dependencies
        .iter()
        .find(|dependency| dependency.package == two.id);
    let renamed = renamed.ok_or("the renamed dependency is one")?;
    assert_eq!(
        (renamed.extern_name.as_str(), renamed.crate_name.as_str()),
        ("shape_next", "shape")
    );
    assert_eq!(renamed.kind, DependencyKind::Normal);
    Ok(())
}

#[test]
fn what_manifests_ask_of_a_dependency_is_known() -> Result {
    let library = "pub fn dots() -> usize { std::env::args().count() }\n";
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "studio",
                "[dependencies]\npen = { path = \"pen\" }\n\
                 paint-it = { package = \"paint\", path = \"paint\", optional = true, default-features = false, features = [\"red\"] }\n\
                 [features]\ndefault = [\"colour\", \"weak\"]\ncolour = [\"dep:paint-it\"]\nweak = [\"paint-it?/blue\"]\n\
                 off = [\"dep:paint-it\"]\n[workspace]\n",
            ),
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", paint_it::dots() + pen::dots()); }\n",
        ),
        ("pen/Cargo.toml", &manifest("pen", "")),
        ("pen/src/lib.rs", library),
        (
            "paint/Cargo.toml",
            &manifest("paint", "[features]\nred = []\nblue = []\ngreen = []\n"),
        ),
        ("paint/src/lib.rs", library),
    ])?;
    let record = project.build(&Selection::default())?.record;
    let studio = record.packages.iter().find(|it| it.name == "studio");
    let studio = studio.ok_or("the program is a package")?;
    let [paint, pen] = &studio.dependencies[..] else {
        return Err("two dependencies".into());
    };
    assert_eq!(paint.extern_name, "paint_it");
    assert_eq!(paint.asked.features, ["red"]);
    assert!(!paint.asked.default_features);
    assert_eq!(paint.asked.through, ["colour"]);
    assert!(pen.asked.default_features);
    assert!(pen.asked.features.is_empty() && pen.asked.through.is_empty());
    Ok(())
}

#[test]
fn names_in_a_link_map_lead_to_packages() -> Result {
    let project = two_versions()?;
    let record = project.build(&Selection::default())?.record;
    for package in &record.packages[..3] {
        let unit = record
            .units
            .iter()
            .find(|unit| unit.package == package.id)
            .ok_or("one unit each")?;
        assert_eq!(
            unit.files.len(),
            2,
            "an rlib and an rmeta: {:?}",
            unit.files
        );
        for file in &unit.files {
            assert!(file.is_file());
            assert_eq!(record.package_of_rlib(file), Some(package));
            let stem = file
                .file_stem()
                .and_then(|stem| stem.to_str())
                .ok_or("cargo's names are plain")?;
            assert_eq!(record.package_of_file_stem(stem), Some(package));
            assert_eq!(
                record.package_of_file_stem(stem.trim_start_matches("lib")),
                Some(package)
            );
        }
    }
    // The program's own objects, whatever hash a twin has; a standard library's `shape` would not be ours.
    let studio = record
        .package_of_file_stem("studio-0123456789abcdef")
        .ok_or("the root crate")?;
    assert_eq!(studio.name, "studio");
    assert_eq!(
        record.package_of_file_stem("libdraw_it-0123456789abcdef"),
        None
    );
    assert_eq!(
        record.package_of_file_stem("libshape-0123456789abcdef"),
        None
    );
    assert_eq!(record.package_of_rlib(Path::new("libshape.rlib")), None);
    Ok(())
}

#[test]
fn features_and_settings_are_those_of_the_unit() -> Result {
    let project = two_versions()?;
    let overrides = "profile.release.package.draw-it.opt-level=\"z\"";
    let selection = Selection {
        config: vec![
            overrides.into(),
            "profile.release.overflow-checks=true".into(),
        ],
        ..Selection::default()
    };
    let record = project.build(&selection)?.record;
    let draw = record
        .units
        .iter()
        .find(|unit| unit.crate_name == "draw_it")
        .ok_or("one unit")?;
    assert_eq!(draw.features, ["wide"]);
    assert_eq!(draw.profile.opt_level, "z");
    assert!(draw.profile.overflow_checks && !draw.profile.debug_assertions);
    let studio = record
        .units
        .iter()
        .find(|unit| unit.crate_name == "studio")
        .ok_or("one unit")?;
    assert_eq!(
        (studio.features.len(), studio.profile.opt_level.as_str()),
        (0, "3")
    );
    Ok(())
}

#[test]
fn a_record_is_the_same_after_being_stored() -> Result {
    let record = two_versions()?.build(&Selection::default())?.record;
    let stored = serde_json::to_string(&record)?;
    assert_eq!(serde_json::from_str::<BuildRecord>(&stored)?, record);
    Ok(())
}

#[test]
fn crates_of_build_scripts_and_macros_are_not_the_programs() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "user",
                "[dependencies]\nderive = { path = \"derive\" }\nshared = { path = \"shared\" }\n\
                 [build-dependencies]\nonly-build = { path = \"only-build\" }\nshared = { path = \"shared\" }\n[workspace]\n",
            ),
        ),
        ("build.rs", "fn main() { only_build::f(); shared::f(); }\n"),
        (
            "src/main.rs",
            "derive::nothing!();\nfn main() { shared::f(); }\n",
        ),
        (
            "derive/Cargo.toml",
            &manifest(
                "derive",
                "[lib]\nproc-macro = true\n[dependencies]\nhelper = { path = \"../helper\" }\n",
            ),
        ),
        (
            "derive/src/lib.rs",
            "#[proc_macro] pub fn nothing(_: proc_macro::TokenStream) -> proc_macro::TokenStream { helper::f(); \"\".parse().unwrap() }\n",
        ),
        ("helper/Cargo.toml", &manifest("helper", "")),
        ("helper/src/lib.rs", "pub fn f() {}\n"),
        ("shared/Cargo.toml", &manifest("shared", "")),
        ("shared/src/lib.rs", "pub fn f() {}\n"),
        ("only-build/Cargo.toml", &manifest("only-build", "")),
        ("only-build/src/lib.rs", "pub fn f() {}\n"),
    ])?;
    let names = |record: &BuildRecord| -> Vec<String> {
        record
            .units
            .iter()
            .map(|unit| unit.crate_name.clone())
            .collect()
    };
    // Optimised for the program and not for the build script: two units, and no telling which is which.
    let record = project.build(&Selection::default())?.record;
    let mut found = names(&record);
    found.sort();
    assert_eq!(found, ["shared", "shared", "user"]);
    // With a target, the folder tells.
    let target = Some(record.toolchain.host.clone());
    let mut found = names(
        &project
            .build(&Selection {
                target,
                ..Selection::default()
            })?
            .record,
    );
    found.sort();
    assert_eq!(found, ["shared", "user"]);
    Ok(())
}

#[test]
#[cfg(unix)]
fn native_code_belongs_to_the_package_whose_script_made_it() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "user",
                "[dependencies]\nthing-sys = { path = \"thing-sys\" }\n[workspace]\n",
            ),
        ),
        (
            "src/main.rs",
            "fn main() { println!(\"{}\", thing_sys::answer()); }\n",
        ),
        (
            "thing-sys/Cargo.toml",
            &manifest("thing-sys", "links = \"thing\"\n"),
        ),
        (
            "thing-sys/src/lib.rs",
            "extern \"C\" { fn thing() -> i32; }\npub fn answer() -> i32 { unsafe { thing() } }\n",
        ),
        (
            "thing-sys/build.rs",
            r#"
use std::process::Command;
fn run(program: &str, args: &[&str]) {
    assert!(Command::new(program).args(args).status().unwrap().success());
}
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::env::set_current_dir(&out).unwrap();
    std::fs::write("thing.c", "int thing(void) { return 7; }").unwrap();
    run("cc", &["-c", "thing.c"]);
    run("ar", &["rcs", "libthing.a", "thing.o"]);
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=thing");
    println!("cargo::rustc-link-lib=m");
}
"#,
        ),
    ])?;
    let record = project.build(&Selection::default())?.record;
    let [script] = &record.build_scripts[..] else {
        return Err("one build script".into());
    };
    assert!(script.out_dir.join("libthing.a").is_file());
    assert_eq!(script.linked_paths, [script.out_dir.as_path()]);
    let libraries: Vec<_> = script
        .linked_libraries
        .iter()
        .map(|library| (library.name.as_str(), library.linkage))
        .collect();
    assert_eq!(
        libraries,
        [
            ("thing", NativeLinkage::Static),
            ("m", NativeLinkage::Unsaid)
        ]
    );
    let owner = record
        .package_of_out_dir(&script.out_dir.join("thing.o"))
        .ok_or("its package")?;
    assert_eq!(owner.name, "thing-sys");
    assert_eq!(record.package_of_out_dir(&project.path("src")), None);
    Ok(())
}

#[test]
fn examples_reach_what_only_they_depend_on() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "user",
                "[dev-dependencies]\nshow = { path = \"show\" }\n[workspace]\n",
            ),
        ),
        ("src/main.rs", MAIN),
        ("examples/tour.rs", "fn main() { show::f(); }\n"),
        ("show/Cargo.toml", &manifest("show", "")),
        ("show/src/lib.rs", "pub fn f() {}\n"),
    ])?;
    let examples = Targets {
        examples: whittle_cargo::Names::All,
        ..Targets::default()
    };
    let record = project
        .build(&Selection {
            targets: examples,
            ..Selection::default()
        })?
        .record;
    let user = record
        .packages
        .iter()
        .find(|package| package.name == "user")
        .ok_or("the package")?;
    let show = record
        .dependency_by_crate_name(&user.id, "show")
        .ok_or("its dependency")?;
    assert_eq!(
        (show.name.as_str(), user.dependencies[0].kind),
        ("show", DependencyKind::Development)
    );
    Ok(())
}

#[test]
fn metadata_knows_the_whole_workspace() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n",
        ),
        ("one/Cargo.toml", &manifest("one", "")),
        ("one/src/main.rs", MAIN),
        (
            "two/Cargo.toml",
            &manifest(
                "two",
                "[dependencies]\none-lib = { path = \"../one-lib\" }\n",
            ),
        ),
        ("two/src/main.rs", MAIN),
        ("one-lib/Cargo.toml", &manifest("one-lib", "")),
        ("one-lib/src/lib.rs", ""),
    ])?;
    project.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"one\", \"two\", \"one-lib\"]\nresolver = \"2\"\n",
    )?;
    let selection = Selection {
        target_dir: Some("elsewhere".into()),
        ..Selection::default()
    };
    let metadata = project.cargo().metadata(&selection, &mut |_| ())?;
    assert_eq!(metadata.workspace_root.as_std_path(), project.path(""));
    assert_eq!(
        metadata.target_directory.as_std_path(),
        project.path("elsewhere")
    );
    assert_eq!(metadata.workspace_members.len(), 3);
    assert!(metadata.resolve.is_some());

    // Only what is selected is in a record, and every member of it is said to be one.
    let selection = Selection {
        packages: Packages::Named(vec!["two".into()]),
        ..Selection::default()
    };
    let record = project.build(&selection)?.record;
    let names: Vec<_> = record
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.is_member))
        .collect();
    assert_eq!(names, [("one-lib", true), ("two", true)]);
    Ok(())
}
