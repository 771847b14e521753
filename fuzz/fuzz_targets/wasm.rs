//! Any bytes behind the preambles of WebAssembly, the whole way.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// A module, a component.
const MAGIC: [&[u8]; 2] = [b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"];

fuzz_target!(|bytes: &[u8]| {
    if let Some(file) = whittle_fuzz::behind(&MAGIC, bytes) {
        whittle_fuzz::assert_adds_up(&file);
    }
});
