//! Judges references by what the linker says it patched: programs linked with `--emit-relocs` keep every relocation
//! beside the finished code, and [`References::find`] does not look at them.

mod objects;
mod programs;
mod truth;

use std::path::PathBuf;

use programs::{Error, Language, Program};
use truth::{Judgement, Truth};
use whittle_code::References;
use whittle_image::Image;

/// Of all code references that the linker knows, how many must be found.
const RECALL: f64 = 0.995;

fn judge(bytes: &[u8]) -> Result<Judgement, Error> {
    let image = Image::parse(bytes)?;
    let references = References::find(&image);
    Ok(Truth::read(bytes)?.judge(&image, &references))
}

fn check(judgement: &Judgement, at_least: usize) {
    assert!(
        judgement.known >= at_least,
        "the linker should know {at_least} references at least: {judgement}"
    );
    assert!(judgement.recall() >= RECALL, "{judgement}");
    assert!(judgement.wrong.is_empty(), "{judgement}");
}

#[test]
fn rust_program() -> Result<(), Error> {
    let program = Program::build(Language::Rust, &["-Copt-level=3"])?;
    check(&judge(&program.read()?)?, 5_000);
    Ok(())
}

#[test]
fn rust_program_for_size_that_aborts() -> Result<(), Error> {
    let flags = [
        "-Copt-level=z",
        "-Cpanic=abort",
        "-Clto=fat",
        "-Ccodegen-units=1",
    ];
    let program = Program::build(Language::Rust, &flags)?;
    check(&judge(&program.read()?)?, 2_000);
    Ok(())
}

#[test]
fn rust_program_without_optimization() -> Result<(), Error> {
    let program = Program::build(Language::Rust, &["-Copt-level=0"])?;
    check(&judge(&program.read()?)?, 5_000);
    Ok(())
}

#[test]
fn rust_program_at_a_fixed_address() -> Result<(), Error> {
    let flags = ["-Copt-level=3", "-Crelocation-model=static"];
    let program = Program::build(Language::Rust, &flags)?;
    check(&judge(&program.read()?)?, 5_000);
    Ok(())
}

#[test]
fn rust_program_at_a_fixed_address_for_size_that_aborts() -> Result<(), Error> {
    let flags = [
        "-Copt-level=z",
        "-Cpanic=abort",
        "-Clto=fat",
        "-Ccodegen-units=1",
        "-Crelocation-model=static",
    ];
    let program = Program::build(Language::Rust, &flags)?;
    check(&judge(&program.read()?)?, 2_000);
    Ok(())
}

#[test]
fn rust_program_with_packed_relocations() -> Result<(), Error> {
    let flags = ["-Copt-level=3", "-Clink-arg=-Wl,-z,pack-relative-relocs"];
    let program = Program::build(Language::Rust, &flags)?;
    check(&judge(&program.read()?)?, 5_000);
    Ok(())
}

#[test]
fn rust_program_of_gnu_ld() -> Result<(), Error> {
    let flags = ["-Copt-level=3", "-Clink-arg=-fuse-ld=bfd"];
    let program = Program::build(Language::Rust, &flags)?;
    check(&judge(&program.read()?)?, 5_000);
    Ok(())
}

#[test]
#[ignore = "needs mold"]
fn rust_program_of_mold() -> Result<(), Error> {
    let flags = [
        "-Copt-level=3",
        "-Clink-arg=-fuse-ld=mold",
        "-Clink-arg=-Wl,-z,pack-relative-relocs",
    ];
    let program = Program::build(Language::Rust, &flags)?;
    check(&judge(&program.read()?)?, 5_000);
    Ok(())
}

/// What the tests for 64-bit Arm need.
const ARM: [&str; 2] = [
    "--target=aarch64-unknown-linux-gnu",
    "-Clinker=aarch64-linux-gnu-gcc",
];

#[test]
#[ignore = "needs `rustup target add aarch64-unknown-linux-gnu` and aarch64-linux-gnu-gcc"]
fn rust_program_for_arm() -> Result<(), Error> {
    for level in ["-Copt-level=0", "-Copt-level=3"] {
        for model in ["-Crelocation-model=pic", "-Crelocation-model=static"] {
            let program = Program::build(Language::Rust, &[&ARM[..], &[level, model]].concat())?;
            check(&judge(&program.read()?)?, 5_000);
        }
    }
    Ok(())
}

/// LLVM cuts pieces out of functions here, which do not keep to the calling convention.
#[test]
#[ignore = "needs `rustup target add aarch64-unknown-linux-gnu` and aarch64-linux-gnu-gcc"]
fn rust_program_for_arm_for_size_that_aborts() -> Result<(), Error> {
    let flags = [
        "-Copt-level=z",
        "-Cpanic=abort",
        "-Clto=fat",
        "-Ccodegen-units=1",
    ];
    let program = Program::build(Language::Rust, &[&ARM[..], &flags].concat())?;
    check(&judge(&program.read()?)?, 2_000);
    Ok(())
}

#[test]
fn c_program() -> Result<(), Error> {
    let program = Program::build(Language::C, &["-O2", "-fPIE", "-pie"])?;
    check(&judge(&program.read()?)?, 30);
    Ok(())
}

#[test]
fn c_program_at_a_fixed_address() -> Result<(), Error> {
    let program = Program::build(Language::C, &["-O2", "-fno-pie", "-no-pie"])?;
    check(&judge(&program.read()?)?, 30);
    Ok(())
}

/// All of the C library, its hand-written assembly and indirect functions.
#[test]
fn c_program_linked_statically() -> Result<(), Error> {
    for flags in [["-O2", "-static"], ["-O2", "-static-pie"]] {
        let program = Program::build(Language::C, &flags)?;
        check(&judge(&program.read()?)?, 5_000);
    }
    Ok(())
}

#[test]
fn c_library() -> Result<(), Error> {
    let program = Program::build(Language::C, &["-O2", "-fPIC", "-shared"])?;
    check(&judge(&program.read()?)?, 30);
    Ok(())
}

#[test]
#[ignore = "judges the file named by WHITTLE_JUDGE, linked with `--emit-relocs`; for large programs and other processors"]
fn a_file_of_yours() -> Result<(), Error> {
    let path = PathBuf::from(std::env::var("WHITTLE_JUDGE")?);
    let judgement = judge(&std::fs::read(path)?)?;
    #[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
    {
        println!("{judgement}");
    }
    check(&judgement, 1);
    Ok(())
}
