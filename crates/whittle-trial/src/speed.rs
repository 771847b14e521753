//! Speed: how many rounds to measure, and how sure a ratio of processor times is.
//!
//! Trial and baseline run in turn, one after the other in each round, so that whatever slows the machine down slows both.
//! What is looked at is the ratio within each round. Its centre is the trimmed mean of the logarithms: rounds in which
//! something else took the processor fall out at the ends. How far chance may have moved it is found by the bootstrap: the
//! rounds are drawn again, with replacement, many times. See Efron and Tibshirani, "An Introduction to the Bootstrap",
//! chapter 13 (percentile intervals) and 14.3 for why few rounds make them too narrow; here each drawn deviation is widened
//! by what Student's t has over the normal distribution.

use serde::{Deserialize, Serialize};

/// A ratio of times, trial over baseline, and where the true one lies in 19 of 20 cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ratio {
    /// The estimate: 1.1 is 10 % slower.
    pub ratio: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One round: the processor seconds of the baseline and of the trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// User and system time of the baseline, in seconds.
    pub baseline: f64,
    /// User and system time of the trial, in seconds.
    pub trial: f64,
}

/// How speed stands to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// Within it, on every workload.
    Within,
    /// Beyond it, on some workload.
    Outside,
    /// The rounds do not tell.
    Undecided,
    /// There was no workload to measure.
    NotMeasured,
}

/// The fewest rounds that are measured.
pub const FEWEST_ROUNDS: usize = 7;
/// The most: four times as many would only halve what is left.
pub const MOST_ROUNDS: usize = 60;
/// How often rounds are drawn again.
const DRAWS: usize = 2_000;
/// The share of rounds left out at each end.
const TRIMMED: f64 = 0.15;
/// Two builds cannot be told apart by speed if the interval holds 1 and ends below this.
const INDISTINGUISHABLE: f64 = 1.05;
/// The 97.5 % point of the standard normal distribution.
const NORMAL: f64 = 1.959_964;
/// … and what lies beyond it.
const TAIL: f64 = 0.025;

impl Ratio {
    /// The ratio of some rounds. Nothing if there are fewer than two of them, or a time is not above zero.
    #[must_use]
    pub fn of(rounds: &[Round]) -> Option<Self> {
        if rounds.len() < 2 {
            return None;
        }
        let logs: Vec<f64> = rounds
            .iter()
            .map(|round| (round.trial / round.baseline).ln())
            .collect();
        if logs.iter().any(|log| !log.is_finite()) {
            return None;
        }
        let centre = trimmed_mean(&logs);
        let mut random = Random::new(rounds.len());
        let mut drawn = vec![0.0; logs.len()];
        let widened = student(logs.len()) / NORMAL;
        let mut centres: Vec<f64> = (0..DRAWS)
            .map(|_| {
                for slot in &mut drawn {
                    *slot = logs[random.below(logs.len())];
                }
                centre + (trimmed_mean(&drawn) - centre) * widened
            })
            .collect();
        centres.sort_by(f64::total_cmp);
        Some(Self {
            ratio: centre.exp(),
            low: centres[DRAWS / 40].exp(),
            high: centres[DRAWS - 1 - DRAWS / 40].exp(),
        })
    }

    /// How it stands to a bound on the slowdown: 0.02 allows 1.02.
    #[must_use]
    pub fn within(self, max_slowdown: f64) -> Speed {
        let bound = 1.0 + max_slowdown;
        if self.high <= bound {
            Speed::Within
        } else if self.low > bound {
            Speed::Outside
        } else {
            Speed::Undecided
        }
    }

    /// Whether it is slower than the baseline as far as can be told: within if not, undecided if too little is known.
    ///
    /// It is one of so many workloads of which the worst counts. Of many equal pairs one seems slower by chance, so the
    /// interval is widened until the chance of any is that of one alone (Bonferroni).
    #[must_use]
    pub fn distinguishably_slower(self, among: usize) -> Speed {
        let widening = normal_point(TAIL / as_float(among.max(1))) / NORMAL;
        let low = self.ratio * (self.low / self.ratio).powf(widening);
        if low > 1.0 {
            Speed::Outside
        } else if self.high <= INDISTINGUISHABLE {
            Speed::Within
        } else {
            Speed::Undecided
        }
    }
}

