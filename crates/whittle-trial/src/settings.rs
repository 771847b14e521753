//! Settings: which levers are moved, and to which value. What is not named stays as the user has it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lever::{Lever, Line, Rebuild, Scalar, Value};
use crate::levers;

/// Which levers are moved, and to which value.
///
/// Only pairs that the catalogue knows can be in it. Text form: `lto=fat codegen-units=1`, in the catalogue's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, String>",
    into = "BTreeMap<String, String>"
)]
pub struct Settings(BTreeMap<&'static str, &'static str>);

/// A pair that the catalogue does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSetting {
    /// No lever has this name.
    #[error("there is no setting `{lever}`")]
    Lever {
        /// The name.
        lever: String,
    },
    /// The lever has no such value.
    #[error("the setting `{lever}` has no value `{value}`")]
    Value {
        /// The lever's name.
        lever: String,
        /// The value's name.
        value: String,
    },
}

/// The lines that settings stand for, by where they are written, each list in the catalogue's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Keys of the profile.
    pub profile: BTreeMap<&'static str, Scalar>,
    /// Keys of the profile for the program's own package alone.
    pub own_package: BTreeMap<&'static str, Scalar>,
    /// Arguments of rustc that reach code generation.
    pub rustflags: Vec<&'static str>,
    /// Arguments of the linker's driver.
    pub link_arguments: Vec<&'static str>,
    /// Keys of cargo's `[unstable]` table.
    pub unstable: BTreeMap<&'static str, &'static [&'static str]>,
}

impl Settings {
    /// No lever moved: the program as its author builds it.
    #[must_use]
    pub fn unchanged() -> Self {
        Self::default()
    }

    /// These settings with one lever moved to a value.
    ///
    /// # Errors
    /// [`UnknownSetting`] if the catalogue has no such pair.
    pub fn with(mut self, lever: &str, value: &str) -> Result<Self, UnknownSetting> {
        let found = levers::find(lever).ok_or_else(|| UnknownSetting::Lever {
            lever: lever.to_owned(),
        })?;
        let value = found.value(value).ok_or_else(|| UnknownSetting::Value {
            lever: lever.to_owned(),
            value: value.to_owned(),
        })?;
        self.0.insert(found.name, value.name);
        Ok(self)
    }

    /// These settings with a lever of the catalogue moved to one of its own values.
    #[must_use]
    pub fn moved(mut self, lever: &'static Lever, value: &'static Value) -> Self {
        self.0.insert(lever.name, value.name);
        self
    }

    /// These settings without one lever.
    #[must_use]
    pub fn without(mut self, lever: &str) -> Self {
        self.0.remove(lever);
        self
    }

    /// The value that a lever is moved to.
    #[must_use]
    pub fn get(&self, lever: &str) -> Option<&'static str> {
        self.0.get(lever).copied()
    }

    /// How many levers are moved.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no lever is moved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The moved levers with their values, in the catalogue's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Lever, &'static Value)> + '_ {
        levers::LEVERS.iter().filter_map(|lever| {
            let value = lever.value(self.get(lever.name)?)?;
            Some((lever, value))
        })
    }

    /// What has to be compiled for these settings: without what the linker alone does.
    #[must_use]
    pub fn compiled(&self) -> Self {
        self.filtered(|lever| !lever.is_link_only())
    }

    /// What reaches unit tests: how code is optimized and checked. Their harness always unwinds, needs the standard library
    /// as it comes, and is linked as it is.
    #[must_use]
    pub fn of_unit_tests(&self) -> Self {
        const REACH: [&str; 7] = [
            "opt-level",
            "own-opt-level",
            "lto",
            "codegen-units",
            "inline-threshold",
            "overflow-checks",
            "debug-assertions",
        ];
        self.filtered(|lever| REACH.contains(&lever.name))
    }

    /// What the linker alone does.
    #[must_use]
    pub fn linked(&self) -> Self {
        self.filtered(Lever::is_link_only)
    }

    /// Both together; where both move a lever, `other` wins.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(&other.0);
        Self(all)
    }

    /// The most that has to be built again for them.
    #[must_use]
    pub fn rebuild(&self) -> Rebuild {
        self.iter()
            .map(|(lever, _)| lever.rebuild)
            .max()
            .unwrap_or(Rebuild::Link)
    }

    /// The lines that these settings stand for. Where two write the same key, the later in the catalogue wins.
    #[must_use]
    pub fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        for line in self.iter().flat_map(|(_, value)| value.lines) {
            match *line {
                Line::Profile(key, scalar) => {
                    lines.profile.insert(key, scalar);
                }
                Line::OwnPackage(key, scalar) => {
                    lines.own_package.insert(key, scalar);
                }
                Line::Rustflag(flag) => lines.rustflags.push(flag),
                Line::LinkArgument(argument) => lines.link_arguments.push(argument),
                Line::Unstable(key, list) => {
                    lines.unstable.insert(key, list);
                }
            }
        }
        lines
    }

    /// What a link that is run again needs as further arguments of the linker's driver, in the catalogue's order.
    #[must_use]
    pub fn relink_arguments(&self) -> Vec<&'static str> {
        self.iter()
            .flat_map(|(_, value)| value.relink.iter().copied())
            .collect()
    }

    fn filtered(&self, keep: impl Fn(&Lever) -> bool) -> Self {
        Self(
            self.iter()
                .filter(|(lever, _)| keep(lever))
                .map(|(lever, value)| (lever.name, value.name))
                .collect(),
        )
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("as it is");
        }
        for (index, (lever, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{}={}", lever.name, value.name)?;
        }
        Ok(())
    }
}

