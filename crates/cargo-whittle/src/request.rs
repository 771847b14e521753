//! What is asked for: the typed arguments, checked once.

use std::path::PathBuf;

use anyhow::anyhow;
use whittle_cargo::{Features, Names, Packages, Selection, Targets};
use whittle_ledger::Axis;

use crate::arguments::{
    BuildArguments, ExplainArguments, Format, OutputArguments, SortBy, WitnessArguments,
};
use crate::trouble::{Outcome, Trouble};

/// What `explain` is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) subject: Subject,
    pub(crate) shown: Shown,
    pub(crate) filter: Option<regex::Regex>,
    /// Rows of each table: none for the default, 0 for all.
    pub(crate) rows: Option<usize>,
    pub(crate) sort: Option<SortBy>,
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
    /// Where to keep a snapshot.
    pub(crate) save: Option<PathBuf>,
    /// Which history to add a line to, as it was typed.
    pub(crate) record: Option<PathBuf>,
}

impl Request {
    /// Whether a snapshot is needed.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.save.is_some() || self.record.is_some()
    }
}

/// What is to be explained.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A file that is there.
    File {
        path: PathBuf,
        witnesses: WitnessArguments,
    },
    /// What cargo builds.
    Package(Box<Selection>),
}

/// What is to be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// One screen.
    Summary,
    /// Everything on several.
    Full,
    /// A table along axes.
    By(Vec<Axis>),
    /// The tiling itself.
    Spans,
    /// What keeps what.
    Kept {
        /// Forecasts for dependencies and machinery.
        forecasts: bool,
        /// The tree, with so many steps and with rows of so many bytes, if that was said.
        tree: Option<(Option<usize>, Option<u64>)>,
    },
}

impl Request {
    /// Checks what was typed.
    pub(crate) fn new(typed: ExplainArguments) -> Outcome<Self> {
        let axes = axes(&typed.by)?;
        let filter = typed
            .filter
            .as_deref()
            .map(|pattern| {
                regex::RegexBuilder::new(pattern)
                    .size_limit(1 << 22)
                    .build()
            })
            .transpose()
            .map_err(|error| {
                Trouble::new(
                    anyhow::Error::from(error).context("`--filter` is no regular expression"),
                    "`.` matches any character; write `\\.` for a dot",
                )
            })?;
        let shown = if typed.retained || typed.tree {
            Shown::Kept {
                forecasts: typed.retained,
                tree: typed.tree.then_some((typed.depth, typed.min_size)),
            }
        } else if typed.spans {
            Shown::Spans
        } else if !axes.is_empty() {
            Shown::By(axes)
        } else if typed.full {
            Shown::Full
        } else {
            Shown::Summary
        };
        if shown == Shown::Spans && typed.output.format == Format::Markdown {
            return Err(Trouble::new(
                anyhow!("`--spans` cannot be written as Markdown"),
                "use `--format csv` or `--format json`",
            ));
        }
        check_sort(typed.sort, &shown)?;
        if typed.retained && typed.tree && typed.output.format == Format::Csv {
            return Err(Trouble::new(
                anyhow!("`--retained` and `--tree` are two tables, and CSV holds one"),
                "ask for one of them, or use `--format json`",
            ));
        }
        if shown == Shown::Full && typed.output.format == Format::Csv {
            return Err(Trouble::new(
                anyhow!("`--full` is several tables, and CSV holds one"),
                "ask for one of them, such as `--by function`, or use `--format json`",
            ));
        }
        let subject = Subject::new(typed.file, typed.witnesses, typed.build)?;
        let OutputArguments {
            format,
            output,
            color: _,
        } = typed.output;
        Ok(Self {
            subject,
            shown,
            filter,
            rows: typed.rows,
            sort: typed.sort,
            format,
            output,
            save: typed.save,
            record: typed.record,
        })
    }
}

impl Subject {
    /// A file that was named, or what cargo is to build.
    pub(crate) fn new(
        file: Option<PathBuf>,
        witnesses: WitnessArguments,
        build: BuildArguments,
    ) -> Outcome<Self> {
        let Some(path) = file else {
            return Ok(Self::Package(Box::new(selection(build))));
        };
        if let Some(flag) = build.typed() {
            return Err(Trouble::new(
                anyhow!(
                    "`{flag}` says what to build, but the file `{}` is given",
                    path.display()
                ),
                "leave out one of the two",
            ));
        }
        Ok(Self::File { path, witnesses })
    }
}

/// The axes that `--by` names.
pub(crate) fn axes(typed: &[String]) -> Outcome<Vec<Axis>> {
    let axes: Vec<Axis> = typed
        .iter()
        .map(|name| name.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(Trouble::plain)?;
    let mut numbered = axes.iter().enumerate();
    match numbered.find(|(at, axis)| axes[..*at].contains(axis)) {
        Some((_, twice)) => Err(Trouble::plain(anyhow!(
            "`--by` names the axis `{twice}` twice"
        ))),
        None => Ok(axes),
    }
}

/// Refuses an order that no table shown has a column for.
fn check_sort(sort: Option<SortBy>, shown: &Shown) -> Outcome<()> {
    let name = match sort {
        Some(SortBy::Memory) => "memory",
        Some(SortBy::Code) => "code",
        Some(SortBy::Copies) => "copies",
        None | Some(SortBy::File | SortBy::Name) => return Ok(()),
    };
    let has_column = match shown {
        Shown::By(axes) => sort != Some(SortBy::Copies) || axes[..] == [Axis::Generic],
        Shown::Full => sort != Some(SortBy::Copies),
        Shown::Summary | Shown::Spans | Shown::Kept { .. } => false,
    };
    if has_column {
        return Ok(());
    }
    let table = if sort == Some(SortBy::Copies) {
        "--by generic"
    } else {
        "--by crate"
    };
    Err(Trouble::new(
        anyhow!("`--sort {name}` has no column to sort by here"),
        format!("ask for a table that has it, such as `{table}`"),
    ))
}

/// What cargo is to build.
pub(crate) fn selection(typed: BuildArguments) -> Selection {
    let names = |all: bool, named: Vec<String>| match (all, named.is_empty()) {
        (true, _) => Names::All,
        (false, false) => Names::Named(named),
        (false, true) => Names::None,
    };
    let packages = if typed.workspace.workspace || typed.workspace.all {
        Packages::Workspace {
            exclude: typed.workspace.exclude,
        }
    } else if typed.workspace.package.is_empty() {
        Packages::Default
    } else {
        Packages::Named(typed.workspace.package)
    };
    Selection {
        manifest_path: typed.manifest.manifest_path,
        packages,
        targets: Targets {
            lib: typed.lib,
            bins: names(typed.bins, typed.bin),
            examples: names(typed.examples, typed.example),
        },
        features: Features {
            named: typed.features.features,
            all: typed.features.all_features,
            no_default: typed.features.no_default_features,
        },
        profile: typed.profile.unwrap_or_else(|| "release".to_owned()),
        target: typed.target,
        target_dir: typed.target_dir,
        jobs: typed.jobs,
        config: typed.config,
        locked: typed.locked,
        offline: typed.offline,
        frozen: typed.frozen,
    }
}
