//! What keeps what in real programs: judged by petgraph, by planted things of known size.

mod dominators;
mod hostile;
mod planted;
mod programs;
mod reach;
