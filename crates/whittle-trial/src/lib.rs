//! Plans trials that make a program smaller, and judges what they give.
//!
//! Nothing here reads a file, starts a process or asks a clock: the same values give the same plan anywhere.

pub mod behaviour;
pub mod class;
pub mod detect;
pub mod lever;
pub mod levers;
pub mod libc;
pub mod settings;
pub mod speed;
