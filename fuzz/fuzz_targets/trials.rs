//! Any bytes read as a journal and as a source text: what is read can be written and read again, and places are in the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_trial::detect::sources;
use whittle_trial::journal::{Journal, line};

fuzz_target!(|bytes: &[u8]| {
    let journal = Journal::read(bytes, "state");
    assert!(journal.whole <= bytes.len());
    assert!(journal.whole == 0 || bytes[journal.whole - 1] == b'\n');
    let written: String = journal
        .records
        .iter()
        .filter_map(|record| line("state", record).ok())
        .collect();
    let again = Journal::read(written.as_bytes(), "state");
    // Numbers may lose their last bit on the way; what was done with which settings may not.
    assert!(
        again
            .records
            .iter()
            .map(|record| &record.trial)
            .eq(journal.records.iter().map(|record| &record.trial))
    );
    assert_eq!((again.whole, again.unreadable), (written.len(), 0));

    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let lines = text.split('\n').count();
    match sources::scan(text) {
        Ok(hits) => {
            assert!(hits.iter().all(|hit| (1..=lines).contains(&hit.line)));
            assert!(hits.is_sorted_by_key(|hit| hit.line));
        }
        Err(error) => assert!(error.line <= lines),
    }
});
