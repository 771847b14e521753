//! The lab: runs trials. Builds and links go through whittle-cargo, checks through the judge, and what comes out is a value.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use whittle_cargo::{
    CapturedLink, CargoError, Event, Helper, LinkChange, SettingValue, Settings as CargoSettings,
    VariantBuilder,
};
use whittle_trial::facts::Facts;
use whittle_trial::lever::Scalar;
use whittle_trial::policy::{Effort, Policy};
use whittle_trial::settings::Settings;
use whittle_trial::trial::{Built, Outcome as TrialOutcome, Step, Trial};
use whittle_trial::verdict::{Behaviour, Verdict};

use super::bench::Benches;
use super::evidence::FileFacts;
use super::judge::{Care, Judge};
use super::store::{Store, disk_help, full_disk, is_disk_full};
use super::whole::WholeBuilder;
use crate::trouble::{Outcome, Trouble};

/// A link that takes longer hangs.
const LINK_LIMIT: Duration = Duration::from_secs(120);

/// Runs trials.
pub(crate) struct Lab<'a> {
    pub(crate) builder: &'a VariantBuilder,
    pub(crate) helper: &'a Helper,
    pub(crate) facts: &'a Facts,
    pub(crate) policy: &'a Policy,
    /// What the baseline exports: trials must export the same.
    pub(crate) exports: &'a [String],
    /// Whether files ship without symbols.
    pub(crate) strips: Strips,
    /// Whether a stable compiler is told to take unstable settings, since its toolchain was selected for them.
    pub(crate) bootstrap: bool,
    pub(crate) judge: Judge<'a>,
    /// Benchmarks that are workloads.
    pub(crate) benches: &'a Benches,
    /// What builds where each trial is a whole build.
    pub(crate) whole: Option<&'a WholeBuilder>,
    /// The file that ships: its name is that of all.
    pub(crate) shipped: PathBuf,
    /// The program's own package, as cargo's profiles name it.
    pub(crate) own_package: String,
    pub(crate) spent: Spent,
}

/// Whether files ship without symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strips {
    /// Yes: the profile of every build says so, so that crates are shared with the winner's.
    Yes,
    /// As the profile has it.
    AsItIs,
}

/// What trials took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// How often cargo compiled.
    pub(crate) builds: usize,
    /// How often the linker ran again.
    pub(crate) links: usize,
    /// Processor time of compilers, in seconds.
    pub(crate) compile_cpu_seconds: f64,
    /// Wall time of the links that were run again, in seconds.
    pub(crate) link_seconds: f64,
}

