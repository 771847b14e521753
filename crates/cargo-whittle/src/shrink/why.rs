//! Why the winner is smaller: the bytes of both files by crate, side by side.

use std::collections::BTreeMap;

use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Axis, Ledger, Packages, Table, Witnesses};
use whittle_report::shrink::{Why, WhyRow};
use whittle_trial::settings::Settings;

use super::baseline::Baseline;
use super::lab::{Lab, read};
use super::store::Store;
use crate::inputs::project;
use crate::trouble::Outcome;

/// Accounts for both files; nothing if one of them cannot be accounted for.
pub(crate) fn why(
    lab: &mut Lab<'_>,
    store: &Store,
    baseline: &Baseline,
    winner: &Settings,
) -> Outcome<Option<Why>> {
    let packages = project::packages(&baseline.build);
    let before = bytes_by(lab, store, &Settings::unchanged(), &packages)?;
    let after = bytes_by(lab, store, winner, &packages)?;
    Ok(before.zip(after).map(|(before, after)| {
        let side_by_side = |axis: usize| {
            let (before, after) = (&before[axis], &after[axis]);
            let names: std::collections::BTreeSet<&String> =
                before.keys().chain(after.keys()).collect();
            let mut rows: Vec<WhyRow> = names
                .into_iter()
                .map(|name| WhyRow {
                    name: name.clone(),
                    before: before.get(name).copied().unwrap_or_default(),
                    after: after.get(name).copied().unwrap_or_default(),
                })
                .collect();
            rows.sort_by(|a, b| {
                b.before
                    .abs_diff(b.after)
                    .cmp(&a.before.abs_diff(a.after))
                    .then_with(|| a.name.cmp(&b.name))
            });
            rows
        };
        Why {
            causes: side_by_side(0),
            crates: side_by_side(1),
        }
    }))
}

/// The bytes of a file by cause and by crate. The stripped file is accounted for, with the same link with symbols as a
/// witness of its names.
fn bytes_by(
    lab: &mut Lab<'_>,
    store: &Store,
    settings: &Settings,
    packages: &Packages,
) -> Outcome<Option<[BTreeMap<String, u64>; 2]>> {
    let path = store.file(settings, &lab.shipped);
    if lab.relink(settings, store, &path)?.is_err() {
        return Ok(None);
    }
    let shipped = read(&path)?;
    let facts = lab.facts.clone();
    let named = {
        let mut without_strip = facts.clone();
        "none".clone_into(&mut without_strip.profile.strip);
        let settings = settings.clone().without("strip");
        let arguments = without_strip.relink_arguments(&settings);
        let link = whittle_cargo::CapturedLink::open(&store.capture(&settings.compiled()));
        let change = whittle_cargo::LinkChange {
            add: arguments.into_iter().map(str::to_owned).collect(),
            ..whittle_cargo::LinkChange::default()
        };
        let linked = link.and_then(|link| link.relink(lab.helper, &change, &path, None));
        if linked.is_err() {
            return Ok(None);
        }
        read(&path)?
    };
    let (Ok(image), Ok(companion)) = (Image::parse(&shipped), Image::parse(&named)) else {
        return Ok(None);
    };
    let witnesses = Witnesses {
        companion: Some(&companion),
        link_map: None,
        packages: Some(packages),
    };
    let references = References::find(&image);
    let Ok(ledger) = Ledger::build(&image, &witnesses, &references) else {
        return Ok(None);
    };
    Ok(Some([Axis::Cause, Axis::Crate].map(|axis| {
        Table::of(&ledger, &[axis])
            .rows
            .iter()
            .map(|row| (row.values.join(" "), row.file))
            .collect()
    })))
}
