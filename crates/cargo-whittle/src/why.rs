//! `why`: what keeps this in my file, and what would leave with it?

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use whittle_cargo::{Build, PackageId};
use whittle_code::Method;
use whittle_image::{FileKind, Format};
use whittle_ledger::{
    Candidate, Graph, Ledger, NotFound, Owner, Query, Subject as Asked, SubjectKind, Why, Witnesses,
};
use whittle_report::grouped;
use whittle_report::why::{Code, Dependent, Dependents, Report};

use crate::arguments::WhyArguments;
use crate::evidence::Evidence;
use crate::explain::doubts;
use crate::inputs::project::{self, Project};
use crate::output::{self, Style};
use crate::request::Subject;
use crate::trouble::{Outcome, Trouble};

/// Answers why something is in a file.
pub(crate) fn why(typed: WhyArguments) -> Outcome<()> {
    let style = Style::new(typed.color, typed.output.as_deref());
    let WhyArguments {
        file,
        witnesses,
        build,
        ..
    } = typed;
    if file.is_none() && typed.name.contains('/') && Path::new(&typed.name).is_file() {
        return Err(Trouble::new(
            anyhow!("what to ask about is missing"),
            format!(
                "the name comes first: `cargo whittle why NAME {}`",
                typed.name
            ),
        ));
    }
    let subject = Subject::new(file, witnesses, build)?;
    let asked = Request {
        name: typed.name,
        paths: typed.paths,
        rows: typed.rows,
        format: typed.format,
        output: typed.output,
        style,
    };
    match &subject {
        Subject::File { path, witnesses } => {
            let evidence = Evidence::of_file(path, witnesses)?;
            asked.answer(&evidence, None)
        }
        Subject::Package(selection) => {
            let project = Project::new(selection);
            let (build, notes) = project.build()?;
            let artifact = project::only_artifact(&build)?;
            let evidence = Evidence::of_artifact(&project, &build, artifact, notes)?;
            asked.answer(&evidence, Some(&build))
        }
    }
}

/// What is asked for, besides the file.
struct Request {
    name: String,
    paths: usize,
    rows: Option<usize>,
    format: crate::arguments::WhyFormat,
    output: Option<std::path::PathBuf>,
    style: Style,
}

impl Request {
    fn answer(&self, evidence: &Evidence, build: Option<&Build>) -> Outcome<()> {
        evidence.account(|ledger, witnesses| {
            // A failure here is a fault of this program, not the user's trouble; it is reported as such.
            let graph = Graph::of(ledger).unwrap_or_else(|error| panic!("{error}"));
            let subject = self.find(&graph, &evidence.path)?;
            let why = Why::of(&graph, &subject, self.paths);
            let mut notes = evidence.notes.clone();
            notes.extend(doubts(ledger, witnesses));
            notes.extend(gaps(ledger, witnesses));
            let dependents = build.and_then(|build| dependents(build, ledger, &why));
            let code = match ledger.references().coverage().method {
                Method::Unread => Code::Unread,
                _ => Code::Read,
            };
            let report = Report {
                path: &evidence.path,
                file: ledger.totals().file,
                why: &why,
                code,
                dependents: dependents.as_ref(),
                notes: &notes,
                rows: self.rows,
            };
            output::why(&report, self.format, self.output.as_deref(), self.style)
        })
    }

    /// Finds what the name means: an address, else a name, else a pattern.
    fn find(&self, graph: &Graph<'_, '_>, path: &Path) -> Outcome<Asked> {
        let name = self.name.as_str();
        if let Some(digits) = name.strip_prefix("0x").or_else(|| name.strip_prefix("0X")) {
            let address = u64::from_str_radix(digits, 16).map_err(|error| {
                Trouble::new(
                    anyhow::Error::from(error).context(format!("`{name}` is no address")),
                    "addresses are hexadecimal: `0x1c03e0`",
                )
            })?;
            return Asked::find(graph, Query::Address(address))
                .map_err(|error| self.not_found(&error, path));
        }
        let by_name = match Asked::find(graph, Query::Name(name)) {
            Err(error @ NotFound::Unknown { .. }) => error,
            Err(error) => return Err(self.not_found(&error, path)),
            Ok(subject) => return Ok(subject),
        };
        // Names have most of these in them as well, so they are asked for first.
        let is_pattern = name.contains(|c| r"\.+*?()|[]{}^$".contains(c));
        let pattern = regex::RegexBuilder::new(name).size_limit(1 << 22).build();
        match pattern {
            Ok(pattern) if is_pattern && !Path::new(name).is_file() => {
                let query = Query::Pattern {
                    text: name,
                    matches: &|text| pattern.is_match(text),
                };
                Asked::find(graph, query).map_err(|_| self.not_found(&by_name, path))
            }
            _ => Err(self.not_found(&by_name, path)),
        }
    }

