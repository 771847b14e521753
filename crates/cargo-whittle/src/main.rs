//! cargo whittle.
fn main() {}
