//! The debug directory: where the debug info is, which is in another file. PE Format, "Debug Directory".

use object::pe;

use super::{Pe, Rvas, text, word};
use crate::image::Image;

/// No linker writes as many entries.
const MAX_ENTRIES: usize = 64;

/// One entry: what it is, and where its data is loaded.
pub(super) struct Entry {
    kind: u32,
    pub(super) rvas: Rvas,
}

/// The entries whose data is loaded.
pub(super) fn entries(pe: &Pe<'_>, data: &[u8]) -> impl Iterator<Item = Entry> + use<> {
    let mut entries = Vec::new();
    if let Some(directory) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_DEBUG) {
        let len = usize::try_from(directory.end - directory.start).unwrap_or(0);
        let bytes = pe.bytes(directory.start, data);
        let bytes = bytes.get(..len.min(bytes.len())).unwrap_or_default();
        for entry in bytes.chunks_exact(28).take(MAX_ENTRIES) {
            let fields = (word(entry, 12), word(entry, 16), word(entry, 20));
            if let (Some(kind), Some(len), Some(rva)) = fields
                && rva != 0
            {
                let rvas = rva..rva.saturating_add(len);
                entries.push(Entry { kind, rvas });
            }
        }
    }
    entries.into_iter()
}

/// Notes the debug file and the number of the build. Layout: `RSDS`, a number of 16 bytes, an age, a path.
pub(super) fn read(pe: &Pe<'_>, image: &mut Image<'_>) {
    for entry in entries(pe, image.data) {
        let bytes = pe.bytes(entry.rvas.start, image.data);
        if entry.kind == pe::IMAGE_DEBUG_TYPE_CODEVIEW.0
            && let Some(info) = bytes.strip_prefix(b"RSDS")
            && let Some(path) = info.get(20..).and_then(text)
        {
            image.facts.build_id = info.get(..16).map(<[u8]>::to_vec);
            if !path.is_empty() {
                image.facts.pdb = Some(String::from_utf8_lossy(path).into_owned());
            }
        }
    }
}
