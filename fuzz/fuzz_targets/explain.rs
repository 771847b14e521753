//! Any bytes, the whole way: whatever the file and the link map say, every byte has one owner, all axes add up, and what
//! is kept and what is not are the whole file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;

fuzz_target!(|bytes: &[u8]| {
    // What stands behind this mark is taken for the linker's map of what stands before it.
    const MARK: &[u8] = b"\n--map--\n";
    let at = bytes.windows(MARK.len()).position(|window| window == MARK);
    let (file, map) = match at {
        Some(at) => (&bytes[..at], &bytes[at + MARK.len()..]),
        None => (bytes, &[][..]),
    };
    let Ok(image) = Image::parse(file) else {
        return;
    };
    whittle_fuzz::assert_explained(&image, LinkMap::parse(map).ok().as_ref());
});
