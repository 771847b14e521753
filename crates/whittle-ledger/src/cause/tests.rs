use std::collections::BTreeSet;

use crate::cause::Cause;
use crate::cause::symbol::{Symbol, Texts};
use crate::crates::Family;

/// What a name alone says; `defined` and `compiled` as for all that one crate wrote and compiled.
fn cause_of(symbol: &str, family: Family) -> Option<Cause> {
    Symbol::new(symbol.as_bytes()).cause(&mut Texts::default(), family, family)
}

#[test]
fn causes_have_different_names_and_come_in_the_order_of_the_rules() {
    let names: BTreeSet<&str> = Cause::ALL.map(Cause::name).into();
    assert_eq!(names.len(), Cause::ALL.len());
    assert!(Cause::ALL.is_sorted());
}

#[test]
fn names_of_the_standard_library_tell_its_machinery() {
    let names = [
        (
            "_ZN4core9panicking9panic_fmt17h0123456789abcdefE",
            Some(Cause::PanicMachinery),
        ),
        (
            "_RNvNtCs1_4core9panicking9panic_fmt",
            Some(Cause::PanicMachinery),
        ),
        (
            "_ZN4core5slice5index16slice_index_fail17h0123456789abcdefE",
            Some(Cause::PanicMachinery),
        ),
        // It holds the closure that it calls.
        (
            "_ZN3std9panicking12catch_unwind7do_call17h0123456789abcdefE",
            None,
        ),
        (
            "_ZN5gimli4read4line15parse_attribute17h0123456789abcdefE",
            Some(Cause::BacktraceSymbolizer),
        ),
        // The frame around the program's `main`.
        (
            "_ZN3std3sys9backtrace28__rust_begin_short_backtrace17h0123456789abcdefE",
            None,
        ),
        (
            "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
            Some(Cause::FormattingMachinery),
        ),
        (
            "_ZN4core3ptr42drop_in_place$LT$std..io..error..Error$GT$17h0123456789abcdefE",
            Some(Cause::DropGlue),
        ),
        (
            "_RINvNtCs7_4core3ptr9drop_glueNtNtCs9_5alloc6string6StringECs3_4demo",
            Some(Cause::DropGlue),
        ),
        ("_ZN4core5slice4sort7quicksort17h0123456789abcdefE", None),
    ];
    for (symbol, cause) in names {
        assert_eq!(cause_of(symbol, Family::Standard), cause, "{symbol}");
    }
}

#[test]
fn packages_have_no_machinery_of_the_standard_library() {
    // A package may be called `gimli`, a module `fmt`, a function `panic_softly`.
    for symbol in [
        "_ZN5gimli4read4line15parse_attribute17h0123456789abcdefE",
        "_ZN4demo3fmt12panic_softly17h0123456789abcdefE",
        "_RNvNtCs1_4demo3fmt12panic_softly",
    ] {
        assert_eq!(cause_of(symbol, Family::Package), None, "{symbol}");
    }
}

#[test]
fn implementations_that_derive_could_write_are_told_by_trait_and_method() {
    let names = [
        (
            "_RNvXCs1_4demoNtB2_5EntryNtNtCs2_4core3fmt5Debug3fmt",
            Some(Cause::DerivableImpls),
        ),
        (
            "_ZN50_$LT$demo..Entry$u20$as$u20$core..clone..Clone$GT$5clone17h0123456789abcdefE",
            Some(Cause::DerivableImpls),
        ),
        // `derive` does not write this method, nor this trait.
        (
            "_ZN50_$LT$demo..Entry$u20$as$u20$core..clone..Clone$GT$10clone_from17h0123456789abcdefE",
            None,
        ),
        (
            "_RNvXCs1_4demoNtB2_5EntryNtNtCs2_4core3fmt7Display3fmt",
            None,
        ),
    ];
    for (symbol, cause) in names {
        assert_eq!(cause_of(symbol, Family::Package), cause, "{symbol}");
    }
}

#[test]
fn harmful_names_have_no_cause() {
    let long = format!("_ZN{}{}E", 60_000, "a".repeat(60_000));
    let nested = format!("_RN{}C1a1b", "vN".repeat(30_000));
    let endless = "_RNvB_1a".repeat(2_000);
    for symbol in ["", "_R", "_ZN", "_RNvB_", &long, &nested, &endless] {
        for family in [Family::Package, Family::Standard, Family::Special] {
            assert_eq!(cause_of(symbol, family), None);
        }
    }
    let not_text = Symbol::new(b"\xff\xfe_Unwind_\x00");
    let cause = not_text.cause(&mut Texts::default(), Family::Special, Family::Special);
    assert_eq!(cause, None);
}

#[test]
fn copies_of_debug_for_references_hold_derived_code() {
    let symbols = [
        "_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
        "_RNvXs1g_NtCsgEmfK2I1SDS_4core3fmtRNtCs16D25Kfz4Y_12grep_matcher14LineTerminatorNtB6_5Debug3fmtCsfk2fX2VPbN5_2rg",
    ];
    for symbol in symbols {
        let of = |compiled| {
            Symbol::new(symbol.as_bytes()).cause(&mut Texts::default(), Family::Standard, compiled)
        };
        assert_eq!(of(Family::Package), Some(Cause::DerivableImpls), "{symbol}");
        assert_eq!(
            of(Family::Standard),
            Some(Cause::FormattingMachinery),
            "{symbol}"
        );
    }
}
