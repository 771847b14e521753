//! What a manifest asks of a dependency, and which of its features bring it along.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind as Kind, NodeDep, Package};
use serde::{Deserialize, Serialize};

/// What a manifest asks of a dependency. Where several of its tables name it (for targets), all of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// Features it asks for, in ascending order.
    pub features: Vec<String>,
    /// Whether it takes the default features as well.
    pub default_features: bool,
    /// For an optional dependency: the features of the dependent that are on and bring it along, in ascending order.
    /// Empty for one that is always there.
    pub through: Vec<String>,
}

impl Asked {
    /// Reads what `dependent` says of a dependency. `name` is that of the dependency's package, `on` are the features of
    /// the dependent that are on.
    pub(super) fn of(
        dependent: &Package,
        dependency: &NodeDep,
        name: &str,
        on: &BTreeSet<&str>,
    ) -> Self {
        let declared = dependent.dependencies.iter().filter(|it| {
            let is_called = |called: &str| called.replace('-', "_") == dependency.name;
            it.kind != Kind::Build && it.name == name && it.rename.as_deref().is_none_or(is_called)
        });
        let mut asked = Self::default();
        let (mut features, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let mut is_optional = true;
        for declared in declared {
            features.extend(declared.features.iter().cloned());
            asked.default_features |= declared.uses_default_features;
            is_optional &= declared.optional;
            keys.insert(declared.rename.as_deref().unwrap_or(&declared.name));
        }
        asked.features = features.into_iter().collect();
        if is_optional {
            let brings = |feature: &&&str| {
                let list = dependent.features.get(**feature);
                list.is_some_and(|list| list.iter().any(|entry| enables(entry, &keys)))
            };
            asked.through = on
                .iter()
                .filter(brings)
                .map(|&feature| feature.to_owned())
                .collect();
        }
        asked
    }
}

/// Whether an entry of a feature turns an optional dependency on: `dep:NAME`, or `NAME/FEATURE`; `NAME?/FEATURE` does not.
fn enables(entry: &str, keys: &BTreeSet<&str>) -> bool {
    let named = entry.strip_prefix("dep:");
    let with_feature = || entry.split_once('/').map(|(key, _)| key);
    named
        .or_else(with_feature)
        .is_some_and(|key| keys.contains(key))
}
