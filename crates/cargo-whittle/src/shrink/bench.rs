//! Benchmarks as workloads: criterion's own estimates, of the program as it is and of a trial.
//!
//! Criterion measures wall time in one process, and says how sure it is of that process. Two processes of one and the same
//! benchmark differ by more than that, so each comparison is framed by two runs of the program as it is, and by how much
//! these differ is added to the interval.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use whittle_cargo::{
    Artifact, Bench, Build, Cargo, Selection, Settings as CargoSettings, VariantBuilder,
};
use whittle_trial::speed::Ratio;
use whittle_trial::verdict::WorkloadSpeed;

use super::judge::Care;
use super::lab::{Tail, refused};
use super::progress::Progress;
use crate::trouble::{Outcome, Trouble};

/// How long one benchmark may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// Where criterion writes to ("Command-line options" in its book).
const HOME: &str = "CRITERION_HOME";
/// How criterion is told to hurry where many are compared.
const HURRY: [&str; 5] = [
    "--noplot",
    "--warm-up-time",
    "0.5",
    "--measurement-time",
    "2",
];
/// The 97.5 % point of the normal distribution.
const NORMAL: f64 = 1.96;

/// The benchmarks, compiled as the program is.
pub(crate) struct Benches {
    list: Vec<Compiled>,
    folder: PathBuf,
}

struct Compiled {
    builder: VariantBuilder,
    baseline: Bench,
}

/// Estimates by function.
type Functions = BTreeMap<String, Estimate>;

/// Criterion's estimate of one function.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Estimate {
    /// Nanoseconds.
    time: f64,
    /// The standard error of its logarithm.
    error: f64,
    /// How many samples it rests on.
    samples: usize,
}

/// `new/estimates.json`.
#[derive(Deserialize)]
struct Estimates {
    median: Point,
}

#[derive(Deserialize)]
struct Point {
    point_estimate: f64,
    standard_error: f64,
}

