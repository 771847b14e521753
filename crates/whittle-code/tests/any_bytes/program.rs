//! Programs of which only a few things matter.

use object::elf;

use crate::elf_file::{ElfFile, LAYOUTS, Section};

pub const CODE: u64 = 0x1_0000;

/// A section that is loaded. `flags` besides that.
pub fn loaded(
    name: &'static str,
    flags: elf::SectionFlags,
    address: u64,
    data: Vec<u8>,
) -> Section {
    Section {
        name,
        flags: elf::SHF_ALLOC | flags,
        address,
        align: 16,
        data,
        ..Section::default()
    }
}

/// A file with code only, for one of the processors that are read, as program, library or object; `kind` says which of
/// these. Every eighth byte is where a function starts.
pub fn of_code(kind: u8, code: &[u8]) -> Vec<u8> {
    let machine = match kind & 3 {
        0 | 1 => elf::EM_X86_64,
        2 => elf::EM_AARCH64,
        _ => elf::EM_386,
    };
    let layout = LAYOUTS[if machine == elf::EM_386 { 2 } else { 0 }];
    let mut file = ElfFile::program(layout, machine);
    file.kind = match kind >> 2 & 3 {
        0 => elf::ET_EXEC,
        1 => elf::ET_REL,
        _ => elf::ET_DYN,
    };
    let is_object = file.kind == elf::ET_REL;
    let address = if is_object { 0 } else { CODE };
    file.push(loaded(".text", elf::SHF_EXECINSTR, address, code.to_vec()));
    let behind = CODE + u64::try_from(code.len()).expect("short");
    let data = behind.next_multiple_of(0x1000);
    let at = |distance: u64| if is_object { 0 } else { data + distance };
    file.push(loaded(
        ".rodata",
        elf::SectionFlags(0),
        at(0),
        vec![1; 0x1000],
    ));
    file.push(loaded(".got", elf::SHF_WRITE, at(0x1000), vec![0; 0x1000]));
    let info = elf::STB_GLOBAL.0 << 4 | elf::STT_FUNC.0;
    let functions: Vec<_> = code
        .chunks(8)
        .zip((address..).step_by(8))
        .filter(|(bytes, _)| kind & 0x10 == 0 || bytes[0] & 1 == 1)
        .map(|(bytes, start)| ("", start, u64::from(bytes[0] >> 1), info, 1))
        .collect();
    let (symbols, names) = layout.symbols(&functions);
    file.push(Section {
        name: ".symtab",
        kind: elf::SHT_SYMTAB,
        link: 5,
        data: symbols,
        ..Section::default()
    });
    file.push(Section {
        name: ".strtab",
        kind: elf::SHT_STRTAB,
        data: names,
        ..Section::default()
    });
    file.write()
}
