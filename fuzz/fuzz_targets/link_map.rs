//! Any text read as a link map: sections stay in their output section, disjoint, in order and findable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_image::link_map::LinkMap;

fuzz_target!(|bytes: &[u8]| {
    let Ok(map) = LinkMap::parse(bytes) else {
        return;
    };
    let mut sections_seen = 0;
    for output in map.output_sections() {
        let index = map
            .find_output(&output.name, output.address)
            .expect("an output section of the map");
        let found = map.output(index);
        assert_eq!((&found.name, found.address), (&output.name, output.address));
    }
    let mut output = None;
    let mut end = 0;
    for section in map.sections() {
        let bounds = map.output(section.output);
        if output != Some(section.output) {
            sections_seen += map.sections_of(section.output).len();
            output = Some(section.output);
            end = bounds.address;
        }
        assert!(section.size > 0);
        assert!(section.address >= end, "{section:?} overlaps");
        end = section
            .address
            .checked_add(section.size)
            .expect("no overflow");
        assert!(end <= bounds.end(), "{section:?} leaves {bounds:?}");
        assert_eq!(map.at_in(section.output, end - 1), Some(section));
        if let Some(object) = section.object {
            assert!(!map.object(object).path.is_empty());
        }
        if let Some(at) = map.at(section.address) {
            assert!(at.address <= section.address && section.address < at.end());
        }
    }
    assert_eq!(sections_seen, map.sections().len());
    for symbol in map.symbols() {
        if let Some(section) = symbol.section {
            assert!(map.section(section).size > 0);
        }
    }
    for fill in map.fills() {
        let end = fill.address.checked_add(fill.size).expect("no overflow");
        assert!(end <= map.output(fill.output).end());
    }
});
