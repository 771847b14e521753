//! Behaviour: does a trial do what the baseline does, as far as the baseline does the same twice?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one run of a command gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// How it ended.
    pub end: End,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It had to be ended when its time was over.
    TimedOut,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(6) => f.write_str("signal 6 (abort)"),
            Self::Signal(4) => f.write_str("signal 4 (illegal instruction)"),
            Self::Signal(11) => f.write_str("signal 11 (segmentation fault)"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("ended when its time was over"),
        }
    }
}

/// What is to be expected of a trial: what two runs of the baseline have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    end: Option<End>,
    stdout: Stream,
    stderr: Stream,
}

/// What two texts have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stream {
    /// Everything.
    Bytes(Vec<u8>),
    /// The lines at these places; the number of lines is the same.
    Lines {
        count: usize,
        stable: BTreeMap<usize, Vec<u8>>,
    },
    /// The same lines in another order.
    Unordered(Vec<Vec<u8>>),
    /// Nothing.
    Unstable,
}

/// How a trial differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It ended otherwise.
    End {
        /// How the baseline ended.
        expected: End,
        /// How the trial ended.
        got: End,
    },
    /// It wrote something else.
    Output {
        /// `stdout` or `stderr`.
        stream: &'static str,
        /// The first line that differs, counted from 1; nothing if the order of lines is not fixed.
        line: Option<usize>,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::End { expected, got } => write!(f, "{got} instead of {expected}"),
            Self::Output {
                stream,
                line: Some(line),
            } => write!(f, "{stream} differs in line {line}"),
            Self::Output { stream, line: None } => write!(f, "{stream} has other lines"),
        }
    }
}

impl Expected {
    /// What two runs of the baseline have in common.
    #[must_use]
    pub fn of(first: &Observed, second: &Observed) -> Self {
        Self {
            end: (first.end == second.end).then_some(first.end),
            stdout: Stream::of(&first.stdout, &second.stdout),
            stderr: Stream::of(&first.stderr, &second.stderr),
        }
    }

    /// Whether there is anything left to compare.
    #[must_use]
    pub fn says_something(&self) -> bool {
        self.end.is_some() || self.stdout != Stream::Unstable || self.stderr != Stream::Unstable
    }

    /// What is not compared, since the baseline itself differs from run to run.
    #[must_use]
    pub fn unstable_parts(&self) -> Vec<&'static str> {
        let mut parts = Vec::new();
        if self.end.is_none() {
            parts.push("exit status");
        }
        for (stream, name) in [(&self.stdout, "stdout"), (&self.stderr, "stderr")] {
            match stream {
                Stream::Bytes(_) => {}
                Stream::Lines { .. } => parts.push(match name {
                    "stdout" => "some lines of stdout",
                    _ => "some lines of stderr",
                }),
                Stream::Unordered(_) => parts.push(match name {
                    "stdout" => "the order of stdout's lines",
                    _ => "the order of stderr's lines",
                }),
                Stream::Unstable => parts.push(name),
            }
        }
        parts
    }

    /// Compares a run of a trial.
    ///
    /// # Errors
    /// The first [`Difference`]: in how it ended, then in stdout, then in stderr.
    pub fn compare(&self, got: &Observed) -> Result<(), Difference> {
        match self.end {
            Some(expected) if expected != got.end => {
                return Err(Difference::End {
                    expected,
                    got: got.end,
                });
            }
            _ => {}
        }
        for (stream, text, name) in [
            (&self.stdout, &got.stdout, "stdout"),
            (&self.stderr, &got.stderr, "stderr"),
        ] {
            stream
                .compare(text)
                .map_err(|line| Difference::Output { stream: name, line })?;
        }
        Ok(())
    }
}

