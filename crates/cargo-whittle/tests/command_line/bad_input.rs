//! What is no program, or none any more: a clear error or a poorer answer that adds up.

use std::fs;
use std::path::Path;

use crate::whittle::{Package, json, own_program, run, stderr, sum};

/// Runs on a file with these bytes; the run must fail as the user's trouble. Returns what it said.
fn error_on(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    fs::write(&path, bytes).expect("the file is written");
    error_of(&[path.to_str().expect("UTF-8")])
}

fn error_of(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(
        output.stdout.is_empty(),
        "results of a failed run: {arguments:?}"
    );
    assert!(text.starts_with("error: "), "{text}");
    text
}

#[test]
fn what_is_no_object_file_is_named() {
    assert!(error_on(b"").contains("empty"));
    assert!(error_on(b"#!/bin/sh\necho hello\n").contains("text"));
    assert!(error_on(b"\xcf\xfa\xed\xfe\x07\0\0\x01").contains("malformed Mach-O header"));
    assert!(error_on(b"\xca\xfe\xba\xbe\0\0\0\x02").contains("table of slices"));
    assert!(error_on(b"MZ\x90\0\x03\0\0\0").contains("malformed PE header"));
    assert!(error_on(b"\0asm").contains("WebAssembly"));
    assert!(error_on(b"!<thin>\n/               0").contains("thin archive"));
    assert!(error_on(b"\x7fELF").contains("ELF header"));
}

#[test]
fn folders_and_missing_files_are_refused() {
    assert!(error_of(&["/"]).contains("folder"));
    assert!(error_of(&["/no/such/file"]).contains("/no/such/file"));
    #[cfg(target_os = "linux")]
    assert!(error_of(&["/dev/zero"]).contains("no regular file"));
}

#[test]
fn names_of_files_do_not_reach_the_terminal_raw() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("e\u{1b}[31mvil");
    fs::write(&path, "text").expect("the file is written");
    let text = error_of(&[path.to_str().expect("UTF-8")]);
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(text.contains("u{1b}"), "{text}");
}

#[test]
fn unknown_axes_name_the_known_ones() {
    let text = error_of(&["--by", "colour", own_program().to_str().expect("UTF-8")]);
    assert!(
        text.contains("`colour`") && text.contains("compiled-in"),
        "{text}"
    );
    assert!(error_of(&["--by", "kind,kind", "x"]).contains("twice"));
    assert!(error_of(&["--filter", "(", "x"]).contains("regular expression"));
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    assert!(error_of(&["--bin", "x", "/bin/true"]).contains("--bin"));
    assert!(error_of(&["--spans", "--format", "markdown", "/bin/true"]).contains("Markdown"));
    assert!(error_of(&["--full", "--format", "csv", "/bin/true"]).contains("CSV"));
    assert!(error_of(&["--sort", "copies", "/bin/true"]).contains("--by generic"));
    assert!(error_of(&["--sort", "memory", "/bin/true"]).contains("--by crate"));
    for arguments in [
        &["--full", "--by", "kind", "x"][..],
        &["--link-map", "x"],
        &["--no-such-flag"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn link_maps_and_debug_files_of_other_programs_are_refused() {
    let own = own_program().to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let map = folder.path().join("other.map");
    fs::write(
        &map,
        "             VMA              LMA     Size Align Out     In      Symbol\n             100              100       10     1 .text\n             100              100       10     1         a.o:(.text)\n",
    )
    .expect("the map is written");
    let text = error_of(&[own, "--link-map", map.to_str().expect("UTF-8")]);
    assert!(text.contains("another file"), "{text}");
    let text = error_of(&[own, "--link-map", own]);
    assert!(text.contains("link map"), "{text}");
    let text = error_of(&[own, "--debug-file", "/no/such/file"]);
    assert!(text.contains("debug file"), "{text}");
}

#[test]
fn truncated_programs_still_add_up() {
    let bytes = fs::read(own_program()).expect("the program is there");
    let folder = tempfile::tempdir().expect("a folder");
    for part in [1, 3, 7, 15] {
        let len = bytes.len() * part / 16;
        let path = folder.path().join(format!("cut-{part}"));
        fs::write(&path, &bytes[..len]).expect("the file is written");
        let document = json([&path]);
        assert_eq!(sum(&document, "file"), u64::try_from(len).expect("it fits"));
        assert!(
            !document["warnings"]
                .as_array()
                .expect("an array")
                .is_empty(),
            "a cut file is worth a warning"
        );
    }
}

#[test]
fn a_build_that_fails_is_the_users_trouble() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"broken\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        ("src/main.rs", "fn main() { no_such_function() }\n"),
    ]);
    let output = run(["--manifest-path", &package.manifest()]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(
        text.contains("no_such_function"),
        "the compiler's own words are shown: {text}"
    );
    assert!(text.contains("error: "), "{text}");
}

#[test]
fn a_package_without_programs_is_said_to_be_one() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        ("src/lib.rs", ""),
    ]);
    let output = run(["--manifest-path", &package.manifest()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("library"), "{}", stderr(&output));
}

#[test]
fn outside_of_a_package_the_error_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = crate::whittle::command()
        .current_dir(folder.path())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("Cargo.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_folder_that_cannot_be_written_to_loses_nothing() {
    let own = own_program().to_str().expect("UTF-8");
    let output = run([own, "--output", "/no/such/folder/report.txt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/no/such/folder/report.txt"));
    assert!(!Path::new("/no/such").exists());
}