impl Lab<'_> {
    /// Runs one trial. A setting that does not build is an outcome; a full disk is the user's trouble.
    pub(crate) fn run(&mut self, trial: &Trial, store: &Store) -> Outcome<TrialOutcome> {
        if let Some(builder) = self.whole {
            return self.run_whole(builder, trial, store);
        }
        match trial.step {
            Step::Build => self.build(&trial.settings, store),
            Step::Link => self.link(&trial.settings, store),
            Step::Verify => self.verify(&trial.settings, store),
            Step::Confirm => self.confirm(&trial.settings, store),
        }
    }

    /// Compiles, keeps the link, and measures what is linked with the baseline's own arguments.
    fn build(&mut self, settings: &Settings, store: &Store) -> Outcome<TrialOutcome> {
        let cargo_settings = self.cargo_settings(settings, Purpose::Capture);
        let mut said = Tail::default();
        let folder = store.capture(settings);
        let captured = self
            .builder
            .capture(&cargo_settings, &folder, &mut |event| said.hear(&event));
        self.spent.builds += 1;
        let (_, variant) = match captured {
            Ok(captured) => captured,
            Err(error) => return refused(error, &said, &self.shipped),
        };
        let cpu_seconds = variant.usage.map_or(0.0, |usage| usage.cpu().as_secs_f64());
        self.spent.compile_cpu_seconds += cpu_seconds;
        let file = store.file(settings, &self.shipped);
        match self.relink(settings, store, &file)? {
            Ok(facts) => Ok(TrialOutcome::Built(Built {
                sizes: facts.sizes,
                libc_floor: facts.libc_floor,
                artifact: facts.hash,
                seconds: variant.wall.as_secs_f64(),
                cpu_seconds,
            })),
            Err(reason) => Ok(TrialOutcome::Failed { reason }),
        }
    }

    fn link(&mut self, settings: &Settings, store: &Store) -> Outcome<TrialOutcome> {
        let before = self.spent.link_seconds;
        let file = store.file(settings, &self.shipped);
        let outcome = match self.relink(settings, store, &file)? {
            Ok(facts) => TrialOutcome::Built(Built {
                sizes: facts.sizes,
                libc_floor: facts.libc_floor,
                artifact: facts.hash,
                seconds: self.spent.link_seconds - before,
                cpu_seconds: 0.0,
            }),
            Err(reason) => TrialOutcome::Failed { reason },
        };
        // Linking again is quicker than keeping every file.
        if let Some(folder) = file.parent() {
            let _ = fs::remove_dir_all(folder);
        }
        Ok(outcome)
    }

    /// Links again; the reason of a linker that refuses is an inner `Err`.
    pub(crate) fn relink(
        &mut self,
        settings: &Settings,
        store: &Store,
        into: &Path,
    ) -> Outcome<Result<FileFacts, String>> {
        let link =
            CapturedLink::open(&store.capture(&settings.compiled())).map_err(Trouble::plain)?;
        let change = LinkChange {
            add: self
                .facts
                .relink_arguments(settings)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            ..LinkChange::default()
        };
        self.spent.links += 1;
        match link.relink(self.helper, &change, into, Some(LINK_LIMIT)) {
            Ok(linked) => {
                self.spent.link_seconds += linked.wall.as_secs_f64();
                Ok(Ok(FileFacts::of(&read(into)?)?))
            }
            Err(error) => match &error {
                whittle_cargo::LinkError::Refused { said, .. }
                    if is_disk_full(said, &self.shipped) =>
                {
                    Err(full_disk(error))
                }
                whittle_cargo::LinkError::Refused { said, .. } => {
                    Ok(Err(first_error(said).unwrap_or_else(|| error.to_string())))
                }
                whittle_cargo::LinkError::NothingWritten { .. } => Ok(Err(error.to_string())),
                _ => Err(with_disk_help(error)),
            },
        }
    }

    fn verify(&mut self, settings: &Settings, store: &Store) -> Outcome<TrialOutcome> {
        let file = store.file(settings, &self.shipped);
        let facts = match self.relink(settings, store, &file)? {
            Ok(facts) => facts,
            Err(reason) => return Ok(TrialOutcome::Failed { reason }),
        };
        let verdict = self.verdict(&file, &facts, Care::Screen)?;
        self.with_benches(settings, verdict, Care::Screen)
            .map(TrialOutcome::Verified)
    }

    fn confirm(&mut self, settings: &Settings, store: &Store) -> Outcome<TrialOutcome> {
        let cargo_settings = self.cargo_settings(settings, Purpose::Ship);
        let mut said = Tail::default();
        let file = store.file(settings, &self.shipped);
        let built = self
            .builder
            .build(&cargo_settings, &file, &mut |event| said.hear(&event));
        self.spent.builds += 1;
        let variant = match built {
            Ok(variant) => variant,
            Err(error) => return refused(error, &said, &self.shipped),
        };
        let cpu_seconds = variant.usage.map_or(0.0, |usage| usage.cpu().as_secs_f64());
        self.spent.compile_cpu_seconds += cpu_seconds;
        let facts = FileFacts::of(&read(&file)?)?;
        let verdict = self.verdict(&file, &facts, Care::Full)?;
        let mut verdict = self.with_benches(settings, verdict, Care::Full)?;
        if verdict.works() && self.policy.effort == Effort::Full {
            let of_tests = self.cargo_settings(&settings.of_unit_tests(), Purpose::Ship);
            let failures = self.judge.suite.unit_failures(self.builder, &of_tests)?;
            if !failures.is_empty() {
                verdict.behaviour = Behaviour::Failed { failures };
            }
        }
        Ok(TrialOutcome::Confirmed {
            built: Built {
                sizes: facts.sizes,
                libc_floor: facts.libc_floor,
                artifact: facts.hash,
                seconds: variant.wall.as_secs_f64(),
                cpu_seconds,
            },
            verdict,
        })
    }

    pub(super) fn verdict(
        &mut self,
        file: &Path,
        facts: &FileFacts,
        care: Care,
    ) -> Outcome<Verdict> {
        if facts.exports != self.exports {
            let lost = self
                .exports
                .iter()
                .find(|name| !facts.exports.contains(name));
            let reason = match lost {
                Some(name) => format!("the exported symbol `{name}` is gone"),
                None => "it exports other symbols".to_owned(),
            };
            return Ok(Verdict::does_not_start(reason));
        }
        self.judge.judge(file, self.policy, care)
    }

    /// A verdict with the benchmarks among its workloads.
    pub(super) fn with_benches(
        &self,
        settings: &Settings,
        mut verdict: Verdict,
        care: Care,
    ) -> Outcome<Verdict> {
        if self.benches.is_empty() || !verdict.works() {
            return Ok(verdict);
        }
        let settings = self.cargo_settings(settings, Purpose::Ship);
        match self.benches.measure(&settings, care)? {
            Ok(speeds) => {
                verdict.workloads.extend(speeds);
                let ratios = verdict.workloads.iter().map(|workload| &workload.ratio);
                verdict.speed = self.policy.judge(ratios);
            }
            Err(failure) => {
                verdict.behaviour = Behaviour::Failed {
                    failures: vec![failure],
                };
            }
        }
        Ok(verdict)
    }

    /// Settings as whittle-cargo takes them.
    pub(crate) fn cargo_settings(&self, settings: &Settings, purpose: Purpose) -> CargoSettings {
        let mut shipped = settings.clone();
        if self.strips == Strips::Yes {
            shipped = shipped.with("strip", "symbols").unwrap_or(settings.clone());
        }
        let lines = self.facts.lines(&shipped);
        let keys = |keys: &BTreeMap<&str, Scalar>| -> BTreeMap<String, SettingValue> {
            keys.iter()
                .map(|(key, value)| ((*key).to_owned(), value_of(*value)))
                .collect()
        };
        let mut packages = BTreeMap::new();
        if !lines.own_package.is_empty() {
            packages.insert(self.own_package.clone(), keys(&lines.own_package));
        }
        let unstable = lines
            .unstable
            .iter()
            .map(|(key, list)| {
                let value = if list.is_empty() {
                    SettingValue::Switch(true)
                } else {
                    SettingValue::List(list.iter().map(|item| (*item).to_owned()).collect())
                };
                ((*key).to_owned(), value)
            })
            .collect();
        let owned = |list: &[&str]| {
            list.iter()
                .map(|flag| (*flag).to_owned())
                .collect::<Vec<_>>()
        };
        let (last_crate, link_args) = match purpose {
            Purpose::Capture => (vec!["-Cstrip=none".to_owned()], Vec::new()),
            Purpose::Ship => (Vec::new(), owned(&lines.link_arguments)),
        };
        let is_unstable =
            !lines.unstable.is_empty() || lines.rustflags.iter().any(|flag| flag.starts_with("-Z"));
        CargoSettings {
            profile: keys(&lines.profile),
            packages,
            rustflags: owned(&lines.rustflags),
            last_crate,
            link_args,
            unstable,
            bootstrap: self.bootstrap && is_unstable,
            ..CargoSettings::default()
        }
    }
}

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Its link is kept, with all symbols, and run again.
    Capture,
    /// It is what would ship.
    Ship,
}

