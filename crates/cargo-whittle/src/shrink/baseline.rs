//! The baseline: the program as its author builds it, and everything that is known of it before the first trial.

use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use whittle_cargo::{
    Artifact, ArtifactKind, Build, CapturedLink, Event, Freshness, Helper, LinkChange, Runner,
    Settings as CargoSettings, VariantBuilder,
};
use whittle_report::shrink::CleanBuild;
use whittle_trial::detect::{self, Weighed, addresses, panics};
use whittle_trial::facts::{Capability, Facts, FileFormat, LinkTrials, Linker, Profile};
use whittle_trial::lever::Detector;
use whittle_trial::levers;
use whittle_trial::policy::{Admission, Policy};
use whittle_trial::settings::Settings;

use super::command::{Shipped, Stand};
use super::evidence::{self, FileFacts};
use super::foreign;
use super::judge::{self, Judge};
use super::lab::{Strips, Tail, read};
use super::manifest_profile;
use super::progress::Progress;
use super::request::{Request, Tests};
use super::sources::SourceScan;
use super::store::{SourceState, Store};
use super::suite::Suite;
use super::toolchain::Chosen;
use crate::inputs::project;
use crate::trouble::{Outcome, Trouble};

/// The program as its author builds it.
pub(crate) struct Baseline {
    pub(crate) build: Build,
    pub(crate) artifact: Artifact,
    pub(crate) shipped: Shipped,
    /// Its package, as cargo's profiles name it.
    pub(crate) own_package: String,
    pub(crate) file: FileFacts,
    pub(crate) facts: Facts,
    /// By how many bytes two equal builds differ, here and in the user's place.
    pub(crate) noise: u64,
    /// What a build from nothing takes; nothing if all was there already.
    pub(crate) clean_build: Option<CleanBuild>,
    pub(crate) hazards: Weighed,
    /// Whether a stable compiler is told to take unstable settings.
    pub(crate) bootstrap: bool,
    pub(crate) builds: usize,
    pub(crate) compile_cpu_seconds: f64,
    pub(crate) notes: Vec<String>,
}

