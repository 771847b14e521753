//! Files that a whole build makes: by the user's own command, or of a library that no linker made. There is no link that
//! could be run again, so the lab builds each candidate whole, and what was built is kept.

use std::path::Path;
use std::time::Duration;

use whittle_cargo::{Settings as CargoSettings, VariantBuilder};
use whittle_trial::settings::Settings;
use whittle_trial::trial::{Built, Outcome as TrialOutcome, Step, Trial};

use super::baseline::{Baseline, longer_paths};
use super::command_build::CommandBuilder;
use super::evidence::FileFacts;
use super::judge::Care;
use super::lab::{Lab, Purpose, Tail, read, refused};
use super::progress::Progress;
use super::store::Store;
use crate::trouble::Outcome;

/// Builds whole files under other settings.
pub(crate) enum WholeBuilder {
    /// By a command of the user's.
    Command(Box<CommandBuilder>),
    /// By cargo: a static library.
    Cargo(Box<VariantBuilder>),
}

/// What a build took.
pub(crate) struct Made {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl WholeBuilder {
    /// The command that builds, if it is one.
    pub(crate) fn command(&self) -> Option<&CommandBuilder> {
        match self {
            Self::Command(builder) => Some(builder),
            Self::Cargo(_) => None,
        }
    }

    /// Builds and puts the file at `into`; the reason of a build that fails is an inner `Err`.
    fn make(&self, settings: &CargoSettings, into: &Path) -> Outcome<Result<Made, String>> {
        match self {
            Self::Command(builder) => builder.make(settings, into),
            Self::Cargo(builder) => {
                let mut said = Tail::default();
                match builder.build(settings, into, &mut |event| said.hear(&event)) {
                    Ok(variant) => Ok(Ok(Made {
                        wall: variant.wall,
                        cpu: variant.usage.map_or(Duration::ZERO, |usage| usage.cpu()),
                    })),
                    Err(error) => match refused(error, &said, into)? {
                        TrialOutcome::Failed { reason } => Ok(Err(reason)),
                        _ => Ok(Err(said.text())),
                    },
                }
            }
        }
    }
}

impl Baseline {
    /// Finds out by how much two equal builds differ, and asks the detectors. A command is run once more for it.
    pub(crate) fn try_whole(
        &mut self,
        builder: &mut WholeBuilder,
        store: &Store,
        progress: &mut Progress,
    ) -> Outcome<()> {
        let shipped = read(&self.shipped.copy)?;
        self.detect(&shipped);
        match builder {
            WholeBuilder::Command(builder) => {
                let file = store.whole_file(&Settings::unchanged(), &self.shipped.path);
                self.try_command(builder, &file, progress)
            }
            WholeBuilder::Cargo(builder) => {
                self.noise = longer_paths(&shipped, &builder.target_directory(), &self.build);
                Ok(())
            }
        }
    }
}

impl Lab<'_> {
    /// Runs one trial of a file that is built whole.
    pub(super) fn run_whole(
        &mut self,
        builder: &WholeBuilder,
        trial: &Trial,
        store: &Store,
    ) -> Outcome<TrialOutcome> {
        let settings = &trial.settings;
        let file = store.whole_file(settings, &self.shipped);
        let care = match trial.step {
            Step::Build | Step::Link => {
                let cargo_settings = self.cargo_settings(settings, Purpose::Ship);
                self.spent.builds += 1;
                let made = match builder.make(&cargo_settings, &file)? {
                    Ok(made) => made,
                    Err(reason) => return Ok(TrialOutcome::Failed { reason }),
                };
                self.spent.compile_cpu_seconds += made.cpu.as_secs_f64();
                let facts = FileFacts::of(&read(&file)?)?;
                return Ok(TrialOutcome::Built(Built {
                    sizes: facts.sizes,
                    libc_floor: facts.libc_floor,
                    artifact: facts.hash,
                    seconds: made.wall.as_secs_f64(),
                    cpu_seconds: made.cpu.as_secs_f64(),
                }));
            }
            Step::Verify => Care::Screen,
            Step::Confirm => Care::Full,
        };
        // The file is what the command has built already: it is judged once more, and not built once more.
        let facts = FileFacts::of(&read(&file)?)?;
        let verdict = self.verdict(&file, &facts, care)?;
        self.with_benches(settings, verdict, care)
            .map(TrialOutcome::Verified)
    }
}
