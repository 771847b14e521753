//! Object files written by the crate `object`: in them all sections are at address 0 and relocations say what stands
//! where.

use object::elf;
use object::write::{Object, Relocation, SectionId, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolScope,
};
use whittle_image::{Described, ExceptionTable, FileKind, Image, Place, SectionRole, SymbolKind};

use crate::invariants::{assert_contents, assert_sound};
use crate::judge::assert_agrees;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// A processor, and its type of relocation that writes how far a symbol is from the field, in four bytes.
struct Processor {
    architecture: Architecture,
    endian: Endianness,
    name: &'static str,
    distance: elf::RelocationType,
}

impl Processor {
    const fn new(
        architecture: Architecture,
        endian: Endianness,
        name: &'static str,
        distance: elf::RelocationType,
    ) -> Self {
        Self {
            architecture,
            endian,
            name,
            distance,
        }
    }
}

/// Processors of both classes and byte orders, of which two (i686, arm) leave addends in place.
const PROCESSORS: [Processor; 6] = {
    use Endianness::{Big, Little};
    [
        Processor::new(Architecture::X86_64, Little, "x86_64", elf::R_X86_64_PC32),
        Processor::new(
            Architecture::Aarch64,
            Big,
            "aarch64_be",
            elf::R_AARCH64_PREL32,
        ),
        Processor::new(Architecture::S390x, Big, "s390x", elf::R_390_PC32),
        Processor::new(Architecture::I386, Little, "i686", elf::R_386_PC32),
        Processor::new(Architecture::Arm, Little, "arm", elf::R_ARM_REL32),
        Processor::new(Architecture::PowerPc, Big, "powerpc", elf::R_PPC_REL32),
    ]
};

/// `DW_EH_PE_pcrel | DW_EH_PE_sdata4`.
const RELATIVE: u8 = 0x1b;

/// An object file with two functions in a section, and a third in one of its own; the first and the third have an
/// exception table each.
fn object_file(processor: &Processor) -> Result<Vec<u8>, object::write::Error> {
    let endian = processor.endian;
    let mut file = Object::new(BinaryFormat::Elf, processor.architecture, endian);
    let text = file.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    file.append_section_data(text, &[0x11; 0x30], 16);
    let own = file.add_section(Vec::new(), b".text.third".to_vec(), SectionKind::Text);
    file.append_section_data(own, &[0x22; 0x18], 16);
    for (name, section, offset, size) in [
        ("first", text, 0, 0x10),
        ("second", text, 0x10, 0x20),
        ("third", own, 0, 0x18),
    ] {
        function(&mut file, name, section, offset, size);
    }
    let except = file.add_section(
        Vec::new(),
        b".gcc_except_table".to_vec(),
        SectionKind::ReadOnlyData,
    );
    // Two tables without call sites, of 4 bytes each.
    file.append_section_data(except, b"\xff\xff\x01\x00\xff\xff\x01\x00", 4);

    let relocate = |file: &mut Object<'_>, section, offset, symbol, addend| {
        let flags = RelocationFlags::Elf {
            r_type: processor.distance,
        };
        let relocation = Relocation {
            offset,
            symbol,
            addend,
            flags,
        };
        file.add_relocation(section, relocation)
    };
    let frames = file.add_section(Vec::new(), b".eh_frame".to_vec(), SectionKind::ReadOnlyData);
    let number = |value: u32| match endian {
        Endianness::Little => value.to_le_bytes(),
        Endianness::Big => value.to_be_bytes(),
    };
    let mut common = [number(16), number(0)].concat();
    common.extend_from_slice(&[
        1, b'z', b'L', b'R', 0, 1, 0x78, 16, 2, RELATIVE, RELATIVE, 0,
    ]);
    file.append_section_data(frames, &common, 4);
    let text = file.section_symbol(text);
    let own = file.section_symbol(own);
    let except = file.section_symbol(except);
    for (code, start, len, table) in [
        (text, 0, 0x10, Some(0)),
        (text, 0x10, 0x20, None),
        (own, 0, 0x18, Some(4)),
    ] {
        let at = file.section(frames).data().len();
        let back = number(u32::try_from(at + 4).expect("a small table"));
        let mut entry = [number(20), back, number(0), number(len)].concat();
        entry.extend_from_slice(&[4, 0, 0, 0, 0, 0, 0, 0]);
        let at = file.append_section_data(frames, &entry, 4);
        relocate(&mut file, frames, at + 8, code, start)?;
        if let Some(table) = table {
            relocate(&mut file, frames, at + 17, except, table)?;
        }
    }
    file.write()
}

fn function(file: &mut Object<'_>, name: &str, section: SectionId, value: u64, size: u64) {
    file.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value,
        size,
        kind: object::SymbolKind::Text,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
}

#[test]
fn unwind_entries_are_followed_through_relocations() -> TestResult {
    for processor in &PROCESSORS {
        let bytes = object_file(processor)?;
        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        assert_contents(&image);
        assert_agrees(&image)?;
        assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);

        assert_eq!(image.target.architecture, processor.name);
        assert_eq!(image.target.kind, FileKind::Object);
        assert_eq!(image.entry, None);
        let section = |name: &str| image.section_by_name(name).expect("a section").index;
        let place = |name: &str, offset| Place {
            section: section(name),
            offset,
        };
        let described: Vec<_> = image.unwind_tables[0]
            .entries
            .iter()
            .map(|entry| entry.describes)
            .collect();
        let code = |name, start, len, table: Option<u64>| Described::Code {
            start: place(name, start),
            len,
            exceptions: table.map(|offset| place(".gcc_except_table", offset)),
        };
        assert_eq!(
            described,
            [
                Described::Common { personality: None },
                code(".text", 0, 0x10, Some(0)),
                code(".text", 0x10, 0x20, None),
                code(".text.third", 0, 0x18, Some(4)),
            ],
            "{}",
            processor.name
        );
        let tables = [0, 4].map(|offset| ExceptionTable {
            place: place(".gcc_except_table", offset),
            len: 4,
            catches: Some(false),
        });
        assert_eq!(image.exception_tables, tables);
    }
    Ok(())
}

#[test]
fn functions_are_in_their_own_sections() -> TestResult {
    for processor in &PROCESSORS {
        let bytes = object_file(processor)?;
        let image = Image::parse(&bytes)?;
        let mut functions: Vec<_> = image
            .static_symbols()
            .expect("a table of symbols")
            .symbols
            .iter()
            .filter(|symbol| symbol.kind == SymbolKind::Function)
            .map(|symbol| {
                let place = symbol.place.expect("a place");
                let section = image.section(place.section).expect("a section");
                assert_eq!(section.role, SectionRole::Code);
                (symbol.name, &*section.name, place.offset, symbol.size)
            })
            .collect();
        functions.sort_unstable();
        let expected: [(&[u8], _, _, _); 3] = [
            (b"first", ".text", 0, 0x10),
            (b"second", ".text", 0x10, 0x20),
            (b"third", ".text.third", 0, 0x18),
        ];
        assert_eq!(functions, expected);
        // Every section is at 0, so an address says nothing.
        assert_eq!(image.place_at(0), None);
        assert_eq!(
            image.address_of(Place {
                section: image.sections[1].index,
                offset: 0
            }),
            None
        );
    }
    Ok(())
}
