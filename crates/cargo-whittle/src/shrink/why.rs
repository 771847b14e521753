//! Why the winner is smaller: the bytes of both files by crate, side by side.

use std::collections::BTreeMap;

use whittle_cargo::{CapturedLink, LinkChange};
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
    let mut accounted = |settings: &Settings| -> Outcome<_> {
        let files = match lab.whole {
            Some(_) => Some(Files::built(lab, store, baseline, settings)?),
            None => Files::linked(lab, store, settings)?,
        };
        Ok(files.and_then(|files| files.accounted(&packages)))
    };
    let before = accounted(&Settings::unchanged())?;
    let after = accounted(winner)?;
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

/// A file as it ships and, if it is stripped, the same with symbols.
struct Files {
    shipped: Vec<u8>,
    named: Option<Vec<u8>>,
}

impl Files {
    /// Links both once more; nothing if that fails.
    fn linked(lab: &mut Lab<'_>, store: &Store, settings: &Settings) -> Outcome<Option<Self>> {
        let path = store.file(settings, &lab.shipped);
        if lab.relink(settings, store, &path)?.is_err() {
            return Ok(None);
        }
        let shipped = read(&path)?;
        let mut without_strip = lab.facts.clone();
        "none".clone_into(&mut without_strip.profile.strip);
        let settings = settings.clone().without("strip");
        let arguments = without_strip.relink_arguments(&settings);
        let link = CapturedLink::open(&store.capture(&settings.compiled()));
        let change = LinkChange {
            add: arguments.into_iter().map(str::to_owned).collect(),
            ..LinkChange::default()
        };
        let linked = link.and_then(|link| link.relink(lab.helper, &change, &path, None));
        if linked.is_err() {
            return Ok(None);
        }
        let named = Some(read(&path)?);
        Ok(Some(Self { shipped, named }))
    }

    /// What a whole build has given. There is no link that could be run again: its own tables have to do.
    fn built(
        lab: &Lab<'_>,
        store: &Store,
        baseline: &Baseline,
        settings: &Settings,
    ) -> Outcome<Self> {
        let path = if *settings == Settings::unchanged() {
            baseline.shipped.copy.clone()
        } else {
            store.whole_file(settings, &lab.shipped)
        };
        Ok(Self {
            shipped: read(&path)?,
            named: None,
        })
    }

    /// The bytes by cause and by crate; nothing if they cannot be accounted for.
    fn accounted(&self, packages: &Packages) -> Option<[BTreeMap<String, u64>; 2]> {
        let image = Image::parse(&self.shipped).ok()?;
        let companion = match &self.named {
            Some(named) => Some(Image::parse(named).ok()?),
            None => None,
        };
        let witnesses = Witnesses {
            companion: companion.as_ref(),
            link_map: None,
            packages: Some(packages),
        };
        let references = References::find(&image);
        let ledger = Ledger::build(&image, &witnesses, &references).ok()?;
        Some([Axis::Cause, Axis::Crate].map(|axis| {
            Table::of(&ledger, &[axis])
                .rows
                .iter()
                .map(|row| (row.values.join(" "), row.file))
                .collect()
        }))
    }
}
