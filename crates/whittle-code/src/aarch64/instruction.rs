//! The instructions of 64-bit Arm that name places, and which registers all others write.
//!
//! Source: Arm Architecture Reference Manual for A-profile (DDI 0487), chapter C4, "A64 Instruction Set Encoding";
//! the comments name its tables.

/// What an instruction means for references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instruction {
    /// `B`, `BL`, `B.cond`, `BC.cond`, `CBZ`, `CBNZ`, `TBZ`, `TBNZ`.
    Branch {
        /// From the instruction to the target, in bytes.
        distance: i64,
        flow: Flow,
    },
    /// `BR`, `RET`, `BLR` and their authenticating forms, `ERET`.
    Indirect { flow: Flow },
    /// `ADRP`: the page of 4 KiB that is so far from the instruction's own, in bytes.
    Page { register: Register, distance: i64 },
    /// `ADR`.
    Address { register: Register, distance: i64 },
    /// `ADD` of an immediate, 64 bit.
    Add {
        to: Register,
        from: Register,
        number: u64,
    },
    /// `MOV` between registers, 64 bit.
    Move { to: Register, from: Register },
    /// A load, store or prefetch at a register plus an immediate, not negative.
    Access {
        base: Register,
        offset: u64,
        /// The registers it writes.
        writes: Registers,
    },
    /// A load or prefetch from a place near by.
    Literal { distance: i64, writes: Registers },
    /// Anything else.
    Other { writes: Registers },
}

/// Where execution goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// At the target only.
    Jump,
    /// At the target or behind the instruction.
    Conditional,
    /// Behind the instruction, when the called function has returned.
    Call,
    /// At the caller.
    Return,
}

/// The number of a general-purpose register, 0 to 31. 31 is the stack pointer or zero.
pub(crate) type Register = usize;

/// A set of general-purpose registers, without 31.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Registers(pub(crate) u32);

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries((0..31).filter(|register| self.0 >> register & 1 == 1))
            .finish()
    }
}

impl Registers {
    pub(crate) const NONE: Self = Self(0);

    /// What a called function may change (Procedure Call Standard for the Arm 64-bit Architecture, 6.1.1): x0 to x18,
    /// and x30, which the call itself writes.
    pub(crate) const LOST_IN_CALLS: Self = Self(0x4007_ffff);

    /// What a call through a thread-local descriptor may change: where the result is, and what the call writes. "The
    /// resolver must preserve all other registers" (ELF for the Arm 64-bit Architecture, "Thread Local Storage").
    pub(crate) const LOST_IN_DESCRIPTORS: Self = Self(0x4000_0001);

    pub(crate) fn one(register: Register) -> Self {
        // Register 31 keeps no value.
        Self(1_u32 << register & 0x7fff_ffff)
    }