impl Stream {
    fn of(first: &[u8], second: &[u8]) -> Self {
        if first == second {
            return Self::Bytes(first.to_vec());
        }
        let (a, b) = (lines(first), lines(second));
        if sorted(&a) == sorted(&b) {
            return Self::Unordered(sorted(&a));
        }
        if a.len() != b.len() {
            return Self::Unstable;
        }
        let stable: BTreeMap<usize, Vec<u8>> = a
            .iter()
            .zip(&b)
            .enumerate()
            .filter(|(_, (a, b))| a == b)
            .map(|(index, (line, _))| (index, line.to_vec()))
            .collect();
        if stable.is_empty() {
            return Self::Unstable;
        }
        Self::Lines {
            count: a.len(),
            stable,
        }
    }

    /// The first line that differs, counted from 1, where there is an order.
    fn compare(&self, got: &[u8]) -> Result<(), Option<usize>> {
        match self {
            Self::Unstable => Ok(()),
            Self::Bytes(expected) if expected == got => Ok(()),
            Self::Bytes(expected) => {
                let (expected, got) = (lines(expected), lines(got));
                let differs = expected.iter().zip(&got).position(|(a, b)| a != b);
                Err(Some(differs.unwrap_or(expected.len().min(got.len())) + 1))
            }
            Self::Unordered(expected) => {
                if *expected == sorted(&lines(got)) {
                    Ok(())
                } else {
                    Err(None)
                }
            }
            Self::Lines { count, stable } => {
                let got = lines(got);
                if got.len() != *count {
                    return Err(Some(got.len().min(*count) + 1));
                }
                match stable.iter().find(|(index, line)| *got[**index] != ***line) {
                    Some((index, _)) => Err(Some(index + 1)),
                    None => Ok(()),
                }
            }
        }
    }
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split(|byte| *byte == b'\n').collect()
}

fn sorted(lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut sorted: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
    sorted.sort();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(code: i32, stdout: &str) -> Observed {
        Observed {
            end: End::Code(code),
            stdout: stdout.into(),
            stderr: Vec::new(),
        }
    }

    #[test]
    fn a_steady_program_is_compared_byte_by_byte() {
        let run = observed(0, "a\nb\n");
        let expected = Expected::of(&run, &run);
        assert_eq!(expected.compare(&run), Ok(()));
        assert!(expected.unstable_parts().is_empty());
        assert_eq!(
            expected.compare(&observed(0, "a\nc\n")),
            Err(Difference::Output {
                stream: "stdout",
                line: Some(2)
            })
        );
        assert_eq!(
            expected.compare(&observed(0, "a\nb\nc\n")),
            Err(Difference::Output {
                stream: "stdout",
                line: Some(3)
            })
        );
        let difference = expected.compare(&observed(101, "a\nb\n"));
        assert_eq!(
            difference.map_err(|difference| difference.to_string()),
            Err("exit code 101 instead of exit code 0".to_owned())
        );
    }

    #[test]
    fn lines_that_change_from_run_to_run_are_left_out() {
        let expected = Expected::of(
            &observed(0, "took 12 ms\nfound 3\n"),
            &observed(0, "took 15 ms\nfound 3\n"),
        );
        assert_eq!(expected.unstable_parts(), ["some lines of stdout"]);
        assert_eq!(
            expected.compare(&observed(0, "took 9 ms\nfound 3\n")),
            Ok(())
        );
        assert_eq!(
            expected.compare(&observed(0, "took 9 ms\nfound 4\n")),
            Err(Difference::Output {
                stream: "stdout",
                line: Some(2)
            })
        );
    }

    #[test]
    fn lines_in_the_order_of_a_hash_table_are_compared_as_a_set() {
        let expected = Expected::of(&observed(0, "x\ny\nz\n"), &observed(0, "z\nx\ny\n"));
        assert_eq!(expected.compare(&observed(0, "y\nz\nx\n")), Ok(()));
        assert!(expected.compare(&observed(0, "y\nz\nw\n")).is_err());
    }

    #[test]
    fn what_has_nothing_in_common_is_not_compared() {
        let expected = Expected::of(&observed(0, "1\n2"), &observed(1, "3"));
        assert_eq!(expected.unstable_parts(), ["exit status", "stdout"]);
        assert_eq!(expected.compare(&observed(7, "anything")), Ok(()));
        // Both runs were silent on stderr, and that is still to be expected.
        assert!(expected.says_something());
    }
}
