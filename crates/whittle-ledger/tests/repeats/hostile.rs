//! Files in which everything looks like everything else.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::rustc::{Folder, Result, forecast};

/// Far more than it needs, even unoptimized on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A program with more functions, written in assembly; the linker keeps them.
fn program(functions: &str) -> String {
    format!(
        "std::arch::global_asm!(r#\"\n.section .text.planted,\"axR\",@progbits\n{functions}\"#, options(att_syntax));
         fn main() {{}}"
    )
}

#[test]
fn long_chains_of_equal_functions_end_in_time() -> Result {
    const COUNT: usize = 30_000;
    let mut chain = String::new();
    // Each jumps to the next, the last to itself: no two are equal, and each is two steps from being told.
    for number in 0..COUNT {
        let next = (number + 1).min(COUNT - 1);
        writeln!(
            chain,
            ".type chain_{number},@function\nchain_{number}: .byte 0xe9\n.long chain_{next} - . - 4\n\
             .size chain_{number}, 5"
        )?;
    }
    let folder = Folder::new()?;
    let bytes = std::fs::read(folder.compile_text(&program(&chain), "chain", &[])?)?;
    let started = Instant::now();
    let (_, repeats) = forecast(&bytes)?;
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    let in_chain = |name: &String| name.starts_with("chain_");
    let found = repeats
        .functions
        .iter()
        .filter(|it| it.names.iter().any(in_chain));
    assert_eq!(found.count(), 0);
    Ok(())
}

#[test]
fn functions_that_cover_the_same_code_are_not_read_for_each() -> Result {
    const COUNT: usize = 20_000;
    let mut nest = String::new();
    // All reach to the end, and are copies of one generic function.
    for number in 0..COUNT {
        let name = format!("_RINvC4nest1fKj{number:x}_E");
        writeln!(
            nest,
            ".type {name},@function\n{name}: call main\n.size {name}, {}",
            (COUNT - number) * 5
        )?;
    }
    let folder = Folder::new()?;
    let bytes = std::fs::read(folder.compile_text(&program(&nest), "nest", &[])?)?;
    let started = Instant::now();
    let (_, repeats) = forecast(&bytes)?;
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    let family = repeats.generics.iter().find(|it| it.family == "nest::f");
    assert_eq!(family.map(|it| it.copies), u64::try_from(COUNT).ok());
    Ok(())
}
