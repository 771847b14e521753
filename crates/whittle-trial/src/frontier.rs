//! The frontier: every trial that no other beats in both size and speed.

use crate::policy::Measure;
use crate::trial::{Built, Record, Step};
use crate::verdict::Verdict;

/// Sizes of rebuilds closer than this share are a tie: a change of the crates' metadata alone moves them by as much.
pub const TIE: f64 = 0.0005;

/// A checked trial with its file.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'r> {
    /// What was checked.
    pub record: &'r Record,
    /// Its file.
    pub built: &'r Built,
    /// What the checks gave.
    pub verdict: &'r Verdict,
}

/// Whether a size is smaller than another by more than a tie.
#[must_use]
pub fn clearly_smaller(size: u64, than: u64) -> bool {
    as_float(size) < as_float(than) * (1.0 - TIE)
}

/// Every checked trial that works, the last check of each, with its file, in the order of the records.
#[must_use]
pub fn candidates(records: &[Record]) -> Vec<Candidate<'_>> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for record in records {
        let Some(verdict) = record.verdict() else {
            continue;
        };
        let built = record.built().or_else(|| {
            let same = |other: &&Record| {
                other.trial.settings == record.trial.settings
                    && matches!(other.trial.step, Step::Link | Step::Build)
            };
            records.iter().rev().filter(same).find_map(Record::built)
        });
        let Some(built) = built else { continue };
        candidates.retain(|other| other.record.trial.settings != record.trial.settings);
        if verdict.works() {
            candidates.push(Candidate {
                record,
                built,
                verdict,
            });
        }
    }
    candidates
}

/// The candidates that no other beats in both size and speed, the smallest first.
///
/// Without workloads there is no speed, and the smallest alone remains for each level of optimization.
#[must_use]
pub fn frontier(records: &[Record], measure: Measure) -> Vec<Candidate<'_>> {
    let all = candidates(records);
    let ratio =
        |candidate: &Candidate<'_>| candidate.verdict.worst_ratio().map(|ratio| ratio.ratio);
    let level = |candidate: &Candidate<'_>| candidate.record.trial.settings.get("opt-level");
    let beats = |a: &Candidate<'_>, b: &Candidate<'_>| {
        let (size_a, size_b) = (a.built.sizes.by(measure), b.built.sizes.by(measure));
        match (ratio(a), ratio(b)) {
            (Some(speed_a), Some(speed_b)) => {
                size_a <= size_b && speed_a <= speed_b && (size_a, speed_a) != (size_b, speed_b)
            }
            _ => level(a) == level(b) && size_a < size_b,
        }
    };
    let mut kept: Vec<Candidate<'_>> = all
        .iter()
        .filter(|candidate| !all.iter().any(|other| beats(other, candidate)))
        .copied()
        .collect();
    kept.sort_by_key(|candidate| {
        (
            candidate.built.sizes.by(measure),
            candidate.record.trial.settings.clone(),
        )
    });
    kept
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of files are far below 2^52"
)]
pub(crate) fn as_float(size: u64) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::speed::{Ratio, Speed};
    use crate::trial::{Outcome, Sizes, Trial};
    use crate::verdict::{Behaviour, Starts, WorkloadSpeed};

    fn records(level: &str, size: u64, ratio: f64, starts: Starts) -> [Record; 2] {
        let settings = Settings::unchanged()
            .with("opt-level", level)
            .expect("the catalogue has it");
        let built = Built {
            sizes: Sizes {
                file: size,
                compressed: size / 2,
                loaded: size,
            },
            libc_floor: None,
            artifact: format!("hash of {level}"),
            seconds: 1.0,
            cpu_seconds: 2.0,
        };
        let verdict = Verdict {
            starts,
            behaviour: Behaviour::Passed,
            speed: Speed::Within,
            workloads: vec![WorkloadSpeed {
                name: "w".to_owned(),
                ratio: Ratio {
                    ratio,
                    low: ratio,
                    high: ratio,
                },
                rounds: 7,
                wall: ratio,
                peak_memory: None,
                baseline_peak_memory: None,
            }],
            start_up: None,
        };
        let record = |step, outcome| Record {
            trial: Trial {
                step,
                settings: settings.clone(),
            },
            outcome,
        };
        [
            record(Step::Link, Outcome::Built(built)),
            record(Step::Verify, Outcome::Verified(verdict)),
        ]
    }

    #[test]
    fn what_is_beaten_in_size_and_speed_is_not_on_the_frontier() {
        let all: Vec<Record> = [
            records("3", 1000, 1.0, Starts::Yes),
            records("2", 1100, 1.1, Starts::Yes),
            records("s", 800, 1.05, Starts::Yes),
            records("z", 700, 1.8, Starts::Yes),
        ]
        .concat();
        let sizes: Vec<u64> = frontier(&all, Measure::File)
            .iter()
            .map(|candidate| candidate.built.sizes.file)
            .collect();
        assert_eq!(sizes, [700, 800, 1000]);
    }

    #[test]
    fn what_does_not_start_is_no_candidate() {
        let dead = Starts::No {
            reason: "exit code 127".to_owned(),
        };
        let all = [
            records("z", 700, 1.0, dead),
            records("s", 800, 1.0, Starts::Yes),
        ]
        .concat();
        assert_eq!(frontier(&all, Measure::File).len(), 1);
        assert_eq!(candidates(&all).len(), 1);
    }

    #[test]
    fn sizes_closer_than_the_noise_of_rebuilds_are_a_tie() {
        assert!(!clearly_smaller(999_600, 1_000_000));
        assert!(clearly_smaller(999_400, 1_000_000));
        assert!(!clearly_smaller(1_000_000, 1_000_000));
    }
}
