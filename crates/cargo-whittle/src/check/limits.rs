//! The limits: from the configuration and from flags, which outrank it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use toml::Spanned;
use whittle_ledger::{Budget, BudgetSubject, Limit, Measure, Override};

use super::amount::{Amount, Unit};
use super::arguments::{CheckArguments, MeasureArgument};
use super::{configuration, day};
use crate::shrink::configuration::{Configuration, FILE};
use crate::trouble::{Outcome, Trouble};

/// What is to be checked.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) budget: Budget,
    /// The units in which limits were written, by their number.
    pub(crate) units: Vec<Unit>,
    /// The snapshot to compare with.
    pub(crate) baseline: Option<PathBuf>,
    /// How it was named.
    pub(crate) baseline_shown: Option<String>,
    /// The file that holds the limits, as seen from the root.
    pub(crate) place: &'static str,
}

impl Limits {
    /// Reads the configuration of a workspace and adds what was typed.
    pub(crate) fn read(root: &Path, typed: &CheckArguments) -> Outcome<Self> {
        let configured = Configuration::read(root)?.budget;
        let place = if root.join(FILE).is_file() {
            FILE
        } else {
            "Cargo.toml"
        };
        // It was just read; without it lines are not known.
        let text = fs::read_to_string(root.join(place)).unwrap_or_default();
        let line = |amount: &Spanned<Amount>| {
            let before = text.get(..amount.span().start)?;
            Some(before.matches('\n').count() + 1)
        };
        let mut limits: Vec<(Limit, Unit)> = Vec::new();
        let mut add = |subject: BudgetSubject, amount: Amount, line: Option<usize>| {
            let limit = Limit {
                subject,
                bound: amount.bound,
                line,
            };
            match limits
                .iter_mut()
                .find(|(known, _)| known.subject == limit.subject)
            {
                Some(known) => *known = (limit, amount.unit),
                None => limits.push((limit, amount.unit)),
            }
        };
        for (subject, amount) in [
            (BudgetSubject::Total, &configured.total),
            (BudgetSubject::Growth, &configured.growth),
        ] {
            if let Some(amount) = amount {
                add(subject, *amount.get_ref(), line(amount));
            }
        }
        let named = [
            (BudgetSubject::Crate as fn(String) -> _, &configured.crates),
            (BudgetSubject::Section, &configured.section),
            (BudgetSubject::Kind, &configured.kind),
        ];
        for (subject, list) in named {
            for (name, amount) in list {
                add(subject(name.clone()), *amount.get_ref(), line(amount));
            }
        }
        for (subject, amount) in [
            (BudgetSubject::Total, typed.total),
            (BudgetSubject::Growth, typed.growth),
        ] {
            if let Some(amount) = amount {
                add(subject, amount, None);
            }
        }
        for text in &typed.limit {
            let (subject, amount) = text.rsplit_once('=').ok_or_else(|| {
                Trouble::new(
                    anyhow!("`--limit {text}` says no size"),
                    "write `--limit 'crate regex=900kB'`",
                )
            })?;
            let amount = amount
                .parse::<Amount>()
                .map_err(|error| Trouble::plain(anyhow!(error)))?;
            add(subject.parse().map_err(Trouble::plain)?, amount, None);
        }
        let overrides = overrides(&configured.overrides)?;
        let measure = measure(typed.measure, configured.measure.as_deref())?;
        let (limits, units) = limits.into_iter().unzip();
        let named = configured.baseline;
        Ok(Self {
            budget: Budget {
                measure,
                limits,
                overrides,
                message: configured.message,
            },
            units,
            baseline_shown: typed
                .baseline
                .as_ref()
                .map(|path| path.display().to_string())
                .or_else(|| named.clone()),
            baseline: typed
                .baseline
                .clone()
                .or_else(|| named.map(|path| root.join(path))),
            place,
        })
    }

    /// The same without what needs a baseline.
    pub(super) fn without_growth(mut self) -> Self {
        let is_growth = |subject: &BudgetSubject| *subject == BudgetSubject::Growth;
        let limits = self.budget.limits.into_iter().zip(self.units);
        (self.budget.limits, self.units) = limits
            .filter(|(limit, _)| !is_growth(&limit.subject))
            .unzip();
        self.budget
            .overrides
            .retain(|lifted| !is_growth(&lifted.subject));
        self.baseline = None;
        self
    }
}

fn overrides(configured: &[configuration::Override]) -> Outcome<Vec<Override>> {
    configured
        .iter()
        .map(|lifted| {
            if lifted.reason.trim().is_empty() {
                return Err(Trouble::new(
                    anyhow!("the override of `{}` has no reason", lifted.limit),
                    "say in `reason` why it may be larger: whoever reads it next will ask",
                ));
            }
            if !day::is_day(&lifted.until) {
                return Err(Trouble::new(
                    anyhow!("`until = \"{}\"` is no day", lifted.until),
                    "write it as `2026-12-31`",
                ));
            }
            Ok(Override {
                subject: lifted.limit.parse().map_err(Trouble::plain)?,
                to: lifted.to.bound,
                reason: lifted.reason.clone(),
                until: lifted.until.clone(),
            })
        })
        .collect()
}

fn measure(typed: Option<MeasureArgument>, configured: Option<&str>) -> Outcome<Measure> {
    match (typed, configured) {
        (Some(typed), _) => Ok(typed.into()),
        (None, None | Some("file")) => Ok(Measure::File),
        (None, Some("compressed")) => Ok(Measure::Compressed),
        (None, Some("loaded")) => Ok(Measure::Loaded),
        (None, Some(other)) => Err(Trouble::new(
            anyhow!("`measure = \"{other}\"` below `[budget]` names no size"),
            "write `file`, `compressed` or `loaded`",
        )),
    }
}
