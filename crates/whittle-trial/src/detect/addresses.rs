//! Does the program tell functions apart by their address? Then folding identical code can confuse it.

use super::Hazard;
use super::panics::{PackageSources, of_kind};
use super::sources::HitKind;
use crate::lever::Detector;

/// What speaks against giving two functions one address.
///
/// The bytes say nothing against the sources here: a comparison of two addresses looks like any other.
#[must_use]
pub fn hazards(packages: &[PackageSources]) -> Vec<Hazard> {
    of_kind(
        packages,
        HitKind::ComparesFunctions,
        Detector::FunctionAddresses,
        "compares functions by their address",
    )
}
