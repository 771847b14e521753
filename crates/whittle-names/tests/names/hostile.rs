//! Names made to harm: bounded time, bounded text, nothing that deceives a reader.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use whittle_names::{MAX_TEXT, Name, Tree};

const MEGABYTE: usize = 1 << 20;

/// Asks everything. Fails if that takes long; a name that gets past its limits would take minutes, not seconds.
fn survive(symbol: &str) -> Option<String> {
    let start = Instant::now();
    let name = Name::parse(symbol);
    let text = name.map(|name| {
        let texts = [
            name.full(),
            name.family(),
            name.definition(),
            name.module(),
            name.arguments(),
            name.implemented_trait(),
        ]
        .map(|text| text.to_string());
        for text in &texts {
            assert!(
                text.len() <= MAX_TEXT + symbol.len() + 64,
                "{} bytes",
                text.len()
            );
            assert!(!text.contains(is_deceptive), "{text:?}");
        }
        let _ = (
            name.shape(),
            name.genericity(),
            name.defining_crate(),
            name.instantiating_crate(),
        );
        if let Tree::Legacy(path) = name.tree() {
            assert!(
                path.segments()
                    .all(|segment| segment.to_string().len() <= symbol.len() * 8)
            );
        }
        texts[0].clone()
    });
    let took = start.elapsed();
    assert!(
        took < Duration::from_secs(20),
        "{took:?} for {} bytes",
        symbol.len()
    );
    text
}

fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn base_62(value: usize) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let Some(mut rest) = value.checked_sub(1) else {
        return "_".to_owned();
    };
    let mut digits = vec!['_'];
    loop {
        digits.push(char::from(DIGITS[rest % 62]));
        rest /= 62;
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, leaf) in [
        ("Nv", "C1a"),
        ("I", "C1a"),
        ("M", "C1a"),
        ("IC1a", "p"),
        ("MC1aR", "p"),
        ("MC1aT", "p"),
        ("MC1aFE", "p"),
        ("MC1aDIC1a", "p"),
        ("IC1aKR", "p"),
        ("MC1aWmO", "N"),
        ("Y", "p"),
    ] {
        let symbol = format!("_R{}{leaf}", open.repeat(MEGABYTE / open.len()));
        assert!(survive(&symbol).is_none(), "{open}");
    }
    assert!(survive(&format!("_RMC1a{}p", "R".repeat(495))).is_some());
    assert!(survive(&format!("_RMC1a{}p", "R".repeat(505))).is_none());
}

#[test]
fn exponential_references_end_at_the_size_limit() {
    // Each tuple holds the one before twice.
    let mut body = "IC1a".to_owned();
    let mut last = body.len();
    body.push_str("TppE");
    for _ in 0..200 {
        let next = body.len();
        body.push_str(&format!("TB{0}B{0}E", base_62(last)));
        last = next;
    }
    body.push('E');
    let text = survive(&format!("_R{body}")).expect("well formed");
    assert!(text.ends_with("{size limit reached}"));
    assert!(text.len() > MAX_TEXT / 2);
}

#[test]
fn references_in_circles_end_at_the_depth_limit() {
    // A reference type whose target is the reference type itself, hidden in a crate's name.
    let text = survive("_RIC4TB2_B2_E").expect("well formed");
    assert!(text.contains("{recursion limit reached}"), "{text}");
    // Paths, for the searches that follow one branch.
    for symbol in [
        "_RIC4NvB2B2_E",
        "_RINvC5NvB3_B3_1aE",
        "_RNvC8NvB2_1a_1b",
        "_RXC3B_CB2_p",
    ] {
        survive(symbol);
    }
}

#[test]
fn references_that_print_nothing_are_bounded_too() {
    // A path of 400 empty segments, mentioned a hundred thousand times: four hundred million steps for half a
    // megabyte of text.
    let deep = format!("{}C0{}", "Nv".repeat(400), "0".repeat(400));
    let mention = format!("B{}", base_62(1));
    let symbol = format!("_RI{deep}{}E", mention.repeat(100_000));
    let text = survive(&symbol).expect("well formed");
    assert!(text.ends_with("{size limit reached}"));

    // A long constant that is not UTF-8, hidden in a name, read anew by each mention.
    let hidden = format!("e{}ff_", "61".repeat(200_000));
    let body = format!("IC{}_{hidden}", hidden.len());
    let at = body.find("_e").expect("just written") + 1;
    let mention = format!("KB{}", base_62(at));
    let symbol = format!("_R{body}{}E", mention.repeat(50_000));
    assert!(
        survive(&symbol)
            .expect("well formed")
            .ends_with("{size limit reached}")
    );

    // An impl path that is skipped, of a block that is mentioned again and again.
    let block = format!("XINvC1a1b{}Eppp", "p".repeat(400_000));
    let block = block.replacen("Eppp", "EpC1c", 1);
    let body = format!("I{block}");
    let mention = format!("B{}", base_62(1));
    let symbol = format!("_R{body}{}E", mention.repeat(50_000));
    assert!(
        survive(&symbol)
            .expect("well formed")
            .ends_with("{size limit reached}")
    );
}

