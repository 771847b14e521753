//! Budgets: how many bytes a program, or a part of it, may have, and what to say where it has more.
//!
//! Pure: the day is a value, and so are all sizes. [`Budget::check`] is the only way in.

mod blame;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use crate::difference::Difference;
use crate::kind::Kind;
use crate::snapshot::Snapshot;

pub use blame::Culprit;

/// All limits of a program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budget {
    /// Which size counts.
    pub measure: Measure,
    /// The limits.
    pub limits: Vec<Limit>,
    /// Where limits are lifted for a while.
    pub overrides: Vec<Override>,
    /// What the user wants to be said when a limit is exceeded.
    pub message: Option<String>,
}

/// Which size counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Bytes on disk.
    #[default]
    File,
    /// Bytes when compressed for download or flash; only of the whole.
    Compressed,
    /// Bytes in memory.
    Loaded,
}

impl Measure {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Compressed => "compressed",
            Self::Loaded => "loaded",
        }
    }
}

/// What a limit is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The whole program.
    Total,
    /// What the program grew against the baseline.
    Growth,
    /// What a crate defines: by its name, or `name@version`.
    Crate(String),
    /// A section.
    Section(String),
    /// A kind of bytes.
    Kind(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total => f.write_str("total"),
            Self::Growth => f.write_str("growth"),
            Self::Crate(name) => write!(f, "crate {name}"),
            Self::Section(name) => write!(f, "section {name}"),
            Self::Kind(name) => write!(f, "kind {name}"),
        }
    }
}

/// A text that is no [`Subject`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` names nothing that can have a limit; write `total`, `growth`, `crate NAME`, `section NAME` or `kind NAME`"
)]
pub struct UnknownSubject {
    /// The text.
    pub text: String,
}

impl std::str::FromStr for Subject {
    type Err = UnknownSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownSubject {
            text: text.to_owned(),
        };
        match text.trim() {
            "total" => return Ok(Self::Total),
            "growth" => return Ok(Self::Growth),
            _ => {}
        }
        let (what, name) = text
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(unknown)?;
        let name = name.trim().to_owned();
        match what {
            "crate" => Ok(Self::Crate(name)),
            "section" => Ok(Self::Section(name)),
            "kind" => Ok(Self::Kind(name)),
            _ => Err(unknown()),
        }
    }
}

/// How many bytes something may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What it is for.
    pub subject: Subject,
    /// How many.
    pub bound: Bound,
    /// The line of the configuration that says so, from 1; nothing for a flag.
    pub line: Option<usize>,
}

/// A number of bytes, or a share of the baseline's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// So many bytes.
    Bytes(u64),
    /// Of the baseline, in millionths; for growth alone.
    Share(u64),
}

impl Bound {
    fn bytes(self, baseline: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Share(millionths) => {
                let share = u128::from(baseline) * u128::from(millionths) / 1_000_000;
                u64::try_from(share).unwrap_or(u64::MAX)
            }
        }
    }
}

/// A limit that is lifted for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Which limit.
    pub subject: Subject,
    /// What holds instead.
    pub to: Bound,
    /// Why.
    pub reason: String,
    /// The last day on which it holds: `2026-12-31`, so that texts compare as days do.
    pub until: String,
}

/// What became of a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What it is for.
    pub subject: Subject,
    /// The bytes there are; of growth, those more than the baseline has, 0 if it has more.
    pub bytes: u64,
    /// The bytes that may be.
    pub limit: u64,
    /// The line of the configuration.
    pub line: Option<usize>,
    /// What became of it.
    pub ruling: Ruling,
    /// What to blame, where the limit is exceeded: the largest first.
    pub culprits: Vec<Culprit>,
    /// Whether the bytes of the culprits are what they grew against the baseline; else they are all they have.
    pub culprits_grew: bool,
}

/// What became of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// There are not more bytes than may be.
    Within,
    /// There are more.
    Exceeded,
    /// There are more, and an override allows it.
    Excused {
        /// What may be until then, in bytes.
        to: u64,
        /// Why.
        reason: String,
        /// The last day.
        until: String,
    },
}

/// What became of a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Which size counted.
    pub measure: Measure,
    /// Of each limit, in their order.
    pub verdicts: Vec<Verdict>,
    /// What the user should know: overrides that are over, or no longer needed.
    pub notices: Vec<String>,
    /// What the user wants to be said when a limit is exceeded.
    pub message: Option<String>,
}

impl Checked {
    /// Whether every limit is kept or excused.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.verdicts
            .iter()
            .all(|verdict| verdict.ruling != Ruling::Exceeded)
    }
}

/// Why a budget says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// No crate of the program has the name.
    #[error("the budget has a limit for the crate `{name}`, which is not in the program")]
    UnknownCrate {
        /// The name.
        name: String,
        /// The crates there are.
        known: Vec<String>,
    },
    /// There is no such kind of bytes.
    #[error("the budget has a limit for the kind `{name}`, which there is not")]
    UnknownKind {
        /// The name.
        name: String,
    },
    /// Growth needs something to grow from.
    #[error("the budget limits the growth, and there is no baseline")]
    NoBaseline,
    /// Only the whole can be compressed.
    #[error("the budget counts compressed bytes, which `{subject}` has none of")]
    NotOfParts {
        /// The limit.
        subject: Subject,
    },
    /// The snapshot does not say how large the program is when compressed.
    #[error("the snapshot of the {which} does not say its compressed size")]
    NotCompressed {
        /// `program` or `baseline`.
        which: &'static str,
    },
    /// Only growth can be a share.
    #[error("`{subject}` cannot be a share: of what?")]
    ShareOfNothing {
        /// The limit.
        subject: Subject,
    },
    /// An override lifts nothing.
    #[error("an override is for `{subject}`, which has no limit")]
    UnusedOverride {
        /// What it is for.
        subject: Subject,
    },
}

