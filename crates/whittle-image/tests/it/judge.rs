//! An independent judge: what the crates `object` and `gimli` read in the same file.

use std::collections::{BTreeMap, HashMap};

use gimli::UnwindSection as _;
use object::read::elf::{ElfFile32, ElfFile64, FileHeader, SectionHeader as _};
use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget as ObjectTarget,
};
use whittle_image::{
    Compression, Described, FileKind, Image, Place, RelocationEncoding, RelocationTarget,
    SectionRole, SymbolTable,
};

type Judgement = Result<(), Box<dyn std::error::Error>>;

/// Asserts that `image` says of its bytes what `object` and `gimli` say.
pub fn assert_agrees(image: &Image<'_>) -> Judgement {
    let file = object::File::parse(image.data)?;
    sections(image, &file);
    symbols(image, &file);
    if image.target.kind == FileKind::Object {
        object_relocations(image, &file);
    } else {
        dynamic_relocations(image, &file);
        unwind_entries(image, &file)?;
    }
    if image.target.bits == 64 {
        packed_relocations(image, &ElfFile64::<object::Endianness>::parse(image.data)?)?;
    } else {
        packed_relocations(image, &ElfFile32::<object::Endianness>::parse(image.data)?)?;
    }
    Ok(())
}

fn sections(image: &Image<'_>, file: &object::File<'_>) {
    let named = image
        .sections
        .iter()
        .filter(|section| section.role != SectionRole::FileStructure || section.size > 0);
    let mut by_index: HashMap<usize, _> = named
        .map(|section| (section.index.get(), section))
        .collect();
    for theirs in file.sections() {
        let ours = by_index.remove(&theirs.index().0);
        let ours = ours.expect("a section that `object` has");
        let name = String::from_utf8_lossy(theirs.name_bytes().expect("a name"));
        assert_eq!(ours.name, name);
        assert_eq!(ours.address, theirs.address(), "{name}");
        assert_eq!(ours.align, theirs.align().max(1), "{name}");
        if let Some((offset, len)) = theirs.file_range() {
            assert_eq!(ours.file_range, Some(offset..offset + len), "{name}");
        } else {
            assert!(ours.stored().is_empty(), "{name}");
        }
        if ours.compression == Compression::None {
            assert_eq!(ours.size, theirs.size(), "{name}");
        } else if let Ok(range) = theirs.compressed_file_range() {
            assert_eq!(ours.size, range.uncompressed_size, "{name}");
        }
    }
    let ours_alone: Vec<_> = by_index.values().map(|section| &section.name).collect();
    assert!(ours_alone.is_empty(), "{ours_alone:?}");
}

fn symbols(image: &Image<'_>, file: &object::File<'_>) {
    let tables = [
        (image.static_symbols(), file.symbols().collect::<Vec<_>>()),
        (
            image
                .symbol_tables
                .iter()
                .find(|table| table.role == whittle_image::SymbolTableRole::Dynamic),
            file.dynamic_symbols().collect(),
        ),
    ];
    for (ours, theirs) in tables {
        let ours = ours.map_or(&[][..], |table| &table.symbols);
        // `object` leaves the empty first symbol out.
        assert_eq!(ours.len().saturating_sub(1), theirs.len());
        for (ours, theirs) in ours.iter().skip(1).zip(&theirs) {
            let name = theirs.name_bytes().expect("a name");
            assert_eq!(ours.name, name);
            let address = match image.target.architecture.as_str() {
                // Without the bit that says "Thumb code".
                "arm" | "armeb" if theirs.kind() == object::SymbolKind::Text => {
                    theirs.address() & !1
                }
                _ => theirs.address(),
            };
            assert_eq!(ours.address, address, "{theirs:?}");
            assert_eq!(ours.size, theirs.size(), "{theirs:?}");
            assert_eq!(ours.undefined, theirs.is_undefined(), "{theirs:?}");
            if let (Some(place), Some(index)) = (ours.place, theirs.section_index())
                && image.target.architecture != "powerpc64"
            {
                let section = &image.sections[index.0];
                let by_address = image.target.kind != FileKind::Object
                    && theirs.kind() != object::SymbolKind::Tls;
                if by_address {
                    assert_eq!(
                        image.sections[place.section.get()].address + place.offset,
                        address,
                        "{theirs:?}"
                    );
                }
                let offset = if image.target.kind == FileKind::Object {
                    Some(address)
                } else {
                    address.checked_sub(section.address)
                };
                if by_address && offset.is_some_and(|offset| offset <= section.size) {
                    assert_eq!(place.section, section.index, "{theirs:?}");
                }
            }
        }
    }
}