impl Benches {
    /// Compiles the benchmarks, and runs each once, to see that it works and that criterion writes down what it measures.
    pub(crate) fn new(
        names: &[String],
        cargo: &Cargo,
        (selection, build, artifact): (&Selection, &Build, &Artifact),
        folder: PathBuf,
        progress: &mut Progress,
    ) -> Outcome<Self> {
        let mut benches = Self {
            list: Vec::new(),
            folder,
        };
        for name in names {
            progress.phase(&format!("compiles and runs the benchmark `{name}`"));
            let artifact = Artifact {
                package: owner(name, build, artifact)?,
                ..artifact.clone()
            };
            let builder = cargo.variants(selection, build, &artifact, &mut |event| {
                progress.hear(&event);
            })?;
            let mut said = Tail::default();
            let baseline = builder
                .compile_bench(name, &CargoSettings::default(), &mut |event| {
                    said.hear(&event);
                })
                .map_err(|error| {
                    Trouble::plain(
                        anyhow!("{}", said.text().trim_end().to_owned())
                            .context(Trouble::from(error).error.to_string())
                            .context(format!("the benchmark `{name}` does not compile")),
                    )
                })?;
            let found = benches
                .estimate(&baseline, Care::Screen)?
                .map_err(|reason| Trouble::plain(anyhow!("{reason}")))?;
            if found.is_empty() {
                return Err(Trouble::new(
                    anyhow!("the benchmark `{name}` leaves no estimates of criterion's behind"),
                    "what other harnesses measure cannot be read; give the program something typical to do by `--workload`",
                ));
            }
            benches.list.push(Compiled { builder, baseline });
        }
        Ok(benches)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Measures every function of every benchmark under some settings; an `Err` inside is a failure of the trial.
    pub(crate) fn measure(
        &self,
        settings: &CargoSettings,
        care: Care,
    ) -> Outcome<Result<Vec<WorkloadSpeed>, String>> {
        // What the linker is told cannot be told to benchmarks.
        let settings = CargoSettings {
            link_args: Vec::new(),
            ..settings.clone()
        };
        let mut speeds = Vec::new();
        for Compiled { builder, baseline } in &self.list {
            let name = &baseline.name;
            let mut said = Tail::default();
            let trial = match builder.compile_bench(name, &settings, &mut |event| said.hear(&event))
            {
                Ok(trial) => trial,
                Err(error) => {
                    refused(error, &said, &self.folder)?;
                    return Ok(Err(format!("the benchmark `{name}` does not compile")));
                }
            };
            let mut runs = Vec::new();
            for bench in [baseline, &trial, baseline] {
                match self.estimate(bench, care)? {
                    Ok(estimates) => runs.push(estimates),
                    Err(reason) => return Ok(Err(reason)),
                }
            }
            let [before, of_trial, after] = &runs[..] else {
                continue;
            };
            for (function, first) in before {
                let (Some(trial), Some(second)) = (of_trial.get(function), after.get(function))
                else {
                    return Ok(Err(format!("the benchmark `{name}` lost `{function}`")));
                };
                let ratio = compare([*first, *second], *trial);
                speeds.push(WorkloadSpeed {
                    name: format!("{name}: {function}"),
                    ratio,
                    rounds: trial.samples,
                    wall: ratio.ratio,
                    peak_memory: None,
                    baseline_peak_memory: None,
                });
            }
        }
        Ok(Ok(speeds))
    }

    /// Runs a benchmark and reads what criterion wrote.
    fn estimate(&self, bench: &Bench, care: Care) -> Outcome<Result<Functions, String>> {
        let failed = |action: &'static str| {
            let folder = self.folder.clone();
            move |error: std::io::Error| {
                Trouble::plain(
                    anyhow!(error).context(format!("cannot {action} `{}`", folder.display())),
                )
            }
        };
        if self.folder.is_dir() {
            fs::remove_dir_all(&self.folder).map_err(failed("empty"))?;
        }
        fs::create_dir_all(&self.folder).map_err(failed("create"))?;
        let arguments: &[&str] = match care {
            Care::Screen => &HURRY,
            Care::Full => &HURRY[..1],
        };
        let run = bench.run(arguments, (HOME, &self.folder), LIMIT)?;
        if !run.ending.is_success() {
            let text = run.stderr.text();
            let last = text.lines().rev().find(|line| !line.trim().is_empty());
            return Ok(Err(format!(
                "the benchmark `{}` fails: {}, {}",
                bench.name,
                super::command::end(run.ending),
                last.unwrap_or("it printed no reason")
            )));
        }
        Ok(Ok(read(&self.folder)?))
    }
}

/// Whose benchmark it is: the program's own package's, else another one's of the workspace.
fn owner(name: &str, build: &Build, artifact: &Artifact) -> Outcome<whittle_cargo::PackageId> {
    let packages = build.workspace.workspace_packages();
    let has = |package: &whittle_cargo::cargo_metadata::Package| {
        package
            .targets
            .iter()
            .any(|target| target.is_bench() && target.name == name)
    };
    let mut owners: Vec<_> = packages.iter().filter(|package| has(package)).collect();
    owners.sort_by_key(|package| package.id != artifact.package);
    if let Some(owner) = owners.first() {
        return Ok(owner.id.clone());
    }
    let mut known: Vec<&str> = packages
        .iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_bench())
        .map(|target| target.name.as_str())
        .collect();
    known.sort_unstable();
    Err(Trouble::new(
        anyhow!("there is no benchmark `{name}`"),
        if known.is_empty() {
            "the workspace has none".to_owned()
        } else {
            format!("these are there: {}", known.join(", "))
        },
    ))
}

