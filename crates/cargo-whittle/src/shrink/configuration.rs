//! What `whittle.toml`, or `[workspace.metadata.whittle]` in the workspace's manifest, says about trials and budgets.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use whittle_trial::detect::Acknowledgement;

use crate::check::configuration::Budget;
use crate::trouble::{Outcome, Trouble};

/// The file's name, at the workspace root.
pub(crate) const FILE: &str = "whittle.toml";

/// Everything that can be said. What is not said is `None` or empty.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Configuration {
    pub(crate) shrink: Shrink,
    pub(crate) smoke: Option<Smoke>,
    pub(crate) workload: Vec<Command>,
    pub(crate) bench: Vec<BenchName>,
    pub(crate) check: Vec<Command>,
    pub(crate) acknowledge: Vec<Acknowledgement>,
    pub(crate) budget: Budget,
}

/// `[shrink]`.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Shrink {
    pub(crate) goal: Option<String>,
    pub(crate) max_slowdown: Option<Share>,
    pub(crate) measure: Option<String>,
    pub(crate) time_budget: Option<Span>,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) allow: Vec<String>,
    pub(crate) min_glibc: Option<String>,
    pub(crate) into_profile: Option<String>,
    pub(crate) tests: Option<String>,
    pub(crate) build_command: Option<String>,
    pub(crate) artifact: Option<String>,
}

/// `[smoke]`: how to see that the program starts.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Smoke {
    pub(crate) command: String,
}

/// `[[bench]]`: a benchmark of the workspace's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct BenchName {
    /// The target's name.
    pub(crate) name: String,
}

/// `[[workload]]` or `[[check]]`: a command for the shell, run at the workspace root.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the key in the file")]
pub(crate) struct Command {
    /// What reports call it; the command itself if it has no name.
    pub(crate) name: Option<String>,
    pub(crate) command: String,
    /// How long one run may take.
    pub(crate) time_limit: Option<Span>,
}

impl Command {
    /// A command from a flag.
    pub(crate) fn plain(command: String) -> Self {
        Self {
            name: None,
            command,
            time_limit: None,
        }
    }

    /// What reports call it.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.command)
    }
}

/// A share: `2%`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Share(pub(crate) f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.trim()
            .strip_suffix('%')
            .and_then(|number| number.trim().parse::<f64>().ok())
            .filter(|number| number.is_finite() && *number >= 0.0)
            .map(|number| Self(number / 100.0))
            .ok_or_else(|| format!("`{text}` is no share such as `2%`"))
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A span of time: `90s`, `20min`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no span of time such as `90s`, `20min` or `1h`");
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(end);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        number
            .checked_mul(unit)
            .map(Duration::from_secs)
            .map(Self)
            .ok_or_else(wrong)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The part of a manifest that is for this program; the rest is cargo's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    workspace: ManifestTable,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ManifestTable {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    whittle: Option<Configuration>,
}

impl Configuration {
    /// Reads what the workspace says; nothing said is the default.
    pub(crate) fn read(root: &Path) -> Outcome<Self> {
        let path = root.join(FILE);
        let own: Option<Self> = match read(&path)? {
            Some(text) => Some(parse(&path, &text)?),
            None => None,
        };
        let path = root.join("Cargo.toml");
        let manifest: Manifest = match read(&path)? {
            Some(text) if text.contains("whittle") => parse(&path, &text)?,
            _ => Manifest::default(),
        };
        let configuration = match (own, manifest.workspace.metadata.whittle) {
            (Some(_), Some(_)) => {
                return Err(Trouble::new(
                    anyhow!(
                        "both `{FILE}` and `[workspace.metadata.whittle]` in `Cargo.toml` say what to do"
                    ),
                    "keep one of them",
                ));
            }
            (own, of_manifest) => own.or(of_manifest).unwrap_or_default(),
        };
        configuration.check()
    }

    /// What the form alone does not say.
    fn check(self) -> Outcome<Self> {
        for acknowledgement in &self.acknowledge {
            if whittle_trial::levers::find(&acknowledgement.lever).is_none() {
                return Err(unknown_lever(
                    &acknowledgement.lever,
                    "`[[acknowledge]]` names",
                ));
            }
            if acknowledgement.reason.trim().is_empty() {
                return Err(Trouble::new(
                    anyhow!(
                        "the acknowledgement of `{}` in `{}` has no reason",
                        acknowledgement.lever,
                        acknowledgement.package
                    ),
                    "say in `reason` why it does no harm: whoever reads it next will ask",
                ));
            }
        }
        for (what, list) in [("workload", &self.workload), ("check", &self.check)] {
            let twice = list.iter().enumerate().find(|(at, command)| {
                list[..*at]
                    .iter()
                    .any(|other| other.name() == command.name())
            });
            if let Some((_, command)) = twice {
                return Err(Trouble::plain(anyhow!(
                    "two entries of `[[{what}]]` are called `{}`",
                    command.name()
                )));
            }
        }
        Ok(self)
    }
}

