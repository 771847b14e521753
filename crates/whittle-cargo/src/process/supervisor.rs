//! The process between this program and a command: what runs when the executable is started as a supervisor.
//!
//! What is special to a system stands in `system`, once for Unix and once for the others.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

use super::Ending;
use super::supervised::{Ended, Report, Request};
use crate::helper::SUPERVISOR;

/// Why the supervisor stops waiting.
enum Happened {
    /// The command's first process ended.
    Ended,
    /// Whoever asked for the command is gone.
    Abandoned,
}

/// Runs one command and writes down how it went. The exit status only says whether that could be done.
pub(crate) fn supervise(args: Vec<OsString>) -> ExitCode {
    let Some(request) = Request::parse(args) else {
        return ExitCode::FAILURE;
    };
    let report = match run(&request) {
        Ok(Some(ended)) => Report::Ended(ended),
        Ok(None) => {
            // Nobody is left to read it, nor to remove what it would be written to.
            let _ = fs::remove_file(&request.report);
            return ExitCode::FAILURE;
        }
        Err(error) => Report::NotStarted {
            error: error.raw_os_error().unwrap_or_default(),
        },
    };
    let written = serde_json::to_vec(&report)
        .map_err(io::Error::from)
        .and_then(|bytes| fs::write(&request.report, bytes));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// `None` if whoever asked is gone.
fn run(request: &Request) -> io::Result<Option<Ended>> {
    system::leave_terminal();
    system::adopt_orphans();
    let mut command = Command::new(&request.program);
    command
        .args(&request.args)
        .env_remove(SUPERVISOR)
        .stdin(Stdio::null());
    system::own_group(&mut command);
    let start = Instant::now();
    let mut child = command.spawn()?;

    let (sender, happenings) = channel();
    listen_for_the_end_of_stdin(sender.clone());
    let deadline = request.limit.and_then(|limit| start.checked_add(limit));
    let happened = system::wait(&mut child, sender, &happenings, deadline);
    let wall = start.elapsed();

    // The first process is dead or dying, but not yet waited for: its number, which is the group's, cannot be another's.
    system::kill(&mut child);
    let status = child.wait()?;
    system::kill_orphans();
    let usage = system::usage_of_children();
    Ok(match happened {
        Some(Happened::Ended) => Some(Ended {
            ending: Ending::of(status),
            wall,
            usage,
        }),
        Some(Happened::Abandoned) => None,
        None => Some(Ended {
            ending: Ending::TimedOut,
            wall,
            usage,
        }),
    })
}

/// Whoever asked holds the other end of the pipe, and lets go of it when it dies.
fn listen_for_the_end_of_stdin(sender: Sender<Happened>) {
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while matches!(io::stdin().read(&mut buffer), Ok(read) if read > 0) {}
        let _ = sender.send(Happened::Abandoned);
    });
}

#[cfg(unix)]
mod system {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};
    use std::sync::mpsc::{Receiver, Sender};
    use std::thread;
    use std::time::{Duration, Instant};

    use nix::errno::Errno;
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::signal::{Signal, killpg};
    use nix::sys::time::TimeVal;
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
    use nix::unistd::Pid;

    use super::Happened;
    use crate::process::Usage;

    /// A key that ends whoever asked must not end the one that clears up after them; and what wants a password must fail
    /// and not wait for a terminal that is another's.
    pub(super) fn leave_terminal() {
        // Only the leader of a group cannot, and a child that was just started is none.
        let _ = nix::unistd::setsid();
    }

    /// Descendants whose parent dies become this process's children.
    pub(super) fn adopt_orphans() {
        // Without it, those that have left the group are out of reach: no reason not to run the command.
        #[cfg(target_os = "linux")]
        let _ = nix::sys::prctl::set_child_subreaper(true);
    }

    pub(super) fn own_group(command: &mut Command) {
        command.process_group(0);
    }

    /// Waits for the end of the child or of whoever asked for it; `None` at the deadline.
    pub(super) fn wait(
        child: &mut Child,
        sender: Sender<Happened>,
        happenings: &Receiver<Happened>,
        deadline: Option<Instant>,
    ) -> Option<Happened> {
        let pid = pid(child);
        thread::spawn(move || {
            // The dead process stays where it is, so that its number stays taken.
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            while waitid(Id::Pid(pid), flags) == Err(Errno::EINTR) {}
            let _ = sender.send(Happened::Ended);
        });
        match deadline {
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                happenings.recv_timeout(left).ok()
            }
            None => happenings.recv().ok(),
        }
    }

    pub(super) fn kill(child: &mut Child) {
        // It fails when all are dead already.
        let _ = killpg(pid(child), Signal::SIGKILL);
    }

    /// Kills what has left the group and was left by its parents, until nothing is left.
    pub(super) fn kill_orphans() {
        let patience = Instant::now() + Duration::from_secs(1);
        while Instant::now() < patience {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => {
                    kill_children();
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) if error != Errno::EINTR => return, // no children
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Linux: `/proc/PID/task/TID/children` lists the children that a thread made or was given.
    fn kill_children() {
        let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
            return;
        };
        for thread in threads.flatten() {
            let children = std::fs::read_to_string(thread.path().join("children"));
            for child in children.unwrap_or_default().split_whitespace() {
                if let Ok(pid) = child.parse() {
                    let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
                }
            }
        }
    }

    /// All children that were waited for, and theirs.
    pub(super) fn usage_of_children() -> Option<Usage> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
        // In KiB but for Apple's systems, which count bytes (`getrusage(2)` of each).
        let unit = if cfg!(target_vendor = "apple") {
            1
        } else {
            1024
        };
        Some(Usage {
            user: duration(usage.user_time()),
            system: duration(usage.system_time()),
            peak_memory: u64::try_from(usage.max_rss())
                .unwrap_or_default()
                .saturating_mul(unit),
        })
    }

    fn pid(child: &Child) -> Pid {
        Pid::from_raw(child.id().cast_signed())
    }

    fn duration(time: TimeVal) -> Duration {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
        let microseconds = u64::try_from(time.tv_usec()).unwrap_or_default();
        Duration::from_secs(seconds) + Duration::from_micros(microseconds)
    }
}

/// Systems without process groups: the first process alone is killed, and nobody says what was used.
#[cfg(not(unix))]
mod system {
    use std::process::{Child, Command};
    use std::sync::mpsc::{Receiver, Sender};
    use std::time::{Duration, Instant};

    use super::Happened;
    use crate::process::Usage;

    pub(super) fn leave_terminal() {}

    pub(super) fn adopt_orphans() {}

    pub(super) fn own_group(_: &mut Command) {}

    pub(super) fn wait(
        child: &mut Child,
        _sender: Sender<Happened>,
        happenings: &Receiver<Happened>,
        deadline: Option<Instant>,
    ) -> Option<Happened> {
        loop {
            if let Ok(happened) = happenings.recv_timeout(Duration::from_millis(2)) {
                return Some(happened);
            }
            if !matches!(child.try_wait(), Ok(None)) {
                return Some(Happened::Ended);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
        }
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = child.kill();
    }

    pub(super) fn kill_orphans() {}

    pub(super) fn usage_of_children() -> Option<Usage> {
        None
    }
}
