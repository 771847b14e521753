//! One instance of each cause, and its bytes.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _};
use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{
    Axis, Cause, Causes, Certainty, Domain, Ledger, Package, Packages, Table, Witnesses,
};

use crate::judge::{Given, Judge, find};
use crate::workspace::{C_CONSTANT, C_STATIC, Program, Result, Variant, program, table};

/// The library in which causes are planted.
pub const WHY: &str = r#"
use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    pub name: String,
    pub numbers: Vec<u64>,
    pub also: Option<Box<Reasons>>,
}

#[inline(never)]
pub fn why_panics(i: usize) -> usize {
    if black_box(i) > 1_000_000 {
        panic!("a planted message that only a panic ever needs");
    }
    i
}

#[inline(never)]
pub fn why_text() -> usize {
    black_box("a planted literal that has nothing to do with panics").len()
}

#[inline(never)]
pub fn why_jumps(i: u32, x: u64) -> u64 {
    match i {
        0 => black_box(x) + 3,
        1 => black_box(x) * black_box(5),
        2 => black_box(x ^ 7).rotate_left(9),
        3 => black_box(black_box(x) - 11),
        4 => black_box(x) / black_box(13),
        5 => why_panics(17) as u64,
        6 => black_box(x).swap_bytes(),
        7 => why_text() as u64,
        8 => black_box(x | 23).count_ones() as u64,
        _ => 0,
    }
}

struct Once(bool);
impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

pub async fn why_async(i: u64) -> u64 {
    let mut sum = black_box(i);
    for round in 0..black_box(5_u64) {
        Once(false).await;
        sum = sum.rotate_left(3) ^ round;
    }
    sum
}

#[inline(never)]
pub fn why_copied<T: Into<u64> + Copy>(value: T) -> u64 {
    let mut sum = 0_u64;
    for round in 0..black_box(9) {
        sum = sum.wrapping_mul(37).wrapping_add(value.into() ^ round);
    }
    sum
}

pub fn run(i: usize) -> u64 {
    let name = "x".repeat(i);
    let reasons = Reasons { name, numbers: vec![1; i], also: None };
    let twin = black_box(reasons.clone());
    let same = black_box(Reasons::eq as fn(&Reasons, &Reasons) -> bool)(&reasons, &twin);
    let shown: Box<dyn Debug> = black_box(Box::new(reasons));
    println!("{shown:?} {same}");
    let mut future: Pin<Box<dyn Future<Output = u64>>> = black_box(Box::pin(why_async(i as u64)));
    let mut context = Context::from_waker(Waker::noop());
    let polled = future.as_mut().poll(&mut context).is_ready();
    let copies = why_copied(black_box(1_u8)) + why_copied(black_box(2_u16)) + why_copied(black_box(3_u32));
    why_panics(i) as u64 + why_text() as u64 + why_jumps(i as u32, 99) + copies + u64::from(polled)
}
"#;

const RELEASES: [Variant; 2] = [Variant::V0, Variant::Legacy];

/// Bytes of a range of the file by cause.
fn causes_in(judge: &Judge<'_>, range: std::ops::Range<u64>) -> BTreeMap<Cause, u64> {
    let causes = Causes::of(judge.ledger);
    let mut sums = BTreeMap::new();
    for (span, len) in judge.spans(Domain::File, range) {
        *sums.entry(causes.of_span(&span).cause).or_default() += len;
    }
    sums
}

/// Checks that symbols and all their bytes have a cause; the names must be there.
fn check_symbols(judge: &Judge<'_>, symbols: &[(u64, u64)], cause: Cause) {
    assert!(!symbols.is_empty(), "{cause}");
    for &symbol in symbols {
        let found = causes_in(judge, judge.stored(symbol));
        assert_eq!(found, BTreeMap::from([(cause, symbol.1)]), "{cause}");
    }
}