/// Every function of which criterion has left estimates: its folder's path below `home`.
fn read(home: &Path) -> Outcome<Functions> {
    let mut found = BTreeMap::new();
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("cannot read `{}`", folder.display()))
            .map_err(Trouble::plain)?;
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if !path.is_dir() {
                continue;
            }
            let estimates = path.join("estimates.json");
            if path.ends_with("new") && estimates.is_file() {
                let name = folder.strip_prefix(home).unwrap_or(&folder);
                let samples = fs::read(path.join("sample.json"))
                    .ok()
                    .and_then(|bytes| samples(&bytes))
                    .unwrap_or(1);
                let estimate = fs::read(&estimates)
                    .map_err(anyhow::Error::from)
                    .and_then(|bytes| parse(&bytes, samples))
                    .with_context(|| format!("cannot read `{}`", estimates.display()))
                    .map_err(Trouble::plain)?;
                found.insert(name.to_string_lossy().into_owned(), estimate);
            } else {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

/// `estimates.json` as criterion 0.3 to 0.8 write it. The median: a benchmark is disturbed in one direction only.
fn parse(bytes: &[u8], samples: usize) -> anyhow::Result<Estimate> {
    let Estimates { median } = serde_json::from_slice(bytes)?;
    let (time, error) = (median.point_estimate, median.standard_error);
    anyhow::ensure!(
        time.is_finite() && time > 0.0 && error.is_finite() && error >= 0.0,
        "its median is no time"
    );
    Ok(Estimate {
        time,
        error: error / time,
        samples,
    })
}

/// How many samples `sample.json` has.
fn samples(bytes: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Sample {
        times: Vec<f64>,
    }
    let sample: Sample = serde_json::from_slice(bytes).ok()?;
    Some(sample.times.len())
}

/// A trial's time over that of the program as it is, which was measured before and after it.
fn compare(baseline: [Estimate; 2], trial: Estimate) -> Ratio {
    let logs = baseline.map(|estimate| estimate.time.ln());
    let centre = trial.time.ln() - f64::midpoint(logs[0], logs[1]);
    let of_baseline = f64::midpoint(baseline[0].error.powi(2), baseline[1].error.powi(2)) / 2.0;
    let within = NORMAL * (of_baseline + trial.error.powi(2)).sqrt();
    // What one process differs from the next is in no estimate of criterion's.
    let half = within + (logs[0] - logs[1]).abs();
    Ratio {
        ratio: centre.exp(),
        low: (centre - half).exp(),
        high: (centre + half).exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(time: f64, share: f64) -> Estimate {
        Estimate {
            time,
            error: share,
            samples: 100,
        }
    }

    #[test]
    fn estimates_are_read_as_criterion_writes_them() {
        let text = br#"{"mean":{"confidence_interval":{"confidence_level":0.95,"lower_bound":70.1,"upper_bound":73.0},
            "point_estimate":71.5,"standard_error":0.8},"median":{"confidence_interval":{"confidence_level":0.95,
            "lower_bound":69.0,"upper_bound":71.0},"point_estimate":70.0,"standard_error":0.7},"median_abs_dev":
            {"confidence_interval":{"confidence_level":0.95,"lower_bound":1.0,"upper_bound":2.0},"point_estimate":1.5,
            "standard_error":0.3},"slope":null,"std_dev":{"confidence_interval":{"confidence_level":0.95,"lower_bound":
            1.0,"upper_bound":9.0},"point_estimate":5.0,"standard_error":2.0}}"#;
        assert_eq!(parse(text, 100).expect("it is right"), estimate(70.0, 0.01));
        for wrong in [
            &b"{}"[..],
            b"",
            br#"{"median":{"point_estimate":0,"standard_error":1}}"#,
        ] {
            assert!(parse(wrong, 1).is_err());
        }
        assert_eq!(
            samples(br#"{"sampling_mode":"Linear","iters":[1.0,2.0],"times":[3.0,4.0]}"#),
            Some(2)
        );
    }

    #[test]
    fn what_the_program_itself_differs_from_run_to_run_widens_the_interval() {
        let steady = compare(
            [estimate(100.0, 0.005), estimate(100.0, 0.005)],
            estimate(110.0, 0.005),
        );
        assert!((steady.ratio - 1.1).abs() < 1e-9);
        assert!(steady.low > 1.07 && steady.high < 1.13, "{steady:?}");
        let drifting = compare(
            [estimate(100.0, 0.005), estimate(110.0, 0.005)],
            estimate(110.0, 0.005),
        );
        assert!(drifting.low < 1.0 && drifting.high > 1.1, "{drifting:?}");
    }
}
