//! Detectors: would a setting change what this program does? Each has two witnesses, the sources and the file's own bytes.
//!
//! [`sources`] finds places in a source text, [`panics`] and [`addresses`] weigh them against what the file shows. What
//! remains is a [`Hazard`]: a reason not to move a lever, until somebody who knows the program acknowledges it.

pub mod addresses;
pub mod panics;
pub mod sources;

use serde::{Deserialize, Serialize};

use crate::lever::{Detector, Lever};

/// A reason not to move a lever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hazard {
    /// Who found it.
    pub detector: Detector,
    /// The package it is in; `(unknown)` for a function that nobody's source explains.
    pub package: String,
    /// The file within the package, and the line, counted from 1; nothing if only the bytes show it.
    pub place: Option<(String, usize)>,
    /// What is there, as a clause: "catches panics".
    pub what: String,
}

/// Somebody who knows the program says that a hazard does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Acknowledgement {
    /// The lever that may be moved all the same.
    pub lever: String,
    /// The package whose hazards are meant.
    pub package: String,
    /// Why they do no harm.
    pub reason: String,
}

/// Hazards, sorted by whether somebody acknowledged them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// Those that nobody acknowledged.
    pub open: Vec<Hazard>,
    /// Those that somebody did, with the number of the acknowledgement.
    pub acknowledged: Vec<(Hazard, usize)>,
    /// Acknowledgements that no hazard needs any more.
    pub unneeded: Vec<usize>,
}

/// Sorts hazards by whether somebody acknowledged them.
#[must_use]
pub fn weigh(hazards: Vec<Hazard>, acknowledgements: &[Acknowledgement]) -> Weighed {
    let detector = |acknowledgement: &Acknowledgement| {
        crate::levers::find(&acknowledgement.lever).and_then(|lever: &Lever| lever.detector)
    };
    let mut weighed = Weighed::default();
    for hazard in hazards {
        let found = acknowledgements.iter().position(|acknowledgement| {
            detector(acknowledgement) == Some(hazard.detector)
                && same_package(&acknowledgement.package, &hazard.package)
        });
        match found {
            Some(index) => weighed.acknowledged.push((hazard, index)),
            None => weighed.open.push(hazard),
        }
    }
    weighed.unneeded = (0..acknowledgements.len())
        .filter(|index| !weighed.acknowledged.iter().any(|(_, used)| used == index))
        .collect();
    weighed
}

/// Package and crate spelling are the same name.
pub(crate) fn same_package(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.chars()
            .zip(b.chars())
            .all(|(a, b)| a == b || (matches!(a, '-' | '_') && matches!(b, '-' | '_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hazard(package: &str) -> Hazard {
        Hazard {
            detector: Detector::CaughtPanics,
            package: package.to_owned(),
            place: Some(("src/lib.rs".to_owned(), 7)),
            what: "catches panics".to_owned(),
        }
    }

    fn acknowledgement(lever: &str, package: &str) -> Acknowledgement {
        Acknowledgement {
            lever: lever.to_owned(),
            package: package.to_owned(),
            reason: "restarted by systemd".to_owned(),
        }
    }

    #[test]
    fn an_acknowledgement_counts_for_its_lever_and_package_alone() {
        let weighed = weigh(
            vec![hazard("my_server"), hazard("other")],
            &[
                acknowledgement("icf", "other"),
                acknowledgement("panic", "my-server"),
            ],
        );
        assert_eq!(weighed.open, [hazard("other")]);
        assert_eq!(weighed.acknowledged, [(hazard("my_server"), 1)]);
        assert_eq!(weighed.unneeded, [0]);
    }

    #[test]
    fn an_acknowledgement_without_a_hazard_is_told() {
        let weighed = weigh(Vec::new(), &[acknowledgement("panic", "gone")]);
        assert_eq!(weighed.unneeded, [0]);
    }
}