    fn not_found(&self, error: &NotFound, path: &Path) -> Trouble {
        let (name, file) = (&self.name, path.display());
        match error {
            NotFound::Unknown { near } if near.is_empty() => {
                let help = if Path::new(name).is_file() {
                    format!(
                        "`{name}` is a file; the name comes first: `cargo whittle why NAME {name}`"
                    )
                } else {
                    "`cargo whittle explain --by function -n 0` lists all names".to_owned()
                };
                Trouble::new(anyhow!("nothing in `{file}` is called `{name}`"), help)
            }
            NotFound::Unknown { near } => Trouble::new(
                anyhow!("nothing in `{file}` is called `{name}`"),
                format!("these come near:{}", listed(near, 0)),
            ),
            NotFound::Ambiguous { candidates, more } => Trouble::new(
                anyhow!(
                    "`{name}` may be any of {} things in `{file}`",
                    candidates.len() + more
                ),
                format!("say which:{}", listed(candidates, *more)),
            ),
            NotFound::NothingThere { owner } => {
                let what = match owner {
                    Some(Owner::Padding) => "padding is there",
                    Some(Owner::Structure(_)) => "something is there that linker and format add",
                    Some(_) => "nobody knows whose the bytes there are",
                    None => "no part of the program is there",
                };
                Trouble::new(
                    anyhow!("no function or constant of `{file}` is at `{name}`: {what}"),
                    "addresses are those of the file, before the loader moves it, as `nm` shows them",
                )
            }
        }
    }
}

/// Candidates, each on a line.
fn listed(candidates: &[Candidate], more: usize) -> String {
    let mut lines = String::new();
    for candidate in candidates {
        let kind = match candidate.kind {
            SubjectKind::Package => "package ",
            SubjectKind::Module => "module ",
            _ => "",
        };
        // Writing to a string cannot fail.
        let _ = write!(
            lines,
            "\n  {kind}{} ({} bytes)",
            candidate.name,
            grouped(candidate.shallow)
        );
    }
    if more > 0 {
        let _ = write!(lines, "\n  … {more} more");
    }
    lines
}

/// What makes the graph of a file poorer than it could be.
pub(crate) fn gaps(ledger: &Ledger<'_>, witnesses: &Witnesses<'_>) -> Vec<String> {
    let image = ledger.image();
    let mut gaps = Vec::new();
    let is_read = ledger.references().coverage().method != Method::Unread;
    if !is_read {
        gaps.push(
            "so nobody can tell what mentions what, and what would leave; pointers in data are all there is"
                .to_owned(),
        );
    }
    match image.target.kind {
        FileKind::Executable if is_read && witnesses.link_map.is_none() => gaps.push(
            "linked at a fixed address, so without relocations: which numbers are addresses is inferred".to_owned(),
        ),
        FileKind::Object => gaps.push(
            "an object file is still to be linked: all that it offers to others counts as used".to_owned(),
        ),
        FileKind::Archive => gaps.push(
            "a static library is still to be linked: all that a member offers to others counts as used, and no reference is \
             followed from one member to another"
                .to_owned(),
        ),
        FileKind::Universal => gaps.push(
            "each processor has a program of its own: an address means the first that has it".to_owned(),
        ),
        _ => {}
    }
    if image.is_stripped() && witnesses.companion.is_none() && is_read {
        gaps.push(
            "which functions are a package's is inferred in a stripped file, so that what would leave without it may be less"
                .to_owned(),
        );
    }
    // Its linker alone leaves the imports in a section of their own.
    if image.target.format == Format::Pe && image.section_by_name(".idata").is_some() {
        gaps.push(
            "linked by GNU ld, which for Windows leaves out whole object files only: less leaves than is forecast where \
             something else of the same object stays"
                .to_owned(),
        );
    }
    if !ledger.references().dispatches().is_empty() {
        gaps.push(
            "a call through the table of functions can mean each of its type there, so that these stay as long as anything \
             calls one of them"
                .to_owned(),
        );
    }
    if image.is_debug_companion() {
        gaps.push("a debug file has no code: ask about the program that it belongs to".to_owned());
    }
    gaps
}

/// Who depends on the package that was asked about.
fn dependents(build: &Build, ledger: &Ledger<'_>, why: &Why) -> Option<Dependents> {
    if why.kind != SubjectKind::Package {
        return None;
    }
    let record = &build.record;
    let known = ledger.crates().iter().find(|it| it.label == why.name)?;
    let package = record.packages.get(known.package?)?;
    let features = |id: &PackageId| -> Vec<String> {
        let units = record.units.iter().filter(|unit| unit.package == *id);
        let mut features: Vec<String> = units.flat_map(|unit| unit.features.clone()).collect();
        features.sort_unstable();
        features.dedup();
        features
    };
    let list = record.packages.iter().filter_map(|other| {
        let mut dependencies = other.dependencies.iter();
        let dependency = dependencies.find(|it| it.package == package.id)?;
        Some(Dependent {
            package: other.name.clone(),
            version: other.version.clone(),
            is_member: other.is_member,
            features: dependency.asked.features.clone(),
            default_features: dependency.asked.default_features,
            through: dependency.asked.through.clone(),
        })
    });
    Some(Dependents {
        features: features(&package.id),
        list: list.collect(),
    })
}
