//! Look-ups in a record that is made up: what real builds give is tested with real cargo.

use super::*;

fn id(name: &str) -> PackageId {
    PackageId {
        repr: name.to_owned(),
    }
}

fn package(name: &str, dependencies: &[(&str, &str, &str)]) -> Package {
    Package {
        id: id(name),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        source: PackageSource::Path,
        is_member: true,
        folder: None,
        dependencies: dependencies
            .iter()
            .map(|(extern_name, crate_name, package)| Dependency {
                extern_name: (*extern_name).to_owned(),
                crate_name: (*crate_name).to_owned(),
                package: id(package),
                kind: DependencyKind::Normal,
                asked: Asked::default(),
            })
            .collect(),
    }
}

fn unit(package: &str, crate_name: &str, files: &[&str]) -> Unit {
    Unit {
        package: id(package),
        crate_name: crate_name.to_owned(),
        files: files.iter().map(PathBuf::from).collect(),
        features: Vec::new(),
        profile: UnitProfile {
            opt_level: "3".to_owned(),
            debuginfo: "0".to_owned(),
            debug_assertions: false,
            overflow_checks: false,
        },
    }
}

fn record(packages: Vec<Package>, units: Vec<Unit>) -> BuildRecord {
    BuildRecord {
        toolchain: Toolchain {
            release: "1.95.0".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            commit_hash: None,
            llvm: None,
        },
        target: "x86_64-unknown-linux-gnu".to_owned(),
        profile: "release".to_owned(),
        packages,
        units,
        build_scripts: Vec::new(),
    }
}

fn name(package: Option<&Package>) -> Option<&str> {
    package.map(|package| package.name.as_str())
}

#[test]
fn a_library_asked_for_by_itself_is_known_by_its_metadata_file() {
    let files = [
        "/t/release/libone.rlib",
        "/t/release/deps/libone-0123456789abcdef.rmeta",
    ];
    let record = record(vec![package("one", &[])], vec![unit("one", "one", &files)]);
    for path in [
        "/t/release/libone.rlib",
        "/t/release/deps/libone-0123456789abcdef.rlib",
    ] {
        assert_eq!(
            name(record.package_of_rlib(Path::new(path))),
            Some("one"),
            "{path}"
        );
    }
    assert_eq!(
        record.package_of_rlib(Path::new("/t/deps/libone-fedcba9876543210.rlib")),
        None
    );
    assert_eq!(record.package_of_file_stem("libone-fedcba9876543210"), None);
}

#[test]
fn a_library_without_hash_is_known_by_its_crate() {
    let files = ["/t/release/libcrate_a.rlib", "/t/release/libcrate_a.so"];
    let record = record(
        vec![package("crate-a", &[])],
        vec![unit("crate-a", "crate_a", &files)],
    );
    for stem in ["libcrate_a", "crate_a", "crate_a-0123456789abcdef"] {
        assert_eq!(
            name(record.package_of_file_stem(stem)),
            Some("crate-a"),
            "{stem}"
        );
    }
    assert_eq!(record.package_of_file_stem("crate"), None);
    assert_eq!(record.package_of_file_stem(""), None);
    assert_eq!(record.package_of_file_stem("-"), None);
}

#[test]
fn a_crate_whose_name_begins_with_lib_is_not_shortened() {
    let files = ["/t/deps/liblibc-0123456789abcdef.rlib"];
    let record = record(
        vec![package("libc", &[]), package("c", &[])],
        vec![
            unit("libc", "libc", &files),
            unit("c", "c", &["/t/release/c"]),
        ],
    );
    assert_eq!(
        name(record.package_of_file_stem("liblibc-0123456789abcdef")),
        Some("libc")
    );
    assert_eq!(
        name(record.package_of_file_stem("libc-0123456789abcdef")),
        Some("libc")
    );
    assert_eq!(
        name(record.package_of_file_stem("c-0123456789abcdef")),
        Some("c")
    );
}

#[test]
fn programs_of_the_same_name_are_not_told_apart_by_name() {
    let units = vec![
        unit("a", "tool", &["/t/release/tool"]),
        unit("b", "tool", &["/t/release/tool"]),
    ];
    let record = record(vec![package("a", &[]), package("b", &[])], units);
    assert_eq!(record.package_of_file_stem("tool-0123456789abcdef"), None);
}

#[test]
fn a_name_that_means_two_dependencies_means_none() {
    let both = [("shape_1", "shape", "one"), ("shape_2", "shape", "two")];
    let twice = [("shape", "shape", "one"), ("shape_again", "shape", "one")];
    let packages = vec![
        package("both", &both),
        package("twice", &twice),
        package("one", &[]),
        package("two", &[]),
    ];
    let record = record(packages, Vec::new());
    assert_eq!(record.dependency_by_crate_name(&id("both"), "shape"), None);
    assert_eq!(
        name(record.dependency_by_crate_name(&id("twice"), "shape")),
        Some("one")
    );
    assert_eq!(
        record.dependency_by_crate_name(&id("nobody"), "shape"),
        None
    );
}

#[test]
fn native_libraries_are_read_as_build_scripts_write_them() {
    for (text, expected, linkage) in [
        ("z", "z", NativeLinkage::Unsaid),
        ("static=z", "z", NativeLinkage::Static),
        (
            "static:+whole-archive,-bundle=z",
            "z",
            NativeLinkage::Static,
        ),
        ("dylib=foo:bar", "foo", NativeLinkage::Dynamic),
        ("framework=Security", "Security", NativeLinkage::Framework),
        ("raw-dylib=user32", "user32", NativeLinkage::Dynamic),
    ] {
        let library = NativeLibrary::parse(text);
        assert_eq!(
            (library.name.as_str(), library.linkage),
            (expected, linkage),
            "{text}"
        );
    }
}
