//! What holds for the references of every file, whatever the bytes. The fuzz target asserts the same.

use std::sync::LazyLock;

use rayon::ThreadPool;
use whittle_code::{Method, References};
use whittle_image::{Image, Place, SectionRole};

/// Finds references with one thread and with several, and asserts that they are the same and sound.
pub fn find(image: &Image<'_>) -> References {
    static POOLS: LazyLock<[ThreadPool; 2]> = LazyLock::new(|| [1, 3].map(threads));
    let [one, several] = &*POOLS;
    let references = one.install(|| References::find(image));
    assert_same(&references, &several.install(|| References::find(image)));
    assert_sound(image, &references);
    references
}

fn threads(count: usize) -> ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build()
        .expect("threads can be started")
}

fn assert_same(one: &References, other: &References) {
    assert_eq!(one.list(), other.list());
    assert_eq!(one.functions(), other.functions());
    assert_eq!(one.coverage(), other.coverage());
    let slots = |references: &References| -> Vec<_> {
        let list = references.list().iter();
        list.map(|it| references.slot(it)).collect()
    };
    assert_eq!(slots(one), slots(other));
}

/// Asserts that lists are in order, places in sections, and that sums add up.
pub fn assert_sound(image: &Image<'_>, references: &References) {
    let list = references.list();
    assert!(list.is_sorted_by(|a, b| a < b), "in order, each once");
    for reference in list {
        assert_byte(image, reference.from());
        // The end of a section may be named.
        assert!(reference.to().offset <= size(image, reference.to()));
        if let Some(slot) = references.slot(reference) {
            assert_byte(image, slot);
        }
    }
    let functions = references.functions();
    assert!(functions.is_sorted_by(|a, b| a.place < b.place));
    for function in functions {
        assert_byte(image, function.place);
        assert!(function.end() <= size(image, function.place));
    }
    assert_coverage(image, references);
    assert_incoming(image, references);
}

fn assert_coverage(image: &Image<'_>, references: &References) {
    let code = references.coverage().code;
    let is_code = |section: &&whittle_image::Section<'_>| {
        section.access.executable && section.role != SectionRole::Stubs
    };
    let sections = image.sections.iter().filter(is_code);
    let stored: u64 = sections.map(|it| len(it.stored())).sum();
    let read = code.functions + code.unclaimed + code.data;
    let left_out = references.warnings().list().len();
    match references.coverage().method {
        Method::Unread => assert_eq!(read, 0),
        _ if left_out == 0 => assert_eq!(read, stored),
        _ => assert!(read < stored && read <= image.file_len()),
    }
    assert!(code.skipped <= code.functions + code.unclaimed);
}

fn assert_incoming(image: &Image<'_>, references: &References) {
    let incoming = references.incoming();
    let mut count = 0;
    for section in &image.sections {
        let mut last = None;
        for offset in incoming.targets(section.index) {
            assert!(last < Some(offset), "in order, each once");
            last = Some(offset);
            let start = Place {
                section: section.index,
                offset,
            };
            let users = incoming.within(start, 1);
            assert!(users.len() > 0);
            count += users.len();
        }
    }
    assert_eq!(count, references.list().len());
}

fn assert_byte(image: &Image<'_>, place: Place) {
    assert!(place.offset < size(image, place), "{place:?}");
}

fn size(image: &Image<'_>, place: Place) -> u64 {
    image.section(place.section).expect("a section").size
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("64 bits hold every length")
}
