//! The program as its users run it: what is printed where, and how it ends.

mod bad_input;
mod benchmarks;
mod build_command;
mod check;
mod debug_file;
mod diff;
mod disks;
mod files;
mod foreign;
mod history;
mod keeping;
mod kills;
mod machine;
mod output;
mod packages;
mod planted;
mod planted_history;
mod runner;
mod shrink;
mod shrink_trouble;
mod static_library;
mod whittle;
mod why;
