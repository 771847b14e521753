//! Samples with known answers.

use super::*;

/// Normally distributed numbers, by Box and Muller.
struct Normal(Random);

impl Normal {
    fn uniform(&mut self) -> f64 {
        // 53 bits, never 0.
        let bits = u32::try_from(self.0.next() >> 32).unwrap_or(1).max(1);
        f64::from(bits) / 4_294_967_296.0
    }

    fn next(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    }
}

/// Rounds of a trial that is `truth` times as slow, each time off by a relative `spread`.
fn sample(normal: &mut Normal, count: usize, truth: f64, spread: f64) -> Vec<Round> {
    (0..count)
        .map(|_| Round {
            baseline: 0.4 * (spread * normal.next()).exp(),
            trial: 0.4 * truth * (spread * normal.next()).exp(),
        })
        .collect()
}

#[test]
fn the_true_ratio_lies_in_the_interval_in_nineteen_of_twenty_cases() {
    let mut normal = Normal(Random::new(1));
    for count in [7, 12, 30] {
        let held = (0..400)
            .filter(|_| {
                let rounds = sample(&mut normal, count, 1.3, 0.05);
                let ratio = Ratio::of(&rounds).expect("there are rounds");
                ratio.low <= 1.3 && 1.3 <= ratio.high
            })
            .count();
        // 380 are expected; 4.4 is one standard deviation of their number.
        assert!(held >= 364, "{count} rounds: {held} of 400");
    }
}

#[test]
fn a_difference_below_the_spread_is_not_claimed() {
    let mut normal = Normal(Random::new(2));
    let wrong = (0..200)
        .filter(|_| {
            let rounds = sample(&mut normal, 10, 1.0, 0.08);
            let ratio = Ratio::of(&rounds).expect("there are rounds");
            ratio.distinguishably_slower(1) == Speed::Outside
        })
        .count();
    // One side of the interval: 5 are expected.
    assert!(
        wrong <= 12,
        "{wrong} of 200 equal programs were called slower"
    );
}

#[test]
fn one_of_many_equal_workloads_is_not_called_slower_by_chance() {
    // NIST/SEMATECH e-Handbook, table of the normal distribution.
    for (tail, point) in [
        (0.025, 1.960),
        (0.0125, 2.241),
        (0.005, 2.576),
        (0.001, 3.090),
    ] {
        assert!((normal_point(tail) - point).abs() < 0.001, "{tail}");
    }
    let mut normal = Normal(Random::new(7));
    let mut slower = |among: usize| {
        (0..100)
            .filter(|_| {
                (0..6).any(|_| {
                    let rounds = sample(&mut normal, 30, 1.0, 0.05);
                    let ratio = Ratio::of(&rounds).expect("there are rounds");
                    ratio.distinguishably_slower(among) == Speed::Outside
                })
            })
            .count()
    };
    // 14 of 100 are expected when each is asked alone, 2.5 when all are.
    let (alone, together) = (slower(1), slower(6));
    assert!(alone >= 6, "{alone} of 100");
    assert!(together <= 7, "{together} of 100");
}

#[test]
fn a_planted_slowdown_is_found() {
    let mut normal = Normal(Random::new(3));
    let rounds = sample(&mut normal, 12, 1.25, 0.04);
    let ratio = Ratio::of(&rounds).expect("there are rounds");
    assert_eq!(ratio.within(0.02), Speed::Outside);
    assert_eq!(ratio.within(0.5), Speed::Within);
    assert_eq!(ratio.distinguishably_slower(1), Speed::Outside);
    assert!((ratio.ratio - 1.25).abs() < 0.06, "{ratio:?}");
}

#[test]
fn a_round_in_which_something_else_ran_does_not_count() {
    let mut normal = Normal(Random::new(4));
    let mut rounds = sample(&mut normal, 15, 1.0, 0.01);
    rounds[4].trial *= 6.0;
    rounds[9].baseline *= 4.0;
    let ratio = Ratio::of(&rounds).expect("there are rounds");
    assert!((ratio.ratio - 1.0).abs() < 0.02, "{ratio:?}");
}

