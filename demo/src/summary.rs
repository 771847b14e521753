//! The counting: entries in, rows out.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Serialize;

use crate::cli::Grouping;
use crate::entry::{Entry, Level};
use crate::percentile::nearest_rank;

/// Which entries count.
#[derive(Debug, Default)]
pub struct Filter {
    /// The message must match.
    pub pattern: Option<Regex>,
    /// The level must be this or above.
    pub least: Option<Level>,
}

impl Filter {
    fn accepts(&self, entry: &Entry<'_>) -> bool {
        self.least.is_none_or(|least| entry.level >= least)
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&entry.msg))
    }
}

/// What has been read so far.
#[derive(Debug)]
pub struct Summary {
    grouping: Grouping,
    groups: BTreeMap<Option<Level>, BTreeMap<String, Group>>,
    totals: Totals,
    first_ts: Option<u64>,
    first_bad_line: Option<String>,
}

/// Figures of all inputs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Entries that passed the filter.
    pub entries: u64,
    /// Entries that did not.
    pub filtered_out: u64,
    /// Lines that are not log entries. Empty lines are nothing at all.
    pub bad_lines: u64,
    /// From the earliest to the latest entry, in milliseconds.
    pub duration_ms: u64,
}

#[derive(Debug, Default)]
struct Group {
    entries: u64,
    latencies: Vec<f64>,
}

/// One row of the summary. `None` stands for all levels or all services.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub level: Option<Level>,
    pub service: Option<String>,
    pub entries: u64,
    /// Latencies in milliseconds, of those entries that have one.
    pub latency_ms: Option<Latency>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Summary {
    pub fn new(grouping: Grouping) -> Self {
        Self {
            grouping,
            groups: BTreeMap::new(),
            totals: Totals::default(),
            first_ts: None,
            first_bad_line: None,
        }
    }

    /// Counts one line. `file` and `number` are only for telling where a bad line is.
    pub fn add_line(&mut self, file: &str, number: u64, line: &[u8], filter: &Filter) {
        if line.is_empty() {
            return;
        }
        match serde_json::from_slice::<Entry<'_>>(line) {
            Ok(entry) if filter.accepts(&entry) => self.add(&entry),
            Ok(_) => self.totals.filtered_out += 1,
            Err(error) => {
                self.totals.bad_lines += 1;
                self.first_bad_line
                    .get_or_insert_with(|| format!("{file}:{number}: {error}"));
            }
        }
    }

    fn add(&mut self, entry: &Entry<'_>) {
        let totals = &mut self.totals;
        totals.entries += 1;
        // Entries of several files need not be in order of time.
        let first = self.first_ts.unwrap_or(entry.ts);
        let last = first.saturating_add(totals.duration_ms).max(entry.ts);
        self.first_ts = Some(first.min(entry.ts));
        totals.duration_ms = last - first.min(entry.ts);

        let level = (self.grouping != Grouping::Service).then_some(entry.level);
        let service = if self.grouping == Grouping::Level {
            ""
        } else {
            entry.service.as_ref()
        };
        let services = self.groups.entry(level).or_default();
        // Looked up by reference first: a name is copied once a group, not once a line.
        let group = match services.get_mut(service) {
            Some(group) => group,
            None => services.entry(service.to_owned()).or_default(),
        };
        group.entries += 1;
        group.latencies.extend(entry.latency_ms);
    }

    /// The rows, loudest level first, then by service.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (&level, services) in self.groups.iter().rev() {
            for (service, group) in services {
                rows.push(Row {
                    level,
                    service: (self.grouping != Grouping::Level).then(|| service.clone()),
                    entries: group.entries,
                    latency_ms: Latency::of(&group.latencies),
                });
            }
        }
        rows
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Where the first line was that is not a log entry, and why it is none.
    pub fn first_bad_line(&self) -> Option<&str> {
        self.first_bad_line.as_deref()
    }
}

impl Latency {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self {
            p50: nearest_rank(&sorted, 50)?,
            p90: nearest_rank(&sorted, 90)?,
            p99: nearest_rank(&sorted, 99)?,
            max: nearest_rank(&sorted, 100)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summarise(grouping: Grouping, filter: &Filter, log: &str) -> Summary {
        let mut summary = Summary::new(grouping);
        for (line, number) in log.lines().zip(1..) {
            summary.add_line("app.log", number, line.as_bytes(), filter);
        }
        summary
    }

    const LOG: &str = r#"
{"ts":2000,"level":"info","service":"auth","msg":"login of ada","latency_ms":4.0}
{"ts":1000,"level":"info","service":"auth","msg":"login of bob","latency_ms":2.0}
{"ts":3500,"level":"error","service":"auth","msg":"login failed"}
{"ts":3000,"level":"info","service":"cart","msg":"added","latency_ms":8.0}
"#;

    #[test]
    fn rows_are_loudest_level_first_and_services_by_name() {
        let rows = summarise(Grouping::Both, &Filter::default(), LOG).rows();
        let names: Vec<_> = rows
            .iter()
            .map(|row| (row.level, row.service.as_deref(), row.entries))
            .collect();
        assert_eq!(
            names,
            [
                (Some(Level::Error), Some("auth"), 1),
                (Some(Level::Info), Some("auth"), 2),
                (Some(Level::Info), Some("cart"), 1),
            ]
        );
        assert_eq!(rows[0].latency_ms, None);
        assert_eq!(
            rows[1].latency_ms,
            Some(Latency {
                p50: 2.0,
                p90: 4.0,
                p99: 4.0,
                max: 4.0
            })
        );
    }

    #[test]
    fn one_key_adds_up_the_other() {
        let by_service = summarise(Grouping::Service, &Filter::default(), LOG).rows();
        assert_eq!(by_service.len(), 2);
        assert_eq!((by_service[0].level, by_service[0].entries), (None, 3));
        let by_level = summarise(Grouping::Level, &Filter::default(), LOG).rows();
        assert_eq!(
            (by_level[1].service.as_deref(), by_level[1].entries),
            (None, 3)
        );
    }

    #[test]
    fn filtered_entries_are_counted_apart() -> Result<(), regex::Error> {
        let filter = Filter {
            pattern: Some(Regex::new("^login")?),
            least: Some(Level::Warn),
        };
        let summary = summarise(Grouping::Both, &filter, LOG);
        assert_eq!(
            (summary.totals().entries, summary.totals().filtered_out),
            (1, 3)
        );
        Ok(())
    }

    #[test]
    fn duration_does_not_depend_on_the_order_of_lines() {
        let summary = summarise(Grouping::Both, &Filter::default(), LOG);
        assert_eq!(summary.totals().duration_ms, 2500);
    }

    #[test]
    fn bad_lines_are_counted_and_the_first_is_named() {
        let log = format!("{LOG}{{\"ts\":1,\nnot json\n");
        let summary = summarise(Grouping::Both, &Filter::default(), &log);
        assert_eq!(
            (summary.totals().entries, summary.totals().bad_lines),
            (4, 2)
        );
        let first = summary.first_bad_line().expect("two lines are bad");
        assert!(first.starts_with("app.log:6: EOF while parsing"), "{first}");
    }
}
