//! Writing the settings that won, and proving that a plain build with them gives the file that was judged.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use whittle_cargo::{
    Cargo, Edit, EditRequest, Event, FileEdit, Selection, Settings as CargoSettings, Undo,
};
use whittle_report::shrink::Applied;
use whittle_trial::frontier::{Candidate, TIE};

use super::baseline::Baseline;
use super::command_build::CommandBuilder;
use super::evidence::FileFacts;
use super::lab::read;
use super::overrides::{self, Overrides};
use super::progress::Progress;
use super::request::Request;
use crate::trouble::{Outcome, Trouble};

/// Writes settings into the user's files, builds plainly, and takes them back if that does not give the file.
pub(crate) fn apply(
    cargo: &Cargo,
    request: &Request,
    baseline: &Baseline,
    (winner, command): (&Candidate<'_>, Option<&CommandBuilder>),
    settings: &CargoSettings,
    progress: &mut Progress,
) -> Outcome<Applied> {
    let root = baseline.build.workspace.workspace_root.as_std_path();
    let target = &baseline.build.record.target;
    let shadowed = cargo
        .shadowed_flags(&request.selection, target, &mut |event| {
            progress.hear(&event);
        })?
        .iter()
        .map(|flag| flag.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    let edit = Edit::plan(&EditRequest {
        root,
        profile: &request.selection.profile,
        into_profile: request.into_profile.as_deref(),
        settings,
        target,
        shadowed_flags: &shadowed,
    })
    .map_err(Trouble::plain)?;
    for file in &edit.files {
        progress.show(&shown(root, file));
    }
    if let Some(others) = others(baseline, request) {
        progress.show(&others);
    }
    if let Err(error) = edit.apply() {
        return Ok(Applied::Refused {
            reason: chain(&anyhow::Error::from(error)),
        });
    }
    let proof = Proof {
        outranked: outranked(request, settings, root),
        expected: winner.built.sizes.file,
        noise: baseline.noise,
    };
    let proven = if let Some(command) = command {
        progress.phase("runs your build command with the new settings");
        proof.by_command(command, progress)
    } else {
        progress.phase("builds plainly with the new settings");
        proof.by_cargo(cargo, request, baseline, progress)
    };
    match proven {
        Ok(size) => Ok(Applied::Yes {
            files: edit
                .files
                .iter()
                .map(|file| inside(root, &file.path))
                .collect(),
            size,
        }),
        Err(reason) => {
            let undone = Undo::plan(root)
                .and_then(|undo| undo.map_or(Ok(()), |undo| undo.apply()))
                .map_or_else(
                    |error| format!("; taking it back failed as well: {error}"),
                    |()| "; the edit is taken back".to_owned(),
                );
            Ok(Applied::Refused {
                reason: format!("{reason}{undone}"),
            })
        }
    }
}

/// What outranks the settings when they are written into files.
fn outranked(request: &Request, settings: &CargoSettings, root: &Path) -> Vec<String> {
    // Without a folder to be in, there is nowhere to look.
    let Ok(directory) = std::env::current_dir() else {
        return Vec::new();
    };
    let home = overrides::cargo_home();
    let profile = request.into_profile.as_ref();
    Overrides {
        profile: profile.unwrap_or(&request.selection.profile),
        settings,
        root,
        directory: match request.build_command {
            // It is run at the root, and so is its cargo.
            Some(_) => root,
            None => &directory,
        },
        config: &request.selection.config,
    }
    .find(&|name| std::env::var_os(name).is_some(), home.as_deref())
}

/// What a plain build has to give.
struct Proof {
    /// What outranks the lines that were written.
    outranked: Vec<String>,
    /// Bytes of the trial's file.
    expected: u64,
    /// By how many bytes two equal builds differ.
    noise: u64,
}

impl Proof {
    /// Builds as the user would and compares.
    fn by_cargo(
        &self,
        cargo: &Cargo,
        request: &Request,
        baseline: &Baseline,
        progress: &mut Progress,
    ) -> Result<u64, String> {
        let mut selection: Selection = request.selection.clone();
        if let Some(profile) = &request.into_profile {
            selection.profile.clone_from(profile);
        }
        let build = cargo
            .build(&selection, &mut |event: Event<'_>| progress.hear(&event))
            .map_err(|error| format!("the plain build failed: {error}"))?;
        let artifact = build
            .artifacts
            .iter()
            .find(|other| {
                other.kind == baseline.artifact.kind
                    && other.target_name == baseline.artifact.target_name
                    && other.package == baseline.artifact.package
            })
            .ok_or("the plain build made no such file")?;
        self.compare(&artifact.path)
    }

    /// Runs the user's command and compares.
    fn by_command(&self, command: &CommandBuilder, progress: &mut Progress) -> Result<u64, String> {
        let mut compared = Err("the build command built no file".to_owned());
        command
            .run_anew(
                &mut |file| {
                    compared = self.compare(file);
                    compared.is_ok()
                },
                progress,
            )
            .map_err(|trouble| format!("the build failed: {}", chain(&trouble.error)))?;
        compared
    }

    fn compare(&self, file: &Path) -> Result<u64, String> {
        let bytes = read(file).map_err(|trouble| trouble.to_string())?;
        let facts = FileFacts::of(&bytes).map_err(|trouble| trouble.to_string())?;
        let (got, expected) = (facts.sizes.file, self.expected);
        if is_within_noise(got, expected, self.noise) {
            Ok(got)
        } else {
            let why = if self.outranked.is_empty() {
                "something else decides how it is built, and neither the environment nor cargo's configuration says what"
                    .to_owned()
            } else {
                format!(
                    "what was written is outranked by {}",
                    self.outranked.join(", ")
                )
            };
            Err(format!(
                "a plain build gives {got} bytes, and the trial was {expected}: {why}"
            ))
        }
    }
}

/// Whether a size is what was expected, as far as two equal builds are equal.
fn is_within_noise(got: u64, expected: u64, noise: u64) -> bool {
    // A smaller file than promised breaks no promise, but it is not the file that was judged.
    let tie = expected / inverse(TIE);
    got.abs_diff(expected) <= noise.max(tie)
}

/// One divided by a small share.
fn inverse(share: f64) -> u64 {
    // 2000 for 0.0005; written so that the tie is said in one place.
    (1..=1_000_000_u32)
        .find(|number| f64::from(*number) * share >= 1.0 - 1e-9)
        .map_or(u64::MAX, u64::from)
}

/// The files that came out of the workspace by the same profile, and get the same settings.
fn others(baseline: &Baseline, request: &Request) -> Option<String> {
    if request.into_profile.is_some() {
        return None;
    }
    let others: Vec<String> = baseline
        .build
        .workspace
        .packages
        .iter()
        .flat_map(|package| {
            package
                .targets
                .iter()
                .filter(|target| target.is_bin() || target.is_cdylib())
                .map(|target| target.name.clone())
        })
        .filter(|name| *name != baseline.artifact.target_name)
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "the profile `{}` is also that of: {} (`--into-profile NAME` writes one of its own)\n",
            request.selection.profile,
            others.join(", ")
        )
    })
}