fn value_of(value: Scalar) -> SettingValue {
    match value {
        Scalar::Text(text) => SettingValue::Text(text.to_owned()),
        Scalar::Number(number) => SettingValue::Number(number.into()),
        Scalar::Boolean(boolean) => SettingValue::Switch(boolean),
    }
}

/// A build that failed is an outcome; that cargo cannot be run is not, and neither is a full disk.
pub(crate) fn refused(error: CargoError, said: &Tail, file: &Path) -> Outcome<TrialOutcome> {
    if is_disk_full(&said.text(), file) {
        return Err(full_disk(error));
    }
    match &error {
        CargoError::Failed { .. } | CargoError::NotCaptured { .. } => Ok(TrialOutcome::Failed {
            reason: first_error(&said.text()).unwrap_or_else(|| error.to_string()),
        }),
        _ => Err(error.into()),
    }
}

/// The first line of a tool's output that says what is wrong.
pub(crate) fn first_error(said: &str) -> Option<String> {
    said.lines()
        .map(str::trim)
        .find(|line| line.contains("error"))
        .map(|line| line.chars().take(200).collect())
}

/// The last lines of what cargo printed.
#[derive(Debug, Default)]
pub(crate) struct Tail(std::collections::VecDeque<String>);

impl Tail {
    const KEPT: usize = 200;

    pub(crate) fn hear(&mut self, event: &Event<'_>) {
        if let Event::Stderr(line) = event {
            if self.0.len() == Self::KEPT {
                self.0.pop_front();
            }
            self.0.push_back((*line).to_owned());
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| {
        Trouble::plain(
            anyhow::Error::from(error).context(format!("cannot read `{}`", path.display())),
        )
    })
}

fn with_disk_help(error: whittle_cargo::LinkError) -> Trouble {
    let help = match &error {
        whittle_cargo::LinkError::Io { source, .. } => disk_help(source),
        _ => None,
    };
    match help {
        Some(help) => Trouble::new(error, help),
        None => Trouble::plain(error),
    }
}
