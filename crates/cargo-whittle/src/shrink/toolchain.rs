//! The toolchain that was asked for, and what it takes.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use whittle_cargo::{Cargo, Channel, InstalledToolchain};
use whittle_trial::facts::Capability;

use super::progress::Progress;
use crate::trouble::{Outcome, Trouble};

/// A cargo, and what its toolchain takes.
pub(crate) struct Chosen {
    pub(crate) cargo: Cargo,
    pub(crate) capability: Capability,
    /// Whether its compiler is stable and has to be told to take unstable settings, which choosing a stable toolchain with
    /// the sources of the standard library asks for.
    pub(crate) bootstrap: bool,
}

/// Chooses a toolchain: none named means the user's own, which is taken to be stable whatever it is.
///
/// A project that builds with nightly every day did not thereby ask for unstable settings.
pub(crate) fn choose(cargo: Cargo, name: Option<&str>, progress: &mut Progress) -> Outcome<Chosen> {
    let Some(name) = name else {
        return Ok(Chosen {
            cargo,
            capability: Capability::Stable,
            bootstrap: false,
        });
    };
    let found = match program_in(Path::new(name)) {
        Some(program) => cargo.toolchain_at(&program, &mut |event| progress.hear(&event))?,
        None => named(&cargo, name, progress)?,
    };
    let is_unstable = matches!(found.channel, Channel::Nightly | Channel::Development);
    let has_sources = found.std_sources.is_some();
    Ok(Chosen {
        cargo: cargo.with_toolchain(&found),
        capability: match (is_unstable, has_sources) {
            (_, true) => Capability::UnstableWithStdSources,
            (true, false) => Capability::Unstable,
            (false, false) => Capability::Stable,
        },
        bootstrap: !is_unstable && has_sources,
    })
}

/// The cargo of a folder: in it, or in its `bin`.
fn program_in(folder: &Path) -> Option<PathBuf> {
    let program = format!("cargo{}", std::env::consts::EXE_SUFFIX);
    // A bare name is rustup's, even where a folder of that name lies about.
    if folder.components().count() < 2 {
        return None;
    }
    [folder.join(&program), folder.join("bin").join(&program)]
        .into_iter()
        .find(|path| path.is_file())
}

fn named(cargo: &Cargo, name: &str, progress: &mut Progress) -> Outcome<InstalledToolchain> {
    let all = cargo.toolchains(&mut |event| progress.hear(&event))?;
    let own_name = |toolchain: &InstalledToolchain| {
        toolchain.name.clone().unwrap_or_else(|| {
            toolchain
                .cargo
                .parent()
                .unwrap_or(&toolchain.cargo)
                .display()
                .to_string()
        })
    };
    let names: Vec<String> = all.iter().map(own_name).collect();
    all.into_iter()
        .find(|toolchain| {
            toolchain.name.as_deref().is_some_and(|own| {
                own == name
                    || own
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('-'))
            })
        })
        .ok_or_else(|| {
            Trouble::new(
                anyhow!("there is no toolchain `{name}`"),
                format!("these are installed: {}", names.join(", ")),
            )
        })
}
