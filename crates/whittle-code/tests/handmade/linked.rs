//! Linked files for x86-64, unless it does not matter.

use whittle_code::Certainty::{Exact, Inferred};
use whittle_code::ReferenceKind::{Access, Address, Call, Jump, Pointer};
use whittle_code::{FunctionSource, Method, References};
use whittle_image::{Image, Place, SectionIndex};

use crate::elf::{Elf, FUNCTION, LIBRARY, NOTHING, OBJECT, PROGRAM, RISCV, X86_64};
use crate::references;

const CODE: u64 = 0x1000;
const CONSTANTS: u64 = 0x3000;
const SLOTS: u64 = 0x4000;

const RELATIVE: u32 = 8;
const SLOT: u32 = 6;
const THREAD_OFFSET: u32 = 18;
/// Of RISC-V.
const RISCV_RELATIVE: u32 = 3;

/// An instruction of `opcode` whose last four bytes are the distance from `at + len` to `to`.
fn to(opcode: &[u8], at: u64, to: u64) -> Vec<u8> {
    let len = u64::try_from(opcode.len() + 4).expect("short");
    let distance = i32::try_from(to.wrapping_sub(at + len).cast_signed()).expect("near");
    [opcode, &distance.to_le_bytes()].concat()
}

const CALL: &[u8] = b"\xe8";
const JUMP: &[u8] = b"\xe9";
const LEA: &[u8] = b"\x48\x8d\x05";
const LOAD: &[u8] = b"\x48\x8b\x05";
const CALL_THROUGH: &[u8] = b"\xff\x15";

#[test]
fn what_stays_in_a_function_is_left_out() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let bytes = [
        to(CALL, CODE, CODE),           // itself
        to(JUMP, CODE + 5, CODE + 10),  // further on
        to(LEA, CODE + 10, CODE + 3),   // its own code
        to(CALL, CODE + 17, CODE + 32), // the next function
        to(LEA, CODE + 22, CONSTANTS),
        vec![0xc3, 0x90, 0x90],
        to(JUMP, CODE + 32, CODE + 22), // into the middle of the first
    ]
    .concat();
    let code = elf.code(CODE, &bytes);
    elf.constants(CONSTANTS, &[0; 16]);
    elf.symbol("first", FUNCTION, code, CODE, 30);
    elf.symbol("second", FUNCTION, code, CODE + 32, 5);
    assert_eq!(
        references(&elf.write()),
        [
            (CODE + 17, CODE + 32, Call, Exact),
            (CODE + 22, CONSTANTS, Address, Exact),
            (CODE + 32, CODE + 22, Jump, Exact),
        ]
    );
}

#[test]
fn slots_lead_to_what_is_behind_them() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let bytes = [
        to(CALL_THROUGH, CODE, SLOTS),
        to(LOAD, CODE + 6, SLOTS),
        to(LEA, CODE + 13, SLOTS),              // the slot itself
        to(CALL_THROUGH, CODE + 20, SLOTS + 8), // in another file
        to(LOAD, CODE + 26, SLOTS + 16),        // an offset, no address
        to(LOAD, CODE + 33, CONSTANTS + 8),     // a constant is no slot, though it points elsewhere
    ]
    .concat();
    let code = elf.code(CODE, &bytes);
    elf.writable(".data.rel.ro", CONSTANTS, &[0; 16]);
    elf.writable(".got", SLOTS, &[0; 24]);
    elf.symbol("caller", FUNCTION, code, CODE, 40);
    let elsewhere = elf.symbol("elsewhere", FUNCTION, 0, 0, 0);
    elf.relocations(
        0x200,
        &[
            (SLOTS, RELATIVE, 0, 0x3008),
            (SLOTS + 8, SLOT, elsewhere, 0),
            (SLOTS + 16, THREAD_OFFSET, 0, 0x1000),
            (CONSTANTS + 8, RELATIVE, 0, 0x1000),
        ],
    );
    let bytes = elf.write();
    assert_eq!(
        references(&bytes),
        [
            (CODE, CONSTANTS + 8, Call, Exact),
            (CODE + 6, CONSTANTS + 8, Address, Exact),
            (CODE + 13, SLOTS, Address, Exact),
            (CODE + 20, SLOTS + 8, Call, Exact),
            (CODE + 26, SLOTS + 16, Access, Exact),
            (CODE + 33, CONSTANTS + 8, Access, Exact),
            (CONSTANTS + 8, CODE, Pointer, Exact),
            (SLOTS, CONSTANTS + 8, Pointer, Exact),
        ]
    );
    let image = Image::parse(&bytes).expect("sound");
    let references = References::find(&image);
    let slots: Vec<Option<u64>> = references
        .list()
        .iter()
        .map(|it| references.slot(it).and_then(|slot| image.address_of(slot)))
        .collect();
    assert_eq!(slots[..3], [Some(SLOTS), Some(SLOTS), None]);
    assert!(slots[3..].iter().all(Option::is_none));
}

