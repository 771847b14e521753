//! The decoder, judged by `disarm64`.

use disarm64::{InsnDisplay as _, InsnOpcode as _, decoder};

use super::instruction::{Flow, Instruction, Registers};

/// Where the judged instructions stand.
const PC: u64 = 0x4000_0000;

/// Words that cover all encodings, and more of those that name places. The same in every run.
fn words() -> impl Iterator<Item = u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        // Xorshift64: Marsaglia 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state >> 32).expect("32 bits")
    };
    (0_u32..1 << 20).map(move |number| {
        let word = random();
        match number % 4 {
            // Every top byte, equally often.
            0 => (number >> 2) << 24 | word >> 8,
            // A64 keeps immediates, branches and loads in the upper half of these.
            1 => 0x1000_0000 | word & 0xefff_ffff,
            2 => 0x0800_0000 | word & 0xf7ff_ffff,
            _ => word,
        }
    })
}

/// The last number of a text such as `adrp x3, 0x4001000`.
fn last_number(text: &str) -> Option<u64> {
    let word = text
        .trim_end_matches(']')
        .rsplit([' ', ',', '\t', '#'])
        .next()?;
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[test]
fn places_are_those_of_disarm64() {
    let mut judged = [0_usize; 6];
    for word in words() {
        let decoded = Instruction::decode(word);
        let Some(judge) = decoder::decode(word) else {
            // What is no instruction may come back as anything.
            continue;
        };
        let mnemonic = judge.definition().mnemonic;
        let text = || judge.display_at(PC).to_string();
        if matches!(decoded, Instruction::Access { .. }) && text().contains("<undefined>") {
            continue;
        }
        let target = |distance: i64| Some(PC.wrapping_add_signed(distance));
        let (count, agrees) = match (mnemonic, decoded) {
            ("b", Instruction::Branch { distance, flow }) => (
                0,
                flow == Flow::Jump && last_number(&text()) == target(distance),
            ),
            ("bl", Instruction::Branch { distance, flow }) => (
                0,
                flow == Flow::Call && last_number(&text()) == target(distance),
            ),
            (
                "b.c" | "bc.c" | "cbz" | "cbnz" | "tbz" | "tbnz",
                Instruction::Branch { distance, flow },
            ) => (
                0,
                flow == Flow::Conditional && last_number(&text()) == target(distance),
            ),
            (_, Instruction::Branch { distance, flow }) => (
                0,
                mnemonic.starts_with("cb")
                    && flow == Flow::Conditional
                    && last_number(&text()) == target(distance),
            ),
            ("b" | "bl" | "b.c" | "bc.c" | "cbz" | "cbnz" | "tbz" | "tbnz", _) => (0, false),
            ("adr", Instruction::Address { register, distance }) => (
                1,
                last_number(&text()) == target(distance) && text().contains(&name(register)),
            ),
            ("adrp", Instruction::Page { register, distance }) => (
                2,
                last_number(&text()) == target(distance) && text().contains(&name(register)),
            ),
            // There is an `adr` of scalable vectors.
            ("adr" | "adrp", _) => (1, word >> 24 & 0x1f != 0x10),
            ("add", Instruction::Add { to, from, number }) => {
                let rest = format!(
                    "{}, {}, #{:#x}",
                    pointer_name(to),
                    pointer_name(from),
                    if word >> 22 & 1 == 1 {
                        number >> 12
                    } else {
                        number
                    }
                );
                (3, text().contains(&rest))
            }
            (_, Instruction::Add { .. }) => (3, false),
            (
                _,
                Instruction::Access {
                    base,
                    offset,
                    writes: _,
                },
            ) => {
                let operand = if offset == 0 {
                    format!("[{}", pointer_name(base))
                } else {
                    format!("[{}, #{offset:#x}]", pointer_name(base))
                };
                (4, text().contains(&operand))
            }
            ("ldr" | "ldrsw" | "prfm", Instruction::Literal { distance, .. }) => {
                (5, last_number(&text()) == target(distance))
            }
            (_, Instruction::Literal { .. }) => (5, false),
            _ => continue,
        };
        assert!(agrees, "{word:#010x} is {}, not {decoded:?}", text());
        judged[count] += 1;
    }
    assert!(judged.iter().all(|&count| count > 1_000), "{judged:?}");
}

fn name(register: usize) -> String {
    if register == 31 {
        "xzr".to_owned()
    } else {
        format!("x{register},")
    }
}

fn pointer_name(register: usize) -> String {
    if register == 31 {
        "sp".to_owned()
    } else {
        format!("x{register}")
    }
}

/// The general-purpose registers that an instruction writes by what `disarm64` says of its operands; nothing if that
/// does not tell.
fn written(judge: &decoder::Opcode) -> Option<Registers> {
    let definition = judge.definition();
    let word = judge.bits();
    let class = format!("{:?}", definition.class);
    let kinds: Vec<String> = definition
        .operands
        .iter()
        .map(|operand| format!("{:?}", operand.kind))
        .collect();
    let register = |bit: u32| usize::try_from(word >> bit & 31).expect("5 bits");
    let first = kinds.first().map_or("", String::as_str);
    let loads = definition.mnemonic.starts_with("ld");
    let mut writes = Registers::NONE;
    match class.as_str() {
        "ADDSUB_CARRY" | "ADDSUB_EXT" | "ADDSUB_IMM" | "ADDSUB_SHIFT" | "BITFIELD" | "CONDSEL"
        | "DP_1SRC" | "DP_2SRC" | "DP_3SRC" | "EXTRACT" | "LOG_IMM" | "LOG_SHIFT" | "MOVEWIDE"
        | "PCRELADDR" | "CONDCMP_IMM" | "CONDCMP_REG" | "FLOATDP1" | "FLOATDP2" | "FLOATDP3"
        | "FLOATCMP" | "FLOATCCMP" | "FLOATSEL" | "FLOATIMM" | "ASIMDALL" | "ASIMDDIFF"
        | "ASIMDELEM" | "ASIMDEXT" | "ASIMDMISC" | "ASIMDPERM" | "ASIMDSAME" | "ASIMDSHF"
        | "ASIMDTBL" | "CRYPTOAES" | "CRYPTOSHA2" => {
            if first == "Rd" || (first == "Rd_SP" && register(0) != 31) {
                writes = writes.with(register(0));
            }
        }
        "FLOAT2INT" | "FLOAT2FIX" | "ASIMDINS" if first == "Rd" => {
            writes = writes.with(register(0));
        }
        "LDST_POS" | "LDST_REGOFF" | "LDST_UNSCALED" | "LDST_UNPRIV" | "LDST_IMM9"
        | "LDST_IMM10" | "LDSTPAIR_OFF" | "LDSTPAIR_INDEXED" | "LDSTNAPAIR_OFFS" | "LOADLIT" => {
            if loads && first == "Rt" {
                writes = writes.with(register(0));
                if kinds.get(1).is_some_and(|kind| kind == "Rt2") {
                    writes = writes.with(register(10));
                }
            }
            let text = judge.to_string();
            if text.contains("<undefined>") {
                return None;
            }
            if text.ends_with('!') || text.contains("], ") {
                writes = writes.with(register(5));
            }
        }
        _ => return None,
    }
    Some(writes)
}

#[test]
fn written_registers_are_those_of_disarm64() {
    let mut judged = 0;
    for word in words() {
        let Some(judge) = decoder::decode(word) else {
            continue;
        };
        let Some(expected) = written(&judge) else {
            continue;
        };
        let decoded = Instruction::decode(word);
        let writes = match decoded {
            Instruction::Branch { .. } | Instruction::Indirect { .. } => Registers::NONE,
            Instruction::Page { register, .. } | Instruction::Address { register, .. } => {
                Registers::one(register)
            }
            Instruction::Add { to, .. } | Instruction::Move { to, .. } => Registers::one(to),
            Instruction::Access { writes, .. }
            | Instruction::Literal { writes, .. }
            | Instruction::Other { writes } => writes,
        };
        // Tags and acquiring loads are rare: more registers are forgotten than need be.
        let is_rough = word >> 24 & 0x3f == 0x19;
        let agrees = writes == expected || is_rough && writes.0 & expected.0 == expected.0;
        assert!(
            agrees,
            "{word:#010x} is {judge}, not {decoded:?}, {expected:?}"
        );
        judged += 1;
    }
    assert!(judged > 100_000, "{judged}");
}

/// Instructions that are rare, or whose results `disarm64` does not tell from their operands.
#[test]
fn results_of_rare_instructions_are_known() {
    for (word, text, writes) in [
        (0xb8a1_0020_u32, "ldadda w1, w0, [x1]", 1_u32),
        (0xc85f_7c23, "ldxr x3, [x1]", 1 << 3),
        (0x0e01_3c25, "umov w5, v1.b[0]", 1 << 5),
        (0x9e66_0022, "fmov x2, d1", 1 << 2),
        (0xd53b_d054, "mrs x20, tpidr_el0", 1 << 20),
        (0x4cdf_7000, "ld4 {v0.16b-v3.16b}, [x0], #64", 1),
        (0xf820_0c41, "ldraa x1, [x2]!", 1 << 1 | 1 << 2),
    ] {
        let Instruction::Other { writes: found } = Instruction::decode(word) else {
            panic!("{text} names no place");
        };
        assert_eq!(
            found.0 & writes,
            writes,
            "{text} writes more than {found:?}"
        );
    }
}

#[test]
fn indirect_branches_are_told_apart() {
    for (word, flow) in [
        (0xd61f_0220, Flow::Jump),
        (0xd63f_0100, Flow::Call),
        (0xd65f_03c0, Flow::Return),
        // braa, blraa, retaa, eret.
        (0xd71f_0822, Flow::Jump),
        (0xd73f_0822, Flow::Call),
        (0xd65f_0bff, Flow::Return),
        (0xd69f_03e0, Flow::Return),
    ] {
        assert_eq!(Instruction::decode(word), Instruction::Indirect { flow });
    }
}
