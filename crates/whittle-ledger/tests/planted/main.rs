//! A workspace with things of known size, built by real cargo: each planted byte must turn up at its owner. Expected values
//! come from arithmetic, from the `object` crate's reading of the file, or from the map read anew here.

mod causes;
mod constants;
mod judge;
mod map;
mod owners;
mod stripped;
mod sums;
mod workspace;