/// Takes back the last edit, and says what happened.
pub(crate) fn undo(root: &Path) -> Outcome<String> {
    let undo = Undo::plan(root).map_err(Trouble::plain)?;
    let Some(undo) = undo else {
        return Err(Trouble::new(
            anyhow!("there is nothing to take back in `{}`", root.display()),
            "`cargo whittle shrink --apply` writes settings; what it wrote can be taken back once",
        ));
    };
    undo.apply().map_err(Trouble::plain)?;
    let mut said = String::new();
    for file in &undo.files {
        said.push_str(&shown(root, file));
    }
    for (file, key) in &undo.kept {
        // Writing to a string cannot fail.
        let _ = writeln!(
            said,
            "kept: `{key}` in {} has been changed since",
            inside(root, file)
        );
    }
    if undo.files.is_empty() && undo.kept.is_empty() {
        said.push_str("everything was taken back already\n");
    }
    Ok(said)
}

/// A change to a file, as `diff -u` would show it.
fn shown(root: &Path, file: &FileEdit) -> String {
    let name = inside(root, &file.path);
    let before = file.before.as_deref().unwrap_or_default();
    let after = file.after.as_deref().unwrap_or_default();
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(2)
        .header(&name, &name)
        .to_string()
}

fn inside(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_build_may_differ_by_the_noise_and_no_more() {
        assert_eq!(inverse(TIE), 2000);
        assert!(is_within_noise(1_000_000, 1_000_000, 0));
        assert!(is_within_noise(1_000_500, 1_000_000, 0));
        assert!(!is_within_noise(1_000_501, 1_000_000, 0));
        assert!(is_within_noise(1_001_768, 1_000_000, 1_768));
        assert!(!is_within_noise(900_000, 1_000_000, 1_768));
    }
}
