//! The catalogue: every setting that is tried or explained. A new one is an entry here and nothing else.

mod linker;
mod profile;
mod rustc;
mod unstable;

use crate::lever::Lever;

/// The catalogue, in the order in which settings are read and written: profile, compiler, linker, unstable.
pub const LEVERS: &[Lever] = &[
    profile::OPT_LEVEL,
    profile::OWN_OPT_LEVEL,
    profile::LTO,
    profile::CODEGEN_UNITS,
    profile::PANIC,
    profile::STRIP,
    profile::DEBUG,
    profile::OVERFLOW_CHECKS,
    profile::DEBUG_ASSERTIONS,
    rustc::INLINE_THRESHOLD,
    rustc::UNWIND_TABLES,
    rustc::RELOCATION_MODEL,
    rustc::RELRO,
    rustc::PREFER_DYNAMIC,
    rustc::STATIC_LIBC,
    linker::LINKER,
    linker::ICF,
    linker::PACK_RELOCATIONS,
    linker::LINK_OPTIMIZATION,
    linker::EH_FRAME_HDR,
    unstable::LOCATION_DETAIL,
    unstable::FMT_DEBUG,
    unstable::BUILD_STD,
    unstable::IMMEDIATE_ABORT,
];

/// The lever of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Lever> {
    LEVERS.iter().find(|lever| lever.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::class::Class;
    use crate::lever::{Line, Need, Rebuild, Tried};

    #[test]
    fn names_are_unique_and_fit_flags() {
        let names: BTreeSet<&str> = LEVERS.iter().map(|lever| lever.name).collect();
        assert_eq!(names.len(), LEVERS.len());
        for lever in LEVERS {
            assert!(
                lever
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                lever.name
            );
            let values: BTreeSet<&str> = lever.values.iter().map(|value| value.name).collect();
            assert_eq!(values.len(), lever.values.len(), "{}", lever.name);
            assert!(!values.is_empty(), "{}", lever.name);
        }
    }

    #[test]
    fn every_lever_says_what_it_does_and_what_it_costs() {
        for lever in LEVERS {
            assert!(lever.about.len() > 80, "{}", lever.name);
            assert!(!lever.price.is_empty(), "{}", lever.name);
            assert!(!lever.price.ends_with('.'), "{}", lever.name);
        }
    }

    #[test]
    fn nothing_that_harms_is_tried_without_being_named() {
        for lever in LEVERS {
            if lever.class == Class::Security {
                assert_eq!(lever.tried, Tried::ByName, "{}", lever.name);
            }
            if lever.class == Class::Semantics {
                assert!(lever.detector.is_some(), "{}", lever.name);
            }
        }
    }

    #[test]
    fn unstable_lines_need_a_toolchain_that_takes_them() {
        for lever in LEVERS {
            for value in lever.values {
                let is_unstable = value.lines.iter().any(|line| match line {
                    Line::Unstable(..) => true,
                    Line::Rustflag(flag) => flag.starts_with("-Z"),
                    Line::Profile(..) | Line::OwnPackage(..) | Line::LinkArgument(_) => false,
                });
                let needs: Vec<&Need> = lever.needs.iter().chain(value.needs).collect();
                assert_eq!(
                    is_unstable,
                    needs.contains(&&Need::Unstable) || needs.contains(&&Need::StdSources),
                    "{} = {}",
                    lever.name,
                    value.name
                );
            }
        }
    }

    #[test]
    fn a_link_that_is_run_again_shows_what_only_the_linker_does() {
        for lever in LEVERS {
            for value in lever.values {
                let does_it = !value.relink.is_empty();
                assert_eq!(
                    does_it,
                    lever.rebuild == Rebuild::Link,
                    "{} = {}",
                    lever.name,
                    value.name
                );
                for line in value.lines {
                    if let Line::LinkArgument(argument) = line {
                        assert!(
                            value.relink.contains(argument),
                            "{} = {}",
                            lever.name,
                            value.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_packed_relocations_that_do_not_start_are_never_offered() {
        let lines = LEVERS
            .iter()
            .flat_map(|lever| lever.values)
            .flat_map(|value| value.lines);
        for line in lines {
            let text = format!("{line:?}");
            assert!(!text.contains("pack-dyn-relocs"), "{text}");
            assert!(!text.contains("virtual-function-elimination"), "{text}");
        }
    }
}
