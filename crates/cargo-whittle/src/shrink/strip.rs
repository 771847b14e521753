//! `strip`: what is left out of the file that ships, in a file for debuggers beside it.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use whittle_cargo::{Cargo, Helper};
use whittle_image::{DebugFile, DebugFileError};

use super::arguments::StripArguments;
use super::lab::read;
use super::progress::Progress;
use crate::inputs::project;
use crate::request::selection;
use crate::trouble::{Outcome, Trouble};

/// Builds what ships and its twin with symbols, and writes the debug file of the two. The file that ships stays as it is.
pub(crate) fn strip(typed: StripArguments) -> Outcome<crate::exit::Exit> {
    let mut cargo = Cargo::from_env();
    cargo.helper = Helper::current().ok();
    let selection = selection(typed.build);
    let mut progress = Progress::new();
    let build = cargo.build(&selection, &mut |event| progress.hear(&event))?;
    let artifact = project::only_linked(&build)?;
    progress.phase("builds the last crate once more, with symbols");
    let twin = cargo.twin(&selection, &build, artifact, &mut |event| {
        progress.hear(&event);
    })?;
    let (shipped, with_symbols) = (read(&artifact.path)?, read(&twin.path)?);
    let debug = DebugFile::extract(&with_symbols, &shipped).map_err(|error| {
        let help = match error {
            DebugFileError::NothingToKeep => "there is nothing that a debugger could use",
            _ => "build again: the two files have to come from the same sources",
        };
        Trouble::new(
            anyhow::Error::from(error)
                .context(format!("no debug file for `{}`", artifact.path.display())),
            help,
        )
    })?;
    let path = typed.debug_file.unwrap_or_else(|| {
        let mut name = artifact.path.clone().into_os_string();
        name.push(".debug");
        PathBuf::from(name)
    });
    fs::write(&path, &debug.bytes).map_err(|error| {
        Trouble::plain(anyhow!(error).context(format!("cannot write `{}`", path.display())))
    })?;
    let build_id = debug
        .build_id
        .as_deref()
        .map(super::evidence::hexadecimal)
        .map_or_else(
            || "it has no build-id, so debuggers have to be told of the file".to_owned(),
            |id| format!("build-id {id}"),
        );
    crate::output::plain_lines(&format!(
        "{}: {} bytes, as it was\n{}: {} bytes, {build_id}",
        artifact.path.display(),
        shipped.len(),
        path.display(),
        debug.bytes.len(),
    ))?;
    if !whittle_image::Image::parse(&shipped).is_ok_and(|image| image.is_stripped()) {
        crate::output::plain_lines(
            "the file that ships still has its symbols: `strip = \"symbols\"` in its profile leaves them out",
        )?;
    }
    Ok(crate::exit::Exit::Done)
}