#[test]
fn functions_have_the_causes_that_their_source_gives() -> Result {
    for variant in RELEASES {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let with = |parts: &[&str]| judge.symbols_with(parts);
            for (parts, cause) in [
                (&["Reasons", "5Debug3fmt"][..], Cause::DerivableImpls),
                (&["Reasons", "..Debug$GT$3fmt"], Cause::DerivableImpls),
                (&["drop_in_place", "Reasons"], Cause::DropGlue),
                (&["drop_glue", "Reasons"], Cause::DropGlue),
            ] {
                for symbol in with(parts) {
                    check_symbols(judge, &[symbol], cause);
                }
            }
            let derived = [&["Reasons", "5Debug3fmt"], &["Reasons", "..Debug$GT$3fmt"]];
            assert!(derived.iter().flat_map(|parts| with(*parts)).count() > 0);
            let glue = [&["drop_in_place", "Reasons"], &["drop_glue", "Reasons"]];
            assert!(glue.iter().flat_map(|parts| with(*parts)).count() > 0);
            // The body: `why::why_async::{closure#0}`. Its glue has the name in a type.
            let bodies = with(&["9why_async"]);
            let glue: Vec<_> = with(&["9why_async", "drop_"]);
            let bodies: Vec<_> = bodies
                .into_iter()
                .filter(|body| !glue.contains(body))
                .collect();
            check_symbols(judge, &bodies, Cause::AsyncBodies);
            check_symbols(judge, &with(&["9panic_fmt"]), Cause::PanicMachinery);
            check_symbols(judge, &with(&["10why_panics"]), Cause::DependencyCode);
            check_symbols(judge, &with(&["native_lookup"]), Cause::CCode);
            check_symbols(
                judge,
                &with(&["core3fmt", "9Formatter", "12pad_integral"]),
                Cause::FormattingMachinery,
            );
            check_symbols(
                judge,
                &with(&["miniz_oxide", "decompress"]),
                Cause::BacktraceSymbolizer,
            );
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn constants_have_the_causes_that_their_source_gives() -> Result {
    for variant in RELEASES {
        let bytes = &program(variant).bytes;
        for given in [Given::Nothing, Given::MapAndPackages] {
            program(variant).judge(given, |judge| {
                for (text, cause) in [
                    (
                        "a planted message that only a panic ever needs",
                        Cause::PanicMessages,
                    ),
                    (
                        "a planted literal that has nothing to do with panics",
                        Cause::StringLiterals,
                    ),
                ] {
                    let len = u64::try_from(text.len())?;
                    let found = causes_in(judge, find(bytes, text.as_bytes()));
                    assert_eq!(
                        found,
                        BTreeMap::from([(cause, len)]),
                        "{variant:?} {given:?}"
                    );
                }
                for (seed, len) in [(17, C_STATIC), (19, C_CONSTANT)] {
                    let found = causes_in(judge, find(bytes, &table(seed, len)));
                    let expected = BTreeMap::from([(Cause::Tables, u64::try_from(len)?)]);
                    assert_eq!(found, expected, "{variant:?} {given:?}");
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn jump_tables_are_tables_of_their_function() -> Result {
    program(Variant::V0).judge(Given::Nothing, |judge| {
        if judge.ledger.image().target.architecture != "x86_64" {
            return Ok(());
        }
        let causes = Causes::of(judge.ledger);
        let (address, _) = judge.symbol("9why_jumps");
        let place = judge.ledger.image().place_at(address).expect("a place");
        let function = judge.ledger.owner_at(place);
        let tables: Vec<_> = judge
            .ledger
            .spans(Domain::File)
            .filter(|span| Some(span.owner) == function && span.container == ".rodata")
            .collect();
        let sum: u64 = tables.iter().map(|span| span.len).sum();
        assert_eq!(sum, 9 * 4, "nine arms, four bytes each");
        for span in tables {
            let reason = causes.of_span(&span);
            assert_eq!(
                (reason.cause, reason.certainty),
                (Cause::Tables, Certainty::Inferred)
            );
        }
        Ok(())
    })
}

#[test]
fn all_copies_but_the_largest_are_beyond_it() -> Result {
    program(Variant::V0).judge(Given::MapAndPackages, |judge| {
        let copies = judge.symbols_with(&["10why_copied"]);
        assert_eq!(copies.len(), 3);
        let largest = copies.iter().map(|copy| copy.1).max().unwrap_or_default();
        let mut sums: BTreeMap<Cause, Vec<u64>> = BTreeMap::new();
        for copy in &copies {
            for (cause, len) in causes_in(judge, judge.stored(*copy)) {
                sums.entry(cause).or_default().push(len);
            }
        }
        assert_eq!(sums[&Cause::GenericCopies].len(), 2);
        assert_eq!(sums[&Cause::DependencyCode], [largest]);
        Ok(())
    })
}

#[test]
fn members_of_the_workspace_are_own_code() -> Result {
    let built = program(Variant::V0);
    let packages = |own: &str| Packages {
        list: built
            .packages
            .list
            .iter()
            .map(|package| Package {
                workspace_member: package.name == own,
                ..package.clone()
            })
            .collect(),
        ..Packages::default()
    };
    let as_of = |own: &str| Program {
        bytes: built.bytes.clone(),
        map: built.map.clone(),
        packages: packages(own),
        ..Program::default()
    };
    for (own, why, app) in [
        ("why", Cause::OwnCode, Cause::DependencyCode),
        // None is marked: the crate of `main`.
        ("", Cause::DependencyCode, Cause::OwnCode),
    ] {
        as_of(own).judge(Given::MapAndPackages, |judge| {
            check_symbols(judge, &judge.symbols_with(&["10why_panics"]), why);
            let main = judge.symbols_with(&["11planted_app4main"]);
            check_symbols(judge, &main, app);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn causes_of_sections_have_the_size_of_their_sections() -> Result {
    for variant in [Variant::V0, Variant::Merged] {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let rows = Table::of(judge.ledger, &[Axis::Cause]).rows;
            let of_cause = |cause: Cause| {
                let row = rows.iter().find(|row| row.values[0] == cause.name());
                row.map_or(0, |row| row.file)
            };
            let of_sections = |wanted: &[&str]| {
                let sections = judge.file.sections();
                let named = sections
                    .filter(|section| section.name().is_ok_and(|name| wanted.contains(&name)));
                named.map(|section| section.size()).sum::<u64>()
            };
            assert_eq!(
                of_cause(Cause::SymbolNames),
                of_sections(&[".symtab", ".strtab"])
            );
            assert_eq!(
                of_cause(Cause::DynamicRelocations),
                of_sections(&[".rela.dyn", ".rela.plt", ".relr.dyn"])
            );
            // Tables of exceptions are padded; frames are not.
            let unwinding = of_sections(&[".eh_frame", ".eh_frame_hdr", ".gcc_except_table"]);
            let found = of_cause(Cause::Unwinding);
            assert!(
                found <= unwinding && unwinding - found < unwinding / 50,
                "{found} {unwinding}"
            );
            Ok(())
        })?;
    }
    Ok(())
}

/// A few bytes of the file changed, names and instructions among them: each span still has one cause, and the sums stand.
#[test]
fn causes_of_damaged_files_add_up() -> Result {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(limit).unwrap_or(1)).unwrap_or_default()
    };
    let good = &program(Variant::Legacy).bytes;
    let file = object::File::parse(good.as_slice())?;
    let mut looked_at = 0;
    for round in 0..24 {
        let names = [".strtab", ".text", ".rodata", ".data.rel.ro", ".symtab"];
        let section = file
            .section_by_name(names[round % names.len()])
            .expect("a section of every program");
        let (start, len) = section.file_range().expect("it is stored");
        let (start, len) = (usize::try_from(start)?, usize::try_from(len)?);
        let mut bytes = good.clone();
        for _ in 0..200 {
            let at = start + next(len);
            let value = [b'_', b'R', b'B', b'I', b'9', b'$', 0, 0xff][next(8)];
            let run = 1 + next(12);
            let end = (at + run).min(start + len);
            bytes[at..end].fill(value);
        }
        let Ok(image) = Image::parse(&bytes) else {
            continue;
        };
        let references = References::find(&image);
        let ledger = Ledger::build(&image, &Witnesses::none(), &references)?;
        let causes = Causes::of(&ledger);
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for span in ledger.spans(Domain::File) {
            let reason = causes.of_span(&span);
            let is_unknown = reason.cause == Cause::Unknown;
            assert_eq!(is_unknown, reason.certainty == Certainty::Unknown);
            *sums.entry(reason.cause.name()).or_default() += span.len;
        }
        let table = Table::of(&ledger, &[Axis::Cause]);
        let rows: BTreeMap<&str, u64> = table
            .rows
            .iter()
            .filter(|row| row.file > 0)
            .map(|row| (row.values[0].as_str(), row.file))
            .collect();
        assert_eq!(rows, sums);
        assert_eq!(sums.values().sum::<u64>(), image.file_len());
        looked_at += 1;
    }
    assert!(looked_at > 12, "most damage leaves something to read");
    Ok(())
}
