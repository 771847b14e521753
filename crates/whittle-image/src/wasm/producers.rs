//! Who made the module: tool conventions, "Producers Section".

use super::{name, reader};
use crate::image::Image;
use crate::place::SectionIndex;

/// No module was made by more tools.
const MAX_PRODUCERS: usize = 64;

/// Adds the tools that a module says it was made by to the facts, as `name version`.
pub(super) fn read(image: &mut Image<'_>, section: SectionIndex) {
    let mut fields = reader(image, section);
    let mut producers = Vec::new();
    let mut read = || -> wasmparser::Result<()> {
        for _ in 0..fields.read_var_u32()? {
            let field = name(&mut fields)?;
            for _ in 0..fields.read_var_u32()? {
                let tool = String::from_utf8_lossy(name(&mut fields)?);
                let version = String::from_utf8_lossy(name(&mut fields)?);
                if field != b"language" && producers.len() < MAX_PRODUCERS {
                    producers.push(format!("{tool} version {version}"));
                }
            }
        }
        Ok(())
    };
    if read().is_err() {
        image.warnings.push("producers", None, "it is cut off");
    }
    for producer in producers {
        if !image.facts.producers.contains(&producer) {
            image.facts.producers.push(producer);
        }
    }
}
