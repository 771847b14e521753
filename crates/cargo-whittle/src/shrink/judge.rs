//! The judge of files: does it start, does it do the same, how fast is it? The baseline is asked first, and only what it does
//! twice alike is asked of trials.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use whittle_cargo::{Ending, Helper, Run};
use whittle_report::shrink::{PanicOf, PanicSeen, Panics};
use whittle_trial::behaviour::{End, Expected};
use whittle_trial::policy::Policy;
use whittle_trial::speed::{self, FEWEST_ROUNDS, MOST_ROUNDS, Ratio, Round, Speed};
use whittle_trial::verdict::{Behaviour, StartCost, StartUp, Starts, Verdict, WorkloadSpeed};

use super::command::{Kept, Shipped, Stand, UserCommand, end, observed};
use super::configuration::Command;
use super::probe::describe;
use super::request::{Request, Tests};
use super::suite::Suite;
use crate::trouble::{Outcome, Trouble};

/// How long a command may take where nobody says.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a program may take to start and stop.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Runs of the baseline from which the number of rounds is fixed.
const PILOT: usize = 5;
/// How much of the interval's half is wanted: half of the bound, within these.
const WANTED: (f64, f64) = (0.008, 0.03);
/// Time for the rounds of one workload: more rounds than fit are not begun, which is decided before the first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rounds in which starting is measured.
const STARTS: usize = 15;
/// Below this a run is mostly the start of processes.
const SHORT: Duration = Duration::from_millis(20);

/// Judges files against the baseline.
pub(crate) struct Judge<'a> {
    helper: &'a Helper,
    root: PathBuf,
    shipped: Shipped,
    baseline: Stand,
    candidate: Stand,
    smoke: Option<(String, Expected)>,
    checks: Vec<(Command, Expected)>,
    workloads: Vec<Workload>,
    /// How wide the half of an interval may be, as a share.
    wanted: f64,
    /// The first command of the user's in which the program as it is panics: its name, its line, its time limit.
    panicking: Option<(String, String, Duration)>,
    pub(crate) suite: Suite,
    /// What is not as good as it could be.
    pub(crate) notes: Vec<String>,
}

/// A workload, and what its pilot said.
struct Workload {
    command: Command,
    /// Rounds that count, fixed from the pilot.
    rounds: usize,
    /// More than these are not measured at once.
    affordable: usize,
}

/// What rounds of a workload gave; an `Err` is a failure of the candidate.
type Sampled = Result<(WorkloadSpeed, Vec<Round>), String>;

/// How well a file is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// Well enough to choose among many.
    Screen,
    /// As well as was asked for, by new rounds.
    Full,
}

impl<'a> Judge<'a> {
    /// Asks the baseline everything that trials will be asked.
    ///
    /// # Errors
    /// When the baseline itself does not start as configured, when a workload fails with it, or a test.
    pub(crate) fn new(
        helper: &'a Helper,
        request: &Request,
        root: &Path,
        shipped: &Shipped,
        stands: (Stand, Stand),
        suite: Suite,
    ) -> Outcome<Self> {
        let (baseline, candidate) = stands;
        let mut judge = Self {
            helper,
            root: root.to_owned(),
            shipped: shipped.clone(),
            baseline,
            candidate,
            smoke: None,
            checks: Vec::new(),
            workloads: Vec::new(),
            wanted: (request.max_slowdown / 2.0).clamp(WANTED.0, WANTED.1),
            panicking: None,
            suite,
            notes: Vec::new(),
        };
        judge.baseline.put(&shipped.copy)?;
        judge.find_smoke(request)?;
        judge.find_checks(request)?;
        judge.find_workloads(request)?;
        Ok(judge)
    }

    /// Whether tests or checks run the program.
    pub(crate) fn exercises(&self) -> bool {
        !self.checks.is_empty() || self.suite.runs_program()
    }

    /// Whether there is a workload.
    pub(crate) fn measures(&self) -> bool {
        !self.workloads.is_empty()
    }

    fn user_command<'c>(&'c self, line: &'c str, limit: Duration) -> UserCommand<'c> {
        UserCommand {
            line,
            directory: &self.root,
            limit,
            environment: &[],
        }
    }

