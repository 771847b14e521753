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
    let bytes = if verdict.culprits_grew {
        signed(culprit.bytes)
    } else {
        grouped(culprit.bytes.unsigned_abs())
    };
    format!(
        "{bytes} {} ({}, {})",
        explained(&culprit.name),
        explained(&culprit.section),
        explained(&culprit.crate_label)
    )
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
