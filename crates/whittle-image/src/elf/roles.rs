//! What sections are for: by type, by flags and, where these do not tell, by conventional name.
//!
//! Section types: gABI 4.1, "Sections", and the supplement of each processor; names: gABI, "Special Sections", Linux
//! Standard Base 5, and what compilers and linkers write in practice.

use object::elf;

use crate::section::{Retention, SectionRole};

/// What a section is for.
pub(super) fn section_role(
    machine: elf::Machine,
    name: &str,
    kind: elf::SectionType,
    flags: elf::SectionFlags,
) -> SectionRole {
    let loaded = flags.contains(elf::SHF_ALLOC);
    by_type(machine, name, kind, loaded).unwrap_or_else(|| {
        if loaded {
            loaded_role(name, flags)
        } else {
            unloaded_role(name)
        }
    })
}

/// The role of sections whose type says it all.
fn by_type(
    machine: elf::Machine,
    name: &str,
    kind: elf::SectionType,
    loaded: bool,
) -> Option<SectionRole> {
    Some(match kind {
        elf::SHT_SYMTAB | elf::SHT_SYMTAB_SHNDX => SectionRole::Symbols,
        elf::SHT_DYNSYM
        | elf::SHT_DYNAMIC
        | elf::SHT_HASH
        | elf::SHT_GNU_HASH
        | elf::SHT_GNU_LIBLIST
        | elf::SHT_GNU_VERSYM
        | elf::SHT_GNU_VERNEED
        | elf::SHT_GNU_VERDEF => SectionRole::DynamicLinking,
        elf::SHT_STRTAB if loaded => SectionRole::DynamicLinking,
        elf::SHT_STRTAB if name == ".shstrtab" => SectionRole::FileStructure,
        elf::SHT_STRTAB if name.starts_with(".stab") => SectionRole::Debug,
        elf::SHT_STRTAB => SectionRole::SymbolNames,
        elf::SHT_REL
        | elf::SHT_RELA
        | elf::SHT_RELR
        | elf::SHT_CREL
        | elf::SHT_ANDROID_REL
        | elf::SHT_ANDROID_RELA
        | elf::SHT_ANDROID_RELR => SectionRole::Relocations,
        elf::SHT_NULL | elf::SHT_GROUP => SectionRole::FileStructure,
        elf::SHT_NOTE | elf::SHT_GNU_ATTRIBUTES => SectionRole::Notes,
        elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY | elf::SHT_PREINIT_ARRAY => {
            SectionRole::RelocatedReadOnlyData
        }
        // The numbers from here on mean other things on other machines.
        elf::SHT_ARM_EXIDX if machine == elf::EM_ARM => SectionRole::UnwindIndex,
        elf::SHT_ARM_ATTRIBUTES if machine == elf::EM_ARM => SectionRole::Notes,
        elf::SHT_RISCV_ATTRIBUTES if machine == elf::EM_RISCV => SectionRole::Notes,
        // `.eh_frame` may have it, and GNU tools and LLVM give it to `.eh_frame_hdr` as well.
        elf::SHT_X86_64_UNWIND if machine == elf::EM_X86_64 && is_frame_index(name) => {
            SectionRole::UnwindIndex
        }
        elf::SHT_X86_64_UNWIND if machine == elf::EM_X86_64 => SectionRole::UnwindTable,
        _ => return None,
    })
}

/// The role of a section that is not mapped into memory.
fn unloaded_role(name: &str) -> SectionRole {
    let starts = |prefix: &str| name.starts_with(prefix);
    if starts(".debug")
        || starts(".zdebug")
        || starts(".gdb_index")
        || starts(".stab")
        || name == ".line"
    {
        SectionRole::Debug
    } else if starts(".comment")
        || starts(".note")
        || starts(".gnu_debuglink")
        || starts(".gnu_debugaltlink")
        || starts(".dep-v0")
        || starts(".gnu.build.attributes")
        || name.ends_with(".attributes")
    {
        SectionRole::Notes
    } else if matches!(name, ".rustc" | ".rmeta" | ".llvmbc" | ".llvmcmd") {
        SectionRole::CompilerMetadata
    } else if name == ".gnu_debugdata" {
        // A whole file in LZMA that holds but a symbol table for backtraces ("MiniDebugInfo", GDB manual).
        SectionRole::SymbolNames
    } else {
        SectionRole::Other
    }
}

