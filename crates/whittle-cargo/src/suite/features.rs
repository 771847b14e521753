//! Which features of a package a selection turns on: enough to know which targets cargo builds.

use std::collections::BTreeSet;

use cargo_metadata::Package;

use crate::selection::Features;

/// The package's own features that are on, by the selection's flags and by each other.
pub(super) fn enabled(package: &Package, features: &Features) -> BTreeSet<String> {
    if features.all {
        return package.features.keys().cloned().collect();
    }
    let named = features.named.iter();
    let mut todo: Vec<String> = named
        .flat_map(|list| list.split([',', ' ']))
        .map(|feature| {
            let own = feature
                .strip_prefix(package.name.as_str())
                .and_then(|rest| rest.strip_prefix('/'));
            own.unwrap_or(feature).to_owned()
        })
        .collect();
    if !features.no_default {
        todo.push("default".to_owned());
    }
    let mut enabled = BTreeSet::new();
    while let Some(feature) = todo.pop() {
        if let Some(implied) = package.features.get(&feature)
            && enabled.insert(feature)
        {
            todo.extend(implied.iter().cloned());
        }
    }
    enabled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_turn_on_each_other() -> serde_json::Result<()> {
        let package: Package = serde_json::from_str(
            r#"{
                "name": "p", "version": "1.0.0", "id": "p", "manifest_path": "/p/Cargo.toml", "targets": [],
                "dependencies": [],
                "features": { "default": ["a"], "a": ["b", "dep:x", "y/z"], "b": ["a"], "c": [], "d": ["c"] }
            }"#,
        )?;
        let on = |named: &[&str], all, no_default| {
            let named = named.iter().map(|name| (*name).to_owned()).collect();
            let features = Features {
                named,
                all,
                no_default,
            };
            Vec::from_iter(enabled(&package, &features)).join(" ")
        };
        assert_eq!(on(&[], false, false), "a b default");
        assert_eq!(on(&["p/d,q/c"], false, true), "c d");
        assert_eq!(on(&[], true, true), "a b c d default");
        Ok(())
    }
}
