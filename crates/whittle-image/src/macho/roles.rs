//! What sections are for: by their type, by the segment they are in and, where these do not tell, by name.

use object::macho;

use crate::section::{Access, SectionRole};

/// What a section is for. `access` is that of the section.
pub(super) fn section_role(
    segment: &str,
    name: &str,
    kind: macho::SectionType,
    access: Access,
) -> SectionRole {
    match kind {
        macho::S_SYMBOL_STUBS => return SectionRole::Stubs,
        macho::S_LAZY_SYMBOL_POINTERS
        | macho::S_NON_LAZY_SYMBOL_POINTERS
        | macho::S_THREAD_LOCAL_VARIABLE_POINTERS => return SectionRole::AddressSlots,
        macho::S_THREAD_LOCAL_REGULAR | macho::S_THREAD_LOCAL_ZEROFILL => {
            return SectionRole::ThreadLocalData;
        }
        macho::S_MOD_INIT_FUNC_POINTERS | macho::S_INIT_FUNC_OFFSETS => {
            return SectionRole::RelocatedReadOnlyData;
        }
        _ => {}
    }
    match (segment, name) {
        ("__DWARF", _) | (_, "__apple_names" | "__apple_types" | "__debug_line") => {
            SectionRole::Debug
        }
        (_, "__eh_frame") => SectionRole::UnwindTable,
        (_, "__unwind_info" | "__compact_unwind") => SectionRole::UnwindIndex,
        (_, "__gcc_except_tab") => SectionRole::ExceptionTable,
        (_, "__stub_helper") => SectionRole::Stubs,
        (_, "__dep-v0") => SectionRole::Notes,
        _ if access.executable => SectionRole::Code,
        // Constants that hold addresses, sealed by the loader or not.
        ("__DATA_CONST", _) | ("__DATA", "__const") => SectionRole::RelocatedReadOnlyData,
        _ if access.writable => SectionRole::WritableData,
        _ => SectionRole::ReadOnlyData,
    }
}
