//! Keys of the profile.

use crate::class::Class;
use crate::lever::{Detector, Lever, Line, Need, Rebuild, Scalar, Tried, Value};

const fn text(name: &'static str, lines: &'static [Line], needs: &'static [Need]) -> Value {
    Value {
        name,
        lines,
        relink: &[],
        needs,
    }
}

pub(super) const OPT_LEVEL: Lever = Lever {
    name: "opt-level",
    values: &[
        text("3", &[Line::Profile("opt-level", Scalar::Number(3))], &[]),
        text("2", &[Line::Profile("opt-level", Scalar::Number(2))], &[]),
        text("s", &[Line::Profile("opt-level", Scalar::Text("s"))], &[]),
        text("z", &[Line::Profile("opt-level", Scalar::Text("z"))], &[]),
    ],
    class: Class::Speed,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: None,
    needs: &[],
    price: "speed: `s` usually a few per cent, `z` up to twice the processor time in some loops",
    about: "How the compiler trades size for speed. `3` copies and unrolls code where that may be faster, `s` mostly does \
            not, and `z` does not even keep loops vectorized. Measured on three programs, `s` was within 0 to 12 % of the \
            speed of `3`, and `z` another 3 to 10 % smaller while some workload of each took 1.8 times as long. `z` alone \
            can make a file with symbols bigger, so levels are compared in the form that ships.",
};

pub(super) const OWN_OPT_LEVEL: Lever = Lever {
    name: "own-opt-level",
    values: &[
        text(
            "2",
            &[Line::OwnPackage("opt-level", Scalar::Number(2))],
            &[],
        ),
        text(
            "3",
            &[Line::OwnPackage("opt-level", Scalar::Number(3))],
            &[],
        ),
    ],
    class: Class::Speed,
    rebuild: Rebuild::LastCrate,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::PackageKeys],
    price: "bytes: the program's own package, and generic code that it instantiates, is compiled for speed again",
    about: "Compiles the program's own package for speed and its dependencies for size. Generic code is compiled where it is \
            used, so this reaches the readers, parsers and loops of dependencies that the program fills in with its own types. \
            Measured on a program that was 1.4 times slower at `s`, `2` for its own package gave the speed back for 4 % of the \
            file. It is tried where a level for the whole program is too slow.",
};

pub(super) const LTO: Lever = Lever {
    name: "lto",
    values: &[
        text("fat", &[Line::Profile("lto", Scalar::Text("fat"))], &[]),
        text("thin", &[Line::Profile("lto", Scalar::Text("thin"))], &[]),
        text("off", &[Line::Profile("lto", Scalar::Text("off"))], &[]),
    ],
    class: Class::Speed,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: None,
    needs: &[],
    price: "build time and memory; often a faster program",
    about: "Optimization across crates at the end of the build: what is called once is inlined, what is never called is \
            dropped, and copies of generic code are merged. `fat` sees the whole program at once and gives the smallest \
            file; `thin` is quicker to build; `off` also switches off the default within one crate.",
};

pub(super) const CODEGEN_UNITS: Lever = Lever {
    name: "codegen-units",
    values: &[text(
        "1",
        &[Line::Profile("codegen-units", Scalar::Number(1))],
        &[],
    )],
    class: Class::Speed,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: None,
    needs: &[],
    price: "build time: each crate is compiled by one thread",
    about: "Into how many pieces a crate is cut to compile them in parallel, 16 by default. One piece lets the compiler see \
            the crate whole: less is duplicated between pieces, and more is inlined and dropped.",
};

pub(super) const PANIC: Lever = Lever {
    name: "panic",
    values: &[text(
        "abort",
        &[Line::Profile("panic", Scalar::Text("abort"))],
        &[],
    )],
    class: Class::Semantics,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: Some(Detector::CaughtPanics),
    needs: &[],
    price: "a panic ends the process (SIGABRT instead of exit code 101): no `catch_unwind`, no clean-up",
    about: "What happens after a panic has printed its message. `unwind` runs the clean-up of every frame and can be caught; \
            `abort` ends the process at once, and the landing pads for the clean-up need not be in the file. A server \
            that survives a panic in one request, a thread whose end is inspected, a terminal that is put back by a \
            destructor: all of these rely on unwinding. Unit tests always unwind; only tests that run the program show \
            the difference.",
};

pub(super) const STRIP: Lever = Lever {
    name: "strip",
    values: &[
        Value {
            name: "symbols",
            lines: &[Line::Profile("strip", Scalar::Text("symbols"))],
            relink: &["-Wl,--strip-all"],
            needs: &[],
        },
        Value {
            name: "debuginfo",
            lines: &[Line::Profile("strip", Scalar::Text("debuginfo"))],
            relink: &["-Wl,--strip-debug"],
            needs: &[],
        },
    ],
    class: Class::Diagnostics,
    rebuild: Rebuild::Link,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::Elf],
    price: "no names in backtraces and profiles; `cargo whittle strip` keeps them in a debug file",
    about: "Leaves the symbol table out of the file. Debuggers, profilers and backtraces take names from it, the program does \
            not. The names need not be lost: a debug file with the same build-id gives them back to debuggers.",
};

pub(super) const DEBUG: Lever = Lever {
    name: "debug",
    values: &[text(
        "off",
        &[Line::Profile("debug", Scalar::Boolean(false))],
        &[],
    )],
    class: Class::Diagnostics,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::ProfileHas("debug")],
    price: "no lines in backtraces",
    about: "Debug info says which line each instruction came from. It is many times as big as the program. Where symbols are \
            stripped it is not in the file anyway, so this is tried only where they are kept.",
};

pub(super) const OVERFLOW_CHECKS: Lever = Lever {
    name: "overflow-checks",
    values: &[text(
        "off",
        &[Line::Profile("overflow-checks", Scalar::Boolean(false))],
        &[],
    )],
    class: Class::Security,
    rebuild: Rebuild::AllCrates,
    tried: Tried::ByName,
    detector: None,
    needs: &[Need::ProfileHas("overflow-checks")],
    price: "arithmetic that overflows goes on with a wrong number",
    about: "Somebody switched these checks on for this profile, and had a reason. Measured, they are 0.6 % of a program.",
};

pub(super) const DEBUG_ASSERTIONS: Lever = Lever {
    name: "debug-assertions",
    values: &[text(
        "off",
        &[Line::Profile("debug-assertions", Scalar::Boolean(false))],
        &[],
    )],
    class: Class::Security,
    rebuild: Rebuild::AllCrates,
    tried: Tried::ByName,
    detector: None,
    needs: &[Need::ProfileHas("debug-assertions")],
    price: "`debug_assert!` checks nothing any more",
    about: "Somebody switched these checks on for this profile, and had a reason. They can be a quarter of a program.",
};
