//! Symbols whose names say whose they are without being mangled.

/// Names that stand for nothing in any source: empty, or numbered by the compiler.
pub(crate) fn is_anonymous(name: &[u8]) -> bool {
    name.is_empty()
        || name.starts_with(b".L")
        || name.starts_with(b"anon.")
        || name.starts_with(b"l_anon.")
        || name.starts_with(b"switch.table")
        || name.starts_with(b"str.")
        || name.starts_with(b"GCC_except_table")
}

/// Symbols of the standard library whose names the compiler knows and does not mangle.
pub(crate) fn is_of_standard_library(name: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"rust_eh_personality",
        b"DW.ref.rust_eh_personality",
        b"rust_begin_unwind",
        b"rust_panic",
        b"__rust_no_alloc_shim_is_unstable",
        b"__rust_alloc_error_handler_should_panic",
    ];
    NAMES.contains(&name)
}

/// Entry points and helpers of the C start-up code (glibc and musl `csu`, GCC `crtstuff.c`).
pub(crate) fn is_of_c_runtime(name: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"_start",
        b"_start_c",
        b"_init",
        b"_fini",
        b"_IO_stdin_used",
        b"__abi_tag",
        b"__data_start",
        b"__dso_handle",
        b"__do_global_dtors_aux",
        b"__do_global_dtors_aux_fini_array_entry",
        b"__frame_dummy_init_array_entry",
        b"__libc_csu_fini",
        b"__libc_csu_init",
        b"__TMC_END__",
        b"_dl_relocate_static_pie",
        b"completed.0",
        b"data_start",
        b"deregister_tm_clones",
        b"frame_dummy",
        b"register_tm_clones",
        b"_ITM_deregisterTMCloneTable",
        b"_ITM_registerTMCloneTable",
        b"__gmon_start__",
        b"__cxa_finalize",
    ];
    NAMES.contains(&name)
}
