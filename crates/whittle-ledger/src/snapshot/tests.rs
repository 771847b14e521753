//! Snapshots made by hand, and what is read of damaged ones.

use rustc_hash::FxHashMap;

use super::document::{FORMAT, VERSION};
use super::roll_up::last;
use super::{CrateLabel, Entry, EntryKind, ProgramFacts, Snapshot, SnapshotError, Spot};
use crate::certainty::Certainty;
use crate::crates::Family;

/// One entry in words.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) path: String,
    pub(crate) arguments: String,
    pub(crate) kind: EntryKind,
    pub(crate) defined_in: String,
    pub(crate) family: Family,
    pub(crate) body: Option<u64>,
    pub(crate) likeness: Option<u64>,
    /// Kind, bytes.
    pub(crate) parts: Vec<(&'static str, u64)>,
}

/// A snapshot of so many entries.
pub(crate) fn snapshot(list: &[Said]) -> Snapshot {
    let mut snapshot = Snapshot {
        format: FORMAT.to_owned(),
        version: VERSION,
        file: ProgramFacts::default(),
        build: None,
        packages: Vec::new(),
        texts: vec![String::new()],
        crates: Vec::new(),
        spots: Vec::new(),
        items: Vec::new(),
    };
    let mut ordinals = FxHashMap::<(u32, u32, EntryKind), u32>::default();
    for said in list {
        let mut text = |text: &str| {
            let texts = &mut snapshot.texts;
            let at = texts.iter().position(|known| known == text);
            at.map_or_else(
                || {
                    texts.push(text.to_owned());
                    last(texts.len())
                },
                |at| last(at + 1),
            )
        };
        let (path, arguments) = (text(&said.path), text(&said.arguments));
        let (section, cause) = (text(".section"), text("own code"));
        let mut parts = Vec::new();
        let kinds: Vec<u32> = said.parts.iter().map(|part| text(part.0)).collect();
        for (kind, (_, bytes)) in kinds.into_iter().zip(&said.parts) {
            let spot = Spot {
                member: section,
                segment: section,
                section,
                kind,
                cause,
                certainty: Certainty::Exact,
                cause_certainty: Certainty::Exact,
            };
            let known = snapshot.spots.iter().position(|other| *other == spot);
            let number = known.unwrap_or_else(|| {
                snapshot.spots.push(spot);
                snapshot.spots.len() - 1
            });
            let number = last(number + 1);
            match parts.iter_mut().find(|(other, _, _)| *other == number) {
                Some(part) => part.1 += bytes,
                None => parts.push((number, *bytes, 0)),
            }
        }
        snapshot.file.size += said.parts.iter().map(|part| part.1).sum::<u64>();
        let label = CrateLabel {
            label: said.defined_in.clone(),
            family: said.family,
        };
        let known = snapshot.crates.iter().position(|other| *other == label);
        let defined_in = known.unwrap_or_else(|| {
            snapshot.crates.push(label);
            snapshot.crates.len() - 1
        });
        let ordinal = ordinals.entry((path, arguments, said.kind)).or_default();
        snapshot.items.push(Entry {
            path,
            arguments,
            kind: said.kind,
            ordinal: *ordinal,
            module: 0,
            defined_in: last(defined_in + 1),
            compiled_in: last(defined_in + 1),
            crate_certainty: Certainty::Exact,
            compiled_in_certainty: Certainty::Exact,
            body: said.body,
            likeness: said.likeness,
            parts,
        });
        *ordinal += 1;
    }
    snapshot
}

pub(crate) fn said(path: &str, arguments: &str, bytes: u64) -> Said {
    Said {
        path: path.to_owned(),
        arguments: arguments.to_owned(),
        kind: EntryKind::Function,
        defined_in: "app@0.1.0".to_owned(),
        family: Family::Package,
        body: None,
        likeness: None,
        parts: vec![("code", bytes), ("symbol names", 30)],
    }
}

#[test]
fn what_is_written_is_read_again() {
    let mut list = vec![
        said("app::main", "", 100),
        said("app::twice", "app::twice::<u8>", 40),
    ];
    list[1].body = Some(u64::MAX);
    let snapshot = snapshot(&list);
    let bytes = snapshot.write();
    assert!(Snapshot::is_one(&bytes));
    assert_eq!(Snapshot::read(&bytes).expect("it is one"), snapshot);
    assert_eq!(snapshot.write(), bytes);
}

#[test]
fn what_does_not_add_up_is_refused() {
    let bytes = snapshot(&[said("app::main", "", 100)]).write();
    let text = String::from_utf8(bytes).expect("JSON is text");
    let read = |text: &str| Snapshot::read(text.as_bytes());
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        read(&text.replacen(from, to, 1))
    };
    assert!(matches!(
        changed("\"size\":130", "\"size\":131"),
        Err(SnapshotError::Sum { .. })
    ));
    assert!(matches!(
        changed("\"version\":1", "\"version\":2"),
        Err(SnapshotError::Newer { version: 2 })
    ));
    assert!(matches!(
        changed("/snapshot", "/explain"),
        Err(SnapshotError::OtherFormat { .. })
    ));
    assert!(matches!(
        changed("\"module\":0", "\"module\":77"),
        Err(SnapshotError::OutOfRange { .. })
    ));
    assert!(matches!(
        read("[1, 2"),
        Err(SnapshotError::NoSnapshot { .. })
    ));
    assert!(matches!(
        read("\u{7f}ELF"),
        Err(SnapshotError::NoSnapshot { .. })
    ));
    for end in (0..text.len()).step_by(7) {
        if let Some(start) = text.get(..end) {
            assert!(read(start).is_err());
        }
    }
}
