//! Does the program live on after a panic? Then it must not be built to abort.
//!
//! One witness are the sources: places that catch a panic, or go on after a thread has panicked, in the program and in every
//! package that is linked. The other are the file's own bytes: functions whose exception table has a *catch*, which the
//! unwinder stops at. Every program has some from the runtime. A package that can catch but whose code is not linked
//! shows in the sources alone, and is cleared; a catch in the bytes that no source explains is a hazard of its own.

use std::collections::BTreeSet;

use super::sources::{Hit, HitKind};
use super::{Hazard, same_package};
use crate::lever::Detector;

/// What the sources of one linked package do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSources {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is the user's own.
    pub is_member: bool,
    /// The places, each with the file's path within the package.
    pub hits: Vec<(String, Hit)>,
}

/// A function of the file whose exception table has a catch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatchingFunction {
    /// Its name as a path, with generic arguments: a wrapper says in them for whom it catches.
    pub name: String,
    /// The crates that its name mentions: who defines it, who instantiates it, and those in its generic arguments.
    pub crates: Vec<String>,
}

/// What the file's own bytes and symbols show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The functions that catch, in the order of their code.
    pub catching: Vec<CatchingFunction>,
    /// Every path that a function's name mentions, and all that lead to it: `server`, `server::pool`.
    pub paths: BTreeSet<String>,
}

/// Who a catch belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Catcher {
    /// The standard library, for the start of the program.
    Start,
    /// The standard library, for the start of a thread.
    Thread,
    /// A library that hands the panic on to whoever waits for the work.
    Rethrower,
    /// The name does not say: a shim around a closure.
    Anonymous,
    /// Somebody else.
    Other,
}

/// Packages that catch a panic in one thread to raise it again in another, up to the version that was read.
///
/// rayon-core 1: `unwind::halt_unwinding` keeps the panic of a job, `unwind::resume_unwinding` raises it in whoever waits
/// (`job.rs`, `JobResult::into_return_value`); a panic in a detached job goes to the pool's handler, which aborts by default.
const RETHROWERS: [(&str, &str); 2] = [("rayon-core", "1."), ("rayon", "1.")];

/// Crates of the standard library.
const STANDARD: [&str; 4] = ["std", "core", "alloc", "panic_unwind"];

/// What speaks against ending the process on a panic, in the order of the packages and their files.
///
/// Without `shown`, since the file's tables could not be read, every place in the sources counts.
#[must_use]
pub fn hazards(packages: &[PackageSources], shown: Option<&Shown>) -> Vec<Hazard> {
    let is_read = shown.is_some();
    let nothing = Shown::default();
    let shown = shown.unwrap_or(&nothing);
    let catching = shown.catching.as_slice();
    let owners: Vec<Catcher> = catching
        .iter()
        .map(|function| who_catches(function, packages))
        .collect();
    let any = |wanted: Catcher| !is_read || owners.contains(&wanted);
    // A shim may be a thread's or somebody's; no source that could be meant is cleared while one is there.
    let has_threads = any(Catcher::Thread) || any(Catcher::Anonymous);
    let mut hazards = Vec::new();
    for package in packages {
        if is_rethrower(package) {
            continue;
        }
        let names_it = catching
            .iter()
            .zip(&owners)
            .any(|(function, catcher)| *catcher == Catcher::Other && names(function, package));
        for (file, hit) in &package.hits {
            // A shim may hold this very place, if any code of its module is in the file at all.
            let may_be_in = !is_read || package.is_member || shown.has_code_of(package, file);
            let may_be_shim = any(Catcher::Anonymous) && may_be_in;
            let what = match hit.kind {
                HitKind::CatchesPanic if names_it || may_be_shim => "catches panics",
                HitKind::OutlivesThread if has_threads && may_be_in => {
                    "goes on after a thread has panicked"
                }
                _ => continue,
            };
            hazards.push(Hazard {
                detector: Detector::CaughtPanics,
                package: package.name.clone(),
                place: Some((file.clone(), hit.line)),
                what: what.to_owned(),
            });
        }
    }
    for (function, catcher) in catching.iter().zip(owners) {
        let is_explained = packages.iter().any(|package| {
            let catches = |(_, hit): &(String, Hit)| hit.kind == HitKind::CatchesPanic;
            names(function, package) && package.hits.iter().any(catches)
        });
        if catcher == Catcher::Other && !is_explained {
            hazards.push(Hazard {
                detector: Detector::CaughtPanics,
                package: "(unknown)".to_owned(),
                place: None,
                what: format!("the function `{}` catches panics", function.name),
            });
        }
    }
    hazards
}

