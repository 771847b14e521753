//! A small program that has every kind of table, and nothing wrong with it.

use object::elf;

use crate::elf_file::{Bytes, ElfFile, Layout, Section, Segment};

const TEXT: u64 = 0x1000;
const STUBS: u64 = 0x1100;
const DYNAMIC_SYMBOLS: u64 = 0x2000;
const DYNAMIC_NAMES: u64 = 0x2100;
const RELOCATIONS: u64 = 0x2200;
const PACKED_RELOCATIONS: u64 = 0x2300;
const FRAMES: u64 = 0x2400;
const FRAME_INDEX: u64 = 0x2500;
const EXCEPTIONS: u64 = 0x2600;
const THREAD_DATA: u64 = 0x3000;
const DATA: u64 = 0x4000;
const DYNAMIC: u64 = 0x5000;
const NOTE: u64 = 0x5100;

/// The program, for x86-64 in any layout.
pub fn program(layout: Layout) -> ElfFile {
    let mut file = ElfFile::program(layout, elf::EM_X86_64);
    file.push(code(".text", TEXT, vec![0x90; 64]));
    push_symbols(&mut file);
    push_relocations(&mut file);
    push_unwinding(&mut file);
    file.push(Section {
        flags: elf::SHF_ALLOC | elf::SHF_WRITE | elf::SHF_TLS,
        ..loaded(".tdata", THREAD_DATA, vec![1; 8])
    });
    file.push(Section {
        flags: elf::SHF_ALLOC | elf::SHF_WRITE,
        ..loaded(".data", DATA, vec![0; 64])
    });
    let stub = b"\xff\x25\x02\0\0\0\x68\0\0\0\0\xe9\0\0\0\0".to_vec();
    file.push(code(".plt", STUBS, stub));
    let note = layout.bytes().u32(4).u32(4).u32(elf::NT_GNU_BUILD_ID.0);
    file.push(Section {
        kind: elf::SHT_NOTE,
        ..loaded(
            ".note.gnu.build-id",
            NOTE,
            note.slice(b"GNU\0\x01\x02\x03\x04").bytes,
        )
    });
    push_debug_info(&mut file);
    for (kind, offset) in [
        (elf::PT_LOAD, 0),
        (elf::PT_TLS, 0x100),
        (elf::PT_INTERP, 0x100),
    ] {
        file.segments.push(Segment {
            kind,
            flags: elf::PF_R,
            offset,
            address: THREAD_DATA,
            file_size: 8,
            memory_size: 16,
        });
    }
    file.entry = TEXT;
    file
}

fn loaded(name: &'static str, address: u64, data: Vec<u8>) -> Section {
    Section {
        name,
        flags: elf::SHF_ALLOC,
        address,
        align: 4,
        data,
        ..Section::default()
    }
}

fn code(name: &'static str, address: u64, data: Vec<u8>) -> Section {
    Section {
        flags: elf::SHF_ALLOC | elf::SHF_EXECINSTR,
        ..loaded(name, address, data)
    }
}

/// Both tables of symbols, and the dynamic section, which needs the names.
fn push_symbols(file: &mut ElfFile) {
    let function = elf::STB_GLOBAL.0 << 4 | elf::STT_FUNC.0;
    let thread = elf::STB_GLOBAL.0 << 4 | elf::STT_TLS.0;
    let (symbols, names) = file.layout.symbols(&[
        ("first", TEXT, 16, function, 1),
        ("second", TEXT + 16, 16, function, 1),
        ("thread", 0, 8, thread, 12),
    ]);
    let static_names = file.push(Section {
        name: ".strtab",
        kind: elf::SHT_STRTAB,
        data: names.clone(),
        ..Section::default()
    });
    file.push(Section {
        name: ".symtab",
        kind: elf::SHT_SYMTAB,
        link: static_names,
        data: symbols.clone(),
        ..Section::default()
    });
    let dynamic_names = file.push(Section {
        kind: elf::SHT_STRTAB,
        ..loaded(".dynstr", DYNAMIC_NAMES, names)
    });
    file.push(Section {
        kind: elf::SHT_DYNSYM,
        link: dynamic_names,
        ..loaded(".dynsym", DYNAMIC_SYMBOLS, symbols)
    });
    // It needs the library "first", then its entries end.
    let dynamic = file.layout.bytes().word(1).word(1).word(0).word(0).bytes;
    file.push(Section {
        kind: elf::SHT_DYNAMIC,
        link: dynamic_names,
        ..loaded(".dynamic", DYNAMIC, dynamic)
    });
}

fn push_relocations(file: &mut ElfFile) {
    let (relative, slot) = (elf::R_X86_64_RELATIVE.0, elf::R_X86_64_JUMP_SLOT.0);
    let loose = [
        file.layout.relocation(DATA, 0, relative, Some(0x1000)),
        file.layout.relocation(DATA + 8, 1, slot, Some(0)),
    ];
    file.push(Section {
        kind: elf::SHT_RELA,
        link: 5,
        ..loaded(".rela.dyn", RELOCATIONS, loose.concat())
    });
    // An address, and two words behind it.
    let packed = file.layout.bytes().word(DATA + 16).word(7).bytes;
    file.push(Section {
        kind: elf::SHT_RELR,
        ..loaded(".relr.dyn", PACKED_RELOCATIONS, packed)
    });
}

/// A common entry, a function with an exception table, and an entry of the search table.
fn push_unwinding(file: &mut ElfFile) {
    let common = file.layout.bytes().u32(21).u32(0).u8(1);
    let common = common.slice(b"zPLR\0\x01\x78\x10\x07\x1b").u32(0);
    let common = common.slice(b"\x1b\x1b");
    let back = u32::try_from(common.len() + 4).expect("a small table");
    let frames = common.u32(17).u32(back).distance(FRAMES, TEXT).u32(16);
    let frames = frames.u8(4).distance(FRAMES, EXCEPTIONS).u32(0);
    file.push(loaded(".eh_frame", FRAMES, frames.bytes));
    let index = file.layout.bytes().slice(b"\x01\x1b\x03\x3b").u32(0).u32(1);
    let index = index.u32(0).u32(0).bytes;
    file.push(loaded(".eh_frame_hdr", FRAME_INDEX, index));
    let exceptions = b"\xff\x00\x08\x01\x04\x00\x10\x20\x01\x7f\x00\x00".to_vec();
    file.push(loaded(".gcc_except_table", EXCEPTIONS, exceptions));
}

/// One unit with a contribution to each section.
fn push_debug_info(file: &mut ElfFile) {
    let layout = file.layout;
    let with_len = |contents: Bytes| {
        let len = u32::try_from(contents.len()).expect("a small unit");
        layout.bytes().u32(len).slice(&contents.bytes).bytes
    };
    // Code 1, a compile unit without children: a name in place, and its line program.
    let abbreviations = b"\x01\x11\x00\x03\x08\x10\x17\x00\x00\x00".to_vec();
    let unit = layout.bytes().u16(4).u32(0).u8(8);
    let unit = unit.slice(b"\x01name\0").u32(0);
    let line = layout.bytes().u16(4).u32(0);
    let ranges = layout.bytes().u16(2).u32(0).u8(8).u8(0);
    for (name, data) in [
        (".debug_abbrev", abbreviations),
        (".debug_info", with_len(unit)),
        (".debug_line", with_len(line)),
        (".debug_aranges", with_len(ranges)),
        (".debug_str", b"text\0".to_vec()),
    ] {
        file.push(Section {
            name,
            data,
            ..Section::default()
        });
    }
}
