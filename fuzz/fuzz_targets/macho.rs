//! Any bytes behind the magic numbers of Mach-O, the whole way.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// 64 and 32 bit, little and big endian.
const MAGIC: [&[u8]; 4] = [
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa\xcf",
    b"\xfe\xed\xfa\xce",
];

fuzz_target!(|bytes: &[u8]| {
    if let Some(file) = whittle_fuzz::behind(&MAGIC, bytes) {
        whittle_fuzz::assert_adds_up(&file);
    }
});
