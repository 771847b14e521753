//! Words that several formats share.

use std::borrow::Cow;
use std::fmt::Write as _;

use whittle_image::{FileKind, Format};
use whittle_ledger::{Certainty, Exactness, FileFacts, Owner, SavingKind, Without};

use crate::plain::plain;

/// The format's name in documents.
pub(crate) fn format(format: Format) -> &'static str {
    match format {
        Format::Elf => "elf",
        Format::MachO => "mach-o",
        Format::Pe => "pe",
        Format::Wasm => "wasm",
        Format::Archive => "archive",
        _ => "other",
    }
}

/// The format's name for people.
fn format_title(format: Format) -> &'static str {
    match format {
        Format::Elf => "ELF",
        Format::MachO => "Mach-O",
        Format::Pe => "PE",
        Format::Wasm => "WebAssembly",
        Format::Archive => "archive",
        _ => "another format",
    }
}

/// The kind's name in documents.
pub(crate) fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Executable => "executable",
        FileKind::PositionIndependentExecutable => "position-independent-executable",
        FileKind::SharedLibrary => "shared-library",
        FileKind::Object => "object",
        FileKind::Archive => "archive",
        FileKind::Universal => "universal",
        _ => "other",
    }
}

/// What several items own at once.
pub(crate) const SHARED: &str = "shared";

/// The owner's name in documents.
pub(crate) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Item(_) => "item",
        Owner::Shared(_) => SHARED,
        Owner::Structure(_) => "structure",
        Owner::Padding => "padding",
        Owner::Unknown => "unknown",
    }
}

/// The name in documents of how a number was found.
pub(crate) fn exactness(exactness: Exactness) -> &'static str {
    match exactness {
        Exactness::Exact => "exact",
        Exactness::Estimated => "estimated",
    }
}

/// What a file is, for people: `program for x86_64 (ELF), not stripped, rustc 1.95.0`.
pub(crate) fn described(file: &FileFacts) -> String {
    let kind = match file.kind {
        FileKind::Executable | FileKind::PositionIndependentExecutable => "program",
        FileKind::SharedLibrary => "shared library",
        FileKind::Object => "object file",
        FileKind::Archive => "static library",
        FileKind::Universal => "universal file",
        _ => "file",
    };
    let stripped = if file.stripped {
        "stripped"
    } else {
        "not stripped"
    };
    let rustc = file
        .rustc
        .as_deref()
        .and_then(|rustc| match rustc.strip_prefix("commit ") {
            // Of no release that is known.
            Some(_) => rustc.get(.."commit ".len() + 9),
            None => rustc.split_whitespace().next(),
        });
    let rustc = rustc.map_or(String::new(), |version| {
        format!(", rustc {}", plain(version))
    });
    let machine = match file.architecture.as_str() {
        // What holds files for several machines is for none.
        "none" => String::new(),
        machine => format!(" for {}", plain(machine)),
    };
    format!(
        "{kind}{machine} ({}), {stripped}{rustc}",
        format_title(file.format)
    )
}

/// What gives bytes back, for people.
pub(crate) fn remedy(kind: &SavingKind) -> String {
    match kind {
        SavingKind::Symbols => "leave out the symbol names".to_owned(),
        SavingKind::DebugInfo => "leave out the debug info".to_owned(),
        SavingKind::PackedRelocations => "pack the relocations".to_owned(),
        SavingKind::Abort => "abort on panic".to_owned(),
        SavingKind::FoldedFunctions => "fold equal functions into one".to_owned(),
        SavingKind::EqualConstants => "have equal constants once".to_owned(),
        SavingKind::RepeatedInstances => "compile a generic function in one crate".to_owned(),
        SavingKind::InnerFunctions => "let copies of generic functions share a body".to_owned(),
        SavingKind::DuplicateVersions { package, versions } => format!(
            "one {} instead of {}",
            plain(package),
            plain(&versions.join(" and "))
        ),
        other => other.name().to_owned(),
    }
}

/// The setting that gives bytes back, or the command that tells where to begin.
pub(crate) fn setting(kind: &SavingKind) -> String {
    match kind {
        // Cargo takes a name that two versions share for ambiguous: it has to be told which one.
        SavingKind::DuplicateVersions { package, versions } => {
            let numbers = |version: &str| -> Vec<u64> {
                version
                    .split(|c: char| !c.is_ascii_digit())
                    .map(|part| part.parse().unwrap_or(0))
                    .collect()
            };
            let oldest = versions.iter().min_by_key(|version| numbers(version));
            match oldest {
                Some(oldest) => format!("cargo tree --invert {}@{}", plain(package), plain(oldest)),
                None => format!("cargo tree --invert {}", plain(package)),
            }
        }
        other => plain(&other.setting()).into_owned(),
    }
}

/// A piece of the standard library that a forecast takes away, for people; nothing for packages.
pub(crate) fn machinery(without: &Without) -> Option<&'static str> {
    match without {
        Without::Panics => Some("panics, with their messages"),
        Without::BacktraceSymbolizer => Some("names in backtraces"),
        Without::Formatting => Some("formatting"),
        _ => None,
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The mark beside a number: a space if it is exact.
pub(crate) fn mark(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => " ",
        Certainty::Inferred => "~",
        Certainty::Unknown => "?",
    }
}

/// A value of an axis in plain words. Only the special ones have other words in documents.
pub(crate) fn explained(value: &str) -> Cow<'_, str> {
    match value {
        "(structure)" => Cow::Borrowed("(file structure)"),
        "(padding)" => Cow::Borrowed("(padding between things)"),
        "(shared)" => Cow::Borrowed("(shared by several)"),
        "(unknown)" => Cow::Borrowed("(not known)"),
        "(c-runtime)" => Cow::Borrowed("(C start-up code)"),
        _ => match value.strip_prefix("(structure: ") {
            Some(what) => Cow::Owned(format!("(file structure: {what}")),
            None => plain(value),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_is_the_one_to_ask_about() {
        let versions = ["0.10.1", "0.9.12", "1.0.0-rc.1"];
        let kind = SavingKind::DuplicateVersions {
            package: "syn".to_owned(),
            versions: versions.map(str::to_owned).to_vec(),
        };
        assert_eq!(setting(&kind), "cargo tree --invert syn@0.9.12");
        assert_eq!(setting(&SavingKind::Symbols), "strip = \"symbols\"");
    }

    #[test]
    fn special_values_are_explained_and_names_are_not_touched() {
        assert_eq!(explained("(unknown)"), "(not known)");
        assert_eq!(
            explained("(structure: symbols)"),
            "(file structure: symbols)"
        );
        assert_eq!(explained("core::fmt"), "core::fmt");
        assert_eq!(explained("a\x07"), "a\\u{7}");
    }
}
