//! Benchmarks as workloads. The benchmark here writes what criterion writes, since criterion itself takes a minute to compile.

use crate::shrink::{GREETER, planted, setting, shrink};
use crate::whittle::{run, stderr};

const MANIFEST: &str = "[package]\nname = \"planted\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
                        [[bench]]\nname = \"work\"\nharness = false\n\n[[bench]]\nname = \"other\"\nharness = false\n";
/// Says that it takes three times as long where a small level of optimization is asked for.
const BENCH: &str = r#"
fn main() {
    let home = std::path::PathBuf::from(std::env::var_os("CRITERION_HOME").expect("it is told where to write"));
    assert!(std::env::args().any(|word| word == "--bench"));
    let median = if cfg!(small) { 300.0 } else { 100.0 };
    let folder = home.join("group").join("multiply").join("new");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("estimates.json"),
        format!("{{\"median\":{{\"point_estimate\":{median},\"standard_error\":1.0}}}}")).unwrap();
    std::fs::write(folder.join("sample.json"), format!("{{\"times\":{:?}}}", [median; 11])).unwrap();
}
"#;
const SCRIPT: &str = "fn main() {\n    println!(\"cargo::rustc-check-cfg=cfg(small)\");\n    let level = std::env::var(\"OPT_LEVEL\").unwrap();\n    \
                      if level == \"s\" || level == \"z\" { println!(\"cargo::rustc-cfg=small\"); }\n}\n";

fn package() -> crate::whittle::Package {
    let package = planted(
        GREETER,
        &[
            ("benches/work.rs", BENCH),
            (
                "benches/other.rs",
                "fn main() { println!(\"took 1 ms\"); }\n",
            ),
            ("build.rs", SCRIPT),
            ("whittle.toml", "[[bench]]\nname = \"work\"\n"),
        ],
    );
    std::fs::write(package.path("Cargo.toml"), MANIFEST).expect("written");
    package
}

#[test]
fn a_slowdown_that_a_benchmark_shows_keeps_the_level() {
    let package = package();
    let found = shrink(
        &package,
        &[
            "--only",
            "opt-level,strip",
            "--max-slowdown",
            "60%",
            "--tests",
            "none",
        ],
    );
    assert!(
        !matches!(setting(&found, "opt-level"), Some("s" | "z")),
        "{}",
        found["recommended"]
    );
    let trials = found["trials"].as_array().expect("a list");
    let of_small = trials
        .iter()
        .find(|trial| trial["settings"]["opt-level"] == "s" && trial["step"] == "verify")
        .expect("it was checked");
    let speed = &of_small["speed"][0];
    assert_eq!(speed["workload"], "work: group/multiply");
    assert_eq!(speed["rounds"], 11);
    let ratio = speed["ratio"].as_f64().expect("a ratio");
    assert!((ratio - 3.0).abs() < 1e-9, "{speed}");
    assert_eq!(of_small["verdict"]["speed"], "outside");
    assert!(!package.path("target/criterion").exists());
}

#[test]
fn a_benchmark_that_cannot_be_read_or_is_not_there_is_told() {
    let package = package();
    std::fs::remove_file(package.path("whittle.toml")).expect("removed");
    for (name, parts) in [
        ("wrk", &["no benchmark `wrk`", "other, work"]),
        ("other", &["no estimates of criterion's", "--workload"]),
    ] {
        let manifest = package.manifest();
        let output = run([
            "shrink",
            "--only",
            "strip",
            "--tests",
            "none",
            "--bench",
            name,
            "--manifest-path",
            &manifest,
        ]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
    }
}
