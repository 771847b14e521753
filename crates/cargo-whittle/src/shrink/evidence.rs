//! What a file says that decides about it: sizes, the C library it needs, what it exports, what in it catches panics.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use whittle_image::{Described, Image, SymbolKind, SymbolTableRole};
use whittle_names::Name;
use whittle_trial::detect::panics::{CatchingFunction, Shown};
use whittle_trial::libc::LibcVersion;
use whittle_trial::trial::Sizes;

use crate::trouble::{Outcome, Trouble};

/// What a file says that decides about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileFacts {
    pub(crate) sizes: Sizes,
    /// The version of glibc it needs; nothing if it asks for none.
    pub(crate) libc_floor: Option<LibcVersion>,
    /// The hash of its bytes.
    pub(crate) hash: String,
    /// Names that other files can link to, sorted.
    pub(crate) exports: Vec<String>,
}

impl FileFacts {
    /// Reads a linked file. Of what is not ELF only the sizes on disk are known, and its memory counts as its file.
    pub(crate) fn of(bytes: &[u8]) -> Outcome<Self> {
        let file = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let compressed = compressed(bytes)
            .context("cannot compress a file")
            .map_err(Trouble::plain)?;
        // Of an archive it is the symbols that matter: no loader maps it.
        let image = Image::parse(bytes).ok();
        let image = image.filter(|image| !image.is_container());
        let loaded = image.as_ref().map_or(file, |image| {
            image.segments.iter().fold(0, |sum: u64, segment| {
                sum.saturating_add(segment.memory_size)
            })
        });
        Ok(Self {
            sizes: Sizes {
                file,
                compressed,
                loaded,
            },
            libc_floor: image.as_ref().and_then(floor),
            hash: hash(bytes),
            exports: match &image {
                Some(image) => exports(image),
                None => archive_exports(bytes),
            },
        })
    }
}

/// The version of glibc that a file needs; nothing if it asks for none.
pub(crate) fn libc_floor(bytes: &[u8]) -> Option<LibcVersion> {
    floor(&Image::parse(bytes).ok()?)
}