#[test]
fn packed_relocations_are_pointers() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let words = [CODE, 0, CODE + 8, CONSTANTS];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    elf.code(CODE, &[0xc3; 16]);
    elf.writable(".data.rel.ro", CONSTANTS, &bytes);
    // The first word; of the words behind it the second and the third.
    elf.packed_relocations(0x200, &[CONSTANTS, 0b110 << 1 | 1]);
    assert_eq!(
        references(&elf.write()),
        [
            (CONSTANTS, CODE, Pointer, Exact),
            (CONSTANTS + 16, CODE + 8, Pointer, Exact),
            (CONSTANTS + 24, CONSTANTS, Pointer, Exact),
        ]
    );
}

#[test]
fn numbers_are_addresses_only_at_a_fixed_address() {
    const BASE: u64 = 0x40_0000;
    let file = |kind| {
        let mut elf = Elf::new(X86_64, kind);
        let bytes = [
            b"\xbf\x00\x30\x40\x00".as_slice(),  // mov edi, 0x403000
            b"\x8b\x04\xc5\x08\x30\x40\x00",     // mov eax, [rax*8 + 0x403008]
            b"\x64\x8b\x04\x25\x08\x30\x40\x00", // mov eax, fs:[0x403008]
            b"\x25\x00\x30\x40\x00",             // and eax, 0x403000
            b"\x81\xf9\x01\x10\x40\x00",         // cmp ecx, 0x401001, inside a function
            b"\x48\xc7\x07\x40\x10\x40\x00",     // mov qword ptr [rdi], 0x401040
            b"\xc3",
        ]
        .concat();
        let code = elf.code(
            BASE + CODE,
            &[bytes.as_slice(), &[0x90; 25], &[0xc3; 8]].concat(),
        );
        let words = [BASE + CODE + 0x40, 0x40_1001, 12, BASE + CONSTANTS];
        let bytes: Vec<u8> = words
            .iter()
            .flat_map(|word: &u64| word.to_le_bytes())
            .collect();
        elf.constants(BASE + CONSTANTS, &bytes);
        elf.symbol("first", FUNCTION, code, BASE + CODE, 39);
        elf.symbol("second", FUNCTION, code, BASE + CODE + 0x40, 8);
        elf.write()
    };
    let (code, constants) = (BASE + CODE, BASE + CONSTANTS);
    assert_eq!(
        references(&file(PROGRAM)),
        [
            (code, constants, Address, Inferred),
            (code + 5, constants + 8, Access, Inferred),
            (code + 31, code + 0x40, Address, Inferred),
            (constants, code + 0x40, Pointer, Inferred),
            (constants + 24, constants, Pointer, Inferred),
        ]
    );
    assert_eq!(references(&file(LIBRARY)), []);
}

#[test]
fn words_are_no_addresses_of_unwind_and_exception_tables() {
    const BASE: u64 = 0x40_0000;
    let mut elf = Elf::new(X86_64, PROGRAM);
    let mut words = Vec::new();
    let names = [".eh_frame", ".gcc_except_table", ".data"];
    for (name, address) in names.into_iter().zip((BASE + 0x5000..).step_by(0x1000)) {
        elf.writable(name, address, &[0; 16]);
        words.extend((address + 8).to_le_bytes());
    }
    elf.constants(BASE + CONSTANTS, &words);
    assert_eq!(
        references(&elf.write()),
        [(BASE + CONSTANTS + 16, BASE + 0x7008, Pointer, Inferred)]
    );
}

#[test]
fn what_no_function_claims_is_inferred_and_does_not_jump_into_functions() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let bytes = [
        vec![0x90; 15],
        vec![0xc3],
        to(CALL, CODE + 16, CODE),     // the function's start
        to(CALL, CODE + 21, CODE + 3), // its middle
        to(LEA, CODE + 26, CONSTANTS),
    ]
    .concat();
    let code = elf.code(CODE, &bytes);
    elf.constants(CONSTANTS, &[0; 16]);
    elf.symbol("function", FUNCTION, code, CODE, 16);
    let bytes = elf.write();
    assert_eq!(
        references(&bytes),
        [
            (CODE + 16, CODE, Call, Inferred),
            (CODE + 26, CONSTANTS, Address, Inferred),
        ]
    );
    let coverage = *References::find(&Image::parse(&bytes).expect("sound")).coverage();
    assert_eq!(coverage.method, Method::Decoded);
    assert_eq!((coverage.code.functions, coverage.code.unclaimed), (16, 17));
    assert_eq!(coverage.code.leading_nowhere, 1);
}

