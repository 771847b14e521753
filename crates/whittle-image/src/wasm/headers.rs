//! The frame: the preamble, and before each section its number and its length. Core Specification, "Modules" and
//! "Sections"; Component Model, "Component Definitions".

use wasmparser::BinaryReader;

use super::to_u64;
use crate::image::{Header, Image};
use crate::place::{FileRange, slice};

/// Magic number, version and layer.
pub(super) const PREAMBLE_LEN: usize = 8;

/// Components in components, at most. Tools nest them two or three deep.
const MAX_DEPTH: usize = 16;

/// The sections of one module, or those of a component that are no modules.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) layer: Layer,
    /// Number and payload of each.
    pub(super) sections: Vec<(u8, FileRange)>,
}

/// What the numbers of sections mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Layer {
    /// A core module.
    #[default]
    Module,
    /// A component.
    Component,
}

/// Finds all sections, the outermost component or module first.
pub(super) fn read(image: &mut Image<'_>) -> Vec<Module> {
    let mut modules = Vec::new();
    let mut waiting = vec![(0..image.file_len(), 0)];
    while let Some((range, depth)) = waiting.pop() {
        let (module, mut inner) = read_one(image, range, depth);
        modules.push(module);
        // The first one is next.
        inner.reverse();
        waiting.append(&mut inner);
    }
    modules
}

type Waiting = Vec<(FileRange, usize)>;

fn read_one(image: &mut Image<'_>, range: FileRange, depth: usize) -> (Module, Waiting) {
    let bytes = slice(image.data, &range).unwrap_or_default();
    let mut reader = BinaryReader::new(bytes, range.start);
    let mut module = Module::default();
    let mut inner = Vec::new();
    let preamble = reader.read_bytes(PREAMBLE_LEN).unwrap_or_default();
    if let Some(&[_, _, _, _, _, _, layer, _]) = preamble.first_chunk::<PREAMBLE_LEN>() {
        push_header(
            image,
            "WebAssembly preamble",
            range.start,
            reader.original_position(),
        );
        if layer == 1 {
            module.layer = Layer::Component;
        }
    }
    while !reader.eof() {
        let start = reader.original_position();
        let read = reader
            .read_u8()
            .and_then(|id| Ok((id, reader.read_var_u32()?)));
        let Ok((id, len)) = read else {
            image.warnings.push(
                "section header",
                Some(start),
                "it is cut off; nothing behind it is read",
            );
            break;
        };
        let payload = reader.original_position();
        push_header(image, "section header", start, payload);
        let wanted = payload.saturating_add(len.into());
        let end = wanted.min(range.end);
        if end < wanted {
            let message = format!("the section ends at {wanted:#x}, past the end; cut off");
            image.warnings.push("section header", Some(start), message);
        }
        match (module.layer, id) {
            // Component Model: a core module, a component.
            (Layer::Component, 1 | 4) if depth < MAX_DEPTH => inner.push((payload..end, depth + 1)),
            _ => module.sections.push((id, payload..end)),
        }
        let len = usize::try_from(end - payload).unwrap_or(usize::MAX);
        if reader.read_bytes(len).is_err() {
            break;
        }
    }
    debug_assert!(to_u64(bytes.len()) == range.end - range.start);
    (module, inner)
}

fn push_header(image: &mut Image<'_>, name: &'static str, start: u64, end: u64) {
    image.headers.push(Header {
        name,
        file_range: start..end,
    });
}
