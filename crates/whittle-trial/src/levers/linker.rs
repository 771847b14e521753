//! Arguments of the linker. A link that is run again shows what they do, in a fraction of a second.

use crate::class::Class;
use crate::lever::{Detector, Lever, Line, Need, Rebuild, Tried, Value};
use crate::libc::LibcVersion;

pub(super) const LINKER: Lever = Lever {
    name: "linker",
    values: &[
        Value {
            name: "lld",
            lines: &[Line::LinkArgument("-fuse-ld=lld")],
            relink: &["-fuse-ld=lld"],
            needs: &[Need::Linker("lld")],
        },
        Value {
            name: "mold",
            lines: &[Line::LinkArgument("-fuse-ld=mold")],
            relink: &["-fuse-ld=mold"],
            needs: &[Need::Linker("mold")],
        },
        Value {
            name: "gold",
            lines: &[Line::LinkArgument("-fuse-ld=gold")],
            relink: &["-fuse-ld=gold"],
            needs: &[Need::Linker("gold")],
        },
        Value {
            name: "bfd",
            lines: &[Line::LinkArgument("-fuse-ld=bfd")],
            relink: &["-fuse-ld=bfd"],
            needs: &[Need::Linker("bfd")],
        },
    ],
    class: Class::Speed,
    rebuild: Rebuild::Link,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::Elf],
    price: "every machine that builds the program needs this linker",
    about: "Which linker puts the file together. They lay out sections differently and know different tricks. The difference is \
            mostly below 1 %, so another linker is recommended only where it is more.",
};

pub(super) const ICF: Lever = Lever {
    name: "icf",
    values: &[Value {
        name: "all",
        lines: &[Line::LinkArgument("-Wl,--icf=all")],
        relink: &["-Wl,--icf=all"],
        needs: &[],
    }],
    class: Class::Semantics,
    rebuild: Rebuild::Link,
    tried: Tried::BySearch,
    detector: Some(Detector::FunctionAddresses),
    needs: &[Need::Elf, Need::FoldingLinker],
    price: "two functions with the same code get the same address and share a name in profiles",
    about: "Folds functions whose machine code is the same into one. Rust promises no distinct addresses of functions, and the \
            compiler merges some of them itself; code that compares function addresses all the same, often on the C side \
            of an interface, can be confused. `--icf=safe` would be harmless and folds nothing in Rust programs: the \
            compiler does not write the table it needs.",
};

pub(super) const PACK_RELOCATIONS: Lever = Lever {
    name: "pack-relocations",
    values: &[Value {
        name: "relr",
        lines: &[Line::LinkArgument("-Wl,-z,pack-relative-relocs")],
        relink: &["-Wl,-z,pack-relative-relocs"],
        needs: &[],
    }],
    class: Class::Portability,
    rebuild: Rebuild::Link,
    tried: Tried::BySearch,
    detector: None,
    needs: &[
        Need::Elf,
        Need::PackingLinker,
        Need::Glibc(LibcVersion::PACKED_RELOCATIONS),
    ],
    price: "the file starts only with glibc 2.36 (or musl 1.2.4) or later: not on Debian 11, Ubuntu 22.04, RHEL 9",
    about: "A program that may be loaded anywhere lists every pointer that has to be adjusted, 24 bytes each. Packed, a list of \
            neighbours takes a bit each: 5 to 10 % of a file. The loader has to know the form, which glibc does since \
            2.36. The similar `--pack-dyn-relocs=relr` writes files that glibc refuses to start.",
};

pub(super) const LINK_OPTIMIZATION: Lever = Lever {
    name: "link-optimization",
    values: &[Value {
        name: "2",
        lines: &[Line::LinkArgument("-Wl,-O2")],
        relink: &["-Wl,-O2"],
        needs: &[],
    }],
    class: Class::Speed,
    rebuild: Rebuild::Link,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::Elf],
    price: "a little link time",
    about: "Lets the linker merge the ends of equal strings. The compiler asks for it at levels 2 and 3 only, not at `s` and `z`.",
};

pub(super) const EH_FRAME_HDR: Lever = Lever {
    name: "eh-frame-hdr",
    values: &[Value {
        name: "none",
        lines: &[Line::LinkArgument("-Wl,--no-eh-frame-hdr")],
        relink: &["-Wl,--no-eh-frame-hdr"],
        needs: &[],
    }],
    class: Class::Diagnostics,
    rebuild: Rebuild::Link,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::Elf, Need::Abort, Need::HostApart],
    price: "the backtrace of a panic is empty",
    about: "The table by which the unwinder finds its way. A program that aborts on panic uses it for backtraces only. A program \
            that unwinds cannot do without: every panic would abort, so it is tried only together with `panic`; and so would those of \
            build scripts and procedural macros, so it is tried only where a target is named, which keeps it from them.",
};
