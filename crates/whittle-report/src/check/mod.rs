//! What became of a budget: `cargo whittle check`.
//!
//! | module | for |
//! |---|---|
//! | `text` | people |
//! | `json` | programs; the schema is `docs/check.schema.json` |
//! | `markdown` | comments on pull requests, and summaries of jobs |
//! | `github` | annotations: workflow commands of GitHub Actions |
//! | `gitlab` | the code quality report of GitLab |
//! | `sarif` | SARIF 2.1.0 |

mod github;
mod gitlab;
mod json;
mod markdown;
mod sarif;
mod text;

use whittle_ledger::{BudgetChecked, BudgetSubject, Culprit, Measure, Ruling, Snapshot, Verdict};

pub use github::write as github;
pub use gitlab::write as gitlab;
pub use json::write as json;
pub use markdown::{marker, write as markdown};
pub use sarif::write as sarif;
pub use text::write as text;

use crate::difference;
use crate::numbers::{grouped, signed};
use crate::words::explained;

/// What to write.
pub struct Report<'a> {
    /// The program's name.
    pub program: &'a str,
    /// What it is made of.
    pub snapshot: &'a Snapshot,
    /// What became of its limits.
    pub checked: &'a BudgetChecked,
    /// What changed against the baseline, if there is one.
    pub growth: Option<difference::Report<'a>>,
    /// The file that holds the limits, as seen from the root of the sources.
    pub place: &'a str,
    /// What is not as good as it could be.
    pub notes: &'a [String],
}

impl Report<'_> {
    fn exceeded(&self) -> impl Iterator<Item = &Verdict> {
        let verdicts = self.checked.verdicts.iter();
        verdicts.filter(|verdict| verdict.ruling == Ruling::Exceeded)
    }

    /// The limit before one that has the same to blame, so that it need not be said again: what the program may be and how much
    /// it may grow are exceeded by the same things.
    fn blamed_before(&self, verdict: &Verdict) -> Option<&Verdict> {
        self.exceeded()
            .take_while(|before| !std::ptr::eq(*before, verdict))
            .find(|before| !before.culprits.is_empty() && before.culprits == verdict.culprits)
    }

    /// What became of it, in plain words.
    fn verdict(&self) -> String {
        let checked = self.checked;
        if !checked.has_passed() {
            return "over its budget".to_owned();
        }
        if !checked.verdicts.is_empty() {
            return "within its budget".to_owned();
        }
        let file = &self.snapshot.file;
        let size = match checked.measure {
            Measure::File => file.size,
            Measure::Loaded => file.memory,
            Measure::Compressed => file.compressed.unwrap_or_default(),
        };
        format!(
            "{} {}, and no limit to hold them against",
            grouped(size),
            counted(checked.measure)
        )
    }
}

/// What a measure counts.
fn counted(measure: Measure) -> &'static str {
    match measure {
        Measure::File => "bytes on disk",
        Measure::Compressed => "bytes compressed",
        Measure::Loaded => "bytes in memory",
    }
}

/// What a limit is for, in plain words.
fn subject(subject: &BudgetSubject) -> String {
    match subject {
        BudgetSubject::Total => "the program".to_owned(),
        BudgetSubject::Growth => "growth since the baseline".to_owned(),
        BudgetSubject::Crate(name) => format!("crate `{name}`"),
        BudgetSubject::Section(name) => format!("section `{name}`"),
        BudgetSubject::Kind(name) => format!("kind `{name}`"),
    }
}

/// A name for rules and checks of other tools: `size/total`.
fn rule(of: &BudgetSubject) -> &'static str {
    match of {
        BudgetSubject::Total => "size/total",
        BudgetSubject::Growth => "size/growth",
        BudgetSubject::Crate(_) => "size/crate",
        BudgetSubject::Section(_) => "size/section",
        BudgetSubject::Kind(_) => "size/kind",
    }
}

/// One sentence on a limit that is exceeded.
fn sentence(report: &Report<'_>, verdict: &Verdict) -> String {
    let what = match &verdict.subject {
        BudgetSubject::Total => format!("`{}`", report.program),
        other => format!("{} of `{}`", subject(other), report.program),
    };
    format!(
        "{what}: {} {}, {} more than the limit of {}",
        grouped(verdict.bytes),
        counted(report.checked.measure),
        grouped(verdict.bytes.saturating_sub(verdict.limit)),
        grouped(verdict.limit),
    )
}

/// One line on what to blame.
fn culprit(verdict: &Verdict, culprit: &Culprit) -> String {
    let [bytes, what] = culprit_cells(verdict, culprit);
    format!("{bytes} {what}")
}

/// The same in two columns: how much, and what.
fn culprit_cells(verdict: &Verdict, culprit: &Culprit) -> [String; 2] {
    let bytes = if verdict.culprits_grew {
        signed(culprit.bytes)
    } else {
        grouped(culprit.bytes.unsigned_abs())
    };
    let what = format!(
        "{} ({}, {})",
        explained(&culprit.name),
        explained(&culprit.section),
        explained(&culprit.crate_label)
    );
    [bytes, what]
}

/// Everything on a limit that is exceeded, for tools that show a text: the sentence, the culprits, the user's message.
fn message(report: &Report<'_>, verdict: &Verdict) -> String {
    let mut lines = vec![sentence(report, verdict)];
    lines.extend(verdict.culprits.iter().map(|it| culprit(verdict, it)));
    lines.extend(report.checked.message.clone());
    let plain = lines
        .iter()
        .map(|line| crate::plain::plain(line).into_owned());
    plain.collect::<Vec<_>>().join("\n")
}