impl Shown {
    /// Whether the file has code of the module that a file of a package holds. The root of a crate is everywhere.
    fn has_code_of(&self, package: &PackageSources, file: &str) -> bool {
        let Some((_, inside)) = file.rsplit_once("src/") else {
            return true;
        };
        let module = inside.strip_suffix(".rs").unwrap_or(inside);
        let module = module.strip_suffix("/mod").unwrap_or(module);
        let root = package.name.replace('-', "_");
        if matches!(module, "lib" | "main") || module.starts_with("bin/") {
            return self.paths.contains(&root);
        }
        let path = format!("{root}::{}", module.replace('/', "::"));
        self.paths.contains(&path)
    }
}

/// Whether the panic hook is replaced, for settings that leave no message to hook.
#[must_use]
pub fn hooks(packages: &[PackageSources]) -> Vec<Hazard> {
    of_kind(
        packages,
        HitKind::SetsPanicHook,
        Detector::PanicHooks,
        "replaces what a panic prints",
    )
}

/// Whether text of `Debug` is made for somebody.
#[must_use]
pub fn debug_text(packages: &[PackageSources]) -> Vec<Hazard> {
    of_kind(
        packages,
        HitKind::PrintsDebug,
        Detector::DebugText,
        "prints what `Debug` writes",
    )
}

pub(super) fn of_kind(
    packages: &[PackageSources],
    kind: HitKind,
    detector: Detector,
    what: &str,
) -> Vec<Hazard> {
    let hits = packages.iter().flat_map(|package| {
        package
            .hits
            .iter()
            .map(move |(file, hit)| (package, file, hit))
    });
    hits.filter(|(_, _, hit)| hit.kind == kind)
        .map(|(package, file, hit)| Hazard {
            detector,
            package: package.name.clone(),
            place: Some((file.clone(), hit.line)),
            what: what.to_owned(),
        })
        .collect()
}

fn is_rethrower(package: &PackageSources) -> bool {
    RETHROWERS
        .iter()
        .any(|(name, version)| package.name == *name && package.version.starts_with(version))
}

fn names(function: &CatchingFunction, package: &PackageSources) -> bool {
    function
        .crates
        .iter()
        .any(|name| same_package(name, &package.name))
}

