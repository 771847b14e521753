//! A profile as the workspace's manifest has it, for builds of which no call of the compiler is seen.
//!
//! What configuration files, the environment or the command itself say on top of it is not known here; then a setting may
//! be tried that the program has already, which shows in its size.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use toml::{Table, Value};
use whittle_trial::facts::Profile;

use crate::trouble::{Outcome, Trouble};

/// A profile that inherits from itself has no end.
const MOST_ANCESTORS: usize = 16;

/// Reads the manifest in `root`.
pub(crate) fn read(root: &Path, profile: &str) -> Outcome<Profile> {
    let path = root.join("Cargo.toml");
    let context = || format!("cannot read `{}`", path.display());
    let text = fs::read_to_string(&path)
        .with_context(context)
        .map_err(Trouble::plain)?;
    let manifest: Table = text
        .parse()
        .map_err(|error: toml::de::Error| Trouble::plain(anyhow!(error).context(context())))?;
    Ok(resolve(&manifest, profile))
}

/// The keys of a profile and those it inherits, over cargo's defaults for `release` or, if it comes from `dev`, for that.
fn resolve(manifest: &Table, name: &str) -> Profile {
    let profiles = manifest.get("profile").and_then(Value::as_table);
    let mut chain: Vec<&Table> = Vec::new();
    let mut name = name;
    for _ in 0..MOST_ANCESTORS {
        let Some(table) = profiles
            .and_then(|profiles| profiles.get(name))
            .and_then(Value::as_table)
        else {
            break;
        };
        chain.push(table);
        match table.get("inherits").and_then(Value::as_str) {
            Some(parent) => name = parent,
            None => break,
        }
    }
    let key = |key: &str| chain.iter().find_map(|table| table.get(key));
    // Cargo's "Default profiles".
    let mut profile = if matches!(name, "dev" | "test") {
        Profile {
            opt_level: "0".to_owned(),
            codegen_units: 256,
            strip: "none".to_owned(),
            debug: true,
            overflow_checks: true,
            debug_assertions: true,
            ..Profile::default()
        }
    } else {
        Profile::default()
    };
    if let Some(level) = key("opt-level") {
        profile.opt_level = text(level);
    }
    match key("lto") {
        Some(Value::Boolean(true)) => "fat".clone_into(&mut profile.lto),
        Some(value) => profile.lto = text(value),
        None => {}
    }
    if let Some(units) = key("codegen-units").and_then(Value::as_integer) {
        profile.codegen_units = u32::try_from(units).unwrap_or(profile.codegen_units);
    }
    if let Some(value) = key("panic") {
        profile.panic = text(value);
    }
    if let Some(value) = key("debug") {
        profile.debug = !matches!(value, Value::Boolean(false) | Value::Integer(0))
            && !matches!(value.as_str(), Some("none"));
    }
    match key("strip") {
        Some(Value::Boolean(true)) => "symbols".clone_into(&mut profile.strip),
        Some(Value::Boolean(false)) => "none".clone_into(&mut profile.strip),
        Some(value) => profile.strip = text(value),
        // Where nothing is asked for, what the standard library brings along is left out ("strip" in the Cargo book).
        None if profile.debug => "none".clone_into(&mut profile.strip),
        None => {}
    }
    for (name, is_on) in [
        ("overflow-checks", &mut profile.overflow_checks),
        ("debug-assertions", &mut profile.debug_assertions),
    ] {
        if let Some(value) = key(name).and_then(Value::as_bool) {
            *is_on = value;
        }
    }
    profile
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(is_on) => is_on.to_string(),
        // Nothing that cargo takes there; it says so itself.
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(manifest: &str, name: &str) -> Profile {
        resolve(&manifest.parse().expect("TOML"), name)
    }

    #[test]
    fn what_is_not_said_is_cargos_default() {
        assert_eq!(resolved("[package]\n", "release"), Profile::default());
        assert_eq!(resolved("", "dev").opt_level, "0");
    }

    #[test]
    fn keys_are_inherited_and_spelled_in_any_form() {
        let manifest = "[profile.release]\nlto = true\nopt-level = 3\nstrip = true\n\
                        [profile.dist]\ninherits = \"release\"\nopt-level = \"s\"\npanic = \"abort\"\ncodegen-units = 1\n";
        let dist = resolved(manifest, "dist");
        assert_eq!(dist.opt_level, "s");
        assert_eq!(dist.lto, "fat");
        assert_eq!(dist.panic, "abort");
        assert_eq!(dist.strip, "symbols");
        assert_eq!(dist.codegen_units, 1);
        let release = resolved(manifest, "release");
        assert_eq!(
            (release.opt_level.as_str(), release.panic.as_str()),
            ("3", "unwind")
        );
    }

    #[test]
    fn debug_info_that_is_asked_for_is_kept() {
        let debug = resolved("[profile.release]\ndebug = 1\n", "release");
        assert!(debug.debug);
        assert_eq!(debug.strip, "none");
        let loops = resolved(
            "[profile.a]\ninherits = \"b\"\n[profile.b]\ninherits = \"a\"\n",
            "a",
        );
        assert_eq!(loops, Profile::default());
    }
}