/// The role of a section that is mapped into memory.
fn loaded_role(name: &str, flags: elf::SectionFlags) -> SectionRole {
    // `.text.unlikely` is a kind of `.text`; `.textual` is not.
    let is = |base: &str| {
        name.strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if is(".eh_frame") || name == ".bolt.org.eh_frame" {
        SectionRole::UnwindTable
    } else if is_frame_index(name) || is(".ARM.exidx") {
        SectionRole::UnwindIndex
    } else if is(".gcc_except_table") || name == ".bolt.org.gcc_except_table" || is(".ARM.extab") {
        SectionRole::ExceptionTable
    } else if name == ".interp" {
        SectionRole::DynamicLinking
    } else if matches!(name, ".got" | ".got.plt" | ".igot" | ".igot.plt") {
        SectionRole::AddressSlots
    } else if is(".plt") || name == ".iplt" {
        SectionRole::Stubs
    } else if flags.contains(elf::SHF_TLS) {
        SectionRole::ThreadLocalData
    } else if flags.contains(elf::SHF_EXECINSTR) {
        SectionRole::Code
    } else if is(".data.rel.ro")
        || is(".init_array")
        || is(".fini_array")
        || is(".preinit_array")
        || is(".ctors")
        || is(".dtors")
        || name == ".relro_padding"
    {
        SectionRole::RelocatedReadOnlyData
    } else if matches!(name, ".dep-v0" | ".MIPS.abiflags") || name.starts_with(".note") {
        SectionRole::Notes
    } else if name.starts_with(".debug_") {
        // `.debug_gdb_scripts` of rustc is loaded, so that no linker drops it.
        SectionRole::Debug
    } else if flags.contains(elf::SHF_WRITE) {
        SectionRole::WritableData
    } else {
        SectionRole::ReadOnlyData
    }
}

/// What it takes for a linker to keep the contents of a section: gABI, "Special Sections"; lld 22, `MarkLive.cpp`
/// (`isReserved`, C identifiers as names); GNU ld 2.43, `--gc-sections` with `KEEP` of its default scripts;
/// `SHF_GNU_RETAIN`.
pub(super) fn retention(name: &str, kind: elf::SectionType, flags: elf::SectionFlags) -> Retention {
    let is = |base: &str| {
        name.strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let runs_by_itself = matches!(
        kind,
        elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY | elf::SHT_PREINIT_ARRAY | elf::SHT_NOTE
    ) || [
        ".init",
        ".fini",
        ".init_array",
        ".fini_array",
        ".preinit_array",
        ".ctors",
        ".dtors",
        ".jcr",
    ]
    .into_iter()
    .any(is);
    if runs_by_itself || flags.contains(elf::SHF_GNU_RETAIN) {
        Retention::Always
    } else if is_c_identifier(name) {
        // Linkers define `__start_NAME` and `__stop_NAME` for it.
        Retention::Together
    } else {
        Retention::IfMentioned
    }
}

fn is_c_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a section is the search table over `.eh_frame`.
fn is_frame_index(name: &str) -> bool {
    matches!(name, ".eh_frame_hdr" | ".bolt.org.eh_frame_hdr")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADED: elf::SectionFlags = elf::SHF_ALLOC;

    #[test]
    fn type_numbers_mean_what_the_machine_says() {
        let role = |machine, name| section_role(machine, name, elf::SHT_ARM_EXIDX, LOADED);
        assert_eq!(
            elf::SHT_ARM_EXIDX.0,
            elf::SHT_X86_64_UNWIND.0,
            "the trap that this test is about"
        );
        assert_eq!(role(elf::EM_ARM, ".ARM.exidx"), SectionRole::UnwindIndex);
        assert_eq!(role(elf::EM_X86_64, ".eh_frame"), SectionRole::UnwindTable);
        assert_eq!(
            role(elf::EM_X86_64, ".eh_frame_hdr"),
            SectionRole::UnwindIndex
        );
        assert_eq!(role(elf::EM_MIPS, ".msym"), SectionRole::ReadOnlyData);
    }

    #[test]
    fn what_runs_by_itself_is_always_kept() {
        let kept = |name, kind| retention(name, kind, LOADED);
        for (name, kind, expected) in [
            (".init", elf::SHT_PROGBITS, Retention::Always),
            (".init_array", elf::SHT_INIT_ARRAY, Retention::Always),
            (".ctors.65535", elf::SHT_PROGBITS, Retention::Always),
            (".note.gnu.build-id", elf::SHT_NOTE, Retention::Always),
            (".initial", elf::SHT_PROGBITS, Retention::IfMentioned),
            (".rodata", elf::SHT_PROGBITS, Retention::IfMentioned),
            ("linkme_ITEMS", elf::SHT_PROGBITS, Retention::Together),
            ("9lives", elf::SHT_PROGBITS, Retention::IfMentioned),
            ("", elf::SHT_NULL, Retention::IfMentioned),
        ] {
            assert_eq!(kept(name, kind), expected, "{name}");
        }
        assert_eq!(
            retention(".data", elf::SHT_PROGBITS, LOADED | elf::SHF_GNU_RETAIN),
            Retention::Always
        );
    }

    #[test]
    fn names_tell_where_type_and_flags_do_not() {
        let writable = LOADED | elf::SHF_WRITE;
        for (name, flags, role) in [
            (
                ".text.unlikely",
                LOADED | elf::SHF_EXECINSTR,
                SectionRole::Code,
            ),
            (".plt.sec", LOADED | elf::SHF_EXECINSTR, SectionRole::Stubs),
            (".rodata.str1.1", LOADED, SectionRole::ReadOnlyData),
            (
                ".data.rel.ro.local",
                writable,
                SectionRole::RelocatedReadOnlyData,
            ),
            (".data.relative", writable, SectionRole::WritableData),
            (".got", writable, SectionRole::AddressSlots),
            (
                ".tdata",
                writable | elf::SHF_TLS,
                SectionRole::ThreadLocalData,
            ),
            (".gcc_except_table.f", LOADED, SectionRole::ExceptionTable),
            (".debug_gdb_scripts", LOADED, SectionRole::Debug),
            (".debug_info", elf::SectionFlags(0), SectionRole::Debug),
            (".comment", elf::SectionFlags(0), SectionRole::Notes),
            (
                ".rustc",
                elf::SectionFlags(0),
                SectionRole::CompilerMetadata,
            ),
            (
                ".llvmbc",
                elf::SectionFlags(0),
                SectionRole::CompilerMetadata,
            ),
            (".unheard-of", elf::SectionFlags(0), SectionRole::Other),
        ] {
            assert_eq!(
                section_role(elf::EM_X86_64, name, elf::SHT_PROGBITS, flags),
                role,
                "{name}"
            );
        }
    }
}
