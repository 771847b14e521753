//! Where results go: standard output or a file, in one of the formats. whittle-report draws them.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use whittle_cargo::{Artifact, ArtifactKind, Build};
use whittle_ledger::{Axis, Findings, Keeping, Ledger, Table};
use whittle_report::{Options, Program, Sort, Subject};

use crate::arguments::{Color, Format, OutputArguments, SortBy, WhyFormat};
use crate::check::CheckFormat;
use crate::explain::Origin;
use crate::request::Request;
use crate::trouble::{Outcome, Trouble};

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 80;
/// Longer lines are hard to read.
const MAX_WIDTH: usize = 120;

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    color: bool,
    width: usize,
}

impl Style {
    /// Asks the flags, then `CARGO_TERM_COLOR`, then the terminal and its conventions (`NO_COLOR`, `CLICOLOR_FORCE`).
    pub(crate) fn of(arguments: &OutputArguments) -> Self {
        Self::new(arguments.color, arguments.output.as_deref())
    }

    /// The same for results that go to `output`, or to standard output without it.
    pub(crate) fn new(color: Option<Color>, output: Option<&Path>) -> Self {
        let by_cargo = std::env::var("CARGO_TERM_COLOR").ok();
        let color = match (color, by_cargo.as_deref()) {
            (Some(Color::Always), _) | (None, Some("always")) => true,
            (Some(Color::Never), _) | (None, Some("never")) => false,
            _ => {
                output.is_none()
                    && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        };
        let columns = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        let terminal = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
        let width = terminal
            .map(|(width, _)| usize::from(width.0))
            .or(columns)
            .unwrap_or(DEFAULT_WIDTH);
        Self {
            color,
            width: width.clamp(40, MAX_WIDTH),
        }
    }
}

/// Writes what trials gave.
pub(crate) fn shrink(
    report: &whittle_report::shrink::Report<'_>,
    format: Format,
    path: Option<&Path>,
    style: Style,
) -> Outcome<()> {
    Sink::open(path)?.write(|out| match format {
        Format::Text | Format::Csv => {
            whittle_report::shrink::text(out, report, style.width, style.color)
        }
        Format::Json => whittle_report::shrink::json(out, report),
        Format::Markdown => whittle_report::shrink::markdown(out, report),
    })
}

/// Writes why something is in the file.
pub(crate) fn why(
    report: &whittle_report::why::Report<'_>,
    format: WhyFormat,
    path: Option<&Path>,
    style: Style,
) -> Outcome<()> {
    Sink::open(path)?.write(|out| match format {
        WhyFormat::Text => whittle_report::why::text(out, report, style.width, style.color),
        WhyFormat::Json => whittle_report::why::json(out, report),
        WhyFormat::Dot => whittle_report::why::dot(out, report),
        WhyFormat::Markdown => whittle_report::why::markdown(out, report),
    })
}

/// Writes lines that quote files.
pub(crate) fn plain_lines(text: &str) -> Outcome<()> {
    Sink::open(None)?.write(|out| {
        text.lines()
            .try_for_each(|line| writeln!(out, "{}", whittle_report::plain(line)))
    })
}

/// Writes how a size moved over time.
pub(crate) fn history(
    lines: &[whittle_report::history::Line],
    rows: Option<usize>,
    format: Format,
    path: Option<&Path>,
    style: Style,
) -> Outcome<()> {
    use whittle_report::history;
    Sink::open(path)?.write(|out| match format {
        Format::Text => history::text(out, lines, rows, style.width, style.color),
        Format::Json => history::json(out, lines),
        Format::Markdown => history::markdown(out, lines, rows),
        Format::Csv => history::csv(out, lines),
    })
}

/// Writes what became of a budget.
pub(crate) fn check(
    report: &whittle_report::check::Report<'_>,
    format: CheckFormat,
    path: Option<&Path>,
    style: Style,
) -> Outcome<()> {
    use whittle_report::check;
    Sink::open(path)?.write(|out| match format {
        CheckFormat::Text => check::text(out, report, style.width, style.color),
        CheckFormat::Json => check::json(out, report),
        CheckFormat::Markdown => check::markdown(out, report),
        CheckFormat::Github => check::github(out, report),
        CheckFormat::Gitlab => check::gitlab(out, report),
        CheckFormat::Sarif => check::sarif(out, report),
    })
}

/// Writes what changed between two builds.
pub(crate) fn difference(
    report: &whittle_report::difference::Report<'_>,
    format: Format,
    path: Option<&Path>,
    style: Style,
) -> Outcome<()> {
    use whittle_report::difference;
    Sink::open(path)?.write(|out| match format {
        Format::Text => difference::text(out, report, style.width, style.color),
        Format::Json => difference::json(out, report),
        Format::Markdown => difference::markdown(out, report),
        Format::Csv => difference::csv(out, report),
    })
}

/// Writes the settings that are tried.
pub(crate) fn levers(
    levers: &[&whittle_trial::lever::Lever],
    format: Format,
    path: Option<&Path>,
    style: Style,
) -> Outcome<()> {
    Sink::open(path)?.write(|out| match format {
        Format::Json => whittle_report::levers::json(out, levers),
        Format::Text | Format::Csv | Format::Markdown => {
            whittle_report::levers::text(out, levers, style.width, style.color)
        }
    })
}

/// What was found out about a file.
#[derive(Clone, Copy)]
pub(crate) struct Explained<'a> {
    pub(crate) findings: &'a Findings,
    pub(crate) keeping: Option<&'a Keeping>,
    pub(crate) ledger: &'a Ledger<'a>,
}

