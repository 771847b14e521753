//! A program that is nothing but the helper of this crate's tests.

use std::process::ExitCode;

use whittle_cargo::Helper;

fn main() -> ExitCode {
    Helper::serve().unwrap_or(ExitCode::FAILURE)
}
