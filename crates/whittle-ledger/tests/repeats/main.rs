//! What stands in a file more than once, judged by what linker and compiler make of it: programs are built twice, with and
//! without the cure, and the forecast for the one is compared with the other.

#[cfg(target_arch = "x86_64")]
mod folding;
mod generics;
#[cfg(target_arch = "x86_64")]
mod hostile;
mod instances;
mod rustc;