/// The error for a lever that is not in the catalogue.
pub(crate) fn unknown_lever(name: &str, who: &str) -> Trouble {
    Trouble::new(
        anyhow!("{who} a setting `{name}`, which there is not"),
        "`cargo whittle levers` lists them",
    )
}

fn read(path: &Path) -> Outcome<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error)
            .with_context(|| format!("cannot read `{}`", path.display()))
            .map_err(Trouble::plain),
    }
}

/// Parses TOML; the error names the file and the line, and what is wrong with which key.
fn parse<T: for<'de> Deserialize<'de>>(path: &Path, text: &str) -> Outcome<T> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.get(..span.start).unwrap_or(text).matches('\n').count() + 1
        });
        let key = error
            .span()
            .and_then(|span| text.get(span))
            .filter(|key| !key.contains('\n') && !key.is_empty())
            .map(|key| format!(" at `{key}`"))
            .unwrap_or_default();
        Trouble::new(
            anyhow!("{}", error.message().trim().replace('\n', ", "))
                .context(format!("`{}` line {line}{key}", path.display())),
            "docs/shrink.md and docs/check.md say what can stand there",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &str)]) -> Outcome<Configuration> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        Configuration::read(folder.path())
    }

    fn error(files: &[(&str, &str)]) -> String {
        let trouble = written(files).expect_err("it is wrong");
        let causes: Vec<String> = trouble.error.chain().map(ToString::to_string).collect();
        causes.join("; ")
    }

    #[test]
    fn everything_can_be_said_in_either_place() {
        let text = r#"
            [shrink]
            goal = "smallest"
            max-slowdown = "15%"
            time-budget = "20min"
            allow = ["panic"]
            min-glibc = "2.36"
            [smoke]
            command = "{} --version"
            [[workload]]
            name = "search"
            command = "{} -n needle hay"
            time-limit = "10s"
            [[bench]]
            name = "stages"
            [[check]]
            command = "{} --help"
            [[acknowledge]]
            lever = "panic"
            package = "server"
            reason = "restarted by its supervisor"
        "#;
        let own = written(&[(FILE, text)]).expect("it is right");
        assert_eq!(own.shrink.max_slowdown, Some(Share(0.15)));
        assert_eq!(
            own.workload[0].time_limit,
            Some(Span(Duration::from_secs(10)))
        );
        assert_eq!(own.bench[0].name, "stages");
        assert_eq!(own.check[0].name(), "{} --help");
        let in_manifest = text.replace("[[", "[[workspace.metadata.whittle.").replace(
            "            [s",
            "            [workspace.metadata.whittle.s",
        );
        let of_manifest = written(&[("Cargo.toml", &in_manifest)]).expect("it is right");
        assert_eq!(of_manifest, own);
        assert_eq!(
            written(&[]).expect("nothing is fine"),
            Configuration::default()
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_file_line_and_key() {
        let text = error(&[(FILE, "[shrink]\n\ngoel = \"smallest\"\n")]);
        for part in ["whittle.toml` line 3", "`goel`", "unknown field"] {
            assert!(text.contains(part), "{text}");
        }
        let text = error(&[(FILE, "[shrink]\nmax-slowdown = \"fast\"\n")]);
        for part in ["line 2", "no share such as `2%`"] {
            assert!(text.contains(part), "{text}");
        }
        let text = error(&[(FILE, "[shrink\n")]);
        assert!(text.contains("line 1"), "{text}");
        let text = error(&[(
            "Cargo.toml",
            "[package]\nname = \"a\"\n[workspace.metadata.whittle]\nshrnk = 1\n",
        )]);
        for part in ["Cargo.toml` line 4", "`shrnk`"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn one_place_is_enough() {
        let text = error(&[
            (FILE, "[shrink]\n"),
            ("Cargo.toml", "[workspace.metadata.whittle]\n"),
        ]);
        assert!(text.contains("both"), "{text}");
    }

    #[test]
    fn an_acknowledgement_names_a_setting_and_a_reason() {
        let entry = |lever: &str, reason: &str| {
            format!(
                "[[acknowledge]]\nlever = \"{lever}\"\npackage = \"a\"\nreason = \"{reason}\"\n"
            )
        };
        assert!(error(&[(FILE, &entry("panics", "x"))]).contains("`panics`"));
        assert!(error(&[(FILE, &entry("panic", " "))]).contains("no reason"));
    }

    #[test]
    fn spans_and_shares_have_units() {
        assert_eq!("90s".parse(), Ok(Span(Duration::from_secs(90))));
        assert_eq!("20 min".parse(), Ok(Span(Duration::from_secs(1200))));
        assert_eq!("1h".parse(), Ok(Span(Duration::from_secs(3600))));
        for text in ["", "20", "min", "-1s", "1d", "99999999999999999999s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!("2.5 %".parse(), Ok(Share(0.025)));
        for text in ["", "2", "-1%", "nan%", "%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
