//! Words that several formats share.

use std::fmt::Write as _;

use whittle_image::{FileKind, Format};
use whittle_ledger::{Certainty, FileFacts};

/// The format's name in documents.
pub(crate) fn format(format: Format) -> &'static str {
    match format {
        Format::Elf => "elf",
        _ => "other",
    }
}

/// The kind's name in documents.
pub(crate) fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Executable => "executable",
        FileKind::PositionIndependentExecutable => "position-independent-executable",
        FileKind::SharedLibrary => "shared-library",
        FileKind::Object => "object",
        _ => "other",
    }
}

/// What a file is, for people: `program for x86_64 (ELF), not stripped, rustc 1.95.0`.
pub(crate) fn described(file: &FileFacts) -> String {
    let kind = match file.kind {
        FileKind::Executable | FileKind::PositionIndependentExecutable => "program",
        FileKind::SharedLibrary => "shared library",
        FileKind::Object => "object file",
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
        .and_then(|rustc| rustc.split_whitespace().next());
    let rustc = rustc.map_or(String::new(), |version| {
        format!(", rustc {}", shown(version))
    });
    format!(
        "{kind} for {} ({}), {stripped}{rustc}",
        file.architecture,
        format(file.format).to_uppercase()
    )
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

/// The mark behind a number: nothing if it is exact.
pub(crate) fn mark(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => " ",
        Certainty::Inferred => "~",
        Certainty::Unknown => "?",
    }
}

/// Text from outside, fit for a terminal: control and formatting characters are written as their code.
pub(crate) fn shown(text: &str) -> String {
    let is_format = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control() || is_format(c);
            let escaped = escape.then(|| c.escape_unicode()).into_iter().flatten();
            escaped.chain((!escape).then_some(c))
        })
        .collect()
}

/// What a special value means, in plain words.
pub(crate) fn explained(label: &str) -> String {
    match label {
        "(structure)" => "(file structure)".to_owned(),
        "(padding)" => "(padding between things)".to_owned(),
        "(shared)" => "(shared by several)".to_owned(),
        "(unknown)" => "(not known)".to_owned(),
        "(c-runtime)" => "(C start-up code)".to_owned(),
        other => other.to_owned(),
    }
}
