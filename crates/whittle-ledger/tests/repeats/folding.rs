//! Functions that the linker folds. The judge is the linker: the same objects linked with `--icf=all`.

use whittle_ledger::SavingKind;

use crate::rustc::{Folder, Result, bytes_of, forecast, len, symbols};

/// Functions in sections of their own, as rustc emits them, and with bodies that no other function has. LLVM would merge
/// equal ones of Rust before the linker sees them.
const PLANTED: &str = r#"
use std::arch::global_asm;

macro_rules! plant {
    ($name:literal, $body:literal) => {
        global_asm!(
            concat!(".section .text.", $name, ",\"ax\",@progbits"),
            ".p2align 4",
            concat!(".globl ", $name),
            concat!(".type ", $name, ",@function"),
            concat!($name, ":"),
            $body,
            concat!(".size ", $name, ", . - ", $name),
            options(att_syntax)
        );
    };
}

plant!("leaf_one", "movl $0x5eed1eaf, %eax; xorl %edi, %eax; ret");
plant!("leaf_two", "movl $0x5eed1eaf, %eax; xorl %edi, %eax; ret");
plant!("leaf_odd", "movl $0x5eed0dd0, %eax; xorl %edi, %eax; ret");
plant!("call_one", "pushq %rbx; addl $0x5eedca11, %edi; call leaf_one; popq %rbx; ret");
plant!("call_two", "pushq %rbx; addl $0x5eedca11, %edi; call leaf_two; popq %rbx; ret");
plant!("call_odd", "pushq %rbx; addl $0x5eedca11, %edi; call leaf_odd; popq %rbx; ret");
plant!("ping_one", "subl $0x5eed0001, %edi; jb 1f; jmp pong_one; 1: ret");
plant!("pong_one", "subl $0x5eed0002, %edi; jb 1f; jmp ping_one; 1: ret");
plant!("ping_two", "subl $0x5eed0001, %edi; jb 1f; jmp pong_two; 1: ret");
plant!("pong_two", "subl $0x5eed0002, %edi; jb 1f; jmp ping_two; 1: ret");
plant!("self_one", "subl $0x5eed5e1f, %edi; jb 1f; call *self_one@GOTPCREL(%rip); 1: ret");
plant!("self_two", "subl $0x5eed5e1f, %edi; jb 1f; call *self_two@GOTPCREL(%rip); 1: ret");
plant!("take_one", "movl $0x5eed7a4e, %eax; leaq leaf_one(%rip), %rax; ret");
plant!("take_two", "movl $0x5eed7a4e, %eax; leaq leaf_two(%rip), %rax; ret");
plant!("read_one", "movl $0x5eed4ead, %eax; xorl table_one(%rip), %eax; ret");
plant!("read_two", "movl $0x5eed4ead, %eax; xorl table_two(%rip), %eax; ret");
plant!("imm8_one", "cmpb $0x5e, leaf_one(%rip); movl $0x5eed1388, %eax; ret");
plant!("imm8_two", "cmpb $0x5e, leaf_two(%rip); movl $0x5eed1388, %eax; ret");
plant!("imm4_one", "cmpl $0x5eedface, leaf_one(%rip); ret");
plant!("imm4_two", "cmpl $0x5eedface, leaf_two(%rip); ret");

#[no_mangle]
static table_one: [u32; 16] = [0x5eedda7a; 16];
#[no_mangle]
static table_two: [u32; 16] = [0x5eedda7a; 16];

macro_rules! call {
    ($($name:ident)*) => {
        extern "C" { $(fn $name(x: u32) -> u32;)* }
        fn main() {
            let all: Vec<unsafe extern "C" fn(u32) -> u32> = vec![$($name),*];
            println!("{:?} {:p} {:p}", all, &table_one, &table_two);
        }
    };
}
call!(leaf_one leaf_two leaf_odd call_one call_two call_odd ping_one pong_one ping_two pong_two self_one self_two
    take_one take_two read_one read_two imm8_one imm8_two imm4_one imm4_two);
"#;

const PAIRS: [[&str; 2]; 11] = [
    ["leaf_one", "leaf_two"],
    ["leaf_one", "leaf_odd"],
    ["call_one", "call_two"],
    ["call_one", "call_odd"],
    ["ping_one", "ping_two"],
    ["pong_one", "pong_two"],
    ["self_one", "self_two"],
    ["take_one", "take_two"],
    ["read_one", "read_two"],
    ["imm8_one", "imm8_two"],
    ["imm4_one", "imm4_two"],
];

/// Builds the program with and without folding.
fn built(folder: &Folder, arguments: &[&str]) -> Result<[Vec<u8>; 2]> {
    let link = |name: &str, argument: &str| -> Result<Vec<u8>> {
        let arguments = [arguments, &[argument]].concat();
        Ok(std::fs::read(
            folder.compile_text(PLANTED, name, &arguments)?,
        )?)
    };
    Ok([
        link("plain", "-Clink-arg=-Wl,--icf=none")?,
        link("folded", "-Clink-arg=-Wl,--icf=all")?,
    ])
}

#[test]
fn what_the_linker_folds_is_what_was_foretold() -> Result {
    for arguments in [&[][..], &["-Crelocation-model=static"], &["-Cpanic=abort"]] {
        let folder = Folder::new()?;
        let [plain, with_icf] = built(&folder, arguments)?;
        let (savings, repeats) = forecast(&plain)?;
        let before = symbols(&plain)?;
        let after = symbols(&with_icf)?;
        for pair in PAIRS {
            let [one, two] = pair.map(|name| after[name].0);
            assert_ne!(before[pair[0]].0, before[pair[1]].0, "{pair:?}");
            let group = repeats.functions.iter().find(|group| {
                let has = |name: &&str| group.names.iter().any(|it| it == *name);
                pair.iter().all(has)
            });
            assert_eq!(
                group.is_some(),
                one == two,
                "{arguments:?} {pair:?}: {group:?}"
            );
        }
        let measured = len(&plain) - len(&with_icf);
        let foretold = bytes_of(&savings, &SavingKind::FoldedFunctions);
        assert!(
            foretold.abs_diff(measured) * 20 <= measured,
            "{arguments:?}: {foretold} foretold, {measured} measured"
        );
        // What is folded is not counted again; the C library's start-up code is not in sections of its own.
        let (savings, _) = forecast(&with_icf)?;
        let left = bytes_of(&savings, &SavingKind::FoldedFunctions);
        assert!(left * 20 <= measured, "{arguments:?}: {left} left");
    }
    Ok(())
}

#[test]
fn equal_constants_are_found_by_what_they_hold() -> Result {
    let folder = Folder::new()?;
    let [plain, _] = built(&folder, &[])?;
    let (savings, repeats) = forecast(&plain)?;
    let group = repeats
        .constants
        .iter()
        .find(|group| group.names == ["table_one", "table_two"]);
    let group = group.ok_or("the tables are equal")?;
    assert_eq!(group.copies, 2);
    // 64 bytes, an entry of the symbol table, and a name; an address slot and its relocation, if there are any.
    let least = 64 + 24 + len(b"table_one\0");
    assert!(
        [least, least + 8 + 24].contains(&group.beyond_one),
        "{group:?}"
    );
    assert!(bytes_of(&savings, &SavingKind::EqualConstants) >= group.beyond_one);
    Ok(())
}
