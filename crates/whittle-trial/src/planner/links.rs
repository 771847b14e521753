//! Which links of one build are tried, and which of them is the best: nothing is compiled for these.

use std::collections::BTreeSet;

use super::{State, admissions};
use crate::class::Class;
use crate::frontier::{TIE, as_float};
use crate::lever::Tried;
use crate::levers::LEVERS;
use crate::libc::LibcVersion;
use crate::policy::Admission;
use crate::settings::Settings;
use crate::trial::{Record, Step};

/// Another linker is worth its line only if it saves more than this share.
const WORTH_A_LINKER: f64 = 0.01;

impl State<'_> {
    /// Every combination of the linker's levers that is to be tried on a build.
    pub(super) fn links(&self, compiled: &Settings) -> Vec<Settings> {
        let mut all = vec![compiled.clone()];
        let is_offer = self.is_offer(compiled);
        for lever in LEVERS.iter().filter(|lever| lever.is_link_only()) {
            let mut more = Vec::new();
            for settings in &all {
                let moved: Vec<Settings> = lever
                    .values
                    .iter()
                    .filter(|value| self.admits(lever, value, settings))
                    .map(|value| settings.clone().moved(lever, value))
                    .collect();
                // The final form is what counts: where symbols may go, they are gone in every combination.
                if lever.name == "strip" && !moved.is_empty() {
                    more.extend(moved.into_iter().take(1));
                } else {
                    // An offer shows one number, the smallest that the levers give.
                    if !is_offer || moved.is_empty() {
                        more.push(settings.clone());
                    }
                    more.extend(
                        moved
                            .into_iter()
                            .take(if is_offer && lever.name != "linker" {
                                1
                            } else {
                                lever.values.len()
                            }),
                    );
                    if is_offer && lever.name == "linker" {
                        more.push(settings.clone());
                    }
                }
            }
            all = more;
        }
        all.sort();
        all.dedup();
        let is_done = |settings: &Settings| self.find(Step::Link, settings).is_some();
        if is_offer || !all.iter().all(is_done) {
            return all;
        }
        // What is held back is linked once each on top of the best, so that its worth can be told.
        if let Some(best) = self.best_link(compiled, &BTreeSet::new()) {
            for (lever, value, admission) in admissions(self, &best) {
                let is_told = matches!(admission, Admission::IfAllowed { .. });
                if lever.is_link_only() && is_told && lever.tried == Tried::BySearch {
                    all.push(best.clone().moved(lever, value));
                }
            }
        }
        all
    }

    /// The simplest of the smallest admitted links of a build that leaves out something of each one that failed.
    pub(super) fn best_link(
        &self,
        compiled: &Settings,
        failed: &BTreeSet<&Settings>,
    ) -> Option<Settings> {
        let may_be_to_blame = |settings: &Settings| -> BTreeSet<&'static str> {
            settings
                .linked()
                .iter()
                .map(|(lever, _)| lever.name)
                .filter(|name| *name != "strip")
                .collect()
        };
        let suspects: Vec<BTreeSet<&str>> = failed
            .iter()
            .map(|failed| may_be_to_blame(failed))
            .collect();
        // Where nothing that the linker was told can be to blame, the build itself is.
        if suspects.iter().any(BTreeSet::is_empty) {
            return None;
        }
        let linked: Vec<(u64, &Settings)> = self
            .records
            .iter()
            .filter(|record| record.trial.step == Step::Link)
            .filter(|record| record.trial.settings.compiled() == *compiled)
            .filter(|record| self.is_admitted(&record.trial.settings))
            .filter(|record| self.fits_floor(record))
            .filter_map(|record| Some((self.size(record)?, &record.trial.settings)))
            .filter(|(_, settings)| {
                let own = may_be_to_blame(settings);
                suspects.iter().all(|suspects| !suspects.is_subset(&own))
            })
            .collect();
        let (smallest, settings) = linked.iter().min()?;
        let has_linker = settings.get("linker").is_some();
        let is_near = |size: u64, other: &Settings| {
            let tolerance = if has_linker && other.get("linker").is_none() {
                WORTH_A_LINKER
            } else {
                TIE
            };
            as_float(size) <= as_float(*smallest) * (1.0 + tolerance)
        };
        let mut near: Vec<&(u64, &Settings)> = linked
            .iter()
            .filter(|(size, settings)| is_near(*size, settings))
            .collect();
        near.sort_by_key(|(size, settings)| {
            (settings.get("linker").is_some(), settings.len(), *size)
        });
        // Without the linker the tie is drawn anew: what was near for its sake alone need not be.
        let best = near.iter().map(|(size, settings)| (*size, *settings));
        let no_linker: Vec<(u64, &Settings)> = best
            .clone()
            .filter(|(_, settings)| settings.get("linker").is_none())
            .collect();
        let pool = if no_linker.is_empty() {
            best.collect()
        } else {
            no_linker
        };
        let smallest = pool.iter().map(|(size, _)| *size).min()?;
        pool.into_iter()
            .filter(|(size, _)| as_float(*size) <= as_float(smallest) * (1.0 + TIE))
            .min_by_key(|(size, settings)| (settings.len(), *size, *settings))
            .map(|(_, settings)| settings.clone())
    }

    /// Whether a linked file needs no newer C library than it may.
    fn fits_floor(&self, record: &Record) -> bool {
        let floor = record.built().and_then(|built| built.libc_floor);
        self.may_need(floor, &record.trial.settings)
    }

    /// Whether a file with these settings may need that version of the C library.
    pub(super) fn may_need(&self, floor: Option<LibcVersion>, settings: &Settings) -> bool {
        let highest = self.policy.highest_floor(self.facts);
        let is_allowed = self.policy.allow_classes.contains(&Class::Portability)
            || settings.iter().any(|(lever, _)| {
                lever.class == Class::Portability
                    && self.policy.allow.iter().any(|name| name == lever.name)
            });
        is_allowed
            || match (floor, highest) {
                (Some(floor), Some(highest)) => floor <= highest,
                (None, _) => true,
                (Some(_), None) => false,
            }
    }
}
