//! Keys: what things are called, in words that stay the same from build to build.

use serde::{Deserialize, Serialize};

use crate::axis::Axis;
use crate::item_text::{constant_text, item_text, name_text};
use crate::known_symbols::is_anonymous;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind, Owner};
use crate::source_paths::stable_path;

/// The path of all functions without a name.
pub(super) const NAMELESS: &str = "(functions without a name)";

/// What a thing is called. Hashes and disambiguators of symbol names are not in it: they change with profile, folder and
/// version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey<'s> {
    /// The path of the source's item without generic arguments; of a constant without a name, whose it is.
    pub path: &'s str,
    /// The whole name where it says more than the path: with generic arguments, a text, a place in the sources.
    pub arguments: &'s str,
    /// What it is.
    pub kind: EntryKind,
    /// Counts things of one name, in the order of the file.
    pub ordinal: u32,
}

impl<'s> ItemKey<'s> {
    /// The name to show.
    #[must_use]
    pub fn name(&self) -> &'s str {
        if self.arguments.is_empty() {
            self.path
        } else {
            self.arguments
        }
    }
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A function.
    Function,
    /// A constant or variable with a name.
    Data,
    /// A constant that no source names.
    Constant,
    /// A constant that people can read.
    Text,
    /// The place in the sources that a panic names.
    Location,
    /// The name of a source file.
    SourceFile,
    /// The functions of a type behind `dyn Trait`.
    Vtable,
    /// Something of another file.
    Import,
    /// A unit of debug info or of the symbol table.
    Unit,
    /// What several things own at once.
    Shared,
    /// What linker and format add for the whole file.
    Structure,
    /// Bytes between things.
    Padding,
    /// What nothing explains.
    Unknown,
}

impl EntryKind {
    pub(super) fn of(kind: ItemKind) -> Self {
        match kind {
            ItemKind::Function => Self::Function,
            ItemKind::Data => Self::Data,
            ItemKind::Constant => Self::Constant,
            ItemKind::Text => Self::Text,
            ItemKind::Location => Self::Location,
            ItemKind::SourceFile => Self::SourceFile,
            ItemKind::VTable => Self::Vtable,
            ItemKind::Import => Self::Import,
            ItemKind::Unit => Self::Unit,
        }
    }

    /// Whether it is a thing of the program, and no sum over what belongs to none.
    #[must_use]
    pub fn is_item(self) -> bool {
        !matches!(
            self,
            Self::Shared | Self::Structure | Self::Padding | Self::Unknown
        )
    }
}

/// Whether a name is a hash in base 36, as rustc writes them: 25 digits, give or take.
fn is_hash(name: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    (20..=26).contains(&name.len())
        && name.bytes().all(is_digit)
        && name.bytes().any(|b| b.is_ascii_digit())
}

/// How many constants are followed from one to the function that uses the last of them.
const STEPS: usize = 3;
/// How many users of a constant are looked at.
const USERS: usize = 16;

/// The function or named constant that alone uses a constant, by itself or through others without a name.
fn only_user(ledger: &Ledger<'_>, id: ItemId, steps: usize) -> Option<String> {
    let users = ledger.users(id);
    let mut only: Option<String> = None;
    for &user in users.get(..users.len().min(USERS))? {
        let item = ledger.item(user);
        let name = if item.kind.is_data() && is_anonymous(item.name) {
            only_user(ledger, user, steps.checked_sub(1)?)?
        } else {
            name_text(item.name, Axis::Generic)?
        };
        if only.as_ref().is_some_and(|only| *only != name) {
            return None;
        }
        only = Some(name);
    }
    only
}

/// A key whose texts are still to be put into the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewKey {
    pub(super) path: String,
    pub(super) arguments: String,
    pub(super) kind: EntryKind,
}

impl NewKey {
    fn new(path: impl Into<String>, arguments: impl Into<String>, kind: EntryKind) -> Self {
        let (path, mut arguments) = (path.into(), arguments.into());
        if arguments == path {
            arguments.clear();
        }
        Self {
            path,
            arguments,
            kind,
        }
    }

    pub(super) fn of(ledger: &Ledger<'_>, owner: Owner) -> Self {
        match owner {
            Owner::Item(id) => Self::of_item(ledger, id),
            Owner::Shared(_) => Self::new("(shared)", "", EntryKind::Shared),
            Owner::Structure(structure) => {
                let path = format!("(structure: {})", structure.name());
                Self::new(path, "", EntryKind::Structure)
            }
            Owner::Padding => Self::new("(padding)", "", EntryKind::Padding),
            Owner::Unknown => Self::new("(unknown)", "", EntryKind::Unknown),
        }
    }

