//! One line of a log.

use std::borrow::Cow;
use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// One log entry. Keys that are not listed here are ignored, as logs have many.
#[derive(Debug, Deserialize, Serialize)]
pub struct Entry<'line> {
    /// Milliseconds since 1970.
    pub ts: u64,
    pub level: Level,
    #[serde(borrow)]
    pub service: Cow<'line, str>,
    #[serde(borrow)]
    pub msg: Cow<'line, str>,
    /// How long the request took, for entries that are about a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
}

/// How loud an entry is, in ascending order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Trace,
    Debug,
    Info,
    #[serde(alias = "warning")]
    Warn,
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_ignored() -> serde_json::Result<()> {
        let line = r#"{"ts":1,"level":"warning","service":"auth","msg":"a\"b","host":"h7"}"#;
        let entry: Entry<'_> = serde_json::from_str(line)?;
        assert_eq!(entry.level, Level::Warn);
        assert_eq!(entry.msg, "a\"b");
        assert_eq!(entry.latency_ms, None);
        Ok(())
    }

    #[test]
    fn plain_text_is_borrowed_from_the_line() -> serde_json::Result<()> {
        let line = r#"{"ts":1,"level":"info","service":"auth","msg":"hello","latency_ms":2.5}"#;
        let entry: Entry<'_> = serde_json::from_str(line)?;
        assert!(matches!(entry.msg, Cow::Borrowed("hello")));
        Ok(())
    }

    #[test]
    fn levels_are_ordered_by_loudness() {
        assert!(Level::Trace < Level::Info && Level::Warn < Level::Error);
        assert_eq!(format!("{:<6}|", Level::Info), "info  |");
    }
}
