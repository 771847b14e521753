//! Units: what the pieces of a link were compiled from. A codegen unit's name says which crate it belongs to, an
//! object's path which package or library brought it.

use whittle_image::link_map::InputObject;

/// What the name of an object, or of the unit a symbol table lists symbols under, says about its origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Unit<'data> {
    /// A codegen unit of a Rust crate.
    Rust(RustUnit<'data>),
    /// An object of another language that stands in the library file of a Rust crate.
    InLibrary {
        /// The library's file name without folder and ending.
        stem: &'data str,
        /// Whether it belongs to the standard library.
        standard: bool,
    },
    /// An object at a path of its own, to be looked up among the folders of build scripts.
    AtPath(&'data str),
    /// Start-up code and libraries of the C runtime.
    CRuntime,
    /// Nothing that says whose it is.
    Unknown,
}

/// A codegen unit of a Rust crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RustUnit<'data> {
    /// The crate's name, with `_`.
    pub(crate) name: &'data str,
    /// The crate's stable id: the same number that v0 names give as its disambiguator.
    pub(crate) id: u64,
    /// The file name, without folder and ending, of the library that holds it or of the program being linked.
    pub(crate) stem: Option<&'data str>,
    /// Whether it belongs to the standard library.
    pub(crate) standard: bool,
}

impl<'data> Unit<'data> {
    /// Whether another language than Rust was compiled to it, or the start-up code.
    pub(crate) fn is_foreign(&self) -> bool {
        match self {
            Self::InLibrary { .. } | Self::AtPath(_) | Self::CRuntime => true,
            Self::Rust(_) | Self::Unknown => false,
        }
    }

    /// Reads the name of a file symbol: `rg.b27a7951994ea909-cgu.00`, `crtstuff.c`.
    pub(crate) fn of_file_symbol(name: &'data str) -> Self {
        if let Some((name, id)) = codegen_unit(name) {
            return Self::Rust(RustUnit {
                name,
                id,
                stem: None,
                standard: false,
            });
        }
        if matches!(
            name,
            "crtstuff.c" | "crt1.o" | "Scrt1.o" | "crti.o" | "crtn.o" | "init.c" | "static-reloc.c"
        ) {
            Self::CRuntime
        } else {
            Self::Unknown
        }
    }

    /// Reads the name of an archive's member: `slib-763f8943f5a13846.slib.a27104cf5c6d451f-cgu.0.rcgu.o`.
    pub(crate) fn of_member(name: &'data str) -> Self {
        match Self::of_file_symbol(name) {
            Self::Unknown if is_c_runtime(name) => Self::CRuntime,
            unit => unit,
        }
    }

    /// Reads the path of an object in a link map.
    pub(crate) fn of_object(object: &InputObject<'data>) -> Self {
        let (folder, file) = split_path(object.path);
        // The toolchain keeps its own libraries in `lib/rustlib/TARGET/lib`.
        let standard = folder.replace('\\', "/").contains("/lib/rustlib/");
        if let Some(stem) = file.strip_suffix(".rlib") {
            return match object.member.and_then(|member| codegen_unit(member)) {
                Some((name, id)) => Self::Rust(RustUnit {
                    name,
                    id,
                    stem: Some(stem),
                    standard,
                }),
                None => Self::InLibrary { stem, standard },
            };
        }
        if file.ends_with(".rcgu.o") || file.contains("-cgu.") {
            // `rg-d2aab90efe49e03d.rg.b27a7951994ea909-cgu.03.rcgu.o`: the program, then the codegen unit.
            return match codegen_unit(file) {
                Some((name, id)) => Self::Rust(RustUnit {
                    name,
                    id,
                    stem: file.split('.').next(),
                    standard: false,
                }),
                None => Self::Unknown,
            };
        }
        if is_c_runtime(file) {
            Self::CRuntime
        } else {
            Self::AtPath(object.path)
        }
    }
}

fn split_path(path: &str) -> (&str, &str) {
    path.rfind(['/', '\\'])
        .map_or(("", path), |at| (&path[..at], &path[at + 1..]))
}