    fn run(&self, line: &str, limit: Duration, kept: Kept, stand: &Stand) -> Outcome<Run> {
        self.user_command(line, limit)
            .run(self.helper, stand, &self.shipped.path, kept)
    }

    fn check_command(&self, line: &str) -> Outcome<()> {
        self.user_command(line, LIMIT)
            .check(&self.baseline, &self.shipped.path)
    }

    /// How to see that the program starts: as configured, else by what most programs answer.
    fn find_smoke(&mut self, request: &Request) -> Outcome<()> {
        let lines = match &request.smoke {
            Some(line) => {
                self.check_command(line)?;
                vec![line.clone()]
            }
            None => vec!["{} --version".to_owned(), "{} --help".to_owned()],
        };
        for line in lines {
            // At one path, whoever is asked.
            self.candidate.put(&self.shipped.copy)?;
            let first = self.run(&line, START_LIMIT, Kept::Output, &self.candidate)?;
            let second = self.run(&line, START_LIMIT, Kept::Output, &self.candidate)?;
            let expected = Expected::of(&observed(&first), &observed(&second));
            let ends = [first.ending, second.ending].map(end);
            if ends == [End::Code(0), End::Code(0)] {
                self.smoke = Some((line, expected));
                return Ok(());
            }
            if request.smoke.is_some() {
                return Err(Trouble::new(
                    anyhow!(
                        "`{line}` does not succeed with the program as it is: {}",
                        ends[0]
                    ),
                    "give a `[smoke]` command that starts the program and ends with exit code 0",
                ));
            }
        }
        self.notes.push(
            "whether trials start was not tried: neither `--version` nor `--help` succeeds; name a command in `[smoke]`"
                .to_owned(),
        );
        Ok(())
    }

    fn find_checks(&mut self, request: &Request) -> Outcome<()> {
        for check in &request.checks {
            let line = &check.command;
            self.check_command(line)?;
            let limit = check.time_limit.map_or(LIMIT, |span| span.0);
            self.candidate.put(&self.shipped.copy)?;
            let first = self.run(line, limit, Kept::Output, &self.candidate)?;
            let second = self.run(line, limit, Kept::Output, &self.candidate)?;
            if [first.ending, second.ending]
                .map(end)
                .contains(&End::TimedOut)
            {
                return Err(too_long("check", check, limit));
            }
            if is_not_run(first.ending) {
                return Err(not_found("check", check, &first));
            }
            if self.panicking.is_none() && panics(&first) {
                let name = format!("check `{}`", check.name());
                self.panicking = Some((name, line.clone(), limit));
            }
            let expected = Expected::of(&observed(&first), &observed(&second));
            let unstable = expected.unstable_parts();
            if !unstable.is_empty() {
                self.notes.push(format!(
                    "check `{}`: not compared, since the program as it is differs from run to run: {}",
                    check.name(),
                    unstable.join(", ")
                ));
            }
            self.checks.push((check.clone(), expected));
        }
        Ok(())
    }

    fn find_workloads(&mut self, request: &Request) -> Outcome<()> {
        for workload in &request.workloads {
            let line = &workload.command;
            self.check_command(line)?;
            let limit = workload.time_limit.map_or(LIMIT, |span| span.0);
            let mut times = Vec::new();
            let mut longest = Duration::ZERO;
            // The first run only warms caches up.
            for index in 0..=PILOT {
                let run = self.run(line, limit, Kept::Output, &self.baseline)?;
                match end(run.ending) {
                    End::TimedOut => return Err(too_long("workload", workload, limit)),
                    _ if is_not_run(run.ending) => {
                        return Err(not_found("workload", workload, &run));
                    }
                    End::Code(0) => {}
                    // Many tools say by their exit code that they found nothing.
                    End::Code(1) if run.stderr.bytes.is_empty() => {}
                    other => {
                        return Err(Trouble::new(
                            anyhow!("{}", reason(&run)).context(format!(
                                "the workload `{}` fails with the program as it is: {other}",
                                workload.name()
                            )),
                            "give a command that works from the workspace's root",
                        ));
                    }
                }
                let cpu = run.usage.map(|usage| usage.cpu());
                let Some(cpu) = cpu else {
                    return Err(Trouble::plain(anyhow!(
                        "this system does not tell how much processor time a command used"
                    )));
                };
                if self.panicking.is_none() && panics(&run) {
                    let name = format!("workload `{}`", workload.name());
                    self.panicking = Some((name, line.clone(), limit));
                }
                longest = longest.max(run.wall);
                if index > 0 {
                    times.push(cpu.as_secs_f64());
                }
            }
            if longest < SHORT {
                self.notes.push(format!(
                    "workload `{}` takes {} ms only: mostly the start of the program is measured",
                    workload.name(),
                    longest.as_millis()
                ));
            }
            let affordable = PATIENCE.as_secs_f64() / (2.0 * longest.as_secs_f64().max(1e-3));
            let affordable = (FEWEST_ROUNDS..MOST_ROUNDS)
                .find(|rounds| f64::from(u32::try_from(*rounds).unwrap_or(u32::MAX)) >= affordable)
                .unwrap_or(MOST_ROUNDS);
            self.workloads.push(Workload {
                command: workload.clone(),
                rounds: speed::rounds(&times, self.wanted).min(affordable),
                affordable,
            });
        }
        Ok(())
    }

