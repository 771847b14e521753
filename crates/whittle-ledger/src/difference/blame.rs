//! What each changed byte is due to, in an order of rules of which the first that fits wins.
//!
//! Each pair has one motive, but for its symbols and debug info where these were switched on or off. So motives add up to the
//! difference of the sizes, as rows do.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};

use super::matching::package_name;
use super::{Build, Difference, Pair, Stage, signed};
use crate::axis::Axis;
use crate::crates::Family;
use crate::kind::Kind;
use crate::snapshot::{Entry, EntryKind, Snapshot};

/// How many names are kept of what a motive is about.
const EXAMPLES: usize = 3;

/// What a change is due to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Motive {
    /// A package is new: the number of it in [`Build::new`].
    New(usize),
    /// A package is gone: the number of it in [`Build::gone`].
    Gone(usize),
    /// A package has another version: the number of it in [`Build::bumps`].
    Bumped(usize),
    /// Features of a package were switched: `name@version`, as in [`Build::features`].
    Features(String),
    /// The compiler is another.
    Toolchain,
    /// Settings of the profile or flags changed.
    Settings,
    /// Symbols or debug info are kept or left out otherwise.
    Symbols,
    /// There are more or fewer copies of generic functions.
    Copies,
    /// Code of the user's own package of that name.
    Own(String),
    /// Code of a package of that name which has not changed itself: more or less of it is used.
    Used(String),
    /// Code of the standard library: more or less of it is used.
    Standard,
    /// Bytes that nothing explains, or whose crate is not known.
    Unknown,
    /// Padding and the file's structure.
    Structure,
}

/// A motive and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blame {
    /// What it is due to.
    pub motive: Motive,
    /// How many bytes of the file came; negative if more went.
    pub bytes: i64,
    /// What changed most, with its bytes: names as on the axis `generic`, of what nothing explains the section.
    pub examples: Vec<(String, i64)>,
}

impl Difference<'_> {
    /// What the difference is due to, by the amount; the structure comes last. The bytes add up to the difference of the
    /// sizes.
    #[must_use]
    pub fn blames(&self) -> Vec<Blame> {
        let rules = Rules::new(self);
        let mut sums: FxHashMap<Motive, (i64, FxHashMap<&str, i64>)> = FxHashMap::default();
        for pair in &self.pairs {
            let motive = rules.of_pair(pair);
            for (side, entry, sign) in [(self.old, pair.old, -1), (self.new, pair.new, 1)] {
                let Some(entry) = entry else { continue };
                for part in side.parts(entry) {
                    let motive = if rules.about_symbols && is_about_symbols(part.kind()) {
                        &Motive::Symbols
                    } else {
                        &motive
                    };
                    let bytes = sign * signed(part.file);
                    if bytes == 0 {
                        continue;
                    }
                    let name = match entry.kind() {
                        EntryKind::Unknown => part.value(Axis::Section).map_or("", |it| it.0),
                        _ if *motive == Motive::Symbols => part.kind(),
                        _ => pair_name(self, pair),
                    };
                    let sum = match sums.get_mut(motive) {
                        Some(sum) => sum,
                        None => sums.entry(motive.clone()).or_default(),
                    };
                    sum.0 += bytes;
                    *sum.1.entry(name).or_default() += bytes;
                }
            }
        }
        let mut blames: Vec<Blame> = sums
            .into_iter()
            .map(|(motive, (bytes, names))| Blame {
                motive,
                bytes,
                examples: largest(names),
            })
            .filter(|blame| blame.bytes != 0 || !blame.examples.is_empty())
            .collect();
        blames.sort_by(|a, b| {
            let key = |it: &Blame| {
                (
                    it.motive == Motive::Structure,
                    Reverse(it.bytes.unsigned_abs()),
                )
            };
            (key(a), &a.motive).cmp(&(key(b), &b.motive))
        });
        blames
    }
}

/// What a pair is called on the new side, else on the old one.
fn pair_name<'s>(difference: &Difference<'s>, pair: &Pair<'s>) -> &'s str {
    match (pair.new, pair.old) {
        (Some(entry), _) => difference.new.key(entry).path,
        (None, Some(entry)) => difference.old.key(entry).path,
        (None, None) => "",
    }
}

fn largest(names: FxHashMap<&str, i64>) -> Vec<(String, i64)> {
    let mut names: Vec<(&str, i64)> = names.into_iter().filter(|it| it.1 != 0).collect();
    names.sort_unstable_by_key(|&(name, bytes)| (Reverse(bytes.unsigned_abs()), name));
    names.truncate(EXAMPLES);
    names
        .into_iter()
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect()
}

