//! Annotations in GitHub Actions: a workflow command a line ("Workflow commands for GitHub Actions", setting an error message).

use std::io::{self, Write};

use whittle_ledger::Ruling;

use super::{Report, message, subject};
use crate::plain::plain;

/// Writes an error for each limit that is exceeded, and a notice for what else there is to know.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let mut command = |kind: &str, line: Option<usize>, title: &str, text: &str| {
        let place = match line {
            Some(line) => format!("file={},line={line},", property(report.place)),
            None => String::new(),
        };
        writeln!(
            out,
            "::{kind} {place}title={}::{}",
            property(title),
            data(text)
        )
    };
    for verdict in report.exceeded() {
        let title = format!("too large: {}", subject(&verdict.subject).replace('`', ""));
        command("error", verdict.line, &title, &message(report, verdict))?;
    }
    for verdict in &report.checked.verdicts {
        if let Ruling::Excused { reason, until, .. } = &verdict.ruling {
            let title = format!("allowed until {until}: {}", verdict.subject);
            command("notice", verdict.line, &title, &plain(reason))?;
        }
    }
    for notice in &report.checked.notices {
        command("warning", None, "size budget", &plain(notice))?;
    }
    for note in report.notes {
        command("notice", None, "size", &plain(note))?;
    }
    Ok(())
}

/// What stands behind the colons.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(&plain(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(data("100 %\nof it: a, b"), "100 %25%0Aof it: a, b");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