/// An open place for results.
pub(crate) struct Output<'r> {
    request: &'r Request,
    style: Style,
    sink: Sink,
}

enum Sink {
    Standard(io::BufWriter<io::Stdout>),
    /// Written beside its place and moved there at the end, so that a failed run leaves no half of a report.
    File {
        file: io::BufWriter<tempfile::NamedTempFile>,
        path: PathBuf,
    },
}

impl<'r> Output<'r> {
    /// Opens the place that the request names.
    pub(crate) fn open(request: &'r Request, style: Style) -> Outcome<Self> {
        let sink = Sink::open(request.output.as_deref())?;
        Ok(Self {
            request,
            style,
            sink,
        })
    }

    /// Writes the tiling.
    pub(crate) fn spans(self, ledger: &Ledger<'_>) -> Outcome<()> {
        let format = self.request.format;
        self.write(|out| match format {
            Format::Json => whittle_report::spans::json(out, ledger),
            Format::Text | Format::Csv | Format::Markdown => {
                whittle_report::spans::csv(out, ledger)
            }
        })
    }

    /// Writes what was found out about a file.
    pub(crate) fn findings(
        self,
        explained: &Explained<'_>,
        path: &Path,
        notes: &[String],
        origin: Origin,
    ) -> Outcome<()> {
        let filter = self.request.filter.as_ref();
        let matches = |value: &str| filter.is_some_and(|filter| filter.is_match(value));
        let keep: Option<&dyn Fn(&str) -> bool> = filter.map(|_| &matches as _);
        let subject = match origin {
            Origin::File => Subject::File,
            Origin::Package => Subject::Package,
        };
        let Explained {
            findings,
            keeping,
            ledger,
        } = *explained;
        let options = Options {
            keeping,
            ..self.options(path, notes, keep, subject)
        };
        let format = self.request.format;
        let by_crate = || Table::of(ledger, &[Axis::Crate]);
        self.write(|out| match format {
            Format::Text => whittle_report::text::findings(out, findings, &options),
            Format::Json => whittle_report::json::findings(out, findings, &by_crate(), &options),
            Format::Markdown => {
                whittle_report::markdown::findings(out, findings, &by_crate(), &options)
            }
            Format::Csv => {
                let forecasts = keeping.and_then(|keeping| keeping.forecasts.as_ref());
                let tree = keeping.and_then(|keeping| keeping.tree.as_ref());
                match (forecasts, tree, &findings.table) {
                    (Some(forecasts), ..) => whittle_report::csv::forecasts(out, forecasts),
                    (None, Some(tree), _) => whittle_report::csv::tree(out, tree),
                    (None, None, Some(table)) => whittle_report::csv::table(out, table, &options),
                    (None, None, None) => whittle_report::csv::table(out, &by_crate(), &options),
                }
            }
        })
    }

