//! What a call on 64-bit Arm leaves in the registers that hold pages, and which numbers in x86-64 code are addresses.

#[path = "../../../whittle-image/tests/it/elf_file.rs"]
#[expect(
    dead_code,
    reason = "made for the tests of `whittle-image`, which need more of it"
)]
mod elf_file;

use elf_file::{ElfFile, LAYOUTS, Section};
use object::elf;
use whittle_code::ReferenceKind::{self, Access, Address};
use whittle_code::References;
use whittle_image::Image;

const CODE: u64 = 0x1_0000;
const CONSTANTS: u64 = 0x3_0000;
const SLOTS: u64 = 0x5_0000;

// Instructions as an assembler writes them.
const PAGE_X19: u32 = 0x9000_0113; // adrp x19, +0x20000
const PAGE_X8: u32 = 0x9000_0108; // adrp x8, +0x20000
const LOAD_X0_X19: u32 = 0xf940_0260; // ldr x0, [x19]
const LOAD_X0_X8: u32 = 0xf940_0100; // ldr x0, [x8]
const LOAD_X19_X0: u32 = 0xf940_0013; // ldr x19, [x0]
const SAVE_X19: u32 = 0xf81f_0ff3; // str x19, [sp, #-16]!
const SAVE_X20_X19: u32 = 0xa9bf_4ff4; // stp x20, x19, [sp, #-16]!
const RESTORE_X19: u32 = 0xf841_07f3; // ldr x19, [sp], #16
const RETURN: u32 = 0xd65f_03c0;
const JUMP_X1: u32 = 0xd61f_0020; // br x1
// The call through a thread-local descriptor.
const DESCRIPTOR_PAGE: u32 = 0x9000_0200; // adrp x0, +0x40000
const DESCRIPTOR_LOAD: u32 = 0xf940_0001; // ldr x1, [x0]
const DESCRIPTOR_ADD: u32 = 0x9100_0000; // add x0, x0, #0
const CALL_X1: u32 = 0xd63f_0020; // blr x1

/// `bl` over a number of instructions.
fn call(instructions: u32) -> u32 {
    0x9400_0000 | instructions
}

fn section(name: &'static str, flags: u64, address: u64, data: Vec<u8>) -> Section {
    Section {
        name,
        flags: elf::SectionFlags(elf::SHF_ALLOC.0 | flags),
        address,
        align: 16,
        data,
        ..Section::default()
    }
}

/// Adds a symbol table with functions: start and end in the first section.
fn push_functions(file: &mut ElfFile, functions: &[(u64, u64)]) {
    let info = elf::STB_GLOBAL.0 << 4 | elf::STT_FUNC.0;
    let symbols: Vec<_> = functions
        .iter()
        .map(|&(start, end)| ("function", start, end - start, info, 1))
        .collect();
    let (table, names) = file.layout.symbols(&symbols);
    let names_at = u32::try_from(file.sections.len() + 2).expect("few sections");
    file.push(Section {
        name: ".symtab",
        kind: elf::SHT_SYMTAB,
        link: names_at,
        data: table,
        ..Section::default()
    });
    file.push(Section {
        name: ".strtab",
        kind: elf::SHT_STRTAB,
        data: names,
        ..Section::default()
    });
}

/// From where to where, and how.
fn references(bytes: &[u8]) -> Vec<(u64, u64, ReferenceKind)> {
    let image = Image::parse(bytes).expect("the file is sound");
    assert_eq!(image.warnings.list(), []);
    let address = |place| image.address_of(place).expect("it is loaded");
    References::find(&image)
        .list()
        .iter()
        .map(|it| (address(it.from()), address(it.to()), it.kind()))
        .collect()
}