    /// Judges a file.
    pub(crate) fn judge(
        &mut self,
        program: &Path,
        policy: &Policy,
        care: Care,
    ) -> Outcome<Verdict> {
        self.candidate.put(program)?;
        let starts = match &self.smoke {
            None => Starts::NotTried,
            Some((line, expected)) => {
                let run = self.run(line, START_LIMIT, Kept::Output, &self.candidate)?;
                match expected.compare(&observed(&run)) {
                    Ok(()) => Starts::Yes,
                    Err(difference) => {
                        return Ok(Verdict::does_not_start(format!("`{line}`: {difference}")));
                    }
                }
            }
        };
        let mut failures = self.suite.failures(program)?;
        for (check, expected) in &self.checks {
            let limit = check.time_limit.map_or(LIMIT, |span| span.0);
            let run = self.run(&check.command, limit, Kept::Output, &self.candidate)?;
            if let Err(difference) = expected.compare(&observed(&run)) {
                failures.push(format!("check `{}`: {difference}", check.name()));
            }
        }
        let behaviour = if !failures.is_empty() {
            Behaviour::Failed { failures }
        } else if self.exercises() {
            Behaviour::Passed
        } else {
            Behaviour::NotExercised
        };
        let mut verdict = Verdict {
            starts,
            behaviour,
            speed: speed::Speed::NotMeasured,
            workloads: Vec::new(),
            start_up: None,
        };
        if verdict.works() && care == Care::Full {
            verdict.start_up = self.start_up()?;
        }
        if verdict.works() {
            for workload in &self.workloads {
                match self.measure(workload, policy, care)? {
                    Ok(speed) => verdict.workloads.push(speed),
                    Err(failure) => {
                        verdict.behaviour = Behaviour::Failed {
                            failures: vec![failure],
                        };
                        return Ok(verdict);
                    }
                }
            }
            verdict.speed = policy.judge(verdict.workloads.iter().map(|workload| &workload.ratio));
        }
        Ok(verdict)
    }

    /// What the user's own command that panics shows with the program as it is and with another, each with
    /// `RUST_BACKTRACE=1`; nothing if none panics.
    pub(crate) fn panics(&self, program: &Path) -> Outcome<Option<Panics>> {
        let Some((name, line, limit)) = &self.panicking else {
            return Ok(None);
        };
        let seen = |program: &Path| -> Outcome<PanicSeen> {
            self.candidate.put(program)?;
            let command = UserCommand {
                environment: &[("RUST_BACKTRACE", "1")],
                ..self.user_command(line, *limit)
            };
            let run = command.run(
                self.helper,
                &self.candidate,
                &self.shipped.path,
                Kept::Output,
            )?;
            Ok(describe(&run))
        };
        Ok(Some(Panics {
            before: seen(&self.shipped.copy)?,
            after: seen(program)?,
            of: PanicOf::Command(name.clone()),
        }))
    }

