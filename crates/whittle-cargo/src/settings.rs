//! How a build may differ from the user's own: profile keys, flags, link arguments, unstable features.
//!
//! [`Settings`] is a plain value, serialised with its keys in order, so that it can name a trial. It reaches cargo by
//! `--config`, by the environment and by trailing flags of `cargo rustc`; no file of the user's is touched. Which compiler
//! is meant is not part of it: that is which [`Cargo`](crate::Cargo) is asked.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use serde::{Deserialize, Serialize};
use toml_edit::{Array, Key, Value};

/// What to build otherwise than the user does. The default changes nothing.
///
/// Nothing is checked here, and cargo checks values only: a profile key that it does not know is left unheard.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Settings {
    /// Keys of the profile that is built, such as `opt-level`. They outrank the manifest, configuration files and
    /// environment of the user.
    pub profile: BTreeMap<String, SettingValue>,
    /// Keys of the profile for one package each (`[profile.NAME.package.SPEC]`); `*` is all that are no members of the
    /// workspace.
    pub packages: BTreeMap<String, BTreeMap<String, SettingValue>>,
    /// Keys of the profile for build scripts and procedural macros (`[profile.NAME.build-override]`).
    pub build_override: BTreeMap<String, SettingValue>,
    /// Flags of rustc for every crate of the target, after the user's own. Each new value compiles all of them.
    pub rustflags: Vec<String>,
    /// Flags of rustc for the last crate alone, after all others.
    pub last_crate: Vec<String>,
    /// Arguments of the last link, as the program that links takes them (`-Wl,--icf=all` where a C compiler does).
    pub link_args: Vec<String>,
    /// Cargo's unstable features with their values, such as `build-std`: the table `[unstable]` of its configuration.
    pub unstable: BTreeMap<String, SettingValue>,
    /// Whether a stable compiler is to take unstable flags and features as well (`RUSTC_BOOTSTRAP=1`). Crates that look
    /// for a nightly compiler when they are built find one then.
    pub bootstrap: bool,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// `lto = true`.
    Switch(bool),
    /// `codegen-units = 1`.
    Number(i64),
    /// `opt-level = "z"`.
    Text(String),
    /// `build-std = ["std", "panic_abort"]`.
    List(Vec<String>),
}

impl Settings {
    /// Whether they change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What `--config` takes, for a build with this profile: each a dotted key and a value.
    #[must_use]
    pub fn config(&self, profile: &str) -> Vec<String> {
        let profile = Key::new(profile);
        let profile = profile.display_repr();
        let mut config = Vec::new();
        let mut add = |table: &str, keys: &BTreeMap<String, SettingValue>| {
            for (key, value) in keys {
                config.push(format!("{table}.{}={value}", Key::new(key).display_repr()));
            }
        };
        add(&format!("profile.{profile}"), &self.profile);
        for (package, keys) in &self.packages {
            let package = Key::new(package);
            let table = format!("profile.{profile}.package.{}", package.display_repr());
            add(&table, keys);
        }
        add(
            &format!("profile.{profile}.build-override"),
            &self.build_override,
        );
        add("unstable", &self.unstable);
        config
    }

    /// What stands after `--` of `cargo rustc`.
    #[must_use]
    pub fn trailing(&self) -> Vec<OsString> {
        let link_args = self
            .link_args
            .iter()
            .map(|arg| format!("-Clink-arg={arg}").into());
        self.last_crate
            .iter()
            .map(OsString::from)
            .chain(link_args)
            .collect()
    }

    /// Changes to the environment; `users_flags` are the flags that cargo would give to every crate by itself.
    ///
    /// Cargo takes flags from one source of four, so that adding one means taking over the others. The variable for
    /// encoded flags comes first in their order and can hold any text ("`build.rustflags`" in the Cargo book).
    pub(crate) fn environment(
        &self,
        users_flags: &[OsString],
    ) -> Vec<(OsString, Option<OsString>)> {
        let mut environment = Vec::new();
        if !self.rustflags.is_empty() {
            let own = self.rustflags.iter().map(OsString::from);
            let mut encoded = OsString::new();
            for (index, flag) in users_flags.iter().cloned().chain(own).enumerate() {
                if index > 0 {
                    encoded.push("\u{1f}");
                }
                encoded.push(flag);
            }
            environment.push(("CARGO_ENCODED_RUSTFLAGS".into(), Some(encoded)));
        }
        if self.bootstrap {
            environment.push(("RUSTC_BOOTSTRAP".into(), Some("1".into())));
        }
        environment
    }
}

impl SettingValue {
    /// The value as `toml_edit` has it.
    pub(crate) fn to_toml(&self) -> Value {
        match self {
            Self::Switch(switch) => (*switch).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(list) => list.iter().map(String::as_str).collect::<Array>().into(),
        }
    }
}

/// As in TOML.
impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_toml().fmt(f)
    }
}

impl From<bool> for SettingValue {
    fn from(value: bool) -> Self {
        Self::Switch(value)
    }
}

impl From<i64> for SettingValue {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for SettingValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[(&str, SettingValue)]) -> BTreeMap<String, SettingValue> {
        keys.iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    }

    #[test]
    fn keys_and_values_are_quoted_as_toml_wants() {
        let settings = Settings {
            profile: keys(&[("opt-level", "z".into()), ("codegen-units", 1.into())]),
            packages: [
                ("*".to_owned(), keys(&[("opt-level", 3.into())])),
                (
                    "a@1.0.0".to_owned(),
                    keys(&[("debug-assertions", true.into())]),
                ),
            ]
            .into(),
            build_override: keys(&[("strip", false.into())]),
            unstable: keys(&[(
                "build-std",
                SettingValue::List(vec!["std".into(), "it's".into()]),
            )]),
            ..Settings::default()
        };
        assert_eq!(
            settings.config("dist"),
            [
                "profile.dist.codegen-units=1",
                r#"profile.dist.opt-level="z""#,
                r#"profile.dist.package."*".opt-level=3"#,
                r#"profile.dist.package."a@1.0.0".debug-assertions=true"#,
                "profile.dist.build-override.strip=false",
                r#"unstable.build-std=["std", "it's"]"#,
            ]
        );
        assert!(!settings.is_empty());
    }

    #[test]
    fn settings_survive_being_written_down() -> serde_json::Result<()> {
        let settings = Settings {
            profile: keys(&[
                ("lto", "fat".into()),
                ("codegen-units", 1.into()),
                ("strip", true.into()),
            ]),
            rustflags: vec!["-Ca=b c".into()],
            bootstrap: true,
            ..Settings::default()
        };
        let text = serde_json::to_string(&settings)?;
        assert_eq!(serde_json::from_str::<Settings>(&text)?, settings);
        assert_eq!(serde_json::from_str::<Settings>("{}")?, Settings::default());
        assert!(serde_json::from_str::<Settings>(r#"{"rust-flags":[]}"#).is_err());
        Ok(())
    }

    #[test]
    fn the_users_flags_come_first() {
        let settings = Settings {
            rustflags: vec!["-Ca".into(), "-Cb c".into()],
            ..Settings::default()
        };
        assert_eq!(
            settings.environment(&["-Cx=\"y\"".into()]),
            [(
                "CARGO_ENCODED_RUSTFLAGS".into(),
                Some("-Cx=\"y\"\u{1f}-Ca\u{1f}-Cb c".into())
            )]
        );
        assert_eq!(Settings::default().environment(&["-Cx".into()]), []);
    }
}