    fn of_item(ledger: &Ledger<'_>, id: ItemId) -> Self {
        let item = ledger.item(id);
        let kind = EntryKind::of(item.kind);
        if item.kind == ItemKind::Unit || ledger.debug_unit(id).is_some() {
            return Self::of_unit(&item_text(ledger, Axis::Function, id));
        }
        if item.kind == ItemKind::Import {
            return Self::new(item_text(ledger, Axis::Function, id), "", kind);
        }
        if item.kind.is_data() && is_anonymous(item.name) {
            return Self::of_constant(ledger, id, kind);
        }
        match (
            name_text(item.name, Axis::Generic),
            name_text(item.name, Axis::Function),
        ) {
            (Some(path), Some(name)) => Self::new(path, name, kind),
            // Its address says nothing about another build.
            _ => Self::new(NAMELESS, "", kind),
        }
    }

    fn of_constant(ledger: &Ledger<'_>, id: ItemId, kind: EntryKind) -> Self {
        let user = only_user(ledger, id, STEPS);
        let of = |what: &str| match &user {
            Some(user) => format!("({what} of {user})"),
            None => format!("({what})"),
        };
        let text = || constant_text(ledger, id, ledger.item(id));
        match kind {
            EntryKind::Text => Self::new(of("texts"), text(), kind),
            EntryKind::SourceFile => {
                let text = text();
                let path = text.strip_prefix("(file name ").unwrap_or(&text);
                let path = stable_path(path.trim_end_matches(')'));
                Self::new(
                    "(names of source files)",
                    format!("(file name {path})"),
                    kind,
                )
            }
            EntryKind::Location => {
                let text = text();
                let inner = text
                    .strip_prefix("(panic location ")
                    .and_then(|text| text.strip_suffix(')'));
                let mut parts = inner.unwrap_or_default().rsplitn(3, ':');
                let (column, line, path) = (parts.next(), parts.next(), parts.next());
                match (path, line, column) {
                    (Some(path), Some(line), Some(column)) => {
                        let path = stable_path(path);
                        let name = format!("(panic location {path}:{line}:{column})");
                        Self::new(format!("(panic locations in {path})"), name, kind)
                    }
                    _ => Self::new("(panic locations)", "", kind),
                }
            }
            EntryKind::Vtable => Self::new(of("vtables"), "", kind),
            EntryKind::Data => Self::new(of("variables"), "", kind),
            _ => Self::new(of("constants"), "", kind),
        }
    }

    /// `(debug info of src/main.rs/@/rg.b27a7951994ea909-cgu.03)`: the number in it changes with every profile.
    fn of_unit(text: &str) -> Self {
        let kind = EntryKind::Unit;
        let inner = text.trim_end_matches(')');
        let Some((what, name)) = ["(debug info of ", "(file symbol "]
            .iter()
            .find_map(|what| Some((*what, inner.strip_prefix(what)?)))
        else {
            return Self::new(text, "", kind);
        };
        let unit = name.rsplit_once("/@/").map_or(name, |(_, unit)| unit);
        let codegen_unit = unit.rsplit_once("-cgu.").and_then(|(unit, number)| {
            let (name, hash) = unit.rsplit_once('.')?;
            // rustc writes the number without leading zeros.
            u64::from_str_radix(hash, 16).ok()?;
            Some((name, number))
        });
        match codegen_unit {
            Some((name, number)) => Self::new(
                format!("{what}{name})"),
                format!("{what}{name}, codegen unit {number})"),
                kind,
            ),
            // rustc names some units by a hash alone: that of the allocator, for one.
            None if is_hash(unit) => {
                let of = if what.ends_with("of ") { "" } else { "of " };
                Self::new(format!("{what}{of}a codegen unit)"), "", kind)
            }
            None => Self::new(format!("{what}{})", stable_path(name)), "", kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_lose_the_number_that_changes_with_every_profile() {
        let key = NewKey::of_unit("(debug info of src/main.rs/@/rg.b27a7951994ea909-cgu.03)");
        assert_eq!(key.path, "(debug info of rg)");
        assert_eq!(key.arguments, "(debug info of rg, codegen unit 03)");
        let key = NewKey::of_unit("(file symbol dep.6d64eea3e74a95a-cgu.0)");
        assert_eq!(key.path, "(file symbol dep)");
        let key = NewKey::of_unit("(file symbol 1nd0d80geemjt9eo4w9qdcjg1)");
        assert_eq!(key.path, "(file symbol of a codegen unit)");
        let key = NewKey::of_unit("(file symbol crtstuff.c)");
        assert_eq!(
            (key.path.as_str(), key.arguments.as_str()),
            ("(file symbol crtstuff.c)", "")
        );
    }
}