#[test]
fn a_megabyte_of_anything_is_survived() {
    let zeros = "0".repeat(MEGABYTE);
    for symbol in [
        format!("_RNvC1a{MEGABYTE}_{}", "x".repeat(MEGABYTE)),
        format!("_RNvC1au{MEGABYTE}_{}", "x".repeat(MEGABYTE)),
        format!("_RIC1aKe{}_E", "61".repeat(MEGABYTE / 2)),
        format!("_RIC1aKj{zeros}_E"),
        format!("_RCs{zeros}_1a"),
        format!("_RIC1a{}E", "p".repeat(MEGABYTE)),
        format!("_RIC1aDG{}_EL_E", "Z".repeat(9)),
        format!("_RMC1aFGzzzzz_EL_p{zeros}"),
        "_RMC1aFGzzzz_Eu".to_owned(),
        format!("_RMC1aT{}E", "NtC1au8gdel_5qa".repeat(MEGABYTE / 15)),
        format!("_ZN{}E", "1a".repeat(MEGABYTE / 2)),
        format!("_ZN{}17h0123456789abcdefE", "4$LT$".repeat(MEGABYTE / 5)),
        format!(
            "_ZN{MEGABYTE}{}17h0123456789abcdefE",
            "$LT$".repeat(MEGABYTE / 4)
        ),
        format!(
            "_ZN{}_{}17h0123456789abcdefE",
            MEGABYTE + 1,
            "$LT$".repeat(MEGABYTE / 4)
        ),
        format!(
            "_ZN{}_{}$GT$17h0123456789abcdefE",
            MEGABYTE + 5,
            "$LT$".repeat(MEGABYTE / 4)
        ),
        format!("_ZN{MEGABYTE}{}17h0123456789abcdefE", "$".repeat(MEGABYTE)),
        format!("_ZN{MEGABYTE}{}17h0123456789abcdefE", ".".repeat(MEGABYTE)),
        format!("_ZN{zeros}1aE"),
        format!("_ZN{}", "9".repeat(MEGABYTE)),
        format!("_RC1a.llvm.{zeros}"),
        format!("_RC1a{}", ".llvm.".repeat(MEGABYTE / 6)),
        format!("_Z{}", "N".repeat(MEGABYTE)),
        format!("_Z1f{}", "P".repeat(60_000)),
        format!("_Z1f{}i", "P".repeat(60_000)),
        format!("_Z1f{}{}", "N1aI".repeat(10_000), "E".repeat(10_000)),
        format!("_Z1fI{}E", "Li1E".repeat(15_000)),
        "_".repeat(MEGABYTE),
        "R".repeat(MEGABYTE),
        format!("_R{}", "B_".repeat(MEGABYTE / 2)),
        format!("_RI{}", "C1a".repeat(MEGABYTE / 3)),
    ] {
        survive(&symbol);
    }
}

#[test]
fn cpp_substitutions_end_at_a_limit() {
    // Each type is a function of the one before, twice.
    let mut symbol = "_Z1fPFvvE".to_owned();
    for last in 0..60_usize {
        let reference = match last.checked_sub(1) {
            None => "S_".to_owned(),
            Some(number) => format!("S{}_", to_base_36(2 * number + 1)),
        };
        symbol.push_str(&format!("PFv{reference}{reference}E"));
    }
    survive(&symbol);
}

#[test]
fn cpp_alternatives_are_tried_a_bounded_number_of_times() {
    // Each template has two readings, and the letter at the end spoils all of them.
    for unit in ["St1fIN1aE", "S_I", "St1fI", "N1aI"] {
        for depth in 1..60 {
            let symbol = format!("_Z1fI{}?", unit.repeat(depth));
            assert!(survive(&symbol).is_none(), "{symbol}");
        }
    }
}

fn to_base_36(value: usize) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let digit = |value: usize| char::from(DIGITS[value % 36]);
    if value < 36 {
        digit(value).to_string()
    } else {
        format!("{}{}", digit(value / 36), digit(value))
    }
}

#[test]
fn deceptive_characters_are_escaped() {
    // An escape sequence in a plain name.
    let text = survive("_RNvC1a5\u{1b}[31m").expect("ASCII is allowed");
    assert_eq!(text, "a::\\u{1b}[31m");
    assert_eq!(
        survive("_ZN5\u{1b}[31m17h0123456789abcdefE").as_deref(),
        Some("\\u{1b}[31m::h0123456789abcdef")
    );
    // U+202E, by Punycode and by legacy escape.
    let text = survive("_RNvC1au8abc_7q0a").expect("v0");
    assert_eq!(text, "a::abc\\u{202e}");
    let text = survive("_ZN10a$u202e$b_17h0123456789abcdefE").expect("legacy");
    assert_eq!(text, "a\\u{202e}b_::h0123456789abcdef");
    // A line break in a constant is escaped in any case.
    assert_eq!(
        survive("_RIC1aKRe0ae280aee2808b_E").expect("v0"),
        "a::<\"\\n\\u{202e}\\u{200b}\">"
    );
    // What is given back unwritten is for the caller to escape, but its `Display` does.
    let name = Name::parse("_RNvC3a\u{7f}b1c").expect("ASCII is allowed");
    let crate_ = name.defining_crate().exact().expect("v0");
    assert_eq!(crate_.name, "a\u{7f}b");
    assert_eq!(crate_.to_string(), "a\\u{7f}b");
}

proptest! {
    /// RFC 3492 has no limit on what it can spell; whatever it spells here is harmless.
    #[test]
    fn decoded_identifiers_are_harmless(code in "[a-z0-9]{1,12}", ascii in "[a-z]{0,4}") {
        let written = if ascii.is_empty() { code } else { format!("{ascii}_{code}") };
        survive(&format!("_RNvC1au{}_{written}", written.len()));
    }
}
