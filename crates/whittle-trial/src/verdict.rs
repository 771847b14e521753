//! Verdicts: what the checks of one file gave, in three fields that stay apart.

use serde::{Deserialize, Serialize};

use crate::policy::{Goal, Policy};
use crate::speed::{self, Ratio, Speed};

/// What the checks of one file gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// Whether it starts.
    pub starts: Starts,
    /// Whether it does what the baseline does.
    pub behaviour: Behaviour,
    /// How its speed stands to the bound.
    pub speed: Speed,
    /// The speed by workload, in the order in which they are listed.
    pub workloads: Vec<WorkloadSpeed>,
    /// What it takes to start, where that was measured.
    #[serde(default)]
    pub start_up: Option<StartUp>,
}

/// Whether a file starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// As the baseline does.
    Yes,
    /// It does not.
    No {
        /// How it ended instead.
        reason: String,
    },
    /// There is no command by which the baseline starts well, or it cannot run here.
    NotTried,
}

/// Whether a file does what the baseline does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Tests and checks give what they give with the baseline.
    Passed,
    /// Some do not.
    Failed {
        /// Tests and checks by name, with what differs.
        failures: Vec<String>,
    },
    /// There is no test and no check that runs it.
    NotExercised,
}

/// The speed of one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorkloadSpeed {
    /// The workload's name.
    pub name: String,
    /// Processor time, trial over baseline.
    #[serde(flatten)]
    pub ratio: Ratio,
    /// Rounds measured.
    pub rounds: usize,
    /// Wall-clock time, trial over baseline, by the middle of both.
    pub wall: f64,
    /// The most memory it held, in bytes, in the middle of the rounds; nothing where that is not measured.
    pub peak_memory: Option<u64>,
    /// … and the baseline.
    #[serde(default)]
    pub baseline_peak_memory: Option<u64>,
}

/// What it takes to start and to stop again, by the command that shows whether a file starts: the middle of some rounds.
///
/// The shell that runs the command is part of it, on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartUp {
    /// Rounds measured.
    pub rounds: usize,
    /// With the baseline.
    pub baseline: StartCost,
    /// With the trial.
    pub trial: StartCost,
}

/// What one start takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartCost {
    /// Wall time, in seconds.
    pub wall: f64,
    /// Processor time, in seconds.
    pub cpu: f64,
    /// The most memory that was held, in bytes.
    pub peak_memory: u64,
}

impl Verdict {
    /// A file that does not start: the rest is not looked at.
    #[must_use]
    pub fn does_not_start(reason: String) -> Self {
        Self {
            starts: Starts::No { reason },
            behaviour: Behaviour::NotExercised,
            speed: Speed::NotMeasured,
            workloads: Vec::new(),
            start_up: None,
        }
    }

    /// Whether nothing speaks against the file but perhaps its speed.
    #[must_use]
    pub fn works(&self) -> bool {
        !matches!(self.starts, Starts::No { .. })
            && !matches!(self.behaviour, Behaviour::Failed { .. })
    }

    /// The slowest workload's ratio.
    #[must_use]
    pub fn worst_ratio(&self) -> Option<Ratio> {
        self.workloads
            .iter()
            .map(|workload| workload.ratio)
            .max_by(|a, b| a.ratio.total_cmp(&b.ratio))
    }

    /// What is wrong with it, in one line.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if let Starts::No { reason } = &self.starts {
            return Some(format!("does not start: {reason}"));
        }
        match &self.behaviour {
            Behaviour::Failed { failures } => {
                let first = failures.first().map_or("", String::as_str);
                let more = match failures.len() {
                    0 | 1 => String::new(),
                    count => format!(" and {} more", count - 1),
                };
                Some(format!("fails {first}{more}"))
            }
            Behaviour::Passed | Behaviour::NotExercised => None,
        }
    }
}

impl Policy {
    /// How the ratios of all workloads stand to what is wanted. The worst counts.
    #[must_use]
    pub fn judge<'a>(&self, ratios: impl IntoIterator<Item = &'a Ratio>) -> Speed {
        let ratios: Vec<&Ratio> = ratios.into_iter().collect();
        let among = ratios.len();
        speed::worst(
            ratios
                .into_iter()
                .map(|ratio| self.judge_among(ratio, among)),
        )
    }

    /// How the ratio of one of so many workloads stands to what is wanted.
    #[must_use]
    pub fn judge_among(&self, ratio: &Ratio, among: usize) -> Speed {
        match self.goal {
            Goal::Fastest => ratio.distinguishably_slower(among),
            Goal::Balanced | Goal::Smallest => ratio.within(self.max_slowdown),
        }
    }
}
