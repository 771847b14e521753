//! Members of import libraries for Windows: not objects, but a header and the names of a symbol and of the library that
//! has it (Microsoft, "PE Format", "Import Library Format").

use std::iter;

use crate::error::ImageError;
use crate::image::{Endianness, FileKind, Format, Header, Image, Target};
use crate::place::{SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole};
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

/// `Sig1`, `Sig2`, `Version`: with another version it is an object file.
const MAGIC: &[u8] = b"\0\0\xff\xff\0\0";
const HEADER_LEN: usize = 20;
const MACHINE_AT: usize = 6;
const TYPE_AT: usize = 18;
/// No symbol has a longer name.
const MAX_NAME: usize = 1 << 20;

/// Whether it is the member of an import library.
pub(crate) fn is_import(data: &[u8]) -> bool {
    data.starts_with(MAGIC)
}

/// Reads one.
///
/// # Errors
/// [`ImageError`] if the header is cut off.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let Some((header, names)) = data.split_at_checked(HEADER_LEN) else {
        return Err(ImageError::PastEnd {
            table: "import header",
            offset: 0,
            len: to_u64(HEADER_LEN),
            file_len: to_u64(data.len()),
        });
    };
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let (architecture, bits) = match half(MACHINE_AT) {
        0x8664 => ("x86_64".to_owned(), 64),
        0x014c => ("i686".to_owned(), 32),
        0xaa64 => ("aarch64".to_owned(), 64),
        0x01c4 => ("arm".to_owned(), 32),
        other => (format!("pe-machine-{other:#x}"), 64),
    };
    let target = Target {
        format: Format::Pe,
        architecture,
        bits,
        endianness: Endianness::Little,
        kind: FileKind::Object,
    };
    let mut image = Image::new(data, target);
    let header_len = to_u64(HEADER_LEN);
    image.headers.push(Header {
        name: "(import header)",
        file_range: 0..header_len,
    });
    let range = header_len..to_u64(data.len());
    let section = SectionIndex(0);
    image.sections.push(Section {
        index: section,
        name: "(import)".into(),
        address: 0,
        size: to_u64(names.len()),
        stored: slice(data, &range).unwrap_or_default(),
        file_range: Some(range),
        align: 1,
        access: Access::default(),
        role: SectionRole::DynamicLinking,
        retention: Retention::IfMentioned,
        compression: Compression::None,
    });
    let len = memchr::memchr(0, names).unwrap_or(names.len());
    // The lowest two bits of the type: code, data, constant.
    let kind = match half(TYPE_AT) & 3 {
        0 => SymbolKind::Function,
        _ => SymbolKind::Data,
    };
    let symbol = Symbol {
        name: &names[..len.min(MAX_NAME)],
        name_offset: None,
        kind,
        binding: Binding::Global,
        address: 0,
        size: 0,
        place: None,
        undefined: true,
    };
    image.symbol_tables.push(SymbolTable {
        role: SymbolTableRole::Dynamic,
        section,
        names: None,
        entry_size: 0,
        // The name of the library is there for this symbol alone.
        ranges: iter::once(0..to_u64(names.len())).collect(),
        symbols: vec![symbol],
        versions: None,
    });
    Ok(image)
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
