//! `init`: a configuration to start from, and a workflow that uses it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use clap::Args;
use whittle_cargo::Cargo;

use crate::arguments::BuildArguments;
use crate::exit::Exit;
use crate::inputs::project::tell;
use crate::request::selection;
use crate::shrink::configuration;
use crate::trouble::{Outcome, Trouble};

/// What is written.
const CONFIGURATION: &str = include_str!("whittle.toml");
const WORKFLOW: &str = include_str!("size.yml");

/// What stands in the workflow for the address to install from.
const INSTALL_FROM: &str = "INSTALL_FROM";

/// Where the workflow goes.
const WORKFLOW_PATH: &str = ".github/workflows/size.yml";

/// The arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Write a workflow for GitHub Actions as well: .github/workflows/size.yml
    #[arg(long)]
    pub(crate) github: bool,
    /// Where the workflow gets cargo-whittle from: a git repository, as `cargo install --git` takes it
    #[arg(long, value_name = "URL", requires = "github", value_parser = address)]
    pub(crate) install_from: Option<String>,
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
}

/// An address that means nothing else to a shell, to YAML or to the workflow.
fn address(text: &str) -> Result<String, String> {
    let has_scheme = ["https://", "ssh://", "file://"].iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    });
    let is_plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._~:/@+%".contains(c));
    if has_scheme && is_plain {
        Ok(text.to_owned())
    } else {
        Err(
            "write the address of a git repository, such as `https://example.org/cargo-whittle`"
                .to_owned(),
        )
    }
}

/// Writes what is not there yet; what is there is left as it is, and is an error.
pub(crate) fn init(typed: InitArguments) -> Outcome<Exit> {
    let build = BuildArguments {
        manifest: typed.manifest,
        ..BuildArguments::default()
    };
    let root = Cargo::from_env().workspace_root(&selection(build), &mut tell)?;
    // One that stands in the manifest would contradict the new one.
    let has_any = fs::read_to_string(root.join("Cargo.toml"))
        .is_ok_and(|text| text.contains("workspace.metadata.whittle"));
    if has_any {
        return Err(Trouble::new(
            anyhow!("`Cargo.toml` has `[workspace.metadata.whittle]` already"),
            "add to it what docs/shrink.md and docs/check.md explain, or move it to `whittle.toml`",
        ));
    }
    let mut files = vec![(configuration::FILE, CONFIGURATION.to_owned())];
    if typed.github {
        let address = typed.install_from.ok_or_else(|| {
            Trouble::new(
                anyhow!("the workflow has to install cargo-whittle, which is not on crates.io yet"),
                "say where its sources are: `--install-from https://example.org/cargo-whittle`",
            )
        })?;
        files.push((WORKFLOW_PATH, WORKFLOW.replacen(INSTALL_FROM, &address, 1)));
    }
    // All or nothing.
    if let Some((name, _)) = files.iter().find(|(name, _)| root.join(name).exists()) {
        // A workflow can be had for a configuration that is there.
        if !(typed.github && *name == configuration::FILE) || root.join(WORKFLOW_PATH).exists() {
            return Err(Trouble::new(
                anyhow!("`{}` is there already", root.join(name).display()),
                "it is left as it is; remove it to have a new one",
            ));
        }
        files.remove(0);
    }
    for (name, text) in files {
        create(&root.join(name), &text)?;
    }
    Ok(Exit::Done)
}

#[expect(clippy::print_stderr, reason = "what was written, not results")]
fn create(path: &Path, text: &str) -> Outcome<()> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        match File::create_new(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            file => file?.write_all(text.as_bytes()),
        }
    };
    write()
        .with_context(|| format!("cannot write `{}`", path.display()))
        .map_err(Trouble::plain)?;
    eprintln!(
        "     Whittle wrote {}",
        whittle_report::plain(&path.display().to_string())
    );
    Ok(())
}