    /// What it takes to start, in turn with the baseline; nothing where there is no command for it.
    fn start_up(&self) -> Outcome<Option<StartUp>> {
        let Some((line, _)) = &self.smoke else {
            return Ok(None);
        };
        let mut costs = [Vec::new(), Vec::new()];
        // The first round only warms caches up.
        for index in 0..=STARTS {
            for (stand, costs) in [&self.baseline, &self.candidate]
                .into_iter()
                .zip(&mut costs)
            {
                let run = self.run(line, START_LIMIT, Kept::Nothing, stand)?;
                let Some(usage) = run.usage.filter(|_| index > 0) else {
                    continue;
                };
                costs.push(StartCost {
                    wall: run.wall.as_secs_f64(),
                    cpu: usage.cpu().as_secs_f64(),
                    peak_memory: usage.peak_memory,
                });
            }
        }
        let cost = |costs: &[StartCost]| {
            let seconds =
                |of: fn(&StartCost) -> f64| middle(costs.iter().map(of).collect(), f64::total_cmp);
            Some(StartCost {
                wall: seconds(|cost| cost.wall)?,
                cpu: seconds(|cost| cost.cpu)?,
                peak_memory: middle(
                    costs.iter().map(|cost| cost.peak_memory).collect(),
                    u64::cmp,
                )?,
            })
        };
        let both = cost(&costs[0]).zip(cost(&costs[1]));
        Ok(both.map(|(baseline, trial)| StartUp {
            rounds: STARTS,
            baseline,
            trial,
        }))
    }

    /// Measures the candidate and the baseline in turn; an `Err` inside is a failure of the candidate.
    ///
    /// Rounds that leave open how the speed stands to the bound are taken as the pilot of a second sample, if that would be
    /// bigger; then it alone counts.
    fn measure(
        &self,
        workload: &Workload,
        policy: &Policy,
        care: Care,
    ) -> Outcome<Result<WorkloadSpeed, String>> {
        let count = match care {
            Care::Screen => workload.rounds.div_ceil(2).max(FEWEST_ROUNDS),
            Care::Full => workload.rounds,
        };
        let (speed, rounds) = match self.sample(&workload.command, count)? {
            Ok(measured) => measured,
            Err(failure) => return Ok(Err(failure)),
        };
        let needed = speed::rounds_after(&rounds, self.wanted).min(workload.affordable);
        let stands = policy.judge_among(&speed.ratio, self.workloads.len());
        if stands != Speed::Undecided || needed <= count {
            return Ok(Ok(speed));
        }
        let second = self.sample(&workload.command, needed)?;
        Ok(second.map(|(speed, _)| speed))
    }

    /// So many rounds of a workload; an `Err` inside is a failure of the candidate.
    fn sample(&self, command: &Command, count: usize) -> Outcome<Sampled> {
        let limit = command.time_limit.map_or(LIMIT, |span| span.0);
        let mut rounds = Vec::new();
        let mut walls = Vec::new();
        let (mut peaks, mut of_baselines) = (Vec::new(), Vec::new());
        let once = |stand: &Stand| self.run(&command.command, limit, Kept::Nothing, stand);
        let (warm, _) = (once(&self.candidate)?, once(&self.baseline)?);
        let expected = end(warm.ending);
        if !matches!(expected, End::Code(0 | 1)) {
            return Ok(Err(format!("workload `{}`: {expected}", command.name())));
        }
        for index in 0..count {
            // Who comes first changes: the second may find caches warm.
            let (baseline, candidate) = if index % 2 == 0 {
                let baseline = once(&self.baseline)?;
                (baseline, once(&self.candidate)?)
            } else {
                let candidate = once(&self.candidate)?;
                (once(&self.baseline)?, candidate)
            };
            if end(candidate.ending) != expected {
                return Ok(Err(format!(
                    "workload `{}`: {}",
                    command.name(),
                    end(candidate.ending)
                )));
            }
            let (Some(of_baseline), Some(of_candidate)) = (baseline.usage, candidate.usage) else {
                continue;
            };
            rounds.push(Round {
                baseline: of_baseline.cpu().as_secs_f64(),
                trial: of_candidate.cpu().as_secs_f64(),
            });
            walls.push(candidate.wall.as_secs_f64() / baseline.wall.as_secs_f64().max(1e-9));
            peaks.push(of_candidate.peak_memory);
            of_baselines.push(of_baseline.peak_memory);
        }
        let Some(ratio) = Ratio::of(&rounds) else {
            return Ok(Err(format!(
                "workload `{}`: no processor time was measured",
                command.name()
            )));
        };
        let speed = WorkloadSpeed {
            name: command.name().to_owned(),
            ratio,
            rounds: rounds.len(),
            wall: middle(walls, f64::total_cmp).unwrap_or(ratio.ratio),
            peak_memory: middle(peaks, u64::cmp),
            baseline_peak_memory: middle(of_baselines, u64::cmp),
        };
        Ok(Ok((speed, rounds)))
    }
}