fn is_about_symbols(kind: &str) -> bool {
    kind == Kind::SymbolNames.name() || kind == Kind::DebugInfo.name()
}

struct Rules<'d, 's> {
    difference: &'d Difference<'s>,
    build: &'d Build,
    /// Names of packages of the user's own.
    members: FxHashSet<&'s str>,
    /// Functions by path that either side has.
    families: [FxHashSet<&'s str>; 2],
    /// Whether symbols or debug info were switched on or off.
    about_symbols: bool,
}

impl<'d, 's> Rules<'d, 's> {
    fn new(difference: &'d Difference<'s>) -> Self {
        let (old, new) = (difference.old, difference.new);
        let families = |side: &'s Snapshot| -> FxHashSet<&'s str> {
            let functions = side
                .entries()
                .iter()
                .filter(|it| it.kind() == EntryKind::Function);
            functions.map(|it| side.key(it).path).collect()
        };
        let build = &difference.build;
        let members = old
            .packages
            .iter()
            .chain(&new.packages)
            .filter(|it| it.member);
        Self {
            difference,
            build,
            members: members.map(|it| it.name.as_str()).collect(),
            families: [families(old), families(new)],
            about_symbols: old.file.stripped != new.file.stripped
                || build
                    .settings
                    .iter()
                    .any(super::SettingChange::is_about_symbols),
        }
    }

    fn of_pair(&self, pair: &Pair<'s>) -> Motive {
        let (side, entry) = match (pair.new, pair.old) {
            (Some(entry), _) => (self.difference.new, entry),
            (None, Some(entry)) => (self.difference.old, entry),
            (None, None) => return Motive::Unknown,
        };
        if matches!(entry.kind(), EntryKind::Padding | EntryKind::Structure) {
            return Motive::Structure;
        }
        let (defined, family) = side.defined_in(entry);
        if let Some(motive) = self.of_package(defined) {
            return motive;
        }
        // What a package that changed has instantiated of others that did not.
        if pair.stage == Stage::Alone
            && let Some(motive) = self.of_package(side.compiled_in(entry).0)
        {
            return motive;
        }
        if self.build.toolchain.is_some() {
            return Motive::Toolchain;
        }
        if self.build.changes_code() {
            return Motive::Settings;
        }
        if pair.stage == Stage::Alone && self.is_copy(side, entry, pair.new.is_some()) {
            return Motive::Copies;
        }
        match family {
            Family::Standard => Motive::Standard,
            Family::Package => {
                let package = package_name(defined);
                if self.members.contains(package) {
                    Motive::Own(package.to_owned())
                } else {
                    Motive::Used(package.to_owned())
                }
            }
            Family::Special => Motive::Unknown,
        }
    }

    /// What changed about a package.
    fn of_package(&self, label: &str) -> Option<Motive> {
        let build = self.build;
        if let Some(at) = build.new.iter().position(|it| it.label == label) {
            return Some(Motive::New(at));
        }
        if let Some(at) = build.gone.iter().position(|it| it == label) {
            return Some(Motive::Gone(at));
        }
        let name = package_name(label);
        let version = label.split_once('@').map(|(_, version)| version);
        let is_it = |old: &str, new: &str| version.is_none_or(|it| it == old || it == new);
        let bumped = build
            .bumps
            .iter()
            .position(|it| it.package == name && is_it(&it.old, &it.new));
        // A new number on one's own package is no cause: what was written in it is.
        if let Some(at) = bumped.filter(|_| !self.members.contains(name)) {
            return Some(Motive::Bumped(at));
        }
        let switched = build.features.iter().find(|it| {
            it.package == label || (version.is_none() && package_name(&it.package) == name)
        });
        switched.map(|it| Motive::Features(it.package.clone()))
    }

    /// Whether the other side has copies of the same function too.
    fn is_copy(&self, side: &'s Snapshot, entry: &'s Entry, is_new: bool) -> bool {
        let others = &self.families[usize::from(!is_new)];
        let key = side.key(entry);
        // Legacy names hold no arguments, and give one name to all closures of a function.
        let is_one_source = !key.arguments.is_empty() || !key.path.ends_with("{{closure}}");
        entry.kind() == EntryKind::Function && is_one_source && others.contains(key.path)
    }
}
