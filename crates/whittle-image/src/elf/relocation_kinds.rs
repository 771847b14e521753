//! What the relocation types of each processor write. Sources: AMD64 ABI 1.0; Intel386 psABI 1.1; ELF for the Arm 64-bit
//! and for the Arm Architecture, 2024Q3; RISC-V ELF psABI 1.0; 64-bit ELF V2 ABI for Power 1.5; z/Architecture ELF ABI
//! supplement 1.6; MIPS ABI supplement with GNU's additions; `LoongArch` ELF ABI 2.30; SPARC compliance definition 2.4.

use object::elf::{self, Machine, RelocationType};

use crate::relocation::RelocationKind;

/// What a relocation of type `number` writes.
pub(super) fn relocation_kind(machine: Machine, number: RelocationType) -> RelocationKind {
    if number == RelocationType(0) {
        // The number of `R_*_NONE` on every processor.
        return RelocationKind::Nothing;
    }
    match machine {
        elf::EM_X86_64 => x86_64(number),
        elf::EM_386 => i386(number),
        elf::EM_AARCH64 => aarch64(number),
        elf::EM_ARM => arm(number),
        elf::EM_RISCV => riscv(number),
        elf::EM_PPC64 => powerpc64(number),
        elf::EM_PPC => powerpc(number),
        elf::EM_S390 => s390(number),
        elf::EM_LOONGARCH => loongarch(number),
        elf::EM_SPARC | elf::EM_SPARC32PLUS | elf::EM_SPARCV9 => sparc(number),
        elf::EM_MIPS => mips(number),
        elf::EM_68K => m68k(number),
        _ => RelocationKind::Other,
    }
}

