//! Files made by hand: one question each, and hostile ones.

mod aarch64;
mod elf;
mod hostile;
mod linked;

use whittle_code::{Certainty, ReferenceKind, References};
use whittle_image::Image;

/// The references of a file: from address, to address, kind, certainty.
fn references(bytes: &[u8]) -> Vec<(u64, u64, ReferenceKind, Certainty)> {
    let image = Image::parse(bytes).expect("the file is sound");
    assert_eq!(image.warnings.list(), []);
    let references = References::find(&image);
    let address = |place| image.address_of(place).expect("it is loaded");
    references
        .list()
        .iter()
        .map(|it| {
            (
                address(it.from()),
                address(it.to()),
                it.kind(),
                it.certainty(),
            )
        })
        .collect()
}