fn who_catches(function: &CatchingFunction, packages: &[PackageSources]) -> Catcher {
    let name = function.name.as_str();
    let starts = |paths: &[&str]| paths.iter().any(|path| name.contains(path));
    if packages
        .iter()
        .any(|package| is_rethrower(package) && names(function, package))
    {
        return Catcher::Rethrower;
    }
    let is_foreign = function
        .crates
        .iter()
        .any(|name| !STANDARD.contains(&name.as_str()));
    if starts(&["std::rt::lang_start", "std::rt::init", "std::rt::cleanup"]) {
        return Catcher::Start;
    }
    // What starts a thread is generic over the thread's own function, so it mentions foreign crates as well.
    if starts(&[
        "std::thread::Builder::spawn_unchecked",
        "std::thread::lifecycle::spawn_unchecked",
        "std::thread::spawnhook",
        "std::thread::scoped",
        "std::thread::Packet",
        "std::thread::lifecycle",
        "std::sys::thread",
        "std::sys::pal::unix::thread",
        "std::thread::scope",
        "std::thread::Scope",
        "std::thread::Builder::spawn",
        "std::thread::spawn",
    ]) {
        return Catcher::Thread;
    }
    // Legacy names of shims and of `catch_unwind` itself say nothing about the closure.
    let is_wrapper = starts(&[
        "vtable.shim",
        "std::panicking::try",
        "std::panicking::catch_unwind",
        "std::panic::catch_unwind",
        "__rust_try",
        "__rust_begin_short_backtrace",
        "core::ops::function::FnOnce::call_once",
    ]);
    match (is_wrapper, is_foreign) {
        (true, false) => Catcher::Anonymous,
        // The rest of the standard library catches to clean up and panics again.
        (false, false) => Catcher::Start,
        (_, true) => Catcher::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, kinds: &[HitKind]) -> PackageSources {
        PackageSources {
            name: name.to_owned(),
            version: version.to_owned(),
            is_member: false,
            hits: kinds
                .iter()
                .enumerate()
                .map(|(index, kind)| {
                    (
                        "src/lib.rs".to_owned(),
                        Hit {
                            kind: *kind,
                            line: index + 1,
                        },
                    )
                })
                .collect(),
        }
    }

    fn function(name: &str, crates: &[&str]) -> CatchingFunction {
        CatchingFunction {
            name: name.to_owned(),
            crates: crates.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn found(packages: &[PackageSources], catching: &[CatchingFunction]) -> Vec<Hazard> {
        let shown = Shown {
            catching: catching.to_vec(),
            // All packages of these tests have code in the file, at their roots.
            paths: packages
                .iter()
                .map(|package| package.name.replace('-', "_"))
                .collect(),
        };
        hazards(packages, Some(&shown))
    }

    fn start() -> CatchingFunction {
        function("std::rt::lang_start_internal", &["std"])
    }

    #[test]
    fn a_program_that_swallows_panics_is_told_the_place() {
        let hazards = found(
            &[package("server", "0.1.0", &[HitKind::CatchesPanic])],
            &[start(), function("server::serve_one", &["server"])],
        );
        assert_eq!(hazards.len(), 1);
        assert_eq!(hazards[0].place, Some(("src/lib.rs".to_owned(), 1)));
        assert_eq!(hazards[0].what, "catches panics");
    }

    #[test]
    fn a_dependency_whose_catch_is_not_linked_is_cleared() {
        let packages = [package("futures-util", "0.3.0", &[HitKind::CatchesPanic])];
        assert_eq!(found(&packages, &[start()]), []);
    }

    #[test]
    fn a_shim_without_a_name_clears_nobody() {
        let packages = [package("server", "0.1.0", &[HitKind::CatchesPanic])];
        let shim = function(
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            &["core"],
        );
        assert_eq!(found(&packages, &[start(), shim.clone()]).len(), 1);
        // … and accuses nobody either.
        assert_eq!(found(&[], &[start(), shim]), []);
    }

    #[test]
    fn a_thread_that_is_outlived_matters_only_where_threads_are_started() {
        let packages = [package("pool", "0.1.0", &[HitKind::OutlivesThread])];
        assert_eq!(found(&packages, &[start()]), []);
        let thread = function(
            "std::thread::lifecycle::spawn_unchecked::<pool::run::{closure#0}, ()>::{closure#1}",
            &["std", "pool"],
        );
        let found = found(&packages, &[start(), thread]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "goes on after a thread has panicked");
    }

    #[test]
    fn rethrowers_are_known_up_to_a_version() {
        let catch = [HitKind::CatchesPanic];
        let job = function("rayon_core::job::StackJob::execute", &["rayon_core"]);
        let known = [package("rayon-core", "1.13.0", &catch)];
        assert_eq!(found(&known, &[start(), job.clone()]), []);
        let unread = [package("rayon-core", "2.0.0", &catch)];
        assert_eq!(found(&unread, &[start(), job]).len(), 1);
    }

    #[test]
    fn a_module_without_code_in_the_file_holds_no_shim() {
        let mut scoped = package(
            "crossbeam-utils",
            "0.8.21",
            &[HitKind::CatchesPanic, HitKind::OutlivesThread],
        );
        for (file, _) in &mut scoped.hits {
            "src/thread.rs".clone_into(file);
        }
        let shim = function(
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            &["core"],
        );
        let mut shown = Shown {
            catching: vec![start(), shim],
            paths: ["crossbeam_utils", "crossbeam_utils::backoff"]
                .map(str::to_owned)
                .into(),
        };
        assert_eq!(hazards(&[scoped.clone()], Some(&shown)), []);
        // The user's own code counts all the same: it may be part of any function.
        let own = PackageSources {
            is_member: true,
            ..scoped.clone()
        };
        assert_eq!(hazards(&[own], Some(&shown)).len(), 2);
        shown.paths.insert("crossbeam_utils::thread".to_owned());
        assert_eq!(hazards(&[scoped], Some(&shown)).len(), 2);
    }

    #[test]
    fn where_the_tables_cannot_be_read_every_place_counts() {
        let packages = [package(
            "pool",
            "0.1.0",
            &[HitKind::OutlivesThread, HitKind::CatchesPanic],
        )];
        assert_eq!(hazards(&packages, None).len(), 2);
    }

    #[test]
    fn a_catch_that_no_source_explains_is_a_hazard() {
        let hazards = found(
            &[package("app", "0.1.0", &[])],
            &[start(), function("app::generated", &["app"])],
        );
        assert_eq!(hazards.len(), 1);
        assert_eq!(hazards[0].package, "(unknown)");
        assert!(hazards[0].what.contains("app::generated"));
    }
}