impl Budget {
    /// Checks a program against the limits, on a day. `growth` compares it with the baseline.
    ///
    /// # Errors
    /// [`BudgetError`] if a limit cannot be checked: nothing is passed over in silence.
    pub fn check(
        &self,
        program: &Snapshot,
        growth: Option<&Difference<'_>>,
        today: &str,
    ) -> Result<Checked, BudgetError> {
        for lifted in &self.overrides {
            if !self
                .limits
                .iter()
                .any(|limit| limit.subject == lifted.subject)
            {
                let subject = lifted.subject.clone();
                return Err(BudgetError::UnusedOverride { subject });
            }
        }
        let mut notices = Vec::new();
        let verdicts = self
            .limits
            .iter()
            .map(|limit| self.verdict(limit, program, growth, today, &mut notices))
            .collect::<Result<_, _>>()?;
        Ok(Checked {
            measure: self.measure,
            verdicts,
            notices,
            message: self.message.clone(),
        })
    }

    fn verdict(
        &self,
        limit: &Limit,
        program: &Snapshot,
        growth: Option<&Difference<'_>>,
        today: &str,
        notices: &mut Vec<String>,
    ) -> Result<Verdict, BudgetError> {
        let subject = &limit.subject;
        let baseline = match growth {
            Some(growth) if *subject == Subject::Growth => self.whole(growth.old(), "baseline")?,
            None if *subject == Subject::Growth => return Err(BudgetError::NoBaseline),
            _ => 0,
        };
        let bytes = self.bytes(subject, program)?.saturating_sub(baseline);
        let in_bytes = |bound: Bound| match bound {
            Bound::Share(_) if *subject != Subject::Growth => Err(BudgetError::ShareOfNothing {
                subject: subject.clone(),
            }),
            bound => Ok(bound.bytes(baseline)),
        };
        let may_be = in_bytes(limit.bound)?;
        let mut ruling = if bytes > may_be {
            Ruling::Exceeded
        } else {
            Ruling::Within
        };
        for lifted in self.overrides.iter().filter(|it| it.subject == *subject) {
            let to = in_bytes(lifted.to)?;
            let until = &lifted.until;
            if bytes <= may_be {
                notices.push(format!(
                    "the override of `{subject}` is no longer needed: remove it"
                ));
            } else if until.as_str() < today {
                notices.push(format!("the override of `{subject}` ended on {until}"));
            } else if bytes <= to {
                ruling = Ruling::Excused {
                    to,
                    reason: lifted.reason.clone(),
                    until: until.clone(),
                };
            }
        }
        let (culprits, culprits_grew) = match ruling {
            Ruling::Within => (Vec::new(), false),
            _ => blame::culprits(subject, program, growth),
        };
        Ok(Verdict {
            subject: subject.clone(),
            bytes,
            limit: may_be,
            line: limit.line,
            culprits,
            culprits_grew,
            ruling,
        })
    }

    /// The size of the whole.
    fn whole(&self, program: &Snapshot, which: &'static str) -> Result<u64, BudgetError> {
        match self.measure {
            Measure::File => Ok(program.file.size),
            Measure::Loaded => Ok(program.file.memory),
            Measure::Compressed => program
                .file
                .compressed
                .ok_or(BudgetError::NotCompressed { which }),
        }
    }

    fn bytes(&self, subject: &Subject, program: &Snapshot) -> Result<u64, BudgetError> {
        match subject {
            Subject::Total | Subject::Growth => return self.whole(program, "program"),
            _ if self.measure == Measure::Compressed => {
                return Err(BudgetError::NotOfParts {
                    subject: subject.clone(),
                });
            }
            Subject::Kind(name) => {
                if !Kind::ALL.iter().any(|kind| kind.name() == name) {
                    return Err(BudgetError::UnknownKind { name: name.clone() });
                }
            }
            Subject::Crate(name) => {
                let labels = program.crate_labels();
                let mut known: BTreeSet<String> = labels
                    .iter()
                    .map(|(label, _)| (*label).to_owned())
                    .collect();
                known.extend(program.packages.iter().map(|it| it.name.clone()));
                if !known.iter().any(|label| is_crate(label, name)) {
                    return Err(BudgetError::UnknownCrate {
                        name: name.clone(),
                        known: known.into_iter().collect(),
                    });
                }
            }
            Subject::Section(_) => {}
        }
        let mut sum: u64 = 0;
        for entry in program.entries() {
            for part in program.parts(entry) {
                if blame::is_part(subject, program, entry, &part) {
                    sum = sum.saturating_add(match self.measure {
                        Measure::Loaded => part.memory,
                        _ => part.file,
                    });
                }
            }
        }
        Ok(sum)
    }
}

/// Whether a label of the axis `crate` is what a budget names, with or without a version, with `-` or `_`.
fn is_crate(label: &str, name: &str) -> bool {
    let same = |a: &str, b: &str| a.replace('-', "_") == b.replace('-', "_");
    let (bare, _) = label.split_once('@').unwrap_or((label, ""));
    same(label, name) || same(bare, name)
}
