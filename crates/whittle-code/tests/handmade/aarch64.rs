//! Addresses made in two steps, along the ways through a function.

use whittle_code::Certainty::{self, Exact, Inferred};
use whittle_code::ReferenceKind::{self, Access, Address, Call};

use crate::elf::{AARCH64, Elf, FUNCTION, LIBRARY};
use crate::references;

const CODE: u64 = 0x1_0000;
const CONSTANTS: u64 = 0x3_0000;

// Instructions as an assembler writes them.
const PAGE_X1: u32 = 0x9000_0101; // adrp x1, +0x20000
const NEXT_PAGE_X1: u32 = 0xb000_0101; // adrp x1, +0x21000
const PAGE_X19: u32 = 0x9000_0113; // adrp x19, +0x20000
const ADD_X0_X1: u32 = 0x9101_0020; // add x0, x1, #0x40
const ADD_X0_X19: u32 = 0x9101_0260; // add x0, x19, #0x40
const LOAD_X2_X1: u32 = 0xf940_0822; // ldr x2, [x1, #16]
const LOAD_X1_X2: u32 = 0xf940_0041; // ldr x1, [x2]
const STORE_Q0_X1: u32 = 0x3d80_0420; // str q0, [x1, #16]
const MOVE_X1_X2: u32 = 0xaa02_03e1; // mov x1, x2
const CALL_OTHER: u32 = 0x9400_0000; // bl, distance added
const RETURN: u32 = 0xd65f_03c0;
const JUMP_X3: u32 = 0xd61f_0060; // br x3
const NOP: u32 = 0xd503_201f;

/// `b` over a number of instructions, back if negative.
fn jump(instructions: i32) -> u32 {
    0x1400_0000 | instructions.cast_unsigned() & 0x3ff_ffff
}

/// `cbz x5` over a number of instructions.
fn jump_if_zero(instructions: i32) -> u32 {
    0xb400_0005 | (instructions.cast_unsigned() & 0x7_ffff) << 5
}

/// The references of one function, which are all certain.
fn found(words: &[u32]) -> Vec<(u64, u64, ReferenceKind)> {
    let found = found_with_certainty(words);
    assert!(found.iter().all(|it| it.3 == Exact));
    let plain = |(from, to, kind, _)| (from, to, kind);
    found.into_iter().map(plain).collect()
}

/// The references of one function.
fn found_with_certainty(words: &[u32]) -> Vec<(u64, u64, ReferenceKind, Certainty)> {
    let mut elf = Elf::new(AARCH64, LIBRARY);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let len = u64::try_from(bytes.len()).expect("short");
    let code = elf.code(CODE, &bytes);
    elf.constants(CONSTANTS, &[0; 0x2000]);
    elf.symbol("function", FUNCTION, code, CODE, len);
    references(&elf.write())
        .into_iter()
        .map(|(from, to, kind, certainty)| ((from - CODE) / 4, to, kind, certainty))
        .collect()
}

#[test]
fn page_and_rest_make_an_address() {
    assert_eq!(
        found(&[PAGE_X1, NOP, ADD_X0_X1, LOAD_X2_X1, STORE_Q0_X1, RETURN]),
        [
            (2, CONSTANTS + 0x40, Address),
            (3, CONSTANTS + 0x10, Access),
            (4, CONSTANTS + 0x10, Access),
        ]
    );
}

#[test]
fn other_values_are_no_pages() {
    // Loaded, moved, changed by a call; without a page at all.
    assert_eq!(found(&[PAGE_X1, LOAD_X1_X2, ADD_X0_X1, RETURN]), []);
    assert_eq!(found(&[PAGE_X1, MOVE_X1_X2, ADD_X0_X1, RETURN]), []);
    assert_eq!(found(&[ADD_X0_X1, RETURN]), []);
    let far_call = CALL_OTHER | 0x100;
    assert_eq!(found(&[PAGE_X1, far_call, ADD_X0_X1, RETURN]), []);
    assert_eq!(
        found(&[PAGE_X19, far_call, ADD_X0_X19, RETURN]),
        [(2, CONSTANTS + 0x40, Address)]
    );
}

#[test]
fn pages_go_where_branches_go() {
    // Over a part in which the register is something else.
    let words = [
        PAGE_X1,
        jump_if_zero(3),
        LOAD_X1_X2,
        RETURN,
        ADD_X0_X1,
        RETURN,
    ];
    assert_eq!(found(&words), [(4, CONSTANTS + 0x40, Address)]);
    // Not to where nothing goes.
    let words = [PAGE_X1, jump_if_zero(2), RETURN, RETURN, ADD_X0_X1];
    assert_eq!(found(&words), []);
}

#[test]
fn loops_that_test_at_their_end_are_read_again() {
    let words = [PAGE_X1, jump(3), ADD_X0_X1, NOP, jump_if_zero(-2), RETURN];
    assert_eq!(found(&words), [(2, CONSTANTS + 0x40, Address)]);
}

#[test]
fn targets_of_jump_tables_may_know_what_the_jump_knew() {
    let words = [PAGE_X1, JUMP_X3, ADD_X0_X1, RETURN, LOAD_X2_X1, RETURN];
    // They may be places that code outside goes to when it unwinds the stack.
    assert_eq!(
        found_with_certainty(&words),
        [
            (2, CONSTANTS + 0x40, Address, Inferred),
            (4, CONSTANTS + 0x10, Access, Inferred),
        ]
    );
}

#[test]
fn branches_say_more_than_jumps_by_tables() {
    // The branch at the end goes to the place behind the jump, with another page.
    let words = [PAGE_X1, JUMP_X3, ADD_X0_X1, RETURN, NEXT_PAGE_X1, jump(-3)];
    assert_eq!(found(&words), [(2, CONSTANTS + 0x1040, Address)]);
}

#[test]
fn marked_data_is_not_read() {
    let mut elf = Elf::new(AARCH64, LIBRARY);
    let call = CALL_OTHER | 4;
    let bytes: Vec<u8> = [call, call, call, RETURN, NOP, NOP, NOP, RETURN]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let code = elf.code(CODE, &bytes);
    elf.symbol("function", FUNCTION, code, CODE, 16);
    elf.local_symbol("$x", code, CODE);
    elf.local_symbol("$d", code, CODE + 4);
    elf.local_symbol("$x.1", code, CODE + 8);
    assert_eq!(
        references(&elf.write()),
        [
            (CODE, CODE + 16, Call, Exact),
            (CODE + 8, CODE + 24, Call, Exact),
        ]
    );
}
