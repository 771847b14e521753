//! Lowers limits in the configuration to what there is.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use toml_edit::{DocumentMut, Item, Table, TableLike};
use whittle_ledger::{BudgetChecked, BudgetSubject, Ruling};

use super::amount::{Amount, in_unit};
use super::limits::Limits;
use crate::shrink::configuration;
use crate::trouble::{Outcome, Trouble};

/// Lowers each limit of bytes that stands in the configuration and is more than there is, in its own unit. What else stands
/// in the file stays as it is.
pub(super) fn lower(root: &Path, limits: &Limits, checked: &BudgetChecked) -> Outcome<()> {
    let path = root.join(limits.place);
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(());
    };
    let what = || format!("cannot lower limits in `{}`", path.display());
    let mut document: DocumentMut = text.parse().with_context(what).map_err(Trouble::plain)?;
    let mut lowered = Vec::new();
    for ((limit, unit), verdict) in limits
        .budget
        .limits
        .iter()
        .zip(&limits.units)
        .zip(&checked.verdicts)
    {
        // What a flag says is not in the file, and a share follows the baseline by itself.
        let is_kept = limit.line.is_some() && unit.0 != "%" && verdict.ruling == Ruling::Within;
        if !is_kept || limit.subject == BudgetSubject::Growth {
            continue;
        }
        let new = in_unit(verdict.bytes, unit.0);
        let is_lower = new
            .parse::<Amount>()
            .is_ok_and(|amount| match amount.bound {
                whittle_ledger::Bound::Bytes(bytes) => bytes < verdict.limit,
                whittle_ledger::Bound::Share(_) => false,
            });
        if !is_lower {
            continue;
        }
        let budget = budget_table(&mut document, limits.place)
            .ok_or_else(|| Trouble::plain(anyhow!("`[budget]` is not there").context(what())))?;
        let (table, key): (Option<&mut dyn TableLike>, &str) = match &limit.subject {
            BudgetSubject::Total => (Some(budget as &mut dyn TableLike), "total"),
            BudgetSubject::Growth => continue,
            BudgetSubject::Crate(name) => (inner(budget, "crate"), name),
            BudgetSubject::Section(name) => (inner(budget, "section"), name),
            BudgetSubject::Kind(name) => (inner(budget, "kind"), name),
        };
        if let Some(value) = table
            .and_then(|table| table.get_mut(key))
            .and_then(Item::as_value_mut)
        {
            let decor = value.decor().clone();
            let old = value.as_str().unwrap_or_default().to_owned();
            *value = new.as_str().into();
            *value.decor_mut() = decor;
            lowered.push(format!("lowers `{}` from {old} to {new}", limit.subject));
        }
    }
    if lowered.is_empty() {
        return Ok(());
    }
    let put = || -> std::io::Result<()> {
        // In place: the file may be a link, and has permissions of its own.
        fs::File::create(&path)?.write_all(document.to_string().as_bytes())
    };
    put().with_context(what).map_err(Trouble::plain)?;
    for line in lowered {
        super::say(&line);
    }
    Ok(())
}

fn budget_table<'d>(document: &'d mut DocumentMut, place: &str) -> Option<&'d mut Table> {
    let mut table = document.as_table_mut();
    let above: &[&str] = if place == configuration::FILE {
        &[]
    } else {
        &["workspace", "metadata", "whittle"]
    };
    for key in above.iter().chain(&["budget"]) {
        table = table.get_mut(key)?.as_table_mut()?;
    }
    Some(table)
}

fn inner<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut dyn TableLike> {
    table.get_mut(key)?.as_table_like_mut()
}