impl Baseline {
    /// Builds what ships, where its trials will be built: these find its dependencies compiled. Its copy is put into
    /// `folder`.
    pub(crate) fn build(
        chosen: &Chosen,
        request: &Request,
        folder: &Path,
        progress: &mut Progress,
    ) -> Outcome<Self> {
        progress.phase("builds the program as it is");
        let start = Instant::now();
        let mut compiled = 0;
        let build = chosen.cargo.build_apart(&request.selection, &mut |event| {
            if let Event::Compiled {
                freshness: Freshness::Compiled,
                ..
            } = event
            {
                compiled += 1;
            }
            progress.hear(&event);
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let artifact = project::only_artifact(&build)?.clone();
        let shipped = Shipped::keep(&artifact.path, build.plain_path(&artifact), folder)?;
        let bytes = read(&shipped.copy)?;
        let file = FileFacts::of(&bytes)?;
        let (mut profile, mut link_trials) = (Profile::default(), LinkTrials::Again);
        let format = if bytes.starts_with(b"\x7fELF") {
            FileFormat::Elf
        } else if artifact.kind == ArtifactKind::Staticlib {
            // Nothing is linked, so no link tells the profile either.
            let root = build.workspace.workspace_root.as_std_path();
            profile = manifest_profile::read(root, &request.selection.profile)?;
            link_trials = LinkTrials::WholeBuild;
            FileFormat::Archive
        } else {
            FileFormat::Other
        };
        let facts = Facts {
            profile,
            format,
            toolchain: chosen.capability,
            linkers: Vec::new(),
            host_apart: request.selection.target.is_some(),
            libc_floor: file.libc_floor,
            link_trials,
            package_keys: true,
        };
        let compile_cpu_seconds = build.usage.map_or(0.0, |usage| usage.cpu().as_secs_f64());
        // Only a build of every crate tells what one from nothing takes.
        let clean_build = (compiled >= build.record.packages.len()).then_some(CleanBuild {
            seconds,
            cpu_seconds: compile_cpu_seconds,
        });
        Ok(Self {
            builds: usize::from(!artifact.fresh),
            own_package: package_spec(&build, &artifact),
            build,
            artifact,
            shipped,
            file,
            facts,
            noise: 0,
            clean_build,
            hazards: Weighed::default(),
            bootstrap: chosen.bootstrap,
            compile_cpu_seconds,
            notes: Vec::new(),
        })
    }

    /// The state of everything that outcomes depend on.
    pub(crate) fn state(&self, request: &Request) -> Outcome<SourceState> {
        let toolchain = &self.build.record.toolchain;
        let compiler = format!("{toolchain:?}");
        let judged = judge::commands(request);
        let built = request.build_command.as_ref();
        let compiler = format!("{compiler} {built:?}");
        let made = built.map(|_| self.artifact.path.as_path());
        SourceState::of(&self.build, &request.selection, &compiler, &judged, made)
    }

    /// Builds its last crate a second time: what differs is noise, and the link tells the profile and who catches panics.
    pub(crate) fn capture(
        &mut self,
        builder: &VariantBuilder,
        helper: &Helper,
        store: &Store,
        progress: &mut Progress,
    ) -> Outcome<()> {
        progress
            .phase("builds its last crate a second time, to see what differs and to keep its link");
        let settings = CargoSettings {
            last_crate: vec!["-Cstrip=none".to_owned()],
            ..CargoSettings::default()
        };
        let folder = store.capture(&Settings::unchanged());
        let mut said = Tail::default();
        let link = if let Ok(link) = CapturedLink::open(&folder) {
            link
        } else {
            let captured = builder.capture(&settings, &folder, &mut |event| {
                said.hear(&event);
                progress.hear(&event);
            });
            let (link, variant) = captured.map_err(|error| {
                let mut trouble = Trouble::from(error);
                trouble.error =
                    anyhow!("{}", said.text().trim().to_owned()).context(trouble.error.to_string());
                trouble
            })?;
            self.builds += 1;
            self.compile_cpu_seconds +=
                variant.usage.map_or(0.0, |usage| usage.cpu().as_secs_f64());
            link
        };
        let resolved = link.profile(&settings).map_err(Trouble::plain)?;
        self.facts.profile = Profile {
            opt_level: resolved.opt_level,
            lto: resolved.lto,
            codegen_units: resolved.codegen_units,
            panic: resolved.panic,
            strip: resolved.strip,
            debug: resolved.debug,
            overflow_checks: resolved.overflow_checks,
            debug_assertions: resolved.debug_assertions,
        };
        let relink = |arguments: Vec<&str>| -> Outcome<Vec<u8>> {
            let path = store.file(&Settings::unchanged(), &self.shipped.path);
            let change = LinkChange {
                add: arguments.into_iter().map(str::to_owned).collect(),
                ..LinkChange::default()
            };
            link.relink(helper, &change, &path, None)
                .map_err(Trouble::plain)?;
            read(&path)
        };
        let again = FileFacts::of(&relink(
            self.facts.relink_arguments(&Settings::unchanged()),
        )?)?;
        let shipped = read(&self.shipped.copy)?;
        self.noise = again.sizes.file.abs_diff(self.file.sizes.file)
            + longer_paths(&shipped, &builder.target_directory(), &self.build);
        self.facts.linkers = linkers(&shipped, &relink);
        let with_symbols = relink(Vec::new())?;
        self.detect(&with_symbols);
        Ok(())
    }

    /// Asks the detectors; both witnesses are heard.
    pub(crate) fn detect(&mut self, with_symbols: &[u8]) {
        let scan = SourceScan::of(&self.build);
        if !scan.unread.is_empty() {
            let count = scan.unread.len();
            let first = scan.unread.first().map_or("", String::as_str);
            self.notes.push(format!(
                "{count} source files could not be read as Rust, so nothing is known of what they do (first: {first})"
            ));
        }
        if !scan.missing.is_empty() {
            self.notes.push(format!(
                "the sources of these packages were not found: {}",
                scan.missing.join(", ")
            ));
        }
        let shown = evidence::shown(with_symbols);
        if shown.is_none() {
            self.notes.push(
                "the file's exception tables could not be read: every place in the sources counts"
                    .to_owned(),
            );
        }
        let mut hazards = panics::hazards(&scan.packages, shown.as_ref());
        hazards.extend(addresses::hazards(&scan.packages));
        hazards.extend(panics::hooks(&scan.packages));
        hazards.extend(panics::debug_text(&scan.packages));
        self.hazards = Weighed {
            open: hazards,
            ..Weighed::default()
        };
    }

    /// Sorts hazards by what the user acknowledged.
    pub(crate) fn weigh(&mut self, request: &Request) {
        let hazards = std::mem::take(&mut self.hazards.open);
        self.hazards = detect::weigh(hazards, &request.acknowledgements);
        // What concerns settings that this toolchain does not take is nobody's trouble.
        let takes_unstable = self.facts.toolchain >= Capability::Unstable;
        self.hazards.open.retain(|hazard| {
            takes_unstable
                || matches!(
                    hazard.detector,
                    Detector::CaughtPanics | Detector::FunctionAddresses
                )
        });
    }

    /// The tests that run the program, which succeed with the baseline.
    pub(crate) fn suite(
        &mut self,
        request: &Request,
        builder: &VariantBuilder,
        store: &Store,
        progress: &mut Progress,
    ) -> Outcome<Suite> {
        self.weigh(request);
        progress.phase("compiles and runs the tests");
        let root = self.build.workspace.workspace_root.as_std_path();
        let runner = builder.runner();
        let stand = self.stand(store, "tests").through(runner.cloned());
        let mut tests = &request.tests;
        let bytes = read(&self.shipped.copy)?;
        let helper = builder.cargo.helper.as_ref();
        let foreign =
            helper.and_then(|helper| foreign::reason(&self.shipped.copy, &bytes, runner, helper));
        if let Some(reason) = foreign {
            self.notes.push(format!(
                "the program cannot run here ({reason}): the package's tests are left out; give cargo a `runner` for its target, or \
                 commands that run it elsewhere, such as `--check 'qemu-aarch64 {{}} --help'`"
            ));
            if *tests == Tests::Package {
                tests = &Tests::None;
            }
        }
        let mut suite = Suite::new(tests, builder, root, &self.shipped, stand)?;
        self.notes.append(&mut suite.notes);
        Ok(suite)
    }

    /// The judge, who has asked the baseline what trials will be asked.
    pub(crate) fn judge<'h>(
        &self,
        request: &Request,
        helper: &'h Helper,
        store: &Store,
        (suite, runner): (Suite, Option<&Runner>),
        progress: &mut Progress,
    ) -> Outcome<Judge<'h>> {
        progress.phase("runs it, to know what to expect of trials");
        let root = self.build.workspace.workspace_root.as_std_path();
        let stand = |name| self.stand(store, name).through(runner.cloned());
        let stands = (stand("baseline"), stand("trial"));
        Judge::new(helper, request, root, &self.shipped, stands, suite)
    }