impl TryFrom<BTreeMap<String, String>> for Settings {
    type Error = UnknownSetting;

    fn try_from(pairs: BTreeMap<String, String>) -> Result<Self, UnknownSetting> {
        pairs
            .iter()
            .try_fold(Self::unchanged(), |settings, (lever, value)| {
                settings.with(lever, value)
            })
    }
}

impl From<Settings> for BTreeMap<String, String> {
    fn from(settings: Settings) -> Self {
        settings
            .0
            .into_iter()
            .map(|(lever, value)| (lever.to_owned(), value.to_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs
            .iter()
            .try_fold(Settings::unchanged(), |settings, (lever, value)| {
                settings.with(lever, value)
            })
            .expect("the catalogue has them")
    }

    #[test]
    fn what_the_linker_does_and_what_is_compiled_are_all_there_is() {
        let all = settings(&[
            ("icf", "all"),
            ("opt-level", "s"),
            ("strip", "symbols"),
            ("lto", "fat"),
        ]);
        assert_eq!(all.compiled().to_string(), "opt-level=s lto=fat");
        assert_eq!(all.linked().to_string(), "strip=symbols icf=all");
        assert_eq!(all.compiled().and(&all.linked()), all);
        assert_eq!(all.rebuild(), Rebuild::AllCrates);
        assert_eq!(all.linked().rebuild(), Rebuild::Link);
    }

    #[test]
    fn unit_tests_are_optimized_alike_and_panic_as_ever() {
        let all = settings(&[
            ("opt-level", "s"),
            ("lto", "fat"),
            ("panic", "abort"),
            ("strip", "symbols"),
            ("icf", "all"),
            ("build-std", "small"),
            ("immediate-abort", "yes"),
            ("unwind-tables", "none"),
        ]);
        assert_eq!(all.of_unit_tests().to_string(), "opt-level=s lto=fat");
    }

    #[test]
    fn lines_go_where_they_are_read() {
        let lines = settings(&[
            ("opt-level", "z"),
            ("codegen-units", "1"),
            ("strip", "symbols"),
            ("icf", "all"),
            ("pack-relocations", "relr"),
            ("inline-threshold", "5"),
        ])
        .lines();
        let profile: Vec<String> = lines
            .profile
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        assert_eq!(
            profile,
            [
                "codegen-units = 1",
                "opt-level = \"z\"",
                "strip = \"symbols\""
            ]
        );
        assert_eq!(lines.rustflags, ["-Cllvm-args=--inline-threshold=5"]);
        assert_eq!(
            lines.link_arguments,
            ["-Wl,--icf=all", "-Wl,-z,pack-relative-relocs"]
        );
    }

    #[test]
    fn a_panic_without_message_outranks_a_plain_abort() {
        let lines = settings(&[("immediate-abort", "yes"), ("panic", "abort")]).lines();
        assert_eq!(
            lines.profile.get("panic"),
            Some(&Scalar::Text("immediate-abort"))
        );
    }

    #[test]
    fn only_what_the_catalogue_knows_can_be_read_back() -> serde_json::Result<()> {
        let written = settings(&[("panic", "abort"), ("lto", "fat")]);
        let text = serde_json::to_string(&written)?;
        assert_eq!(text, r#"{"lto":"fat","panic":"abort"}"#);
        assert_eq!(serde_json::from_str::<Settings>(&text)?, written);
        let unknown = serde_json::from_str::<Settings>(r#"{"lto":"huge"}"#);
        let error = unknown.expect_err("the value is unknown").to_string();
        assert!(
            error.contains("the setting `lto` has no value `huge`"),
            "{error}"
        );
        assert!(serde_json::from_str::<Settings>(r#"{"speed":"9"}"#).is_err());
        Ok(())
    }
}
