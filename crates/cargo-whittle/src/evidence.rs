//! Evidence: the bytes of a file and of all that is known about it, read and still to be parsed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use whittle_cargo::{ArtifactKind, ResolvedProfile};
use whittle_code::References;
use whittle_image::link_map::LinkMap;
use whittle_image::{FileKind, Image};
use whittle_ledger::{Ledger, Packages, Witnesses};

use crate::arguments::WitnessArguments;
use crate::inputs::companion::{self, Companion};
use crate::inputs::project::{self, Project, TwinFiles};
use crate::inputs::{file, libraries};
use crate::trouble::{Outcome, Trouble};

/// The bytes of a file and of what else is known about it.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// The file, as the user knows it.
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) companion: Option<Companion>,
    /// The link map and where it was.
    pub(crate) link_map: Option<(PathBuf, Vec<u8>)>,
    pub(crate) packages: Option<Packages>,
    /// What the profile came to, where the build was listened to.
    pub(crate) profile: Option<ResolvedProfile>,
    /// How names are known and what is not as good as it could be.
    pub(crate) notes: Vec<String>,
}

impl Evidence {
    /// Reads a file that is there, and what the user names beside it or tools left for it.
    pub(crate) fn of_file(path: &Path, witnesses: &WitnessArguments) -> Outcome<Self> {
        let bytes = file::read(path, "the file")?;
        let image = parse(path, &bytes)?;
        let mut notes = Vec::new();
        let companion = match &witnesses.debug_file {
            Some(debug_file) => {
                let given = companion::given(debug_file)?;
                companion::check(&image, &parse(debug_file, &given.bytes)?, debug_file)?;
                Some(given)
            }
            None => companion::find(path, &image),
        };
        if let Some(companion) = &companion {
            notes.push(format!(
                "names from the debug file `{}`",
                companion.path.display()
            ));
        }
        let link_map = match &witnesses.link_map {
            Some(path) => {
                let bytes = file::read(path, "the link map")?;
                check_map(&image, &parse_map(path, &bytes)?, path)?;
                notes.push(format!(
                    "contents of sections from the link map `{}`",
                    path.display()
                ));
                Some((path.to_owned(), bytes))
            }
            None => None,
        };
        Ok(Self {
            path: path.to_owned(),
            bytes,
            companion,
            link_map,
            packages: None,
            profile: None,
            notes,
        })
    }

    /// Accounts for every byte, and looks at the result.
    pub(crate) fn account<T>(
        &self,
        look: impl FnOnce(&Ledger<'_>, &Witnesses<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let image = parse(&self.path, &self.bytes)?;
        let companion = match &self.companion {
            Some(companion) => Some(parse(&companion.path, &companion.bytes)?),
            None => None,
        };
        let link_map = match &self.link_map {
            Some((path, bytes)) => Some(parse_map(path, bytes)?),
            None => None,
        };
        let witnesses = Witnesses {
            companion: companion.as_ref(),
            link_map: link_map.as_ref(),
            packages: self.packages.as_ref(),
        };
        let references = References::find(&image);
        // A failure here is a fault of this program, not the user's trouble; it is reported as such.
        let ledger = Ledger::build(&image, &witnesses, &references)
            .unwrap_or_else(|error| panic!("{error}"));
        look(&ledger, &witnesses)
    }

    /// Reads what cargo built, and its twin if that is the same program.
    pub(crate) fn of_artifact(
        project: &Project<'_>,
        build: &whittle_cargo::Build,
        artifact: &whittle_cargo::Artifact,
        mut notes: Vec<String>,
    ) -> Outcome<Self> {
        // No linker made a static library: its members have their names, and each says what it was compiled from.
        let twin = if artifact.kind == ArtifactKind::Staticlib {
            TwinFiles::default()
        } else {
            project.twin(build, artifact)
        };
        notes.extend(twin.notes);
        let bytes = file::read(&artifact.path, "the built file")?;
        let (mut companion, mut link_map) = (None, None);
        if let Some(path) = twin.program {
            let twin_bytes = file::read(&path, "the second build with symbols")?;
            match project::check_twin(&parse(&artifact.path, &bytes)?, &parse(&path, &twin_bytes)?) {
                Ok(()) => {
                    companion = Some(Companion { path, bytes: twin_bytes });
                    link_map = match twin.map {
                        Some(map) => Some((map.clone(), file::read(&map, "the link map")?)),
                        None => None,
                    };
                }
                Err(section) => notes.push(format!(
                    "the second build with symbols differs in `{section}`, so it is not used: names are the file's own"
                )),
            }
        }
        let mut packages = project::packages(build);
        libraries::read_packages(build, &mut packages);
        if let Some((path, bytes)) = &link_map {
            libraries::read_standard(&parse_map(path, bytes)?, &mut packages);
        }
        Ok(Self {
            path: artifact.path.clone(),
            bytes,
            companion,
            link_map,
            packages: Some(packages),
            profile: twin.profile,
            notes,
        })
    }
}

/// Parses a file, with its name in the error.
pub(crate) fn parse<'data>(path: &Path, bytes: &'data [u8]) -> Outcome<Image<'data>> {
    Image::parse(bytes)
        .with_context(|| format!("cannot explain `{}`", path.display()))
        .map_err(|error| {
            if bytes.starts_with(b"!<thin>") {
                Trouble::new(error, "explain the files that it lists, one by one")
            } else {
                Trouble::plain(error)
            }
        })
}

/// Parses a link map, with its name in the error.
pub(crate) fn parse_map<'data>(path: &Path, bytes: &'data [u8]) -> Outcome<LinkMap<'data>> {
    LinkMap::parse(bytes)
        .with_context(|| format!("cannot read the link map `{}`", path.display()))
        .map_err(|error| {
            Trouble::new(
                error,
                "link with `-Wl,-Map=FILE` by lld, GNU ld or mold, or with `-Wl,-map,FILE` for macOS, to get one",
            )
        })
}

/// Checks that a map describes the file: its sections must be at the file's addresses.
fn check_map(image: &Image<'_>, map: &LinkMap<'_>, path: &Path) -> Outcome<()> {
    let no_map = match image.target.kind {
        FileKind::Object => "an object file has no link map: it is still to be linked",
        FileKind::Archive => "a static library has no link map: it is still to be linked",
        FileKind::Universal => {
            "a universal file has no link map: each processor's program was linked by itself"
        }
        _ => "",
    };
    if !no_map.is_empty() {
        return Err(Trouble::plain(anyhow!(no_map)));
    }
    let differs = image
        .sections
        .iter()
        .filter(|section| section.access.loaded && section.size > 0)
        .filter(|section| {
            map.output_sections()
                .iter()
                .any(|output| output.name == section.name)
        })
        .find(|section| {
            !map.output_sections().iter().any(|output| {
                (&output.name, output.address, output.size)
                    == (&section.name, section.address, section.size)
            })
        });
    let shared = image
        .sections
        .iter()
        .any(|section| map.find_output(&section.name, section.address).is_some());
    let reason = match (differs, shared) {
        (Some(section), _) => format!(
            "section `{}` has another address or size in it",
            section.name
        ),
        (None, false) => "no section of the file is in it".to_owned(),
        (None, true) => return Ok(()),
    };
    Err(Trouble::new(
        anyhow!(reason).context(format!(
            "the link map `{}` belongs to another file",
            path.display()
        )),
        "give the map that the linker wrote for this very file",
    ))
}
