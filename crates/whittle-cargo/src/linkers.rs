//! Which linkers are installed, as the compiler that drives them finds them.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::helper::Helper;
use crate::process::Invocation;

/// A linker that a C compiler can be told to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledLinker {
    /// Which.
    pub kind: LinkerKind,
    /// Its version as it says it, such as `2.40` or `22.1.2`.
    pub version: String,
    /// Whether it is the one that comes with the Rust toolchain.
    pub origin: LinkerOrigin,
    /// The C compiler's arguments that choose it.
    pub args: Vec<String>,
}

/// The linkers of ELF files that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkerKind {
    /// LLVM's.
    Lld,
    /// GNU's own.
    Bfd,
    /// GNU's other one.
    Gold,
    /// mold.
    Mold,
    /// wild.
    Wild,
}

/// Where a linker is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkerOrigin {
    /// The Rust toolchain.
    Toolchain,
    /// The system.
    System,
}

impl fmt::Display for LinkerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl LinkerKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Lld, Self::Bfd, Self::Gold, Self::Mold, Self::Wild];

    /// The word behind `-fuse-ld=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lld => "lld",
            Self::Bfd => "bfd",
            Self::Gold => "gold",
            Self::Mold => "mold",
            Self::Wild => "wild",
        }
    }

    /// Which one says this of itself: `GNU ld (GNU Binutils) 2.40`, `GNU gold (GNU Binutils 2.40) 1.16`, `mold 2.40.0
    /// (compatible with GNU ld)`, `LLD 22.1.2 (… 1cb4e38) (compatible with GNU linkers)`, `Wild 0.6.0 (compatible …)`.
    fn of_version(line: &str) -> Option<Self> {
        let starts = |word: &str| {
            line.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        [
            ("GNU ld", Self::Bfd),
            ("GNU gold", Self::Gold),
            ("mold ", Self::Mold),
            ("wild ", Self::Wild),
        ]
        .into_iter()
        .find(|(word, _)| starts(word))
        .map(|(_, kind)| kind)
        // Some distributions put their own name first.
        .or_else(|| line.contains("LLD ").then_some(Self::Lld))
    }
}

/// Asks a C compiler for each linker that it may have, and for the one in the sysroot of a Rust toolchain for `host`. What
/// does not answer, or answers as another, is left out.
///
/// The compiler itself is asked, since it alone decides where it looks and which names it takes.
#[must_use]
pub fn linkers(
    compiler: &OsStr,
    sysroot: &Path,
    host: &str,
    helper: &Helper,
) -> Vec<InstalledLinker> {
    let bundled = sysroot.join("lib/rustlib").join(host).join("bin/gcc-ld");
    let toolchains = bundled.to_str().filter(|_| bundled.is_dir()).map(|folder| {
        (
            LinkerKind::Lld,
            LinkerOrigin::Toolchain,
            vec![format!("-B{folder}"), "-fuse-ld=lld".to_owned()],
        )
    });
    let systems = LinkerKind::ALL.map(|kind| {
        let args = vec![format!("-fuse-ld={kind}")];
        (kind, LinkerOrigin::System, args)
    });
    let candidates = toolchains.into_iter().chain(systems);
    candidates
        .filter_map(|(kind, origin, args)| {
            let version = version(compiler, &args, kind, helper)?;
            Some(InstalledLinker {
                kind,
                version,
                origin,
                args,
            })
        })
        .collect()
}

fn version(compiler: &OsStr, args: &[String], kind: LinkerKind, helper: &Helper) -> Option<String> {
    let folder = tempfile::tempdir().ok()?; // in case it links after all
    let ask = args.iter().map(String::as_str).chain(["-Wl,--version"]);
    let mut invocation = Invocation::program(compiler, ask);
    invocation.directory = Some(folder.path().to_owned());
    invocation.environment = vec![("LC_ALL".into(), Some("C".into()))];
    invocation.limit = Some(Duration::from_secs(10));
    let run = invocation.run(helper).ok()?;
    let text = run.stdout.text();
    let line = text.lines().next().filter(|_| run.ending.is_success())?;
    (LinkerKind::of_version(line) == Some(kind)).then(|| number(line).unwrap_or(line).to_owned())
}

/// The first word that looks like a version, not counting what is in brackets.
fn number(line: &str) -> Option<&str> {
    let mut depth = 0_u32;
    line.split(' ').find(|word| {
        let before = depth;
        for character in word.chars() {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        before == 0 && word.starts_with(|first: char| first.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkers_are_known_by_what_they_say() {
        for (line, kind, version) in [
            (
                "GNU ld (GNU Binutils for Debian) 2.40",
                LinkerKind::Bfd,
                "2.40",
            ),
            (
                "GNU ld version 2.41-34.fc40",
                LinkerKind::Bfd,
                "2.41-34.fc40",
            ),
            (
                "GNU gold (GNU Binutils for Debian 2.40) 1.16",
                LinkerKind::Gold,
                "1.16",
            ),
            (
                "mold 1.10.1 (compatible with GNU ld)",
                LinkerKind::Mold,
                "1.10.1",
            ),
            (
                "LLD 22.1.2 (/checkout/llvm 1cb4e38) (compatible with GNU linkers)",
                LinkerKind::Lld,
                "22.1.2",
            ),
            (
                "Debian LLD 14.0.6 (compatible with GNU linkers)",
                LinkerKind::Lld,
                "14.0.6",
            ),
            (
                "Wild 0.6.0 (compatible with GNU linkers)",
                LinkerKind::Wild,
                "0.6.0",
            ),
        ] {
            assert_eq!(LinkerKind::of_version(line), Some(kind), "{line}");
            assert_eq!(number(line), Some(version), "{line}");
        }
        assert_eq!(LinkerKind::of_version("gcc (Debian) 12.2.0"), None);
        assert_eq!(LinkerKind::of_version("é"), None);
    }
}