/// How many rounds are needed so that the interval's half becomes as small as `wanted`, from the spread of a pilot.
///
/// `pilot` are times of one and the same program, in seconds; two such programs are compared, so their variances add. The
/// number is fixed before the first round that counts: stopping when the numbers look right would bend them.
#[must_use]
pub fn rounds(pilot: &[f64], wanted: f64) -> usize {
    let logs: Vec<f64> = pilot
        .iter()
        .map(|time| time.ln())
        .filter(|log| log.is_finite())
        .collect();
    if logs.len() < 2 {
        return FEWEST_ROUNDS;
    }
    enough(spread(&logs) * std::f64::consts::SQRT_2, wanted)
}

/// The same, from rounds that left it open. A pilot of one program is over in a moment, and may miss what disturbs a
/// longer measurement; these rounds have seen it.
///
/// Stein's two stages ("A two-sample test for a linear hypothesis whose power is independent of the variance", 1945): the
/// first sample fixes the size of the second, and the second alone is looked at.
#[must_use]
pub fn rounds_after(first: &[Round], wanted: f64) -> usize {
    let logs: Vec<f64> = first
        .iter()
        .map(|round| (round.trial / round.baseline).ln())
        .filter(|log| log.is_finite())
        .collect();
    if logs.len() < 2 {
        return FEWEST_ROUNDS;
    }
    enough(spread(&logs), wanted)
}

fn enough(spread: f64, wanted: f64) -> usize {
    let needed = (NORMAL * spread / wanted.max(1e-4)).powi(2).ceil();
    // Float to integer conversion saturates; the bound makes it exact.
    (FEWEST_ROUNDS..=MOST_ROUNDS)
        .find(|&rounds| as_float(rounds) >= needed)
        .unwrap_or(MOST_ROUNDS)
}

/// The worst of several verdicts: one workload beyond the bound decides.
#[must_use]
pub fn worst(verdicts: impl IntoIterator<Item = Speed>) -> Speed {
    let mut worst = Speed::NotMeasured;
    for verdict in verdicts {
        worst = match (worst, verdict) {
            (Speed::Outside, _) | (_, Speed::Outside) => Speed::Outside,
            (Speed::Undecided, _) | (_, Speed::Undecided) => Speed::Undecided,
            (Speed::Within, _) | (_, Speed::Within) => Speed::Within,
            (Speed::NotMeasured, Speed::NotMeasured) => Speed::NotMeasured,
        };
    }
    worst
}

/// The point of the standard normal distribution beyond which so much of it lies; for at most one half.
///
/// Abramowitz and Stegun, formula 26.2.23, whose error is below 0.00045.
fn normal_point(tail: f64) -> f64 {
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

fn trimmed_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = (0..sorted.len())
        .take_while(|&cut| as_float(cut + 1) <= TRIMMED * as_float(sorted.len()))
        .count();
    let kept = &sorted[cut..sorted.len() - cut];
    kept.iter().sum::<f64>() / as_float(kept.len())
}

/// The standard deviation of a sample.
fn spread(values: &[f64]) -> f64 {
    let count = as_float(values.len());
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0)).sqrt()
}

/// The 97.5 % point of Student's t for a sample of so many, with the bias of a bootstrapped variance made good.
///
/// Points: Abramowitz and Stegun, table 26.10, for 1 to 10 degrees of freedom; above, formula 26.7.5 to two terms.
fn student(count: usize) -> f64 {
    const POINTS: [f64; 10] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    ];
    let count = count.max(2);
    let degrees = count - 1;
    let point = POINTS.get(degrees - 1).copied().unwrap_or_else(|| {
        let nu = as_float(degrees);
        let z = NORMAL;
        z + (z.powi(3) + z) / (4.0 * nu)
            + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * nu * nu)
    });
    point * (as_float(count) / as_float(degrees)).sqrt()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of rounds, far below 2^52"
)]
fn as_float(count: usize) -> f64 {
    count as f64
}

/// `SplitMix64` (Steele, Lea, Flood 2014): equal rounds give an equal interval, on every machine.
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ u64::try_from(seed).unwrap_or_default())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0. The bias is at most `bound` in 2^64.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