fn floor(image: &Image<'_>) -> Option<LibcVersion> {
    LibcVersion::floor(image.facts.needed_versions.iter().map(String::as_str))
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The size after `gzip -9`, in bytes.
pub(crate) fn compressed(bytes: &[u8]) -> std::io::Result<u64> {
    let mut encoder = GzEncoder::new(Count(0), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.0)
}

/// A place for bytes that only counts them.
struct Count(u64);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What somebody who links an archive can mean by a name: its global symbols but for those of Rust's own, whose names and
/// number change with every setting. Nothing for what is no archive.
fn archive_exports(bytes: &[u8]) -> Vec<String> {
    const OWN: [&str; 3] = ["__rust_", "__rdl_", "__rg_"];
    const RUNTIME: [&str; 3] = ["rust_eh_personality", "rust_begin_unwind", "rust_panic"];
    let is_of_rust = |name: &str| {
        let bare = name.strip_prefix("DW.ref.").unwrap_or(name);
        Name::parse(name).is_some()
            || RUNTIME.contains(&bare)
            || OWN.iter().any(|own| name.starts_with(own))
    };
    whittle_image::archive_exports(bytes)
        .unwrap_or_default()
        .into_iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .filter(|name| !is_of_rust(name))
        .collect()
}

fn exports(image: &Image<'_>) -> Vec<String> {
    let mut names: Vec<String> = image
        .symbol_tables
        .iter()
        .filter(|table| table.role == SymbolTableRole::Dynamic)
        .flat_map(|table| &table.symbols)
        .filter(|symbol| !symbol.undefined && !symbol.name.is_empty())
        .map(|symbol| String::from_utf8_lossy(symbol.name).into_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What a file with symbols shows of catches: the functions whose exception table has one, in the order of their code, and
/// all paths that names of functions mention.
///
/// `None` if the file cannot be read, or has an exception table that cannot be followed: then nothing is sure.
pub(crate) fn shown(bytes: &[u8]) -> Option<Shown> {
    let image = Image::parse(bytes).ok()?;
    let symbols = &image.static_symbols()?.symbols;
    let mut found = Vec::new();
    let entries = image.unwind_tables.iter().flat_map(|table| &table.entries);
    for entry in entries {
        let Described::Code {
            start,
            exceptions: Some(exceptions),
            ..
        } = entry.describes
        else {
            continue;
        };
        let at = image
            .exception_tables
            .binary_search_by_key(&exceptions, |table| table.place)
            .ok()?;
        if !image.exception_tables.get(at)?.catches? {
            continue;
        }
        let symbol = symbols
            .iter()
            .find(|symbol| symbol.place == Some(start) && !symbol.name.is_empty());
        let mangled = symbol.map(|symbol| String::from_utf8_lossy(symbol.name));
        found.push((start, function(mangled.as_deref().unwrap_or_default())));
    }
    found.sort_by_key(|(start, _)| *start);
    let mut paths = BTreeSet::new();
    for symbol in symbols {
        if symbol.kind == SymbolKind::Function
            && let Ok(mangled) = std::str::from_utf8(symbol.name)
            && let Some(name) = Name::parse(mangled)
        {
            add_paths(&name.short().to_string(), &mut paths);
        }
    }
    Some(Shown {
        catching: found.into_iter().map(|(_, function)| function).collect(),
        paths,
    })
}

fn function(mangled: &str) -> CatchingFunction {
    let name = match Name::parse(mangled) {
        Some(name) => name.short().to_string(),
        None => mangled.to_owned(),
    };
    let mut crates = heads(&name);
    let parsed = Name::parse(mangled);
    let further = parsed
        .as_ref()
        .and_then(Name::instantiating_crate)
        .map(|instantiating| instantiating.name.to_owned());
    // Where generic code of one crate was compiled says for whom it was.
    crates.extend(further);
    crates.sort();
    crates.dedup();
    CatchingFunction { name, crates }
}

/// All paths in a name, and all that lead to them.
fn add_paths(name: &str, paths: &mut BTreeSet<String>) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for path in name.split(|c: char| !is_part(c)) {
        let path = path.trim_matches(':');
        let ends = path.match_indices("::").map(|(end, _)| end);
        for end in ends.chain([path.len()]) {
            let leading = &path[..end];
            if !leading.is_empty() && !paths.contains(leading) {
                paths.insert(leading.to_owned());
            }
        }
    }
}

/// The first segments of all paths in a name: the crates it mentions.
fn heads(name: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut heads = Vec::new();
    let mut rest = name;
    let mut before = "";
    while let Some(start) = rest.find(is_part) {
        let skipped = &rest[..start];
        let word_and_more = &rest[start..];
        let end = word_and_more
            .find(|c: char| !is_part(c))
            .unwrap_or(word_and_more.len());
        let (word, after) = word_and_more.split_at(end);
        let follows_path =
            skipped.ends_with("::") || (skipped.is_empty() && before.ends_with("::"));
        if after.starts_with("::") && !follows_path {
            heads.push(word.to_owned());
        }
        before = skipped;
        rest = after;
    }
    heads.sort();
    heads.dedup();
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_mentions_the_crates_at_the_heads_of_its_paths() {
        assert_eq!(heads("server::serve::{closure#0}"), ["server"]);
        assert_eq!(
            heads("<my_crate::Job as other::Run>::run::<core::option::Option<third::T>>"),
            ["core", "my_crate", "other", "third"]
        );
        assert_eq!(heads("main"), Vec::<String>::new());
    }

    #[test]
    fn a_name_mentions_every_path_that_leads_to_one() {
        let mut paths = BTreeSet::new();
        add_paths("<a::b::C as d::E>::f::<core::x>", &mut paths);
        let found: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(
            found,
            [
                "a", "a::b", "a::b::C", "as", "core", "core::x", "d", "d::E", "f"
            ]
        );
    }

    #[test]
    fn compressing_counts_what_would_be_written() -> std::io::Result<()> {
        let zeros = vec![0; 1 << 20];
        let size = compressed(&zeros)?;
        assert!((500..5_000).contains(&size), "{size}");
        Ok(())
    }

    #[test]
    fn this_very_test_catches_panics() {
        // The test runner catches the panics of tests.
        let path = std::env::current_exe().expect("the system knows");
        let bytes = std::fs::read(path).expect("it can be read");
        let found = shown(&bytes).expect("its tables can be followed");
        assert!(
            found.paths.contains("test"),
            "the runner's own code is in it"
        );
        let is_the_runner = |function: &CatchingFunction| {
            function.name.contains("test") || function.crates.contains(&"test".to_owned())
        };
        assert!(
            found.catching.iter().any(is_the_runner),
            "{:?}",
            found.catching
        );
        let facts = FileFacts::of(&bytes).expect("it is a file");
        assert_eq!(
            facts.sizes.file,
            u64::try_from(bytes.len()).unwrap_or_default()
        );
        assert!(facts.sizes.compressed < facts.sizes.file);
    }
}