/// What instructions of a caller refer to in data, by number. The called function stands behind it.
fn accesses(caller: &[u32], other: &[u32]) -> Vec<(u64, u64)> {
    let mut file = ElfFile::program(LAYOUTS[0], elf::EM_AARCH64);
    let words = [caller, other].concat();
    let code = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    file.push(section(".text", elf::SHF_EXECINSTR.0, CODE, code));
    file.push(section(".rodata", 0, CONSTANTS, vec![0; 0x100]));
    file.push(section(".got", elf::SHF_WRITE.0, SLOTS, vec![0; 16]));
    let entry = file
        .layout
        .relocation(SLOTS, 0, elf::R_AARCH64_TLSDESC.0, Some(0));
    file.push(Section {
        kind: elf::SHT_RELA,
        entry_size: 24,
        ..section(".rela.dyn", 0, 0x6_0000, entry)
    });
    let at = |count: usize| CODE + 4 * u64::try_from(count).expect("few instructions");
    let (middle, end) = (at(caller.len()), at(words.len()));
    push_functions(&mut file, &[(CODE, middle), (middle, end)]);
    references(&file.write())
        .into_iter()
        .filter(|&(from, to, kind)| from < middle && to < SLOTS && kind == Access)
        .map(|(from, to, _)| ((from - CODE) / 4, to))
        .collect()
}

#[test]
fn calls_keep_pages_in_registers_of_the_callee_only() {
    let caller = [PAGE_X19, PAGE_X8, call(4), LOAD_X0_X19, LOAD_X0_X8, RETURN];
    assert_eq!(accesses(&caller, &[JUMP_X1]), [(3, CONSTANTS)]);
}

#[test]
fn pieces_cut_out_of_functions_write_registers_of_the_callee() {
    let caller = [PAGE_X19, call(3), LOAD_X0_X19, RETURN];
    assert_eq!(accesses(&caller, &[LOAD_X19_X0, RETURN]), []);
    // Also where the piece goes on to another function.
    assert_eq!(accesses(&caller, &[LOAD_X19_X0, JUMP_X1]), []);
}

#[test]
fn pieces_cut_out_of_functions_keep_what_they_do_not_write() {
    let caller = [PAGE_X8, call(3), LOAD_X0_X8, RETURN];
    assert_eq!(accesses(&caller, &[LOAD_X19_X0, RETURN]), [(2, CONSTANTS)]);
}

#[test]
fn functions_that_save_a_register_keep_its_page() {
    let caller = [PAGE_X19, call(3), LOAD_X0_X19, RETURN];
    for save in [SAVE_X19, SAVE_X20_X19] {
        let other = [save, LOAD_X19_X0, RESTORE_X19, RETURN];
        assert_eq!(accesses(&caller, &other), [(2, CONSTANTS)]);
        // What is written before it is saved is lost.
        let other = [LOAD_X19_X0, save, RESTORE_X19, RETURN];
        assert_eq!(accesses(&caller, &other), []);
    }
}

#[test]
fn calls_through_thread_local_descriptors_keep_pages() {
    let sequence = [
        PAGE_X8,
        DESCRIPTOR_PAGE,
        DESCRIPTOR_LOAD,
        DESCRIPTOR_ADD,
        CALL_X1,
        LOAD_X0_X8,
        RETURN,
    ];
    assert_eq!(accesses(&sequence, &[RETURN]), [(5, CONSTANTS)]);
    // Any other call through a register does not.
    let plain = [PAGE_X8, CALL_X1, LOAD_X0_X8, RETURN];
    assert_eq!(accesses(&plain, &[RETURN]), []);
}

#[test]
fn numbers_that_lead_into_tables_of_the_loader_are_no_addresses() {
    let mut file = ElfFile::program(LAYOUTS[0], elf::EM_X86_64);
    file.kind = elf::ET_EXEC;
    // `mov $address, %eax`, of a relocation and of a constant.
    let code = [&b"\xb8\x08\0\x06\0"[..], b"\xb8\x08\0\x03\0", b"\xc3"].concat();
    let end = CODE + 11;
    file.push(section(".text", elf::SHF_EXECINSTR.0, CODE, code));
    // A constant that looks like the address of a relocation, and one that looks like the address of itself.
    let constants = file.layout.bytes().word(0x6_0008).word(CONSTANTS + 8);
    file.push(section(".rodata", 0, CONSTANTS, constants.bytes));
    let entry = file.layout.relocation(CONSTANTS, 0, 0, Some(0));
    file.push(Section {
        kind: elf::SHT_RELA,
        entry_size: 24,
        ..section(".rela.dyn", 0, 0x6_0000, entry)
    });
    push_functions(&mut file, &[(CODE, end)]);
    assert_eq!(
        references(&file.write()),
        [
            (CODE + 5, CONSTANTS + 8, Address),
            (CONSTANTS + 8, CONSTANTS + 8, ReferenceKind::Pointer),
        ]
    );
}
