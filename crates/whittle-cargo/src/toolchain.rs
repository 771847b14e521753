//! The compiler that cargo uses.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::selection::is_specification_file;

/// What `rustc -vV` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Toolchain {
    /// The release, such as `1.95.0` or `1.97.0-nightly`.
    pub release: String,
    /// The triple of the machine the compiler runs on.
    pub host: String,
    /// The full commit hash; distributions that build from a tarball have none.
    pub commit_hash: Option<String>,
    /// The version of LLVM; other backends have none.
    pub llvm: Option<String>,
}

impl Toolchain {
    /// Reads the lines of `rustc -vV`; `None` if release or host are not among them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
                .filter(|value| *value != "unknown")
                .map(ToOwned::to_owned)
        };
        Some(Self {
            release: value("release")?,
            host: value("host")?,
            commit_hash: value("commit-hash"),
            llvm: value("LLVM version"),
        })
    }
}

/// How a linker for some target is told to write a map of a GNU-like form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapFlag {
    /// Through a C compiler that drives the linker.
    ThroughDriver,
    /// To the linker itself.
    Direct,
    /// Not at all: the format or its linkers have no such map.
    None,
}

impl MapFlag {
    /// By the target's triple, or the name of its specification file, which is customarily its triple.
    pub(crate) fn for_target(target: &str) -> Self {
        let name = if is_specification_file(target) {
            Path::new(target)
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default()
        } else {
            target
        };
        let mut parts = name.split('-');
        let architecture = parts.next().unwrap_or_default();
        let has = |wanted: &[&str]| name.split('-').skip(1).any(|part| wanted.contains(&part));
        let starts = |prefix: &str| name.split('-').skip(1).any(|part| part.starts_with(prefix));
        // Mach-O, PE, XCOFF and Wasm; the linkers of Solaris and illumos have maps of another form (`-m`).
        if architecture.starts_with("wasm")
            || has(&[
                "apple", "windows", "uefi", "cygwin", "aix", "solaris", "illumos", "cuda", "psx",
            ])
        {
            return Self::None;
        }
        // rustc's bare-metal targets call `rust-lld` without a driver, except for AVR and MSP430, which have their GCC.
        if (has(&["none"]) || starts("none")) && !matches!(architecture, "avr" | "msp430") {
            return Self::Direct;
        }
        Self::ThroughDriver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustc_says_who_it_is() {
        let text = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa\n\
                    commit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n";
        let toolchain = Toolchain::parse(text).expect("nothing is missing");
        assert_eq!(toolchain.release, "1.95.0");
        assert_eq!(toolchain.host, "x86_64-unknown-linux-gnu");
        assert_eq!(toolchain.commit_hash.as_deref(), Some("59807616e1fa"));
        assert_eq!(toolchain.llvm.as_deref(), Some("22.1.2"));
        assert_eq!(Toolchain::parse("rustc 1.95.0"), None);
    }

    #[test]
    fn a_compiler_from_a_tarball_has_no_commit() {
        let text = "commit-hash: unknown\nhost: aarch64-unknown-linux-gnu\nrelease: 1.88.0\n";
        let toolchain = Toolchain::parse(text).expect("release and host are there");
        assert_eq!((toolchain.commit_hash, toolchain.llvm), (None, None));
    }

    #[test]
    fn only_elf_linkers_are_asked_for_a_map() {
        for (target, flag) in [
            ("x86_64-unknown-linux-gnu", MapFlag::ThroughDriver),
            ("aarch64-unknown-linux-musl", MapFlag::ThroughDriver),
            ("aarch64-linux-android", MapFlag::ThroughDriver),
            ("x86_64-unknown-freebsd", MapFlag::ThroughDriver),
            ("xtensa-esp32-espidf", MapFlag::ThroughDriver),
            ("avr-none", MapFlag::ThroughDriver),
            ("thumbv7em-none-eabihf", MapFlag::Direct),
            ("riscv32imac-unknown-none-elf", MapFlag::Direct),
            ("some/where/x86_64-kernel-none.json", MapFlag::Direct),
            ("aarch64-apple-darwin", MapFlag::None),
            ("x86_64-pc-windows-msvc", MapFlag::None),
            ("x86_64-pc-windows-gnu", MapFlag::None),
            ("wasm32-unknown-unknown", MapFlag::None),
            ("x86_64-unknown-uefi", MapFlag::None),
        ] {
            assert_eq!(MapFlag::for_target(target), flag, "{target}");
        }
    }
}