fn x86_64(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_X86_64_RELATIVE | elf::R_X86_64_RELATIVE64 => RelocationKind::Relative,
        elf::R_X86_64_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_X86_64_GLOB_DAT => RelocationKind::Slot,
        elf::R_X86_64_JUMP_SLOT => RelocationKind::JumpSlot,
        elf::R_X86_64_COPY => RelocationKind::Copy,
        elf::R_X86_64_DTPMOD64
        | elf::R_X86_64_DTPOFF64
        | elf::R_X86_64_TPOFF64
        | elf::R_X86_64_DTPOFF32
        | elf::R_X86_64_TPOFF32
        | elf::R_X86_64_TLSDESC => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn i386(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_386_RELATIVE => RelocationKind::Relative,
        elf::R_386_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_386_GLOB_DAT => RelocationKind::Slot,
        elf::R_386_JMP_SLOT => RelocationKind::JumpSlot,
        elf::R_386_COPY => RelocationKind::Copy,
        elf::R_386_TLS_TPOFF
        | elf::R_386_TLS_DTPMOD32
        | elf::R_386_TLS_DTPOFF32
        | elf::R_386_TLS_TPOFF32
        | elf::R_386_TLS_DESC => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn aarch64(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_AARCH64_RELATIVE => RelocationKind::Relative,
        elf::R_AARCH64_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_AARCH64_GLOB_DAT => RelocationKind::Slot,
        elf::R_AARCH64_JUMP_SLOT => RelocationKind::JumpSlot,
        elf::R_AARCH64_COPY => RelocationKind::Copy,
        elf::R_AARCH64_TLS_DTPMOD
        | elf::R_AARCH64_TLS_DTPREL
        | elf::R_AARCH64_TLS_TPREL
        | elf::R_AARCH64_TLSDESC => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn arm(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_ARM_RELATIVE => RelocationKind::Relative,
        elf::R_ARM_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_ARM_GLOB_DAT => RelocationKind::Slot,
        elf::R_ARM_JUMP_SLOT => RelocationKind::JumpSlot,
        elf::R_ARM_COPY => RelocationKind::Copy,
        elf::R_ARM_TLS_DESC
        | elf::R_ARM_TLS_DTPMOD32
        | elf::R_ARM_TLS_DTPOFF32
        | elf::R_ARM_TLS_TPOFF32 => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn riscv(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_RISCV_RELATIVE => RelocationKind::Relative,
        elf::R_RISCV_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_RISCV_JUMP_SLOT => RelocationKind::JumpSlot,
        elf::R_RISCV_COPY => RelocationKind::Copy,
        elf::R_RISCV_TLS_DTPMOD32
        | elf::R_RISCV_TLS_DTPMOD64
        | elf::R_RISCV_TLS_DTPREL32
        | elf::R_RISCV_TLS_DTPREL64
        | elf::R_RISCV_TLS_TPREL32
        | elf::R_RISCV_TLS_TPREL64
        | elf::R_RISCV_TLSDESC => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn powerpc64(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_PPC64_RELATIVE => RelocationKind::Relative,
        elf::R_PPC64_IRELATIVE | elf::R_PPC64_JMP_IREL => RelocationKind::IndirectRelative,
        elf::R_PPC64_GLOB_DAT => RelocationKind::Slot,
        elf::R_PPC64_JMP_SLOT => RelocationKind::JumpSlot,
        elf::R_PPC64_COPY => RelocationKind::Copy,
        elf::R_PPC64_DTPMOD64 | elf::R_PPC64_TPREL64 | elf::R_PPC64_DTPREL64 => {
            RelocationKind::ThreadLocal
        }
        _ => RelocationKind::Other,
    }
}

fn powerpc(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_PPC_RELATIVE => RelocationKind::Relative,
        elf::R_PPC_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_PPC_GLOB_DAT => RelocationKind::Slot,
        elf::R_PPC_JMP_SLOT => RelocationKind::JumpSlot,
        elf::R_PPC_COPY => RelocationKind::Copy,
        elf::R_PPC_DTPMOD32 | elf::R_PPC_TPREL32 | elf::R_PPC_DTPREL32 => {
            RelocationKind::ThreadLocal
        }
        _ => RelocationKind::Other,
    }
}

fn s390(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_390_RELATIVE => RelocationKind::Relative,
        elf::R_390_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_390_GLOB_DAT => RelocationKind::Slot,
        elf::R_390_JMP_SLOT => RelocationKind::JumpSlot,
        elf::R_390_COPY => RelocationKind::Copy,
        elf::R_390_TLS_DTPMOD | elf::R_390_TLS_DTPOFF | elf::R_390_TLS_TPOFF => {
            RelocationKind::ThreadLocal
        }
        _ => RelocationKind::Other,
    }
}

fn loongarch(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_LARCH_RELATIVE => RelocationKind::Relative,
        elf::R_LARCH_IRELATIVE => RelocationKind::IndirectRelative,
        elf::R_LARCH_JUMP_SLOT => RelocationKind::JumpSlot,
        elf::R_LARCH_COPY => RelocationKind::Copy,
        elf::R_LARCH_TLS_DTPMOD32
        | elf::R_LARCH_TLS_DTPMOD64
        | elf::R_LARCH_TLS_DTPREL32
        | elf::R_LARCH_TLS_DTPREL64
        | elf::R_LARCH_TLS_TPREL32
        | elf::R_LARCH_TLS_TPREL64
        | elf::R_LARCH_TLS_DESC32
        | elf::R_LARCH_TLS_DESC64 => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn sparc(number: RelocationType) -> RelocationKind {
    // On 64 bit the upper 24 bits hold a second addend of `R_SPARC_OLO10`.
    match RelocationType(number.0 & 0xff) {
        elf::R_SPARC_RELATIVE => RelocationKind::Relative,
        elf::R_SPARC_IRELATIVE | elf::R_SPARC_JMP_IREL => RelocationKind::IndirectRelative,
        elf::R_SPARC_GLOB_DAT => RelocationKind::Slot,
        elf::R_SPARC_JMP_SLOT => RelocationKind::JumpSlot,
        elf::R_SPARC_COPY => RelocationKind::Copy,
        elf::R_SPARC_TLS_DTPMOD32
        | elf::R_SPARC_TLS_DTPMOD64
        | elf::R_SPARC_TLS_DTPOFF32
        | elf::R_SPARC_TLS_DTPOFF64
        | elf::R_SPARC_TLS_TPOFF32
        | elf::R_SPARC_TLS_TPOFF64 => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn mips(number: RelocationType) -> RelocationKind {
    // On 64 bit three types of one byte follow each other; the first says what the rest then narrows.
    match RelocationType(number.0 & 0xff) {
        // Without a symbol. With one it is the symbol's address: see the reader.
        elf::R_MIPS_REL32 => RelocationKind::Relative,
        elf::R_MIPS_GLOB_DAT => RelocationKind::Slot,
        elf::R_MIPS_JUMP_SLOT => RelocationKind::JumpSlot,
        elf::R_MIPS_COPY => RelocationKind::Copy,
        elf::R_MIPS_TLS_DTPMOD32
        | elf::R_MIPS_TLS_DTPREL32
        | elf::R_MIPS_TLS_DTPMOD64
        | elf::R_MIPS_TLS_DTPREL64
        | elf::R_MIPS_TLS_TPREL32
        | elf::R_MIPS_TLS_TPREL64 => RelocationKind::ThreadLocal,
        _ => RelocationKind::Other,
    }
}

fn m68k(number: RelocationType) -> RelocationKind {
    match number {
        elf::R_68K_RELATIVE => RelocationKind::Relative,
        elf::R_68K_GLOB_DAT => RelocationKind::Slot,
        elf::R_68K_JMP_SLOT => RelocationKind::JumpSlot,
        elf::R_68K_COPY => RelocationKind::Copy,
        elf::R_68K_TLS_DTPMOD32 | elf::R_68K_TLS_DTPREL32 | elf::R_68K_TLS_TPREL32 => {
            RelocationKind::ThreadLocal
        }
        _ => RelocationKind::Other,
    }
}

/// How many bits of the patched place hold the addend, for the types whose addend is a plain number there.
///
/// Only of the three processors that leave addends in place. Their types that patch instructions spread the number
/// over an instruction's fields, and those that fill slots overwrite what is there.
pub(super) fn addend_bits(machine: Machine, number: RelocationType, is_64: bool) -> Option<u32> {
    match machine {
        elf::EM_386 => match number {
            elf::R_386_32
            | elf::R_386_PC32
            | elf::R_386_GOT32
            | elf::R_386_GOT32X
            | elf::R_386_PLT32
            | elf::R_386_GOTOFF
            | elf::R_386_GOTPC => Some(32),
            _ => None,
        },
        elf::EM_ARM => match number {
            elf::R_ARM_ABS32
            | elf::R_ARM_REL32
            | elf::R_ARM_TARGET1
            | elf::R_ARM_TARGET2
            | elf::R_ARM_GOTOFF
            | elf::R_ARM_GOTPC => Some(32),
            elf::R_ARM_PREL31 => Some(31),
            _ => None,
        },
        elf::EM_MIPS => match RelocationType(number.0 & 0xff) {
            elf::R_MIPS_REL32 if is_64 => Some(64),
            elf::R_MIPS_32 | elf::R_MIPS_REL32 | elf::R_MIPS_GPREL32 => Some(32),
            _ => None,
        },
        _ => None,
    }
}
