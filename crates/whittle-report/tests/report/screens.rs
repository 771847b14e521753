//! Text and Markdown as people see them.

use whittle_ledger::{Findings, SavingKind};
use whittle_report::{Options, Sort, Subject, markdown, text};

use crate::samples::{
    by_crate, by_section_and_crate, full, hostile, nameless, options, programs, smallest, typical,
    written,
};

fn screen(findings: &Findings, options: &Options<'_>) -> String {
    written(|out| text::findings(out, findings, options))
}

fn page(findings: &Findings, options: &Options<'_>) -> String {
    written(|out| markdown::findings(out, findings, &by_crate(findings), options))
}

#[test]
fn the_one_screen() {
    let notes = ["names from the link map of an unstripped build with the same bytes".to_owned()];
    let options = Options {
        notes: &notes,
        subject: Subject::Package,
        ..options("target/release/demo")
    };
    insta::assert_snapshot!(screen(&typical(), &options));
}

#[test]
fn a_program_without_names() {
    insta::assert_snapshot!(screen(&nameless(), &options("/usr/bin/ls")));
}

#[test]
fn the_smallest_file() {
    insta::assert_snapshot!(screen(&smallest(), &options("empty.o")));
}

#[test]
fn nothing_at_all() {
    let nothing = Findings {
        totals: whittle_ledger::Totals::default(),
        bringers: Vec::new(),
        ..smallest()
    };
    insta::assert_snapshot!(screen(&nothing, &options("empty")));
}

#[test]
fn names_that_want_to_be_more_than_names() {
    insta::assert_snapshot!(screen(&hostile(), &options("a\x1b[2Jb")));
}

#[test]
fn a_table_of_the_users_own() {
    let findings = Findings {
        table: Some(by_section_and_crate()),
        ..typical()
    };
    insta::assert_snapshot!(screen(&findings, &options("target/release/demo")));
}

#[test]
fn everything() {
    let findings = Findings {
        full: Some(full()),
        ..typical()
    };
    insta::assert_snapshot!(screen(&findings, &options("target/release/demo")));
}

#[test]
fn several_programs() {
    let (one, other) = (typical(), smallest());
    let list = programs(&one, &other);
    let notes = ["`slow` is not built: it needs the feature `slow`".to_owned()];
    let options = Options {
        notes: &notes,
        ..options(".")
    };
    insta::assert_snapshot!(written(|out| text::programs(out, &list, &options)));
}

#[test]
fn markdown_of_the_summary() {
    insta::assert_snapshot!(page(&typical(), &options("target/release/demo")));
}

#[test]
fn markdown_of_hostile_names() {
    let notes = ["the map `a|b` of [here](http://example.org)".to_owned()];
    let options = Options {
        notes: &notes,
        ..options("a`b|<b>")
    };
    insta::assert_snapshot!(page(&hostile(), &options));
}

#[test]
fn rows_that_are_not_shown_are_summed_up() {
    let findings = Findings {
        table: Some(by_section_and_crate()),
        ..typical()
    };
    let keep = |value: &str| value == ".rodata" || value == "core";
    let options = Options {
        rows: Some(1),
        filter: Some(&keep),
        ..options("demo")
    };
    let screen = screen(&findings, &options);
    let numbers = |end: &str| {
        let line = screen.lines().find(|line| line.ends_with(end));
        let line = line.unwrap_or_else(|| panic!("{end} is in {screen}"));
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // 445,000 + 55,000 of .rodata are behind .strtab; .text and .bss do not match.
    assert_eq!(
        numbers("… 2 more  (-n 0 lists all)")[..5],
        ["500,000", "25.0", "%", "?", "500,000"]
    );
    assert_eq!(
        numbers("(filtered out: 2)")[..4],
        ["900,000", "45.0", "%", "980,000"]
    );
    assert_eq!(
        numbers("  all")[..4],
        ["2,000,000", "100.0", "%", "1,480,000"]
    );
}

#[test]
fn a_filter_understands_both_spellings_of_a_crate_and_the_words_of_the_screen() {
    let kept = |wanted: &str| {
        let keep = |value: &str| value.contains(wanted);
        let options = Options {
            filter: Some(&keep),
            ..options("demo")
        };
        screen(&typical(), &options).contains("(filtered out: 15)")
    };
    assert!(kept("regex_syntax"));
    assert!(kept("regex-syntax"));
    assert!(kept("clap_builder"));
    assert!(kept("(unknown)"));
    assert!(kept("not known"));
    assert!(!kept("regex"));
}

#[test]
fn rows_come_in_the_order_that_was_asked_for() {
    let findings = Findings {
        table: Some(full().generics),
        ..typical()
    };
    let first = |sort| {
        let options = Options {
            sort,
            width: 120,
            ..options("demo")
        };
        let screen = screen(&findings, &options);
        let line = screen
            .lines()
            .skip_while(|line| !line.contains("on disk  "))
            .nth(1);
        line.and_then(|line| line.split("  ").last())
            .map(str::to_owned)
    };
    assert_eq!(
        first(Sort::File).as_deref(),
        Some("core::ptr::drop_in_place")
    );
    assert_eq!(first(Sort::Name).as_deref(), Some("(file structure)"));
    assert_eq!(
        first(Sort::Copies).as_deref(),
        Some("core::ptr::drop_in_place")
    );
}

#[test]
fn the_summary_fits_one_screen_whatever_there_is_to_say() {
    let mut findings = hostile();
    let notes = vec![
            "a note that is long enough to need a second line on a narrow terminal, and so it does"
                .to_owned();
            3
        ];
    findings.savings.push(whittle_ledger::Saving {
        kind: SavingKind::DebugInfo,
        bytes: 9,
        exactness: whittle_ledger::Exactness::Exact,
    });
    for crates in [1, 5, 12, 13, 200] {
        findings.bringers = (0..crates)
            .map(|number| {
                crate::samples::bringer(
                    &format!("crate-{number}@1.0.0"),
                    1,
                    1,
                    whittle_ledger::Certainty::Exact,
                )
            })
            .collect();
        for notes in [&notes[..0], &notes[..1]] {
            let options = Options {
                notes,
                ..options("demo")
            };
            let screen = screen(&findings, &options);
            assert!(
                screen.lines().count() <= 40,
                "{} lines:\n{screen}",
                screen.lines().count()
            );
        }
    }
}

#[test]
fn every_warning_is_counted() {
    let short = screen(&hostile(), &options("demo"));
    // 71 warnings: 3 are shown, 68 are not.
    assert!(short.contains("warning: … 68 more"), "{short}");
    let findings = Findings {
        full: Some(full()),
        ..hostile()
    };
    let long = screen(&findings, &options("demo"));
    // 64 are kept.
    assert_eq!(
        long.lines()
            .filter(|line| line.starts_with("warning: "))
            .count(),
        65
    );
    assert!(long.contains("warning: … 7 more"), "{long}");
}
