//! Runs the program as a user does.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn logsum(args: &[&str], stdin: &str) -> Result<Output> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logsum"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // A program that never reads its input closes it: not what these tests are about.
    let _ = child
        .stdin
        .take()
        .ok_or("stdin was asked for")?
        .write_all(stdin.as_bytes());
    Ok(child.wait_with_output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A generated log in the folder that cargo keeps for tests; each test has a name of its own.
fn generated(name: &str, args: &[&str]) -> Result<PathBuf> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output_args = ["generate", "--output", &path.to_string_lossy()];
    let output = logsum(&[&output_args, args].concat(), "")?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    Ok(path)
}

const LOG: &str = r#"{"ts":1000,"level":"info","service":"auth","msg":"login of ada","latency_ms":4.0}
{"ts":4000,"level":"error","service":"cart","msg":"lost the cart of bob"}
"#;

#[test]
fn standard_input_is_summarised() -> Result {
    let output = logsum(&["summary"], LOG)?;
    assert!(output.status.success());
    let stdout = text(&output.stdout);
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{stdout}");
    assert!(
        lines[1].starts_with("error  cart             1          -"),
        "{stdout}"
    );
    assert!(
        lines[2].starts_with("info   auth             1       4.00"),
        "{stdout}"
    );
    assert_eq!(lines[3], "2 entries over 3 s");
    assert_eq!(text(&output.stderr), "");
    Ok(())
}

#[test]
fn files_are_added_up() -> Result {
    let one = generated("one.jsonl", &["--lines", "300", "--seed", "1"])?;
    let two = generated("two.jsonl", &["--lines", "200", "--seed", "2"])?;
    let output = logsum(
        &[
            "summary",
            "--by",
            "level",
            "--format",
            "json",
            &one.to_string_lossy(),
            &two.to_string_lossy(),
        ],
        "",
    )?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(document["totals"]["entries"], 500);
    let rows = document["rows"].as_array().ok_or("rows are a list")?;
    assert_eq!(
        rows.iter()
            .filter_map(|row| row["entries"].as_u64())
            .sum::<u64>(),
        500
    );
    assert!(rows.iter().all(|row| row["service"].is_null()));
    Ok(())
}

#[test]
fn a_generated_log_is_a_thousand_lines_by_default() -> Result {
    let log = generated("default.jsonl", &[])?;
    assert_eq!(fs::read_to_string(log)?.lines().count(), 1000);
    Ok(())
}

#[test]
fn the_pattern_understands_unicode_and_case() -> Result {
    let log = r#"{"ts":1,"level":"warn","service":"auth","msg":"ÉCHEC de connexion"}"#;
    let output = logsum(
        &["summary", "-e", r"(?i)^échec\s+de\b"],
        &format!("{LOG}{log}"),
    )?;
    let stdout = text(&output.stdout);
    assert!(
        stdout.ends_with("1 entries over 0 s, 2 filtered out\n"),
        "{stdout}"
    );
    Ok(())
}

#[test]
fn bad_lines_are_said_and_are_a_failure_only_when_strict() -> Result {
    let log = format!("{LOG}not json\n\n\u{0}\n");
    let output = logsum(&["summary"], &log)?;
    assert!(output.status.success());
    assert!(text(&output.stdout).ends_with(", 2 bad lines\n"));
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("warning: 2 lines are not log entries, the first is <stdin>:3: "),
        "{stderr}"
    );

    let output = logsum(&["summary", "--strict", "-"], &log)?;
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[test]
fn a_missing_file_is_named() -> Result {
    let output = logsum(&["summary", "no-such.jsonl"], "")?;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: cannot open `no-such.jsonl`: "));
    Ok(())
}

#[test]
fn a_bad_pattern_is_explained() -> Result {
    let output = logsum(&["summary", "-e", "("], "")?;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unclosed group"));
    Ok(())
}
