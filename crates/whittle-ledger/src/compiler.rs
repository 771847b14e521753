//! Which Rust compiled a file: by its own words, else by the commit in the paths of the standard library's sources.

use std::collections::BTreeMap;

use memchr::memmem;
use whittle_image::Image;

/// Releases and their commits: see the head of the file.
const RELEASES: &str = include_str!("rust_releases.txt");

/// The letters of a commit.
const COMMIT_LEN: usize = 40;
/// Different commits that are counted: a program has one, a tool that knows compilers a few.
const MAX_COMMITS: usize = 64;

/// The compiler: `1.95.0 (59807616e 2026-04-14)` as compilers spell it; without a date where only the commit is known; a
/// commit that is none of a known release as `commit 0123…`. Nothing if nothing tells.
pub(crate) fn compiler(image: &Image<'_>) -> Option<String> {
    if let Some(rustc) = image.facts.rustc() {
        return Some(rustc.to_owned());
    }
    if let Some(commit) = commit(image.data) {
        return Some(match release(commit) {
            Some(version) => format!("{version} ({})", commit.get(..9).unwrap_or(commit)),
            None => format!("commit {commit}"),
        });
    }
    // Debian has the sources in a folder with the version in its name.
    memmem::find_iter(image.data, b"/usr/src/rustc-").find_map(|at| {
        let rest = image.data.get(at + b"/usr/src/rustc-".len()..)?;
        let len = rest.iter().take(16).position(|&byte| byte == b'/')?;
        let version = std::str::from_utf8(&rest[..len]).ok()?;
        let is_version = version.split('.').count() == 3
            && version
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_version.then(|| version.to_owned())
    })
}

/// The commit that most paths name; of several the smallest.
fn commit(data: &[u8]) -> Option<&str> {
    const MARK: &[u8] = b"/rustc/";
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for at in memmem::find_iter(data, MARK) {
        let start = at + MARK.len();
        let commit = data.get(start..start + COMMIT_LEN);
        let behind = data.get(start + COMMIT_LEN);
        let is_commit = |bytes: &[u8]| {
            bytes
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if let Some(commit) = commit.filter(|bytes| is_commit(bytes))
            && matches!(behind, Some(b'/' | b'\\'))
            && let Ok(commit) = std::str::from_utf8(commit)
            && (counts.len() < MAX_COMMITS || counts.contains_key(commit))
        {
            *counts.entry(commit).or_default() += 1;
        }
    }
    let most = counts
        .into_iter()
        .max_by_key(|&(commit, count)| (count, std::cmp::Reverse(commit)));
    most.map(|(commit, _)| commit)
}

/// The release that was built from a commit.
fn release(commit: &str) -> Option<&'static str> {
    releases().find_map(|(version, of_commit)| (of_commit == commit).then_some(version))
}

/// Versions with their commits.
fn releases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = RELEASES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_whole() {
        let lines = RELEASES.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), releases().count());
        let mut before = Vec::new();
        for (version, commit) in releases() {
            let numbers: Vec<u32> = version
                .split('.')
                .map(|number| number.parse().expect("a number"))
                .collect();
            assert_eq!(numbers.len(), 3, "{version}");
            assert!(before < numbers, "{version} is in its place");
            assert_eq!(commit.len(), COMMIT_LEN, "{version}");
            assert!(
                commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{version}"
            );
            before = numbers;
        }
        let mut commits: Vec<&str> = releases().map(|(_, commit)| commit).collect();
        commits.sort_unstable();
        commits.dedup();
        assert_eq!(commits.len(), releases().count());
    }

    #[test]
    fn every_release_says_where_it_is_known_from() {
        for line in RELEASES.lines().filter(|line| !line.starts_with('#')) {
            let sources = line.split_whitespace().nth(2);
            let is_listed = |source| RELEASES.contains(&format!("\n# {source}  "));
            assert!(
                sources.is_some_and(|sources| sources.chars().all(is_listed)),
                "{line}"
            );
        }
    }

    #[test]
    fn paths_of_either_system_name_the_commit() {
        let commit_of = |text: &str| commit(text.as_bytes()).map(str::to_owned);
        let hash = "59807616e1fa2540724bfbac14d7976d7e4a3860";
        for path in [
            format!("x/rustc/{hash}/library/core/src/fmt/mod.rs"),
            format!("/rustc/{hash}\\library\\core\\src\\fmt\\mod.rs"),
        ] {
            assert_eq!(commit_of(&path).as_deref(), Some(hash), "{path}");
        }
        assert_eq!(release(hash), Some("1.95.0"));
        assert_eq!(commit_of(&format!("/rustc/{hash}")), None, "no path");
        assert_eq!(commit_of("/rustc/59807616/library"), None, "cut off");
    }

    #[test]
    fn of_several_commits_most_paths_decide() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let text = format!("/rustc/{a}/x /rustc/{b}/x /rustc/{b}/y");
        assert_eq!(commit(text.as_bytes()), Some(&*b));
    }
}
