//! Real processes: such as hang, fork, talk too much, die, or are not there.
#![cfg(unix)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use whittle_cargo::{Ending, Helper, Invocation, ProcessError, Run, Sink};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn helper() -> Helper {
    Helper::at(env!("CARGO_BIN_EXE_whittle-helper"))
}

fn shell(line: &str) -> Result<Run> {
    Ok(Invocation::shell(line).run(&helper())?)
}

/// Whether a process runs; one that is dead and was not waited for does not.
fn is_alive(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat"));
    state.is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    })
}

fn dies(pid: &str) -> bool {
    let patience = Instant::now() + Duration::from_secs(5);
    while Instant::now() < patience {
        if !is_alive(pid) {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

fn pid_in(path: &Path) -> Result<String> {
    let patience = Instant::now() + Duration::from_secs(10);
    while Instant::now() < patience {
        if let Ok(text) = fs::read_to_string(path)
            && text.ends_with('\n')
        {
            return Ok(text.trim().to_owned());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(format!("nobody wrote `{}`", path.display()).into())
}

#[test]
fn both_streams_and_the_status_come_back() -> Result {
    let run = shell("echo out; echo err >&2; exit 3")?;
    assert_eq!(run.ending, Ending::Exited(3));
    assert!(!run.ending.is_success());
    assert_eq!(
        (run.stdout.text().as_str(), run.stdout.len),
        ("out\n", 4),
        "{run:?}"
    );
    assert_eq!(run.stderr.bytes, b"err\n");
    assert!(run.stdout.complete && run.stderr.complete);
    Ok(())
}

#[test]
fn words_folder_and_environment_arrive_unchanged() -> Result {
    let folder = tempfile::tempdir()?;
    let mut invocation = Invocation::program(
        "sh",
        [
            "-c",
            "printf '%s|' \"$@\" \"$A\" \"${HOME-none}\" \"${CARGO_WHITTLE_SUPERVISOR-none}\"; pwd -P",
            "sh",
            "it's",
            "",
            "a b",
        ],
    );
    invocation.directory = Some(folder.path().to_owned());
    invocation.environment = vec![("A".into(), Some("x\ny".into())), ("HOME".into(), None)];
    let run = invocation.run(&helper())?;
    let expected = format!(
        "it's||a b|x\ny|none|none|{}\n",
        folder.path().canonicalize()?.display()
    );
    assert_eq!(run.stdout.text(), expected);
    Ok(())
}

#[test]
fn a_command_that_hangs_is_killed_at_its_limit() -> Result {
    let mut invocation = Invocation::shell("echo started; sleep 60; echo never");
    invocation.limit = Some(Duration::from_millis(300));
    let start = Instant::now();
    let run = invocation.run(&helper())?;
    assert_eq!(run.ending, Ending::TimedOut);
    assert_eq!(run.stdout.text(), "started\n");
    assert!(run.wall >= Duration::from_millis(300), "{run:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
    Ok(())
}

#[test]
fn a_command_that_ignores_signals_is_killed_too() -> Result {
    let mut invocation = Invocation::shell("trap '' TERM INT HUP; while :; do sleep 1; done");
    invocation.limit = Some(Duration::from_millis(200));
    assert_eq!(invocation.run(&helper())?.ending, Ending::TimedOut);
    Ok(())
}

#[test]
fn what_outlives_a_command_is_killed() -> Result {
    let folder = tempfile::tempdir()?;
    for (name, start) in [("group", ""), ("session", "setsid")] {
        let file = folder.path().join(name);
        let line = format!(
            "{start} sh -c 'echo $$ > \"{0}.new\"; mv \"{0}.new\" \"{0}\"; sleep 60' & while ! test -e \"{0}\"; do \
             sleep 0.01; done",
            file.display()
        );
        let start = Instant::now();
        let run = shell(&line)?;
        assert_eq!(run.ending, Ending::Exited(0), "{name}: {run:?}");
        assert!(start.elapsed() < Duration::from_secs(20), "{name}");
        assert!(run.stdout.complete, "{name}: somebody holds the pipe");
        assert!(dies(&pid_in(&file)?), "{name}: it lives on");
    }
    Ok(())
}

#[test]
fn output_beyond_the_bound_is_counted_and_dropped() -> Result {
    let mut invocation = Invocation::shell("head -c 50000000 /dev/zero; echo done >&2");
    invocation.stdout = Sink::Keep(1000);
    let run = invocation.run(&helper())?;
    assert_eq!(run.ending, Ending::Exited(0));
    assert_eq!(run.stdout.bytes, [0; 1000]);
    assert_eq!(run.stdout.len, 50_000_000);
    assert_eq!(run.stderr.text(), "done\n");
    Ok(())
}

#[test]
fn output_goes_to_a_file_or_nowhere() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("out");
    let mut invocation = Invocation::shell("echo out; echo err >&2");
    invocation.stdout = Sink::File(path.clone());
    invocation.stderr = Sink::Discard;
    let run = invocation.run(&helper())?;
    assert_eq!(fs::read(&path)?, b"out\n");
    assert_eq!((run.stdout.bytes.len(), run.stdout.len), (0, 4));
    assert_eq!(run.stderr.len, 0);

    invocation.stdout = Sink::File(folder.path().join("no/such/folder"));
    let error = invocation
        .run(&helper())
        .err()
        .ok_or("it cannot be written")?;
    assert!(matches!(error, ProcessError::NoOutput { .. }), "{error:?}");
    Ok(())
}

#[test]
fn death_by_signal_is_told_from_an_exit() -> Result {
    for (line, ending) in [
        ("kill -SEGV $$", Ending::Signalled(11)),
        ("kill -ABRT $$", Ending::Signalled(6)),
        ("exit 134", Ending::Exited(134)),
    ] {
        assert_eq!(shell(line)?.ending, ending, "{line}");
    }
    Ok(())
}

#[test]
fn stdin_is_closed() -> Result {
    let run = shell("cat; echo end")?;
    assert_eq!(run.stdout.text(), "end\n");
    Ok(())
}

#[test]
fn there_is_no_terminal_to_wait_for() -> Result {
    // Fields 6 and 7 of `/proc/PID/stat` are the session and its terminal (`proc(5)`); the name before has no spaces here.
    let run = shell("cut -d' ' -f6,7 /proc/$$/stat; (exec < /dev/tty) 2>/dev/null || echo none")?;
    let own = fs::read_to_string("/proc/self/stat")?;
    let own = own
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.split(' ').nth(3));
    let text = run.stdout.text();
    let (session, rest) = text.split_once(' ').ok_or("two fields")?;
    assert_ne!(Some(session), own);
    assert_eq!(rest, "0\nnone\n");
    Ok(())
}

#[test]
fn what_cannot_run_is_named() -> Result {
    let run = |invocation: Invocation| invocation.run(&helper()).err().ok_or("it ran");

    let error = run(Invocation::program("no-such-program", [""; 0]))?;
    assert_eq!(error.to_string(), "cannot run `no-such-program`");
    assert!(
        matches!(&error, ProcessError::NotStarted { source, .. } if source.kind() == std::io::ErrorKind::NotFound),
        "{error:?}"
    );

    // The system's `ENOEXEC` or `EACCES`, by what it is.
    let folder = tempfile::tempdir()?;
    let text = folder.path().join("text");
    fs::write(&text, "no program")?;
    let error = run(Invocation::program(&text, [""; 0]))?;
    assert!(
        matches!(&error, ProcessError::NotStarted { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied),
        "{error:?}"
    );

    let mut invocation = Invocation::shell("true");
    invocation.directory = Some(folder.path().join("gone"));
    let error = run(invocation)?;
    assert!(
        matches!(error, ProcessError::NoDirectory { .. }),
        "{error:?}"
    );

    let error = Invocation::shell("true")
        .run(&Helper::at(folder.path().join("gone")))
        .err()
        .ok_or("there is no helper")?;
    assert!(
        matches!(error, ProcessError::NotSupervised { .. }),
        "{error:?}"
    );
    // Any other program leaves no report.
    let error = Invocation::shell("true")
        .run(&Helper::at("true"))
        .err()
        .ok_or("`true` supervises nothing")?;
    assert!(
        matches!(error, ProcessError::NotSupervised { .. }),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn processor_time_is_that_of_all_descendants() -> Result {
    // The shell's own `times` is the judge: its children's user and system time are on the second line.
    let run = shell(
        "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done\n\
         (i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done)\n\
         times",
    )?;
    let judged: f64 = run
        .stdout
        .text()
        .split_whitespace()
        .map(|time| {
            let (minutes, seconds) = time.split_once('m').unwrap_or(("0", time));
            let seconds = seconds.trim_end_matches('s').parse::<f64>();
            60.0 * minutes.parse::<f64>().unwrap_or(f64::NAN) + seconds.unwrap_or(f64::NAN)
        })
        .sum();
    let usage = run.usage.ok_or("this system says")?;
    let measured = usage.cpu().as_secs_f64();
    assert!(judged > 0.02, "the loops were too short: {judged} s");
    // `times` counts in hundredths.
    assert!(
        (measured - judged).abs() < 0.05 + 0.1 * judged,
        "{measured} s, and the shell says {judged} s"
    );

    let asleep = shell("sleep 0.4")?;
    assert!(asleep.wall >= Duration::from_millis(400));
    let usage = asleep.usage.ok_or("this system says")?;
    assert!(usage.cpu() < Duration::from_millis(200), "{usage:?}");
    Ok(())
}

#[test]
fn peak_memory_is_the_commands_and_not_ours() -> Result {
    // This process is made large first: what it holds must not be taken for the command's.
    let ballast = vec![1_u8; 200 << 20];
    assert_eq!(ballast[ballast.len() / 2], 1);
    let small = shell("true")?.usage.ok_or("this system says")?;
    assert!(small.peak_memory < 32 << 20, "{small:?}");
    let large = shell("head -c 80000000 /dev/zero | tail -c 80000000 > /dev/null")?;
    let large = large.usage.ok_or("this system says")?;
    assert!(
        (80_000_000..200_000_000).contains(&large.peak_memory),
        "{large:?}"
    );
    drop(ballast);
    Ok(())
}

#[test]
fn a_command_does_not_outlive_whoever_asked_for_it() -> Result {
    // A process of our own that runs a command and is killed, as nobody can prevent: this test itself, started again.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pid");
    let mut asking = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "asks_for_a_command_and_waits",
            "--ignored",
            "--nocapture",
        ])
        .env("WHITTLE_TEST_PID_FILE", &file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let pid = pid_in(&file)?;
    assert!(is_alive(&pid));
    asking.kill()?;
    asking.wait()?;
    assert!(dies(&pid), "the command lives on");
    Ok(())
}

#[test]
#[ignore = "the other half of `a_command_does_not_outlive_whoever_asked_for_it`, which starts it"]
fn asks_for_a_command_and_waits() -> Result {
    let file = std::env::var("WHITTLE_TEST_PID_FILE")?;
    shell(&format!("echo $$ > '{file}'; sleep 60; true"))?;
    Ok(())
}