#[test]
fn reading_starts_again_behind_what_is_no_instruction() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let bytes = [
        to(LEA, CODE, CONSTANTS),
        vec![0x06], // no instruction on 64 bit
        to(LEA, CODE + 8, CONSTANTS),
        to(LEA, CODE + 15, CONSTANTS), // a table of data
        to(LEA, CODE + 22, CONSTANTS + 8),
    ]
    .concat();
    let code = elf.code(CODE, &bytes);
    elf.constants(CONSTANTS, &[0; 16]);
    elf.symbol("first", FUNCTION, code, CODE, 15);
    elf.symbol("table", OBJECT, code, CODE + 15, 7);
    elf.symbol("second", FUNCTION, code, CODE + 22, 7);
    let bytes = elf.write();
    assert_eq!(
        references(&bytes),
        [
            (CODE, CONSTANTS, Address, Exact),
            (CODE + 22, CONSTANTS + 8, Address, Exact),
        ]
    );
    let coverage = *References::find(&Image::parse(&bytes).expect("sound")).coverage();
    assert_eq!((coverage.code.skipped, coverage.code.data), (8, 7));
}

#[test]
fn functions_come_from_the_best_source() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let code = elf.code(CODE, &[0x90; 64]);
    elf.symbol("sized", FUNCTION, code, CODE, 16);
    elf.symbol("alias", FUNCTION, code, CODE, 0);
    elf.symbol("inside", NOTHING, code, CODE + 8, 0);
    elf.symbol("label", NOTHING, code, CODE + 16, 0);
    elf.local_symbol("loop", code, CODE + 20);
    elf.symbol("unsized", FUNCTION, code, CODE + 32, 0);
    elf.symbol("end", NOTHING, code, CODE + 64, 0);
    let bytes = elf.write();
    let image = Image::parse(&bytes).expect("sound");
    let references = References::find(&image);
    let functions: Vec<_> = references
        .functions()
        .iter()
        .map(|it| (it.place.offset, it.len, it.source))
        .collect();
    assert_eq!(
        functions,
        [
            (0, 16, FunctionSource::Symbol),
            (16, 16, FunctionSource::Label),
            (32, 32, FunctionSource::Symbol),
        ]
    );
}

#[test]
fn functions_inside_others_are_their_own() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let bytes = [
        to(JUMP, CODE, CODE + 15),     // outer, to its other part
        to(JUMP, CODE + 5, CODE),      // inner, to outer
        to(JUMP, CODE + 10, CODE + 5), // outer, to inner
        to(JUMP, CODE + 15, CODE),     // outer, to itself
    ]
    .concat();
    let code = elf.code(CODE, &bytes);
    elf.symbol("outer", FUNCTION, code, CODE, 20);
    elf.symbol("inner", FUNCTION, code, CODE + 5, 5);
    assert_eq!(
        references(&elf.write()),
        [
            (CODE + 5, CODE, Jump, Exact),
            (CODE + 10, CODE + 5, Jump, Exact),
        ]
    );
}

#[test]
fn unknown_processors_have_data_references_only() {
    let mut elf = Elf::new(RISCV, LIBRARY);
    let code = elf.code(CODE, &[0x13; 64]);
    elf.writable(".data.rel.ro", CONSTANTS, &[0; 16]);
    elf.symbol("function", FUNCTION, code, CODE, 64);
    elf.relocations(0x200, &[(CONSTANTS, RISCV_RELATIVE, 0, 0x1000)]);
    let bytes = elf.write();
    assert_eq!(references(&bytes), [(CONSTANTS, CODE, Pointer, Exact)]);
    let references = References::find(&Image::parse(&bytes).expect("sound"));
    assert_eq!(references.coverage().method, Method::Unread);
    assert_eq!(references.functions().len(), 1);
}

#[test]
fn references_of_a_range_are_found() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let bytes: Vec<u8> = (0..10)
        .flat_map(|number| to(LEA, CODE + number * 7, CONSTANTS))
        .collect();
    let code = elf.code(CODE, &bytes);
    elf.constants(CONSTANTS, &[0; 16]);
    elf.symbol("function", FUNCTION, code, CODE, 70);
    let bytes = elf.write();
    let references = References::find(&Image::parse(&bytes).expect("sound"));
    let start = Place {
        section: SectionIndex(1),
        offset: 7,
    };
    let found: Vec<u64> = references
        .within(start, 15)
        .iter()
        .map(|it| it.from().offset)
        .collect();
    assert_eq!(found, [7, 14, 21]);
    assert!(references.within(start, 0).is_empty());
}