    /// The link register, which every call writes.
    pub(crate) const LINK: Self = Self(1 << 30);

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn except(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The registers that an instruction stores on the stack: `STP` and `STR` of 64 bit at the stack pointer, with an
    /// immediate. They keep their values.
    pub(crate) fn saved_by(word: u32) -> Self {
        const STACK_POINTER: Register = 31;
        if at(word, 5) != STACK_POINTER {
            return Self::NONE;
        }
        let first = Self::one(at(word, 0));
        match word >> 22 {
            // Pairs: after the access the base is moved, not moved, before it is moved.
            0b10_1010_0010 | 0b10_1010_0100 | 0b10_1010_0110 => first.with(at(word, 10)),
            // Unsigned offset.
            0b11_1110_0100 => first,
            // Other addressing, but for registers and atomics.
            0b11_1110_0000 if word >> 21 & 1 == 0 => first,
            _ => Self::NONE,
        }
    }

    pub(super) fn with(self, register: Register) -> Self {
        Self(self.0 | Self::one(register).0)
    }
}

impl Instruction {
    /// Decodes an instruction. Words that are no instruction come back as [`Other`](Self::Other).
    pub(crate) fn decode(word: u32) -> Self {
        // "Top-level encodings": op1 is bits 28 to 25.
        match word >> 25 & 0xf {
            0b1000 | 0b1001 => immediate(word),
            0b1010 | 0b1011 => branch(word),
            0b0100 | 0b0110 | 0b1100 | 0b1110 => load_or_store(word),
            0b0101 | 0b1101 => register(word),
            0b0111 | 0b1111 => vector(word),
            // Scalable vectors and matrices: some write a counter or a pointer, all of them there.
            0b0000 if word >> 31 == 1 => other(Registers::one(at(word, 0))),
            0b0010 => other(Registers::one(at(word, 0))),
            _ => other(Registers::NONE),
        }
    }
}

impl Instruction {
    /// The registers it writes; of branches none.
    pub(crate) fn writes(self) -> Registers {
        match self {
            Self::Branch { .. } | Self::Indirect { .. } => Registers::NONE,
            Self::Page { register, .. } | Self::Address { register, .. } => {
                Registers::one(register)
            }
            Self::Add { to, .. } | Self::Move { to, .. } => Registers::one(to),
            Self::Access { writes, .. } | Self::Literal { writes, .. } | Self::Other { writes } => {
                writes
            }
        }
    }
}

fn other(writes: Registers) -> Instruction {
    Instruction::Other { writes }
}

/// The register whose number starts at a bit.
fn at(word: u32, bit: u32) -> Register {
    // Five bits fit.
    usize::try_from(word >> bit & 0x1f).unwrap_or_default()
}

/// The signed number of `bits` bits that starts at bit `start`.
fn signed(word: u32, start: u32, bits: u32) -> i64 {
    let top = word << (32 - start - bits);
    i64::from(top.cast_signed() >> (32 - bits))
}

/// "Data Processing -- Immediate".
fn immediate(word: u32) -> Instruction {
    let register = at(word, 0);
    let writes = Registers::one(register);
    match word >> 23 & 0b111 {
        // "PC-rel. addressing".
        0b000 | 0b001 => {
            let distance = signed(word, 5, 19) << 2 | i64::from(word >> 29 & 3);
            if word >> 31 == 1 {
                let distance = distance << 12;
                Instruction::Page { register, distance }
            } else {
                Instruction::Address { register, distance }
            }
        }
        // "Add/subtract (immediate)": ADD, 64 bit, flags not set.
        0b010 if word >> 29 == 0b100 => {
            let number = u64::from(word >> 10 & 0xfff) << (12 * (word >> 22 & 1));
            Instruction::Add {
                to: register,
                from: at(word, 5),
                number,
            }
        }
        _ => other(writes),
    }
}

/// "Branches, Exception Generating and System instructions".
fn branch(word: u32) -> Instruction {
    let (flow, distance) = match word >> 24 {
        0x14..=0x17 => (Flow::Jump, signed(word, 0, 26)),
        0x94..=0x97 => (Flow::Call, signed(word, 0, 26)),
        // B.cond, BC.cond; CBZ, CBNZ.
        0x54 | 0x34 | 0x35 | 0xb4 | 0xb5 => (Flow::Conditional, signed(word, 5, 19)),
        // TBZ, TBNZ.
        0x36 | 0x37 | 0xb6 | 0xb7 => (Flow::Conditional, signed(word, 5, 14)),
        // "Unconditional branch (register)".
        0xd6 | 0xd7 => {
            let flow = match word >> 21 & 0b111 {
                0b000 => Flow::Jump,
                0b001 => Flow::Call,
                // RET, ERET, DRPS.
                _ => Flow::Return,
            };
            return Instruction::Indirect { flow };
        }
        // System: MRS, SYSL and those with a result write the register in the lowest bits; others have it as an
        // operand, or 31 there.
        0xd5 => return other(Registers::one(at(word, 0))),
        // "Compare and branch" of later versions, with 9 bits of distance.
        0x74 | 0x75 | 0xf4 | 0xf5 => (Flow::Conditional, signed(word, 5, 9)),
        _ => return other(Registers::NONE),
    };
    Instruction::Branch {
        distance: distance << 2,
        flow,
    }
}

/// "Loads and Stores".
fn load_or_store(word: u32) -> Instruction {
    let is_vector = word >> 26 & 1 == 1;
    let (value, base) = (at(word, 0), at(word, 5));
    let size = word >> 30;
    let kind = word >> 22 & 0b11;
    // Of single registers: 00 stores, other kinds load; 64-bit kind 10 is a prefetch.
    let loaded = if is_vector || kind == 0b00 || (size == 0b11 && kind == 0b10) {
        Registers::NONE
    } else {
        Registers::one(value)
    };
    match (word >> 28 & 0b11, word >> 24 & 0b11) {
        // "Load register (literal)".
        (0b01, 0b00) if word >> 29 & 1 == 0 => Instruction::Literal {
            distance: signed(word, 5, 19) << 2,
            writes: if is_vector || size == 0b11 {
                Registers::NONE
            } else {
                Registers::one(value)
            },
        },
        // "Load/store register (unsigned immediate)".
        (0b11, 0b01) => {
            let scale = if is_vector && kind >> 1 == 1 {
                // 128 bits.
                4
            } else {
                size
            };
            Instruction::Access {
                base,
                offset: u64::from(word >> 10 & 0xfff) << scale,
                writes: loaded,
            }
        }
        // "Load/store register", other addressing, and "Atomic memory operations".
        (0b11, 0b00) => {
            let mode = word >> 10 & 0b11;
            let has_register = word >> 21 & 1 == 1;
            let writes = match (has_register, mode) {
                // Before and after the access the base is moved.
                (false, 0b01 | 0b11) => loaded.with(base),
                (false, _) | (true, 0b10) => loaded,
                // Atomics return the old value there; LDRAA, LDRAB.
                (true, 0b00 | 0b01) => Registers::one(value),
                (true, _) => Registers::one(value).with(base),
            };
            other(writes)
        }
        // "Load/store register pair".
        (0b10, _) => {
            let is_load = word >> 22 & 1 == 1 && !is_vector;
            let mut writes = Registers::NONE;
            if is_load {
                writes = writes.with(value).with(at(word, 10));
            }
            let moves_base = word >> 23 & 1 == 1;
            if moves_base {
                writes = writes.with(base);
            }
            other(writes)
        }
        // "Advanced SIMD load/store": the base may be moved.
        (0b00, _) if is_vector => other(Registers::one(base)),
        // Exclusives, compare-and-swap, ordered, tags, memory copy: whatever field could be a result.
        _ => other(
            Registers::one(value)
                .with(base)
                .with(at(word, 10))
                .with(at(word, 16)),
        ),
    }
}

/// "Data Processing -- Register".
fn register(word: u32) -> Instruction {
    // ORR of register and zero, 64 bit, not shifted, is how `mov` is written.
    if word & 0xffe0_ffe0 == 0xaa00_03e0 {
        return Instruction::Move {
            to: at(word, 0),
            from: at(word, 16),
        };
    }
    // "Conditional compare" has flags where others have the result.
    if word >> 21 & 0xff == 0b1101_0010 {
        return other(Registers::NONE);
    }
    other(Registers::one(at(word, 0)))
}

/// "Data Processing -- Scalar Floating-Point and Advanced SIMD": what moves a value to a general-purpose register.
fn vector(word: u32) -> Instruction {
    // "Conversion between floating-point and integer" and "… and fixed-point".
    let converts = word & 0x5f20_fc00 == 0x1e20_0000 || word & 0x5f20_0000 == 0x1e00_0000;
    // SMOV, UMOV of "Advanced SIMD copy".
    let moves = word & 0xbfe0_ec00 == 0x0e00_2c00;
    if converts || moves {
        other(Registers::one(at(word, 0)))
    } else {
        other(Registers::NONE)
    }
}
