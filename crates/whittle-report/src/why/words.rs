//! Words for why one thing keeps another.

use whittle_code::ReferenceKind;
use whittle_ledger::{Mention, RootKind, SubjectKind};

use crate::numbers::grouped;
use crate::words::explained;

/// The name in documents.
pub(super) fn mention(mention: Mention) -> &'static str {
    match mention {
        Mention::Reference { kind, .. } => match kind {
            ReferenceKind::Call => "call",
            ReferenceKind::Jump => "jump",
            ReferenceKind::Address => "address",
            ReferenceKind::Access => "access",
            ReferenceKind::Operand => "operand",
            ReferenceKind::Pointer => "pointer",
            ReferenceKind::ExceptionTable => "exception-table",
            ReferenceKind::Personality => "personality",
            _ => "reference",
        },
        Mention::Shared => "shared",
        Mention::Together => "together",
        Mention::StringEnd => "string-end",
        Mention::Distance => "distance",
        Mention::TableCall => "table-call",
        Mention::TableEntry => "table-entry",
        Mention::Root(root) => match root {
            RootKind::Entry => "entry",
            RootKind::Always => "always",
            RootKind::Exported => "exported",
            RootKind::ThreadLocal => "thread-local",
            RootKind::Personality => "personality",
            RootKind::Loader => "loader",
            RootKind::Describes => "describes",
            _ => "unknown",
        },
        _ => "other",
    }
}

/// What the one does with the other, for people; never longer than [`VERB`] columns.
pub(super) fn verb(mention: Mention) -> &'static str {
    match mention {
        Mention::Reference { kind, .. } => match kind {
            ReferenceKind::Call => "calls",
            ReferenceKind::Jump => "jumps to",
            ReferenceKind::Access => "reads",
            ReferenceKind::Pointer => "points at",
            ReferenceKind::ExceptionTable | ReferenceKind::Personality => "unwinds by",
            _ => "uses",
        },
        Mention::Shared => "shares",
        Mention::Together => "stands by",
        Mention::StringEnd => "ends in",
        Mention::Distance => "leads to",
        Mention::TableCall => "makes",
        Mention::TableEntry => "can reach",
        _ => "starts",
    }
}

/// The columns of a verb.
pub(super) const VERB: usize = 10;

/// Why the first step of a way is there, for people.
pub(super) fn root(mention: Mention) -> &'static str {
    match mention {
        Mention::Root(RootKind::Entry) => "the program starts here",
        Mention::Root(RootKind::Always) => "it runs before or after the program",
        Mention::Root(RootKind::Exported) => "other files may use it: it is exported",
        Mention::Root(RootKind::ThreadLocal) => "each thread gets it at its start",
        Mention::Root(RootKind::Personality) => "the unwinder asks it about frames",
        Mention::Root(RootKind::Loader) => "the loader reads it",
        Mention::Root(RootKind::Describes) => "it describes other things",
        _ => "bytes mention it of which nobody knows whose they are",
    }
}

/// The name in documents.
pub(super) fn kind(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Function => "function",
        SubjectKind::Data => "data",
        SubjectKind::Import => "import",
        SubjectKind::Copies => "copies",
        SubjectKind::Module => "module",
        SubjectKind::Package => "package",
        SubjectKind::Pattern => "pattern",
    }
}

/// What was asked about, for people: `a package: 5 functions and constants`.
pub(super) fn described(kind: SubjectKind, items: usize, package: Option<&str>) -> String {
    let things = match items {
        1 => "one function or constant".to_owned(),
        _ => format!("{} functions and constants", grouped(as_u64(items))),
    };
    let what = match kind {
        SubjectKind::Function => "a function".to_owned(),
        SubjectKind::Data => "a constant or variable".to_owned(),
        SubjectKind::Import => "something of another file".to_owned(),
        SubjectKind::Copies => format!("{} copies of a function", grouped(as_u64(items))),
        SubjectKind::Module => format!("a module: {things}"),
        SubjectKind::Package => return format!("a package: {things}"),
        SubjectKind::Pattern => format!("a pattern: {things}"),
    };
    match package {
        Some(package) => format!("{what} of {}", explained(package)),
        None => what,
    }
}

pub(super) fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Features and so on, after a word: `features a, b`; nothing if there are none.
pub(super) fn listed(what: &str, list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| format!("{what} {}", list.join(", ")))
}

/// What a dependent asks for, for people.
pub(super) fn asked(dependent: &super::Dependent) -> String {
    let own = dependent.is_member.then(|| "yours".to_owned());
    let defaults = if dependent.default_features {
        Some("default features".to_owned())
    } else {
        Some("no default features".to_owned())
    };
    let features = listed("asks for", &dependent.features);
    let through = listed("by its feature", &dependent.through);
    let parts: Vec<String> = [own, through, features, defaults]
        .into_iter()
        .flatten()
        .collect();
    parts.join("; ")
}
