//! What the user's own command builds: the baseline of it, and trials that go through it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use whittle_cargo::{
    Build, BuildCommand, BuildCommandError, Cargo, CommandTrial, Place, SettingValue,
    Settings as CargoSettings,
};
use whittle_report::shrink::CleanBuild;
use whittle_trial::detect::Weighed;
use whittle_trial::facts::{Facts, FileFormat, LinkTrials, Linker};
use whittle_trial::frontier::clearly_smaller;

use super::baseline::{Baseline, linker_of, package_spec};
use super::command::Shipped;
use super::evidence::FileFacts;
use super::lab::{first_error, read};
use super::manifest_profile;
use super::progress::Progress;
use super::request::{BuildLine, Request};
use super::store::{full_disk, is_disk_full};
use super::toolchain::Chosen;
use super::whole::Made;
use crate::trouble::{Outcome, Trouble};

/// How long a build command may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// The file beside the baseline's own trial that says where the command builds.
const PLACE: &str = "place";
/// … when it is a target directory of the trials.
const APART: &str = "apart";

/// Runs the user's command under other settings.
pub(crate) struct CommandBuilder {
    command: BuildCommand,
    cargo: Cargo,
    workspace: Build,
    users_flags: Vec<OsString>,
    shipped: PathBuf,
    /// The target directory of all trials; `None` where the command builds in its own whatever it is told.
    apart: Option<PathBuf>,
}

