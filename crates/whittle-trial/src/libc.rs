//! Versions of the C library, as files ask for them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of glibc, such as 2.36.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LibcVersion {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

/// The text is no version of the C library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no version of glibc such as `2.36`")]
pub struct NotAVersion {
    /// The text.
    pub text: String,
}

impl LibcVersion {
    /// The first version whose loader takes packed relative relocations (`DT_RELR`); see its NEWS for 2.36.
    pub const PACKED_RELOCATIONS: Self = Self {
        major: 2,
        minor: 36,
    };

    /// The version that a file needs, from the names of symbol versions it asks of its libraries.
    ///
    /// `GLIBC_2.34` is a version; `GLIBC_ABI_DT_RELR` stands for the first that packs relocations. Names of other
    /// libraries' versions (`GCC_3.0`) say nothing.
    #[must_use]
    pub fn floor<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        names
            .into_iter()
            .filter_map(|name| match name {
                "GLIBC_ABI_DT_RELR" => Some(Self::PACKED_RELOCATIONS),
                _ => name.strip_prefix("GLIBC_")?.parse().ok(),
            })
            .max()
    }
}

impl FromStr for LibcVersion {
    type Err = NotAVersion;

    /// Takes `2.36` and, as symbol versions have it, `2.2.5`, of which the third number is dropped.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let mut numbers = text.split('.').map(str::parse::<u16>);
        let parts = [(); 4].map(|()| numbers.next());
        match parts {
            [Some(Ok(major)), Some(Ok(minor)), None | Some(Ok(_)), None] => {
                Ok(Self { major, minor })
            }
            _ => Err(NotAVersion {
                text: text.to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for LibcVersion {
    type Error = NotAVersion;

    fn try_from(text: String) -> Result<Self, NotAVersion> {
        text.parse()
    }
}

impl From<LibcVersion> for String {
    fn from(version: LibcVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for LibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_that_is_asked_for_is_the_floor() {
        let floor = |names: &[&str]| LibcVersion::floor(names.iter().copied()).map(String::from);
        assert_eq!(
            floor(&["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.4", "GCC_3.0"]).as_deref(),
            Some("2.34")
        );
        assert_eq!(
            floor(&["GLIBC_2.34", "GLIBC_ABI_DT_RELR"]).as_deref(),
            Some("2.36")
        );
        assert_eq!(floor(&["GCC_3.0", "GLIBC_PRIVATE"]), None);
        // 2.9 is older than 2.36: versions are numbers, not texts.
        assert_eq!(floor(&["GLIBC_2.9", "GLIBC_2.36"]).as_deref(), Some("2.36"));
    }

    #[test]
    fn what_is_no_version_is_refused_by_its_text() {
        for text in ["", "2", "2.", "two", "2.36-4", "2.3.4.5", "-2.36"] {
            let refused = text.parse::<LibcVersion>();
            assert_eq!(
                refused,
                Err(NotAVersion {
                    text: text.to_owned()
                }),
            );
        }
    }
}
