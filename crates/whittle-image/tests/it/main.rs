//! What the crate reads, judged by others: files made here byte by byte and files the linker made, whole and damaged.

mod archives;
mod complete;
mod containers;
mod damaged;
#[cfg(target_os = "linux")]
mod debug_files;
mod debug_info;
mod elf_file;
mod hostile;
mod invariants;
mod judge;
mod layouts;
#[cfg(target_os = "linux")]
mod linked;
mod objects;
mod packed;
mod processors;
#[cfg(target_os = "linux")]
mod toolchain;
mod units;
mod unwinding;
