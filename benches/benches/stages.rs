//! One benchmark for each stage of the pipeline.

fn main() {}
