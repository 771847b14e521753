//! What Rust's own test harness prints at its end: the names of the failed tests, and the counts.

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Marked as ignored.
    pub ignored: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdicts {
    /// Sorted.
    pub(super) failed: Vec<String>,
    pub(super) counts: Counts,
}

/// `None` if the output does not end as that of the harness does (`library/test/src/formatters/pretty.rs` of Rust 1.95):
///
/// ```text
/// failures:
///     one::test
///     another
///
/// test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
/// ```
///
/// A test may print the same; the last one counts, which the harness prints when no test runs any more.
pub(super) fn parse(stdout: &str) -> Option<Verdicts> {
    let lines: Vec<&str> = stdout.lines().collect();
    let end = lines
        .iter()
        .rposition(|line| line.starts_with("test result: "))?;
    let counts = counts(lines.get(end)?)?;
    let mut failed = Vec::new();
    if counts.failed > 0 {
        let before = lines.get(..end)?;
        let start = before.iter().rposition(|line| *line == "failures:")?;
        let names = before.get(start + 1..)?.iter();
        failed.extend(
            names
                .filter_map(|line| line.strip_prefix("    "))
                .map(ToOwned::to_owned),
        );
        failed.sort();
    }
    Some(Verdicts { failed, counts })
}

fn counts(line: &str) -> Option<Counts> {
    let (_, numbers) = line.split_once(". ")?;
    let count = |name: &str| {
        let mut parts = numbers.split("; ");
        parts.find_map(|part| part.strip_suffix(name)?.trim_end().parse().ok())
    };
    Some(Counts {
        passed: count("passed")?,
        failed: count("failed")?,
        ignored: count("ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_list_counts() {
        let text = "\nrunning 4 tests\ntest b::c ... FAILED\ntest a - should panic ... FAILED\n\nfailures:\n\n\
                    ---- b::c stdout ----\nfailures:\n    not this\ntest result: ok. 9 passed; 0 failed; 0 ignored;\n\n\
                    failures:\n    b::c\n    a\n\n\
                    test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\n";
        let verdicts = parse(text).expect("it is complete");
        assert_eq!(verdicts.failed, ["a", "b::c"]);
        let counts = Counts {
            passed: 1,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(verdicts.counts, counts);
    }

    #[test]
    fn what_is_not_complete_says_nothing() {
        for text in [
            "",
            "all good\n",
            "test result: \n",
            "test result: ok. many passed; 0 failed; 0 ignored\n",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