    /// Writes a list of programs.
    pub(crate) fn programs(
        self,
        build: &Build,
        programs: &[(&Artifact, Findings)],
        notes: &[String],
    ) -> Outcome<()> {
        let root = build.workspace.workspace_root.as_std_path();
        let options = self.options(root, notes, None, Subject::Package);
        let list: Vec<Program<'_>> = programs
            .iter()
            .map(|(artifact, findings)| Program {
                name: &artifact.target_name,
                kind: artifact.kind.to_string(),
                choose: choose(build, artifact, programs),
                path: &artifact.path,
                findings,
            })
            .collect();
        let format = self.request.format;
        self.write(|out| match format {
            Format::Text => whittle_report::text::programs(out, &list, &options),
            Format::Json => whittle_report::json::programs(out, &list, &options),
            Format::Csv => whittle_report::csv::programs(out, &list),
            Format::Markdown => whittle_report::markdown::programs(out, &list),
        })
    }

    fn options<'a>(
        &self,
        path: &'a Path,
        notes: &'a [String],
        filter: Option<&'a dyn Fn(&str) -> bool>,
        subject: Subject,
    ) -> Options<'a> {
        Options {
            path,
            notes,
            rows: self.request.rows,
            sort: match self.request.sort {
                None | Some(SortBy::File) => Sort::File,
                Some(SortBy::Memory) => Sort::Memory,
                Some(SortBy::Code) => Sort::Code,
                Some(SortBy::Name) => Sort::Name,
                Some(SortBy::Copies) => Sort::Copies,
            },
            filter,
            keeping: None,
            width: self.style.width,
            color: self.style.color,
            subject,
        }
    }

    fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome<()> {
        self.sink.write(write)
    }
}

impl Sink {
    /// Opens a file, or standard output.
    fn open(path: Option<&Path>) -> Outcome<Self> {
        let Some(path) = path else {
            return Ok(Self::Standard(io::BufWriter::new(io::stdout())));
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder)
            .with_context(|| format!("cannot write `{}`", path.display()))
            .map_err(Trouble::plain)?;
        Ok(Self::File {
            file: io::BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome<()> {
        match self {
            Self::Standard(mut out) => write(&mut out)
                .and_then(|()| out.flush())
                .context("cannot write the results")
                .map_err(Trouble::plain),
            Self::File { mut file, path } => write(&mut file)
                .and_then(|()| file.into_inner().map_err(io::IntoInnerError::into_error))
                .and_then(|file| file.persist(&path).map_err(|error| error.error))
                .map(drop)
                .with_context(|| format!("cannot write `{}`", path.display()))
                .map_err(Trouble::plain),
        }
    }
}

/// The flags that choose one of several programs.
fn choose(build: &Build, artifact: &Artifact, all: &[(&Artifact, Findings)]) -> String {
    let flag = match artifact.kind {
        ArtifactKind::Bin => format!("--bin {}", artifact.target_name),
        ArtifactKind::Example => format!("--example {}", artifact.target_name),
        ArtifactKind::Cdylib | ArtifactKind::Dylib | ArtifactKind::Staticlib => "--lib".to_owned(),
    };
    let one_package = all
        .iter()
        .all(|(other, _)| other.package == artifact.package);
    match build
        .record
        .package(&artifact.package)
        .filter(|_| !one_package)
    {
        Some(package) => format!("-p {} {flag}", package.name),
        None => flag,
    }
}

/// What went wrong, as cargo's users expect it: what failed, on what, and what to do next.
///
/// Names of files stand in it, so no control character gets through.
pub(crate) fn trouble(trouble: &Trouble) -> String {
    let plain = |text: String| -> Vec<String> {
        text.lines()
            .map(|line| whittle_report::plain(line).into_owned())
            .collect()
    };
    let error = anstyle::AnsiColor::Red.on_default().bold();
    let help = anstyle::AnsiColor::Cyan.on_default().bold();
    let mut lines = vec![format!(
        "{error}error{error:#}: {}",
        plain(trouble.error.to_string()).join("\n")
    )];
    let causes = trouble.error.chain().skip(1);
    let causes: Vec<String> = causes
        .flat_map(|cause| plain(cause.to_string()))
        .map(|line| format!("  {line}"))
        .collect();
    if !causes.is_empty() {
        lines.push("Caused by:".to_owned());
        lines.extend(causes);
    }
    lines.extend(
        trouble
            .help
            .as_ref()
            .map(|advice| format!("{help}help{help:#}: {}", plain(advice.clone()).join("\n"))),
    );
    lines.push(String::new());
    lines.join("\n")
}