#[test]
fn a_drift_of_the_machine_is_not_the_trials_fault() {
    let mut normal = Normal(Random::new(5));
    let mut rounds = sample(&mut normal, 16, 1.0, 0.01);
    for (index, round) in rounds.iter_mut().enumerate() {
        // The machine gets three times as slow while it is measured.
        let drift = 1.0 + as_float(index) * 0.13;
        round.baseline *= drift;
        round.trial *= drift;
    }
    let ratio = Ratio::of(&rounds).expect("there are rounds");
    assert_eq!(ratio.within(0.02), Speed::Within, "{ratio:?}");
}

#[test]
fn few_and_noisy_rounds_leave_it_undecided() {
    let rounds = [(1.0, 1.1), (1.0, 0.9), (1.0, 1.2), (1.0, 0.95)]
        .map(|(baseline, trial)| Round { baseline, trial });
    let ratio = Ratio::of(&rounds).expect("there are rounds");
    assert_eq!(ratio.within(0.02), Speed::Undecided);
    assert_eq!(ratio.distinguishably_slower(1), Speed::Undecided);
}

#[test]
fn equal_rounds_give_an_equal_interval() {
    let mut normal = Normal(Random::new(6));
    let rounds = sample(&mut normal, 9, 1.1, 0.1);
    assert_eq!(Ratio::of(&rounds), Ratio::of(&rounds));
}

#[test]
fn times_that_are_none_give_no_ratio() {
    let round = |baseline, trial| Round { baseline, trial };
    assert_eq!(Ratio::of(&[]), None);
    assert_eq!(Ratio::of(&[round(1.0, 1.0)]), None);
    assert_eq!(Ratio::of(&[round(1.0, 1.0), round(0.0, 1.0)]), None);
    assert_eq!(Ratio::of(&[round(1.0, 1.0), round(1.0, f64::NAN)]), None);
}

#[test]
fn steady_programs_need_few_rounds_and_noisy_ones_many() {
    assert_eq!(rounds(&[0.5, 0.5, 0.5, 0.5], 0.01), FEWEST_ROUNDS);
    // A relative deviation of 2 % and a wanted half width of 1 %: (1.96 · 0.02 · √2 / 0.01)² = 30.7.
    let pilot = [0.02, -0.02, 0.02, -0.02, 0.0].map(|deviation: f64| deviation.exp());
    assert_eq!(rounds(&pilot, 0.01), 31);
    assert_eq!(rounds(&[1.0, 2.0, 1.0, 3.0], 0.01), MOST_ROUNDS);
    assert_eq!(rounds(&[1.0], 0.01), FEWEST_ROUNDS);
}

#[test]
fn rounds_that_were_disturbed_ask_for_more_of_them() {
    let round = |deviation: f64| Round {
        baseline: 1.0,
        trial: deviation.exp(),
    };
    // A relative deviation of the ratio of 4 % and a wanted half width of 1 %: (1.96 · 0.04 / 0.01)² = 61.5.
    let disturbed = [0.04, -0.04, 0.04, -0.04, 0.0].map(round);
    assert_eq!(rounds_after(&disturbed, 0.01), MOST_ROUNDS);
    assert_eq!(rounds_after(&disturbed, 0.02), 16);
    assert_eq!(rounds_after(&[round(0.0); 7], 0.01), FEWEST_ROUNDS);
    assert_eq!(rounds_after(&[], 0.01), FEWEST_ROUNDS);
}

#[test]
fn one_bad_workload_decides() {
    use Speed::{NotMeasured, Outside, Undecided, Within};
    assert_eq!(worst([Within, Outside, Undecided]), Outside);
    assert_eq!(worst([Within, Undecided]), Undecided);
    assert_eq!(worst([Within, Within]), Within);
    assert_eq!(worst([]), NotMeasured);
}
