//! Settings that only a nightly or source-carrying toolchain takes, tried when one was selected.

use crate::class::Class;
use crate::lever::{Detector, Lever, Line, Need, Rebuild, Scalar, Tried, Value};

pub(super) const LOCATION_DETAIL: Lever = Lever {
    name: "location-detail",
    values: &[Value {
        name: "none",
        lines: &[Line::Rustflag("-Zlocation-detail=none")],
        relink: &[],
        needs: &[],
    }],
    class: Class::Diagnostics,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::Unstable],
    price: "panic messages do not say where: `panicked at <redacted>:0:0`",
    about: "Every place that may panic carries its file, line and column, and the files' paths are in the program. Without them \
            the file is 1 to 2 % smaller. Code that reads `Location::caller()` gets nothing either.",
};

pub(super) const FMT_DEBUG: Lever = Lever {
    name: "fmt-debug",
    values: &[
        Value {
            name: "none",
            lines: &[Line::Rustflag("-Zfmt-debug=none")],
            relink: &[],
            needs: &[],
        },
        Value {
            name: "shallow",
            lines: &[Line::Rustflag("-Zfmt-debug=shallow")],
            relink: &[],
            needs: &[],
        },
    ],
    class: Class::Semantics,
    rebuild: Rebuild::AllCrates,
    tried: Tried::BySearch,
    detector: Some(Detector::DebugText),
    needs: &[Need::Unstable],
    price: "`{:?}` prints nothing, wherever it is used",
    about: "Leaves out what the derived `Debug` prints. Where such text reaches users, files or other programs it is missing \
            silently, and one in eight packages prints some, so nothing but comparing outputs can clear it.",
};

pub(super) const BUILD_STD: Lever = Lever {
    name: "build-std",
    values: &[
        Value {
            name: "small",
            lines: &[
                Line::Unstable("build-std", &["std", "panic_abort"]),
                Line::Unstable("build-std-features", &["optimize_for_size"]),
            ],
            relink: &[],
            needs: &[Need::Abort],
        },
        Value {
            name: "small-unwind",
            lines: &[
                Line::Unstable("build-std", &["std", "panic_unwind"]),
                Line::Unstable("build-std-features", &["optimize_for_size", "panic-unwind"]),
            ],
            relink: &[],
            needs: &[Need::Unwind],
        },
    ],
    class: Class::Diagnostics,
    rebuild: Rebuild::StandardLibrary,
    tried: Tried::BySearch,
    detector: None,
    needs: &[Need::StdSources],
    price: "backtraces have no frames; sorting and number printing in std are slower; an unstable feature of cargo",
    about: "Compiles the standard library with the program, for size, without the code that prints backtraces, which is a large \
            part of a small program. It is as fast as before except where std itself does the work. Cargo calls it \
            unstable: the flag may change with any version.",
};

pub(super) const IMMEDIATE_ABORT: Lever = Lever {
    name: "immediate-abort",
    values: &[Value {
        name: "yes",
        lines: &[
            Line::Profile("panic", Scalar::Text("immediate-abort")),
            Line::Unstable("panic-immediate-abort", &[]),
        ],
        relink: &[],
        needs: &[],
    }],
    class: Class::Semantics,
    rebuild: Rebuild::StandardLibrary,
    tried: Tried::BySearch,
    detector: Some(Detector::PanicHooks),
    needs: &[Need::StdSources, Need::Abort, Need::OwnStd],
    price: "a panic ends the process with SIGILL and without a message",
    about: "A panic becomes one instruction. Neither the message nor a hook ever runs, so users see a crash and nothing else. \
            What is saved is the text of every message and all code that would format it.",
};
