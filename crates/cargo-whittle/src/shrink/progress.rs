//! What a run shows while it works: the plan first, then one line that changes, on a terminal only.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use whittle_cargo::Event;
use whittle_report::plain;
use whittle_trial::policy::{Effort, Measure};
use whittle_trial::trial::{Record, Step, Trial};

use super::judge;
use super::request::Request;

/// Shows progress on standard error.
pub(crate) struct Progress {
    start: Instant,
    is_terminal: bool,
    /// How many builds are done, and how many may come.
    builds: (usize, usize),
    has_line: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            is_terminal: io::stderr().is_terminal(),
            builds: (0, 0),
            has_line: false,
        }
    }

    /// What will be run, before any of it is.
    pub(crate) fn plan(&mut self, request: &Request) {
        self.say(&format!(
            "     Whittle plans {} builds, no new one after {} min; nothing of yours is changed{}",
            match request.effort {
                Effort::Quick => "about three",
                Effort::Full => "four to nine",
            },
            request.time_budget.as_secs().div_ceil(60),
            if request.apply {
                " until one is proven"
            } else {
                ""
            }
        ));
        self.say("     Whittle will run, several times each:");
        for command in judge::commands(request) {
            self.say(&format!("               {}", plain(&command)));
        }
    }

    /// A phase that has one build or none.
    pub(crate) fn phase(&mut self, what: &str) {
        self.say(&format!("     Whittle {what}"));
    }

    /// Something of several lines, such as a change that is about to be made.
    pub(crate) fn show(&mut self, text: &str) {
        for line in text.lines() {
            self.say(&plain(line));
        }
    }

    /// What cargo does.
    pub(crate) fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Waiting { lock } => self.say(&format!(
                "     Whittle waits for another run that holds `{}`",
                plain(&lock.display().to_string())
            )),
            Event::Restored { path } => self.say(&format!(
                "     Whittle put back `{}`, which an interrupted run had replaced",
                plain(&path.display().to_string())
            )),
            _ => {}
        }
    }

    /// What an earlier run has left.
    pub(crate) fn begin(&mut self, records: &[Record]) {
        if !records.is_empty() {
            self.say(&format!(
                "     Whittle goes on after {} trials of an earlier run",
                records.len()
            ));
        }
        self.builds.0 = count(records);
    }

    /// How long it may take, from what one build took.
    pub(crate) fn expected(&mut self, build_seconds: f64, builds: (usize, usize)) {
        let minutes = |count: usize| {
            let seconds = build_seconds * f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            (seconds / 60.0).ceil()
        };
        // The baseline's two are done.
        let (fewest, most) = (builds.0.saturating_sub(1), builds.1.saturating_sub(1));
        self.say(&format!(
            "     Whittle expects {fewest} to {most} more builds, about {} to {} min and the runs of your commands",
            minutes(fewest),
            minutes(most)
        ));
    }

    /// How many builds may come.
    pub(crate) fn expect(&mut self, trials: &[Trial], builds: (usize, usize)) {
        let more = trials
            .iter()
            .filter(|trial| matches!(trial.step, Step::Build | Step::Confirm))
            .count();
        self.builds.1 = builds.1.saturating_sub(1).max(self.builds.0 + more);
    }

    /// One trial begins.
    pub(crate) fn trial(&mut self, trial: &Trial, records: &[Record], measure: Measure) {
        self.builds.0 =
            count(records) + usize::from(matches!(trial.step, Step::Build | Step::Confirm));
        if !self.is_terminal {
            return;
        }
        let what = match trial.step {
            Step::Build => "builds",
            Step::Link => "links",
            Step::Verify => "checks",
            Step::Confirm => "builds the winner once more and checks it:",
        };
        let best = records
            .iter()
            .filter_map(Record::built)
            .map(|built| built.sizes.by(measure))
            .min();
        let best = best.map_or_else(String::new, |best| {
            format!(", smallest so far {} kB", best.div_ceil(1000))
        });
        let line = format!(
            "     Whittle {} of {}, {} s{best}: {what} {}",
            self.builds.0,
            self.builds.1,
            self.start.elapsed().as_secs(),
            trial.settings
        );
        let width = terminal_size::terminal_size_of(io::stderr())
            .map_or(80, |(width, _)| usize::from(width.0));
        let line: String = line.chars().take(width.saturating_sub(1)).collect();
        // The line is drawn over the last one.
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
        let _ = io::stderr().flush();
        self.has_line = true;
    }

    /// The changing line goes away.
    pub(crate) fn end(&mut self) {
        if std::mem::take(&mut self.has_line) {
            let _ = write!(io::stderr(), "\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }

    fn say(&mut self, line: &str) {
        self.end();
        // If standard error is closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

fn count(records: &[Record]) -> usize {
    records
        .iter()
        .filter(|record| matches!(record.trial.step, Step::Build | Step::Confirm))
        .count()
}
