//! Arguments of the compiler that no profile key stands for.

use crate::class::Class;
use crate::lever::{Lever, Line, Need, Rebuild, Tried, Value};

const fn flag(name: &'static str, lines: &'static [Line], needs: &'static [Need]) -> Value {
    Value {
        name,
        lines,
        relink: &[],
        needs,
    }
}

pub(super) const INLINE_THRESHOLD: Lever = Lever {
    name: "inline-threshold",
    values: &[
        flag(
            "5",
            &[Line::Rustflag("-Cllvm-args=--inline-threshold=5")],
            &[],
        ),
        flag(
            "25",
            &[Line::Rustflag("-Cllvm-args=--inline-threshold=25")],
            &[],
        ),
    ],
    class: Class::Speed,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: None,
    needs: &[],
    price: "speed, as `opt-level` does; a flag of LLVM that may change with the compiler",
    about: "How much bigger code may become where a call is replaced by the function itself. `z` uses 5, `s` about 50, `3` 225. \
            In between lies a level that no profile key has: measured on one program, 25 at level `3` made the file 4.5 % \
            smaller, 5 at level `s` 3.9 %, at little cost in speed.",
};

pub(super) const UNWIND_TABLES: Lever = Lever {
    name: "unwind-tables",
    values: &[flag(
        "none",
        &[Line::Rustflag("-Cforce-unwind-tables=no")],
        &[],
    )],
    class: Class::Diagnostics,
    rebuild: Rebuild::StandardLibrary,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::Elf, Need::Abort, Need::OwnStd],
    price: "backtraces end at once; profilers that unwind by tables see one frame",
    about: "Since Rust 1.92 programs that abort on panic keep their unwind tables, so that backtraces work. Without them the \
            file is some 10 % smaller. The prebuilt standard library has its tables already and makes the flag do nothing, \
            so it is tried only together with `build-std`.",
};

pub(super) const RELOCATION_MODEL: Lever = Lever {
    name: "relocation-model",
    values: &[flag(
        "static",
        &[Line::Rustflag("-Crelocation-model=static")],
        &[],
    )],
    class: Class::Security,
    rebuild: Rebuild::AllCrates,
    tried: Tried::ByName,
    detector: None,
    needs: &[Need::Elf],
    price: "security: the program is always loaded at the same address",
    about: "A program at a fixed address needs no relocations, and attackers know where everything is. Packed relocations give \
            all but 0.1 % of the bytes without that price.",
};

pub(super) const RELRO: Lever = Lever {
    name: "relro",
    values: &[flag("off", &[Line::Rustflag("-Crelro-level=off")], &[])],
    class: Class::Security,
    rebuild: Rebuild::AllCrates,
    tried: Tried::ByName,
    detector: None,
    needs: &[Need::Elf],
    price: "security: tables of addresses stay writable while the program runs",
    about: "The loader can make its tables read-only once they are filled. Measured, doing without saves nothing: the file was \
            3 kB bigger. It is listed because recipes name it.",
};

pub(super) const PREFER_DYNAMIC: Lever = Lever {
    name: "prefer-dynamic",
    values: &[flag(
        "yes",
        &[
            Line::Rustflag("-Cprefer-dynamic"),
            Line::Profile("lto", crate::lever::Scalar::Text("off")),
        ],
        &[],
    )],
    class: Class::Portability,
    rebuild: Rebuild::AllCrates,
    tried: Tried::ByName,
    detector: None,
    needs: &[Need::Elf],
    price: "the file does not start without the 10 MB of the very `libstd` it was built with",
    about: "Links to the standard library instead of taking it in. Measured, the file is 646,520 instead of 765,568 bytes, and \
            needs 10 MB of library beside it, of exactly this compiler version; optimization across crates is lost. It \
            pays where many programs of one build are shipped together.",
};

pub(super) const STATIC_LIBC: Lever = Lever {
    name: "static-libc",
    values: &[flag(
        "yes",
        &[Line::Rustflag("-Ctarget-feature=+crt-static")],
        &[],
    )],
    class: Class::Portability,
    rebuild: Rebuild::AllCrates,
    tried: Tried::ByName,
    detector: None,
    needs: &[Need::Elf],
    price: "the file is bigger, name look-ups and plug-ins may fail; it needs no C library on the user's system",
    about: "Takes the C library into the file. Measured, that makes a program of 765,568 bytes one of 1,598,144; what it buys is \
            that no library has to be there. It is listed because the question is asked.",
};
