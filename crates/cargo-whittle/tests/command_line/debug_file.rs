//! The debug file of a stripped program, judged by those who read it: `addr2line` and `gdb`.

use std::process::Command;

use crate::shrink::planted;
use crate::whittle::{Package, run, skipped, stderr};

/// Says where in the file a function of its own is, and crashes there.
const CRASHER: &str = "\
#[inline(never)]
fn planted_crash(place: usize) -> u8 {
    unsafe { std::ptr::read_volatile(place as *const u8) }
}

fn main() {
    let maps = std::fs::read_to_string(\"/proc/self/maps\").unwrap();
    let base = usize::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap();
    println!(\"{:#x}\", planted_crash as fn(usize) -> u8 as usize - base);
    println!(\"{}\", planted_crash(std::hint::black_box(8)));
}
";

/// What a tool prints; nothing if it is not installed.
fn printed(program: &str, arguments: &[&str], package: &Package) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(package.path("target/release"))
        .env_remove("DEBUGINFOD_URLS")
        .output();
    match output {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output)),
        Err(error) => {
            skipped(&format!("`{program}`: {error}"));
            None
        }
    }
}

#[test]
fn debuggers_resolve_a_crash_of_the_stripped_program_with_its_debug_file() {
    let package = planted(CRASHER, &[]);
    let manifest = std::fs::read_to_string(package.path("Cargo.toml")).expect("there");
    std::fs::write(
        package.path("Cargo.toml"),
        format!("{manifest}strip = \"symbols\"\ndebug = \"line-tables-only\"\n"),
    )
    .expect("written");
    let output = run(["strip", "--manifest-path", &package.manifest()]);
    assert!(output.status.success(), "{}", stderr(&output));

    let program = package.path("target/release/planted");
    let crashed = Command::new(&program).output().expect("it starts");
    assert!(!crashed.status.success(), "it is to crash");
    let address = String::from_utf8_lossy(&crashed.stdout).trim().to_owned();

    if let Some(without) = printed("addr2line", &["-f", "-e", "planted", &address], &package) {
        assert!(without.contains("??"), "the program is stripped: {without}");
        let with = ["-f", "-C", "-i", "-e", "planted.debug", &address];
        let with = printed("addr2line", &with, &package).unwrap_or_default();
        assert!(with.contains("planted_crash"), "{with}");
        assert!(with.contains("main.rs:"), "{with}");
    }

    let gdb = |more: &[&str]| {
        let arguments = [
            &[
                "-batch",
                "-nx",
                "-ex",
                "run",
                "-ex",
                "backtrace 2",
                "-e",
                "planted",
            ],
            more,
        ];
        printed("gdb", &arguments.concat(), &package)
    };
    if let Some(with) = gdb(&["-s", "planted.debug"]) {
        if !with.contains("SIGSEGV") {
            return skipped(&format!("`gdb` cannot run programs here: {with}"));
        }
        assert!(with.contains("planted_crash"), "{with}");
        assert!(with.contains("main.rs:3"), "{with}");
        assert!(with.contains("main.rs:10"), "the caller: {with}");
    }
}