fn object_relocations(image: &Image<'_>, file: &object::File<'_>) {
    for theirs in file.sections() {
        let ours: BTreeMap<u64, Vec<_>> = image
            .relocation_tables
            .iter()
            .flat_map(|table| table.relocations.iter().map(move |it| (table, it)))
            .filter(|(_, it)| {
                it.patched
                    .is_some_and(|it| it.section.get() == theirs.index().0)
            })
            .fold(BTreeMap::new(), |mut map, (table, it)| {
                let offset = it.patched.map_or(0, |place| place.offset);
                map.entry(offset).or_insert_with(Vec::new).push((table, it));
                map
            });
        let mut number = HashMap::new();
        for (offset, relocation) in theirs.relocations() {
            let at = number.entry(offset).or_insert(0);
            let Some((table, ours)) = ours.get(&offset).and_then(|them| them.get(*at)) else {
                panic!("no relocation at {offset:#x} of {:?}", theirs.name());
            };
            *at += 1;
            if let (ObjectTarget::Symbol(theirs), RelocationTarget::Symbol { index, addend }) =
                (relocation.target(), ours.target)
            {
                assert_eq!(usize::try_from(index), Ok(theirs.0));
                if table.encoding == RelocationEncoding::WithAddend {
                    assert_eq!(addend, relocation.addend());
                }
            }
        }
    }
}

fn dynamic_relocations(image: &Image<'_>, file: &object::File<'_>) {
    let dynamic = |symbols: Option<usize>| {
        let table: Option<&SymbolTable<'_>> =
            symbols.and_then(|number| image.symbol_tables.get(number));
        table.is_some_and(|table| table.role == whittle_image::SymbolTableRole::Dynamic)
    };
    let ours: Vec<_> = image
        .relocation_tables
        .iter()
        .filter(|table| dynamic(table.symbols) && table.encoding != RelocationEncoding::Packed)
        .flat_map(|table| table.relocations.iter().map(move |it| (table, it)))
        .collect();
    // `object` takes every table for one of these where there are no dynamic symbols, and does not read the parts of an
    // entry without addend in the order that 64-bit little-endian MIPS has.
    if file.dynamic_symbol_table().is_none() || image.target.architecture == "mips64el" {
        return;
    }
    let theirs: Vec<_> = file.dynamic_relocations().into_iter().flatten().collect();
    assert_eq!(ours.len(), theirs.len());
    for ((table, ours), (address, theirs)) in ours.into_iter().zip(&theirs) {
        if let Some(place) = ours.patched {
            assert_eq!(image.address_of(place), Some(*address));
        } else {
            assert_eq!(image.place_at(*address), None);
        }
        match (ours.target, theirs.target()) {
            (RelocationTarget::Symbol { index, addend }, ObjectTarget::Symbol(symbol)) => {
                assert_eq!(usize::try_from(index), Ok(symbol.0));
                if table.encoding == RelocationEncoding::WithAddend {
                    assert_eq!(addend, theirs.addend());
                }
            }
            (RelocationTarget::Address(address), _)
                if table.encoding == RelocationEncoding::WithAddend && image.target.bits == 64 =>
            {
                assert_eq!(address, theirs.addend().cast_unsigned());
            }
            (RelocationTarget::Symbol { .. }, theirs) => panic!("{theirs:?} is no symbol"),
            _ => {}
        }
    }
}

