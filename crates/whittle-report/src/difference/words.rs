//! What a change is due to, in plain words. Names in them stand between backticks.

use whittle_ledger::{Blame, BuildChange, FeatureChange, Mismatch, Motive, SettingChange};

/// The name of a motive in documents.
pub(crate) fn motive_name(motive: &Motive) -> &'static str {
    match motive {
        Motive::New(_) => "new-package",
        Motive::Gone(_) => "gone-package",
        Motive::Bumped(_) => "other-version",
        Motive::Features(_) => "features",
        Motive::Toolchain => "toolchain",
        Motive::Settings => "settings",
        Motive::Symbols => "symbols",
        Motive::Copies => "generic-copies",
        Motive::Own(_) => "own-code",
        Motive::Used(_) => "used-code",
        Motive::Standard => "standard-library",
        Motive::Structure => "structure",
        _ => "unknown",
    }
}

/// What a part of a change is due to.
pub(crate) fn cause(blame: &Blame, build: &BuildChange) -> String {
    let more = |more: &str, less: &str| if blame.bytes < 0 { less } else { more }.to_owned();
    match &blame.motive {
        Motive::New(at) => build.new.get(*at).map_or_else(String::new, |new| {
            let way = brought_by(&new.path);
            format!("new package `{}`{way}", new.label)
        }),
        Motive::Gone(at) => {
            let label = build.gone.get(*at).map_or("", String::as_str);
            format!("package `{label}` is gone")
        }
        Motive::Bumped(at) => build.bumps.get(*at).map_or_else(String::new, |bump| {
            format!("`{}` {} → {}", bump.package, bump.old, bump.new)
        }),
        Motive::Features(package) => {
            let of_package = build.features.iter().filter(|it| &it.package == package);
            format!("`{package}`: {}", features(&of_package.collect::<Vec<_>>()))
        }
        Motive::Toolchain => {
            let compiler = match &build.toolchain {
                Some((old, new)) => format!("another compiler: rustc {old} → {new}"),
                None => "another compiler".to_owned(),
            };
            // What is due to which of the two nobody can tell.
            match code_settings(build) {
                settings if settings.is_empty() => compiler,
                settings => format!("{compiler}, and settings: {settings}"),
            }
        }
        Motive::Settings => format!("settings: {}", code_settings(build)),
        Motive::Symbols => {
            let changed = || build.settings.iter().filter(|it| it.is_about_symbols());
            let why = match changed().next() {
                Some(_) => format!(" ({})", settings(changed())),
                None => String::new(),
            };
            format!(
                "symbol names and debug info {}{why}",
                if blame.bytes < 0 { "left out" } else { "kept" }
            )
        }
        Motive::Copies => more(
            "more copies of generic or inline functions",
            "fewer copies of generic or inline functions",
        ),
        Motive::Own(package) => format!("own code of `{package}`"),
        Motive::Used(package) if !build.packages_known => format!("code of `{package}`"),
        Motive::Used(package) => {
            let how = more("more of it is used", "less of it is used");
            format!("`{package}`, itself unchanged: {how}")
        }
        Motive::Standard => more(
            "standard library: more of it is used",
            "standard library: less of it is used",
        ),
        Motive::Structure => "padding and file structure".to_owned(),
        _ => "what several crates share, or nobody is known to own".to_owned(),
    }
}

fn brought_by(path: &[String]) -> String {
    match path {
        [] | [_] => String::new(),
        [above @ .., _] => {
            let above: Vec<String> = above.iter().map(|label| format!("`{label}`")).collect();
            format!(", brought by {}", above.join(" → "))
        }
    }
}

/// Features that others ask for first; those that come along with them are counted.
fn features(list: &[&FeatureChange]) -> String {
    let (asked, along): (Vec<&FeatureChange>, Vec<&FeatureChange>) =
        list.iter().partition(|it| !it.by.is_empty());
    let shown = if asked.is_empty() { &along } else { &asked };
    let mut parts: Vec<String> = shown
        .iter()
        .map(|it| {
            let switched = if it.on { "on" } else { "off" };
            let by: Vec<String> = it.by.iter().map(|name| format!("`{name}`")).collect();
            let by = if by.is_empty() {
                String::new()
            } else {
                format!(" by {}", by.join(" and "))
            };
            format!("feature `{}` switched {switched}{by}", it.feature)
        })
        .collect();
    if !asked.is_empty() && !along.is_empty() {
        parts.push(format!("{} more with it", along.len()));
    }
    parts.join(", ")
}

/// The settings that reach more than symbols and debug info.
fn code_settings(build: &BuildChange) -> String {
    settings(build.settings.iter().filter(|it| !it.is_about_symbols()))
}

fn settings<'a>(list: impl Iterator<Item = &'a SettingChange>) -> String {
    let value = |value: &Option<String>| match value.as_deref() {
        None => "?".to_owned(),
        Some("") => "none".to_owned(),
        Some(value) => format!("`{value}`"),
    };
    let parts: Vec<String> = list
        .map(|it| format!("{} {} → {}", it.name, value(&it.old), value(&it.new)))
        .collect();
    parts.join(", ")
}

/// Why two snapshots should not be compared.
pub(crate) fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Target { old, new } => {
            format!("they are built for different targets: `{old}` and `{new}`")
        }
        Mismatch::Program { old, new } => {
            format!("they are different programs: `{old}` and `{new}`")
        }
        _ => "they are not of one kind".to_owned(),
    }
}
