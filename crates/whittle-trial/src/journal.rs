//! The journal: each finished trial is one line of JSON at the end of a file, so that nothing is lost when the next one is
//! killed.
//!
//! A line says its format, its version, and the state of the sources it holds for. A line that was cut off by a kill or a
//! full disk is the last one; it is told and dropped.

use serde::{Deserialize, Serialize};

use crate::trial::Record;

const FORMAT: &str = "cargo-whittle/journal";
const VERSION: u32 = 1;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    format: String,
    version: u32,
    source: String,
    #[serde(flatten)]
    record: Record,
}

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// The finished trials of the state that was asked for, in their order. A trial that was done twice counts by its last
    /// line.
    pub records: Vec<Record>,
    /// Where the whole lines end, in bytes from the start: what comes behind was cut off and is to be cut away before the
    /// next line is written.
    pub whole: usize,
    /// Lines in between that cannot be read: of another version, of settings that are no more, or damaged.
    pub unreadable: usize,
}

/// The line of a finished trial, its line end included.
///
/// `source` names the state of everything that a build depends on: sources, lock file, configuration, toolchain.
///
/// # Errors
/// Only if a number in the record is not finite.
pub fn line(source: &str, record: &Record) -> serde_json::Result<String> {
    let mut line = serde_json::to_string(&Line {
        format: FORMAT.to_owned(),
        version: VERSION,
        source: source.to_owned(),
        record: record.clone(),
    })?;
    line.push('\n');
    Ok(line)
}

impl Journal {
    /// Reads a journal: the trials of one state of the sources.
    #[must_use]
    pub fn read(bytes: &[u8], source: &str) -> Self {
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut journal = Self {
            whole,
            ..Self::default()
        };
        for line in bytes[..whole].split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(line) {
                Ok(line) if line.format == FORMAT && line.version == VERSION => {
                    if line.source != source {
                        continue;
                    }
                    journal
                        .records
                        .retain(|record| record.trial != line.record.trial);
                    journal.records.push(line.record);
                }
                _ => journal.unreadable += 1,
            }
        }
        journal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::trial::{Outcome, Step, Trial};

    fn record(level: &str, reason: &str) -> Record {
        Record {
            trial: Trial {
                step: Step::Build,
                settings: Settings::unchanged()
                    .with("opt-level", level)
                    .expect("the catalogue has it"),
            },
            outcome: Outcome::Failed {
                reason: reason.to_owned(),
            },
        }
    }

    fn written(source: &str, records: &[Record]) -> Vec<u8> {
        let lines: Result<String, _> = records.iter().map(|record| line(source, record)).collect();
        lines.expect("no number is in it").into_bytes()
    }

    #[test]
    fn what_was_written_is_read_back_for_its_state_only() {
        let mut bytes = written("a", &[record("s", "no"), record("z", "no")]);
        bytes.extend(written("b", &[record("3", "no")]));
        let journal = Journal::read(&bytes, "a");
        assert_eq!(journal.records, [record("s", "no"), record("z", "no")]);
        assert_eq!(journal.whole, bytes.len());
        assert_eq!(journal.unreadable, 0);
    }

    #[test]
    fn a_kill_at_any_byte_loses_at_most_the_line_in_flight() {
        let bytes = written("a", &[record("s", "line\nend"), record("z", "no")]);
        let first_end = written("a", &[record("s", "line\nend")]).len();
        for cut in 0..bytes.len() {
            let journal = Journal::read(&bytes[..cut], "a");
            let whole = if cut < first_end { 0 } else { first_end };
            assert_eq!(journal.whole, whole, "cut at {cut}");
            assert_eq!(
                journal.records.len(),
                usize::from(whole > 0),
                "cut at {cut}"
            );
            assert_eq!(journal.unreadable, 0);
        }
    }

    #[test]
    fn a_trial_done_again_counts_by_its_last_line() {
        let bytes = written("a", &[record("s", "first"), record("s", "second")]);
        assert_eq!(Journal::read(&bytes, "a").records, [record("s", "second")]);
    }

    #[test]
    fn lines_of_another_version_and_of_settings_that_are_no_more_are_counted_and_passed_over() {
        let line = written("a", &[record("s", "no")]);
        let text = String::from_utf8(line.clone()).expect("JSON is UTF-8");
        let mut bytes = text.replace("\"version\":1", "\"version\":2").into_bytes();
        bytes.extend(text.replace("\"s\"", "\"q\"").into_bytes());
        bytes.extend(b"not json\n\xff\xfe\n");
        bytes.extend(line);
        let journal = Journal::read(&bytes, "a");
        assert_eq!(journal.records.len(), 1);
        assert_eq!(journal.unreadable, 4);
    }
}