/// Compares the packed relative relocations (`SHT_RELR`) word by word.
fn packed_relocations<H: FileHeader<Endian = object::Endianness>>(
    image: &Image<'_>,
    file: &object::read::elf::ElfFile<'_, H>,
) -> Judgement {
    for (index, header) in file.elf_section_table().enumerate() {
        let Some(theirs) = header.relr(file.endian(), image.data)? else {
            continue;
        };
        let theirs: Vec<u64> = theirs.map(Into::into).collect();
        let ours: Vec<u64> = image
            .relocation_tables
            .iter()
            .filter(|table| table.section.get() == index.0)
            .flat_map(|table| &table.relocations)
            .map(|it| it.patched.expect("a stored word"))
            .map(|place| image.address_of(place).expect("a loaded word"))
            .collect();
        assert_eq!(ours, theirs);
    }
    Ok(())
}

/// Compares `.eh_frame` entry by entry, and the search table with the entries it leads to.
fn unwind_entries(image: &Image<'_>, file: &object::File<'_>) -> Judgement {
    let endian = if file.is_little_endian() {
        gimli::RunTimeEndian::Little
    } else {
        gimli::RunTimeEndian::Big
    };
    for table in &image.unwind_tables {
        let section = &image.sections[table.section.get()];
        let mut frames = gimli::EhFrame::new(section.stored(), endian);
        frames.set_address_size(image.target.bits / 8);
        let bases = gimli::BaseAddresses::default().set_eh_frame(section.address);
        let mut theirs = frames.entries(&bases);
        for ours in &table.entries {
            let at = usize::try_from(ours.offset)?;
            // `gimli` stops at a mark of the end; tables go on behind it.
            let entry = theirs.next()?;
            match (ours.describes, entry) {
                (Described::End, None) => theirs = frames.entries(&bases),
                (Described::Common { personality }, Some(gimli::CieOrFde::Cie(entry))) => {
                    assert_eq!(at, entry.offset());
                    assert_pointer(image, personality, entry.personality());
                }
                (described, Some(gimli::CieOrFde::Fde(entry))) => {
                    let entry = entry.parse(gimli::EhFrame::cie_from_offset)?;
                    assert_eq!(at, entry.offset());
                    if let Described::Code {
                        start,
                        len,
                        exceptions,
                    } = described
                    {
                        assert_eq!(image.address_of(start), Some(entry.initial_address()));
                        assert_eq!(len, entry.len());
                        assert_pointer(image, exceptions, entry.lsda());
                    } else {
                        assert_eq!(described, Described::Nothing);
                        assert_eq!(image.place_at(entry.initial_address()), None);
                    }
                }
                (ours, theirs) => panic!("{ours:?} is {theirs:?}"),
            }
            if ours.describes == Described::End {
                break;
            }
        }
    }
    for index in &image.unwind_indexes {
        let section = &image.sections[index.section.get()];
        if section.name != ".eh_frame_hdr" {
            continue;
        }
        let header = gimli::EhFrameHdr::new(section.stored(), endian);
        let bases = gimli::BaseAddresses::default().set_eh_frame_hdr(section.address);
        let header = header.parse(&bases, image.target.bits / 8)?;
        let table = header.table().expect("a search table");
        let mut theirs = table.iter(&bases);
        for place in &index.entries {
            let (code, _) = theirs.next()?.expect("an entry");
            assert_pointer(image, *place, Some(code));
        }
        assert!(theirs.next()?.is_none());
    }
    Ok(())
}

fn assert_pointer(image: &Image<'_>, ours: Option<Place>, theirs: Option<gimli::Pointer>) {
    let mask = if image.target.bits == 32 {
        u64::from(u32::MAX)
    } else {
        u64::MAX
    };
    let theirs = theirs.map(|it| it.pointer() & mask);
    let Some(place) = ours else {
        // `gimli` adds the base to a null pointer as well, which then points at its own field.
        let theirs = theirs.and_then(|address| image.place_at(address));
        let table = theirs.and_then(|place| image.section(place.section));
        assert!(table.is_none_or(|table| table.role == SectionRole::UnwindTable));
        return;
    };
    assert_eq!(image.address_of(place), theirs);
}