    fn stand(&self, store: &Store, name: &str) -> Stand {
        let program = self.shipped.path.file_name().unwrap_or_default();
        Stand::new(store.stand(name), program)
    }

    /// Whether files ship without symbols under a policy.
    pub(crate) fn strips(&self, policy: &Policy) -> Strips {
        let is_admitted = levers::find("strip").is_some_and(|lever| {
            lever.values.first().is_some_and(|value| {
                policy.admission(lever, value, &Settings::unchanged(), &self.facts, &[])
                    == Admission::Tried
            })
        });
        if is_admitted {
            Strips::Yes
        } else {
            Strips::AsItIs
        }
    }
}

/// How a profile names the package of an artifact: with its version where another has the same name.
pub(crate) fn package_spec(build: &Build, artifact: &Artifact) -> String {
    let packages = &build.workspace.packages;
    let own = packages
        .iter()
        .find(|package| package.id == artifact.package);
    let Some(own) = own else {
        return artifact.target_name.clone();
    };
    let namesakes = packages.iter().filter(|other| other.name == own.name);
    if namesakes.count() > 1 {
        format!("{}@{}", own.name, own.version)
    } else {
        own.name.to_string()
    }
}

/// By how many bytes a file is longer for where it was built: sources that a build script writes are named in it, for
/// panics and debuggers, by paths in the target directory.
pub(crate) fn longer_paths(file: &[u8], built_in: &Path, build: &Build) -> u64 {
    let users = build.workspace.build_directory.as_ref();
    let users = users
        .unwrap_or(&build.workspace.target_directory)
        .as_std_path();
    let [built_in, users] = [built_in, users].map(|path| path.as_os_str().as_encoded_bytes());
    let count = memchr::memmem::find_iter(file, built_in).count();
    u64::try_from(count * built_in.len().abs_diff(users.len())).unwrap_or(u64::MAX)
}

/// The linkers at hand, each tried on the baseline's own link: what it takes is what it can.
fn linkers(shipped: &[u8], relink: &dyn Fn(Vec<&str>) -> Outcome<Vec<u8>>) -> Vec<Linker> {
    const FOLD: &str = "-Wl,--icf=all";
    const PACK: &str = "-Wl,-z,pack-relative-relocs";
    let default = linker_of(shipped);
    let mut linkers = Vec::new();
    for name in ["lld", "mold", "gold", "bfd"] {
        let is_default = name == default;
        let choice = format!("-fuse-ld={name}");
        let with = |argument: Option<&str>| {
            let mut arguments: Vec<&str> = Vec::new();
            if !is_default {
                arguments.push(&choice);
            }
            arguments.extend(argument);
            relink(arguments)
        };
        let Ok(plain) = with(None) else { continue };
        if linker_of(&plain) != name {
            continue;
        }
        // A linker that ignores an argument, or packs in a form that needs nothing of the loader, does not do it.
        let packs = with(Some(PACK)).is_ok_and(|bytes| {
            bytes.len() < plain.len()
                && evidence::libc_floor(&bytes)
                    >= Some(whittle_trial::libc::LibcVersion::PACKED_RELOCATIONS)
        });
        linkers.push(Linker {
            name: name.to_owned(),
            is_default,
            folds: with(Some(FOLD)).is_ok_and(|bytes| bytes.len() <= plain.len()),
            packs,
        });
    }
    linkers
}

/// Which linker wrote a file, by what it left in `.comment`; GNU ld leaves nothing, gold a note.
pub(crate) fn linker_of(bytes: &[u8]) -> &'static str {
    let Ok(image) = whittle_image::Image::parse(bytes) else {
        return "unknown";
    };
    let says = |text: &str| {
        image
            .facts
            .producers
            .iter()
            .any(|line| line.to_ascii_lowercase().contains(text))
    };
    if says("lld") {
        "lld"
    } else if says("mold") {
        "mold"
    } else if image.section_by_name(".note.gnu.gold-version").is_some() {
        "gold"
    } else {
        "bfd"
    }
}