/// Finds `CRATE.ID-cgu.N` in a name: the crate's name and its stable id.
fn codegen_unit(name: &str) -> Option<(&str, u64)> {
    let before = &name[..name.find("-cgu.")?];
    let dot = before.rfind('.')?;
    let id = u64::from_str_radix(&before[dot + 1..], 16).ok()?;
    let start = before[..dot].rfind('.').map_or(0, |dot| dot + 1);
    let name = &before[start..dot];
    let is_identifier = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_identifier.then_some((name, id))
}

/// Whether a file is one that the C compiler adds to every link.
fn is_c_runtime(file: &str) -> bool {
    const OBJECTS: &[&str] = &[
        "crt1.o", "Scrt1.o", "gcrt1.o", "rcrt1.o", "crti.o", "crtn.o", "crt2.o",
    ];
    const LIBRARIES: &[&str] = &[
        "libc.a",
        "libc_nonshared.a",
        "libgcc.a",
        "libgcc_eh.a",
        "libunwind.a",
        "libm.a",
        "libmvec.a",
        "libdl.a",
        "librt.a",
        "libutil.a",
        "libpthread.a",
        "libpthread_nonshared.a",
        "libssp_nonshared.a",
        "libatomic.a",
    ];
    // Linkers know these files by exactly these endings.
    let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
    OBJECTS.contains(&file)
        || LIBRARIES.contains(&file)
        || (ending == "o" && (stem.starts_with("crtbegin") || stem.starts_with("crtend")))
        || (ending == "a" && (stem.starts_with("libclang_rt.") || stem.starts_with("libm-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust<'a>(name: &'a str, id: u64, stem: Option<&'a str>, standard: bool) -> Unit<'a> {
        Unit::Rust(RustUnit {
            name,
            id,
            stem,
            standard,
        })
    }

    fn object<'a>(path: &'a str, member: Option<&'a str>) -> Unit<'a> {
        Unit::of_object(&InputObject { path, member })
    }

    #[test]
    fn file_symbols_name_the_crate_and_its_id() {
        assert_eq!(
            Unit::of_file_symbol("rg.b27a7951994ea909-cgu.00"),
            rust("rg", 0xb27a_7951_994e_a909, None, false)
        );
        assert_eq!(Unit::of_file_symbol("crtstuff.c"), Unit::CRuntime);
        assert_eq!(Unit::of_file_symbol("zstd_compress.c"), Unit::Unknown);
        assert_eq!(
            Unit::of_file_symbol("94fk5x60rs21n83yafrp6392w"),
            Unit::Unknown
        );
    }

    #[test]
    fn paths_of_objects_name_the_library() {
        let member = Some("regex_syntax-d2aa.regex_syntax.30a35072e850257b-cgu.00.rcgu.o");
        assert_eq!(
            object("/p/target/release/deps/libregex_syntax-d2aa.rlib", member),
            rust(
                "regex_syntax",
                0x30a3_5072_e850_257b,
                Some("libregex_syntax-d2aa"),
                false
            )
        );
        assert_eq!(
            object("/p/target/release/deps/rg-11.rg.b2-cgu.03.rcgu.o", None),
            rust("rg", 0xb2, Some("rg-11"), false)
        );
        let std = Some("std-5f.std.1c-cgu.0.rcgu.o");
        assert_eq!(
            object(
                "/t/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-5f.rlib",
                std
            ),
            rust("std", 0x1c, Some("libstd-5f"), true)
        );
        assert_eq!(
            object(
                "/p/target/release/deps/libzstd_sys-77.rlib",
                Some("44f-zstd_compress.o")
            ),
            Unit::InLibrary {
                stem: "libzstd_sys-77",
                standard: false
            }
        );
    }

    #[test]
    fn start_files_are_the_c_runtime() {
        assert_eq!(
            object("/usr/lib/x86_64-linux-gnu/Scrt1.o", None),
            Unit::CRuntime
        );
        assert_eq!(
            object(
                "/usr/lib/gcc/x86_64-linux-gnu/12/libgcc.a",
                Some("_muldc3.o")
            ),
            Unit::CRuntime
        );
        assert_eq!(
            object("/p/build/x/out/libfoo.a", Some("foo.o")),
            Unit::AtPath("/p/build/x/out/libfoo.a")
        );
    }
}