/// Whether somebody saw a panic in a run: by its exit code, or by what the runtime prints.
fn panics(run: &Run) -> bool {
    end(run.ending) == End::Code(101) || run.stderr.text().lines().any(tells_of_a_panic)
}

/// `thread 'main' panicked at src/main.rs:1:1:`, since Rust 1.91 with the thread's number before the verb.
fn tells_of_a_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

/// The value in the middle.
fn middle<T: Copy>(mut values: Vec<T>, order: impl Fn(&T, &T) -> std::cmp::Ordering) -> Option<T> {
    values.sort_by(order);
    values.get(values.len() / 2).copied()
}

/// What the user's commands are, for whoever wants to know before they are run.
pub(crate) fn commands(request: &Request) -> Vec<String> {
    let mut commands = Vec::new();
    commands.extend(
        request
            .build_command
            .iter()
            .map(|command| command.line.clone()),
    );
    match &request.tests {
        Tests::Package => commands.push("the package's integration tests".to_owned()),
        Tests::Command(line) => commands.push(line.clone()),
        Tests::None => {}
    }
    commands.extend(request.checks.iter().map(|check| check.command.clone()));
    commands.extend(
        request
            .workloads
            .iter()
            .map(|workload| workload.command.clone()),
    );
    commands.extend(
        request
            .benches
            .iter()
            .map(|name| format!("the benchmark `{name}`")),
    );
    commands.push(
        request
            .smoke
            .clone()
            .unwrap_or_else(|| "the program with `--version` or `--help`".to_owned()),
    );
    commands
}

fn too_long(what: &str, command: &Command, limit: Duration) -> Trouble {
    Trouble::new(
        anyhow!(
            "the {what} `{}` takes longer than {} s with the program as it is",
            command.name(),
            limit.as_secs()
        ),
        format!(
            "give a shorter one, or raise its `time-limit` in `{}`",
            super::configuration::FILE
        ),
    )
}

/// Whether a shell could not run the command: it is not there, or is no program for this machine (POSIX, "Exit Status for
/// Commands").
fn is_not_run(ending: Ending) -> bool {
    matches!(end(ending), End::Code(126 | 127))
}

fn not_found(what: &str, command: &Command, run: &Run) -> Trouble {
    Trouble::new(
        anyhow!("{}", reason(run))
            .context(format!("the {what} `{}` cannot be run", command.name())),
        "commands are run by the shell at the workspace's root; `{}` stands for the program",
    )
}

/// Why a run failed, in its own words: the panic, else the last line.
fn reason(run: &Run) -> String {
    reason_in(&run.stderr.text())
}

fn reason_in(text: &str) -> String {
    let said: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let panic = said.iter().position(|line| tells_of_a_panic(line));
    match (panic, said.last()) {
        // What it says is in the line after.
        (Some(at), _) => said[at..]
            .iter()
            .take(2)
            .copied()
            .collect::<Vec<_>>()
            .join(" "),
        (None, Some(last)) => (*last).to_owned(),
        (None, None) => "it printed no reason".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_its_panic_or_its_last_line() {
        let panic = "reading\nthread 'main' (4711) panicked at src/main.rs:7:9:\nno such file\nnote: run with …\n";
        let told = "thread 'main' (4711) panicked at src/main.rs:7:9: no such file";
        assert_eq!(reason_in(panic), told);
        let older = "thread 'w' panicked at src/a.rs:1:1:\nx\nstack backtrace:\n   0: f\n";
        assert_eq!(reason_in(older), "thread 'w' panicked at src/a.rs:1:1: x");
        assert_eq!(reason_in("a\nerror: b\n\n"), "error: b");
        assert_eq!(reason_in(" \n"), "it printed no reason");
    }
}
