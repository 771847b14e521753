//! What sections are for, by number and, of custom ones, by name.

use crate::section::SectionRole;

/// Name and role of a section of a core module, by its number; custom sections and those with parts are not among them.
pub(super) fn of_module(id: u8) -> (&'static str, SectionRole) {
    // Core Specification 3.0, "Sections".
    match id {
        1 => ("type", SectionRole::FileStructure),
        2 => ("import", SectionRole::DynamicLinking),
        3 => ("function", SectionRole::FileStructure),
        4 => ("table", SectionRole::FileStructure),
        5 => ("memory", SectionRole::FileStructure),
        6 => ("global", SectionRole::WritableData),
        7 => ("export", SectionRole::DynamicLinking),
        8 => ("start", SectionRole::FileStructure),
        // Which functions go into which table: patches that are applied when the module starts.
        9 => ("element", SectionRole::Relocations),
        10 => ("code", SectionRole::Code),
        11 => ("data", SectionRole::WritableData),
        12 => ("data count", SectionRole::FileStructure),
        13 => ("tag", SectionRole::FileStructure),
        _ => ("(unknown section)", SectionRole::Other),
    }
}

/// Name and role of a section of a component, by its number (Component Model, "Component Definitions").
pub(super) fn of_component(id: u8) -> (&'static str, SectionRole) {
    match id {
        1 => ("core module", SectionRole::Other),
        2 => ("core instance", SectionRole::DynamicLinking),
        3 => ("core type", SectionRole::DynamicLinking),
        4 => ("component", SectionRole::Other),
        5 => ("instance", SectionRole::DynamicLinking),
        6 => ("alias", SectionRole::DynamicLinking),
        7 => ("component type", SectionRole::DynamicLinking),
        8 => ("canonical function", SectionRole::DynamicLinking),
        9 => ("component start", SectionRole::DynamicLinking),
        10 => ("component import", SectionRole::DynamicLinking),
        11 => ("component export", SectionRole::DynamicLinking),
        12 => ("component value", SectionRole::DynamicLinking),
        _ => ("(unknown section)", SectionRole::Other),
    }
}

/// The role of a custom section. Core Specification, appendix "Custom Sections"; tool conventions, "Linking",
/// "Producers", "Target Features", "Dynamic Linking", "Debugging".
pub(super) fn of_custom(name: &str) -> SectionRole {
    let starts = |prefix: &str| name.starts_with(prefix);
    if name == "name" || name == "component-name" {
        SectionRole::Symbols
    } else if starts(".debug") || name == "sourceMappingURL" || name == "external_debug_info" {
        SectionRole::Debug
    } else if starts("reloc.") {
        SectionRole::Relocations
    } else if name == "linking" {
        SectionRole::Symbols
    } else if name == "dylink.0" || name == "dylink" || starts("component-type") {
        SectionRole::DynamicLinking
    } else if matches!(
        name,
        "producers" | "target_features" | "build_id" | ".dep-v0"
    ) || starts("metadata.code.")
    {
        SectionRole::Notes
    } else {
        SectionRole::Other
    }
}

/// The role of a data segment.
///
/// Linkers name them after the sections of the objects. Without names only the order tells: `wasm-ld` puts constants
/// before variables, so that the last of several holds variables.
pub(super) fn of_segment(name: &str, is_last: bool) -> SectionRole {
    if name.starts_with(".rodata") {
        SectionRole::ReadOnlyData
    } else if name.starts_with(".tdata") {
        SectionRole::ThreadLocalData
    } else if name.is_empty() && !is_last {
        SectionRole::ReadOnlyData
    } else {
        SectionRole::WritableData
    }
}
