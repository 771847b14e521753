//! A profile as it reaches the compiler: inheritance, defaults, configuration and the environment have all had their say.
//!
//! Where each key comes from is cargo's affair, so this reads what cargo told rustc about the last crate. What is not told
//! is rustc's default ("Codegen options" in the rustc book).

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

/// A profile of the last crate, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedProfile {
    /// `opt-level`: `0` to `3`, `s` or `z`.
    pub opt_level: String,
    /// `lto`: `off`, `thin`, `fat`, or `false` for the default, which works within each crate.
    pub lto: String,
    /// `codegen-units`.
    pub codegen_units: u32,
    /// `panic`: `unwind`, `abort` or `immediate-abort`.
    pub panic: String,
    /// `strip`: `none`, `debuginfo` or `symbols`.
    pub strip: String,
    /// Whether debug info is asked for.
    pub debug: bool,
    /// `overflow-checks`.
    pub overflow_checks: bool,
    /// `debug-assertions`.
    pub debug_assertions: bool,
}

impl ResolvedProfile {
    /// From the arguments of rustc, of which the last word for an option counts.
    pub(crate) fn of(args: &[OsString]) -> Self {
        let options = codegen_options(args);
        let last = |name: &str| {
            let mut options = options.iter().rev();
            options
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_deref())
        };
        let text = |name: &str, default: &str| last(name).flatten().unwrap_or(default).to_owned();
        let is_on = |name: &str| match last(name) {
            None => None,
            Some(None | Some("on" | "yes" | "y" | "true")) => Some(true),
            Some(Some(_)) => Some(false),
        };
        let opt_level = match last("opt-level") {
            Some(Some(level)) => level.to_owned(),
            // `-O` is level 3 since 1.86, and no profile of cargo's says it.
            _ => "0".to_owned(),
        };
        let debug_assertions = is_on("debug-assertions").unwrap_or(opt_level == "0");
        Self {
            lto: match last("lto") {
                None => "false".to_owned(),
                // Without a value it is the strongest form.
                Some(None | Some("yes" | "on" | "true" | "y")) => "fat".to_owned(),
                Some(Some("no" | "n" | "false")) => "off".to_owned(),
                Some(Some(mode)) => mode.to_owned(),
            },
            codegen_units: last("codegen-units")
                .flatten()
                .and_then(|units| units.parse().ok())
                .unwrap_or(16),
            panic: text("panic", "unwind"),
            strip: text("strip", "none"),
            debug: !matches!(last("debuginfo"), None | Some(Some("0" | "none"))),
            overflow_checks: is_on("overflow-checks").unwrap_or(debug_assertions),
            debug_assertions,
            opt_level,
        }
    }
}

/// All `-C NAME[=VALUE]` in their order, in each of its spellings; `-g` as the option it stands for.
fn codegen_options(args: &[OsString]) -> Vec<(String, Option<String>)> {
    let mut options = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else { continue };
        let option = match text {
            "-g" => Some("debuginfo=2"),
            "-C" | "--codegen" => args.next().and_then(|arg| arg.to_str()),
            _ => text
                .strip_prefix("-C")
                .or_else(|| text.strip_prefix("--codegen=")),
        };
        options.extend(option.map(|option| match option.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (option.to_owned(), None),
        }));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(args: &[&str]) -> ResolvedProfile {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        ResolvedProfile::of(&args)
    }

    #[test]
    fn what_cargo_says_of_its_release_profile_is_that_profile() {
        let release = resolved(&[
            "--crate-name",
            "a",
            "-C",
            "opt-level=3",
            "-C",
            "embed-bitcode=no",
            "-C",
            "strip=debuginfo",
        ]);
        assert_eq!(
            release,
            ResolvedProfile {
                opt_level: "3".to_owned(),
                lto: "false".to_owned(),
                codegen_units: 16,
                panic: "unwind".to_owned(),
                strip: "debuginfo".to_owned(),
                debug: false,
                overflow_checks: false,
                debug_assertions: false,
            }
        );
    }

    #[test]
    fn the_last_word_counts_in_every_spelling() {
        let profile = resolved(&[
            "-C",
            "opt-level=3",
            "-Copt-level=z",
            "-C",
            "lto",
            "--codegen=codegen-units=1",
            "--codegen",
            "panic=abort",
            "-Cdebuginfo=line-tables-only",
            "-Coverflow-checks=on",
        ]);
        assert_eq!(profile.opt_level, "z");
        assert_eq!(profile.lto, "fat");
        assert_eq!(profile.codegen_units, 1);
        assert_eq!(profile.panic, "abort");
        assert!(profile.debug && profile.overflow_checks && !profile.debug_assertions);
        assert_eq!(resolved(&["-Clto=no"]).lto, "off");
        assert_eq!(resolved(&["-Clto=thin"]).lto, "thin");
    }

    #[test]
    fn an_unoptimized_build_checks_what_it_can() {
        let dev = resolved(&["-C", "debuginfo=2"]);
        assert_eq!(dev.opt_level, "0");
        assert!(dev.debug && dev.debug_assertions && dev.overflow_checks);
        assert!(!resolved(&["-Cdebug-assertions=off"]).overflow_checks);
        assert!(!resolved(&["-g", "-Cdebuginfo=0"]).debug);
    }
}