impl CommandBuilder {
    /// Builds and puts the file at `into`; the reason of a build that fails is an inner `Err`.
    pub(crate) fn make(
        &self,
        settings: &CargoSettings,
        into: &Path,
    ) -> Outcome<Result<Made, String>> {
        let trial = CommandTrial {
            settings,
            users_flags: &self.users_flags,
            place: self.apart.as_deref().map_or(Place::Users, Place::Apart),
            shipped: &self.shipped,
            workspace: &self.workspace,
        };
        match self
            .command
            .try_settings(&self.cargo, &trial, into, &mut |_| ())
        {
            Ok(built) => Ok(Ok(Made {
                wall: built.wall,
                cpu: built.usage.map_or(Duration::ZERO, |usage| usage.cpu()),
            })),
            Err(BuildCommandError::Failed { said, .. }) if is_disk_full(&said, &self.shipped) => {
                let failed = format!("`{}` failed", self.command.line);
                Err(full_disk(anyhow!("{said}").context(failed)))
            }
            Err(BuildCommandError::Failed { said, ending, .. }) => Ok(Err(first_error(&said)
                .unwrap_or_else(|| format!("the build command failed ({ending})")))),
            // It is no fault of the program's, and the next setting may do.
            Err(error @ BuildCommandError::NotInEnvironment { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(trouble(error)),
        }
    }
}

impl CommandBuilder {
    /// Builds as the user would; the old file comes back unless the new one is as expected.
    pub(crate) fn run_anew(
        &self,
        is_expected: &mut dyn FnMut(&Path) -> bool,
        progress: &mut Progress,
    ) -> Outcome<()> {
        let run = self.command.run_anew(
            &self.cargo,
            &self.workspace,
            &self.shipped,
            is_expected,
            &mut |event| progress.hear(&event),
        );
        run.map(drop).map_err(trouble)
    }
}

impl Baseline {
    /// Runs the user's command as it is.
    pub(crate) fn by_command(
        chosen: &Chosen,
        request: &Request,
        line: &BuildLine,
        workspace: Build,
        folder: &Path,
        progress: &mut Progress,
    ) -> Outcome<(Self, CommandBuilder)> {
        progress.phase("runs your build command as it is");
        let root = workspace.workspace.workspace_root.as_std_path().to_owned();
        let target_directory = workspace.workspace.target_directory.as_std_path();
        let command = BuildCommand {
            line: line.line.clone(),
            artifact: line.artifact.clone(),
            root: root.clone(),
            target_directory: target_directory.to_owned(),
            profile: request.selection.profile.clone(),
            limit: LIMIT,
        };
        let built = command
            .run(&chosen.cargo, &workspace, &mut |event| {
                progress.hear(&event);
            })
            .map_err(trouble)?;
        let artifact = workspace.artifact_at(&built.artifact).ok_or_else(|| {
            Trouble::plain(anyhow!("there is no package in `{}`", root.display()))
        })?;
        let bytes = read(&artifact.path)?;
        let file = FileFacts::of(&bytes)?;
        let facts = Facts {
            profile: manifest_profile::read(&root, &request.selection.profile)?,
            format: format(&bytes, &workspace.record.target),
            toolchain: chosen.capability,
            linkers: vec![linker(&bytes)],
            host_apart: request.selection.target.is_some(),
            libc_floor: file.libc_floor,
            link_trials: LinkTrials::WholeBuild,
            package_keys: false,
        };
        let cpu = built.usage.map_or(Duration::ZERO, |usage| usage.cpu());
        let users_flags = chosen
            .cargo
            .rustflags(&request.selection, &mut |event| progress.hear(&event))?;
        let builder = CommandBuilder {
            command,
            cargo: chosen.cargo.clone(),
            workspace: workspace.clone(),
            users_flags,
            shipped: artifact.path.clone(),
            apart: Some(target_directory.join("whittle").join("command")),
        };
        let baseline = Self {
            shipped: Shipped::keep(&artifact.path, artifact.path.clone(), folder)?,
            own_package: package_spec(&workspace, &artifact),
            build: workspace,
            artifact,
            file,
            facts,
            noise: 0,
            clean_build: None,
            hazards: Weighed::default(),
            bootstrap: false,
            builds: 1,
            compile_cpu_seconds: cpu.as_secs_f64(),
            notes: Vec::new(),
        };
        Ok((baseline, builder))
    }

    /// Runs the command once more apart from the first, to see what differs, and once under a setting that no build
    /// survives unchanged, to see whether settings reach it at all.
    pub(crate) fn try_command(
        &mut self,
        builder: &mut CommandBuilder,
        file: &Path,
        progress: &mut Progress,
    ) -> Outcome<()> {
        let place = file.with_file_name(PLACE);
        if let Ok(known) = fs::read_to_string(&place) {
            if known != APART {
                self.follow(builder);
            }
            let again = FileFacts::of(&read(file)?)?;
            self.noise = again.sizes.file.abs_diff(self.file.sizes.file);
            return Ok(());
        }
        progress.phase(
            "runs it twice more, in a target directory of its own, to see whether it hears settings",
        );
        let is_heard = match self.hears(builder, file)? {
            Hears::Yes => true,
            Hears::No => {
                // A command that copies from `target/` by name finds there what was there before.
                self.follow(builder);
                self.hears(builder, file)? == Hears::Yes
            }
        };
        if !is_heard {
            let profile = builder.command.profile.to_uppercase().replace('-', "_");
            return Err(Trouble::new(
                anyhow!(
                    "`{}` builds the same file whatever the settings",
                    builder.command.line
                ),
                format!(
                    "settings reach it as `CARGO_PROFILE_{profile}_OPT_LEVEL` and the like in its environment: let it hand them on to \
                     cargo and build when nothing but them has changed; `--profile NAME` says which profile it builds"
                ),
            ));
        }
        let known = if builder.apart.is_some() { APART } else { "" };
        fs::write(&place, known)
            .with_context(|| format!("cannot write `{}`", place.display()))
            .map_err(Trouble::plain)
    }

    /// Builds where the command does by itself.
    fn follow(&mut self, builder: &mut CommandBuilder) {
        builder.apart = None;
        self.notes.push(
            "your build command does not hear `CARGO_TARGET_DIR`: trials are built in its own target directory, and the file \
             that ships is put back after each"
                .to_owned(),
        );
    }

    /// Whether the command builds another file under another level of optimization.
    fn hears(&mut self, builder: &CommandBuilder, file: &Path) -> Outcome<Hears> {
        let level = if self.facts.profile.opt_level == "0" {
            "1"
        } else {
            "0"
        };
        let other = CargoSettings {
            profile: [("opt-level".to_owned(), SettingValue::from(level))].into(),
            ..CargoSettings::default()
        };
        let again = self.once(builder, &CargoSettings::default(), file)?;
        self.noise = again.sizes.file.abs_diff(self.file.sizes.file);
        let beside = file.with_extension("other-level");
        let other = self.once(builder, &other, &beside)?;
        // It was only for this.
        let _ = fs::remove_file(&beside);
        // A file that differs from build to build, such as an archive with times in it, has to differ by more than that.
        let differs = if again.hash == self.file.hash {
            other.hash != again.hash
        } else {
            let (a, b) = (other.sizes.file, again.sizes.file);
            clearly_smaller(a.min(b), a.max(b)) && a.abs_diff(b) > self.noise
        };
        Ok(if differs { Hears::Yes } else { Hears::No })
    }

    fn once(
        &mut self,
        builder: &CommandBuilder,
        settings: &CargoSettings,
        into: &Path,
    ) -> Outcome<FileFacts> {
        let made = builder.make(settings, into)?.map_err(|reason| {
            Trouble::new(
                anyhow!("{reason}").context(format!(
                    "`{}` fails when it is run by this program",
                    builder.command.line
                )),
                "it is given another `CARGO_TARGET_DIR` and `CARGO_PROFILE_…` variables, and has to work with them",
            )
        })?;
        self.builds += 1;
        self.compile_cpu_seconds += made.cpu.as_secs_f64();
        if self.clean_build.is_none() && builder.apart.is_some() {
            self.clean_build = Some(CleanBuild {
                seconds: made.wall.as_secs_f64(),
                cpu_seconds: made.cpu.as_secs_f64(),
            });
        }
        FileFacts::of(&read(into)?)
    }
}

/// Whether settings reach a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    Yes,
    No,
}

fn trouble(error: BuildCommandError) -> Trouble {
    match error {
        BuildCommandError::Failed { line, ending, said } => Trouble::new(
            anyhow!("{said}").context(format!("`{line}` failed ({ending})")),
            "a build command is run by the shell at the workspace's root",
        ),
        BuildCommandError::NoArtifact { .. } => Trouble::new(
            error,
            "`artifact` is a pattern from the workspace's root; `{target-dir}` stands for the target directory",
        ),
        BuildCommandError::SeveralArtifacts { .. } => {
            Trouble::new(error, "name one of them in `artifact`")
        }
        BuildCommandError::Cargo(error) => error.into(),
        other => Trouble::plain(other),
    }
}

/// What linked the file, or the files inside: an archive or a package says no more than what it was built for.
fn format(bytes: &[u8], target: &str) -> FileFormat {
    const OTHERS: [&str; 5] = ["windows", "apple", "darwin", "wasm", "uefi"];
    if bytes.starts_with(b"\x7fELF") {
        FileFormat::Elf
    } else if bytes.starts_with(b"!<arch>\n") {
        FileFormat::Archive
    } else if bytes.starts_with(b"PK\x03\x04") && !OTHERS.iter().any(|other| target.contains(other))
    {
        FileFormat::Elf
    } else {
        FileFormat::Other
    }
}

/// The linker of the file, taken to do what linkers of its kind do: a trial shows whether it does.
fn linker(bytes: &[u8]) -> Linker {
    let name = linker_of(bytes);
    Linker {
        name: name.to_owned(),
        is_default: true,
        folds: matches!(name, "lld" | "mold" | "gold"),
        packs: matches!(name, "lld" | "bfd"),
    }
}
