//! What keeps what in real programs: judged by petgraph, by planted things of known size, and by builds without
//! them.

mod dominators;
mod forecasts;
mod hostile;
mod planted;
mod programs;
mod reach;
mod removals;
