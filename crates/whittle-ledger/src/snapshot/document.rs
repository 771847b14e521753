//! The serialised form: JSON, checked when it is read.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Snapshot, index};
use crate::ledger::LedgerError;

pub(super) const FORMAT: &str = "cargo-whittle/snapshot";
pub(super) const VERSION: u32 = 1;

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is no JSON, or no snapshot.
    #[error("it is no snapshot")]
    NoSnapshot {
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It is another document.
    #[error("it is no snapshot, but says to be `{format}`")]
    OtherFormat {
        /// What it says to be.
        format: String,
    },
    /// A later version of this program wrote it.
    #[error("it has version {version}, and this program reads versions up to {VERSION}")]
    Newer {
        /// Its version.
        version: u64,
    },
    /// A number in it leads nowhere.
    #[error("it is damaged: entry {entry} has {what} {number}, and there are {count}")]
    OutOfRange {
        /// The number of the entry in its list.
        entry: usize,
        /// What is counted.
        what: &'static str,
        /// The number.
        number: u64,
        /// How many there are.
        count: usize,
    },
    /// Its entries do not add up to the size that it names.
    #[error("it is damaged: its entries add up to {sum} bytes of {domain}, and it says {len}")]
    Sum {
        /// `the file` or `memory`.
        domain: &'static str,
        /// The sum of the entries.
        sum: u128,
        /// What it says.
        len: u64,
    },
}

/// What is looked at first.
#[derive(Deserialize)]
struct Opening {
    format: String,
    version: u64,
}

impl Snapshot {
    /// Whether bytes look like a snapshot: JSON that opens as one, whatever its version.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        let start = bytes.get(..bytes.len().min(256)).unwrap_or_default();
        bytes.trim_ascii_start().starts_with(b"{")
            && memchr::memmem::find(start, FORMAT.as_bytes()).is_some()
    }

    /// Reads the serialised form.
    ///
    /// # Errors
    /// [`SnapshotError`] if it is no snapshot, a newer one, or one that does not add up.
    pub fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let no_snapshot = |source| SnapshotError::NoSnapshot { source };
        let opening: Opening = serde_json::from_slice(bytes).map_err(no_snapshot)?;
        if opening.format != FORMAT {
            return Err(SnapshotError::OtherFormat {
                format: opening.format,
            });
        }
        if opening.version > u64::from(VERSION) {
            return Err(SnapshotError::Newer {
                version: opening.version,
            });
        }
        let snapshot: Self = serde_json::from_slice(bytes).map_err(no_snapshot)?;
        snapshot.check()?;
        Ok(snapshot)
    }

    /// The serialised form, which is the same for equal snapshots. Each entry stands on a line of its own.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        // Writing to memory values that are no maps with odd keys cannot fail.
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut text = text.replace(",{\"path\":", ",\n{\"path\":");
        text.push('\n');
        text.into_bytes()
    }

    /// Checks that its numbers lead somewhere and that its entries add up.
    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        let within = |entry: usize, what, number: u64, count: usize| {
            let is_within = usize::try_from(number).is_ok_and(|number| number < count);
            if is_within {
                Ok(())
            } else {
                Err(SnapshotError::OutOfRange {
                    entry,
                    what,
                    number,
                    count,
                })
            }
        };
        for (at, spot) in self.spots.iter().enumerate() {
            for text in [
                spot.member,
                spot.segment,
                spot.section,
                spot.kind,
                spot.cause,
            ] {
                within(at, "text", u64::from(text), self.texts.len())?;
            }
        }
        let (mut file, mut memory) = (0_u128, 0_u128);
        for (at, entry) in self.items.iter().enumerate() {
            for text in [entry.path, entry.arguments, entry.module] {
                within(at, "text", u64::from(text), self.texts.len())?;
            }
            for number in [entry.defined_in, entry.compiled_in] {
                within(at, "crate", u64::from(number), self.crates.len())?;
            }
            let mut seen = BTreeSet::new();
            for &(spot, of_file, of_memory) in &entry.parts {
                within(at, "spot", u64::from(spot), self.spots.len())?;
                if !seen.insert(index(spot)) {
                    let count = self.spots.len();
                    within(at, "a second spot", u64::MAX, count)?;
                }
                file += u128::from(of_file);
                memory += u128::from(of_memory);
            }
        }
        for (at, package) in self.packages.iter().enumerate() {
            for dependency in &package.dependencies {
                let number = u64::try_from(dependency.package).unwrap_or(u64::MAX);
                within(at, "package", number, self.packages.len())?;
            }
        }
        // Differences are signed: half of the range is out of reach of any real file.
        for (domain, sum, len) in [
            ("the file", file, self.file.size),
            ("memory", memory, self.file.memory),
        ] {
            if sum != u128::from(len) || i64::try_from(len).is_err() {
                return Err(SnapshotError::Sum { domain, sum, len });
            }
        }
        Ok(())
    }

    /// The same as a fault of this library, for a snapshot that it made itself.
    pub(super) fn checked(self) -> Result<Self, LedgerError> {
        match self.check() {
            Ok(()) => Ok(self),
            Err(_) => Err(LedgerError::Sum {
                domain: crate::layout::Domain::File,
                sum: self.items.iter().map(super::Entry::file).sum(),
                len: self.file.size,
            }),
        }
    }
}

/// Numbers of 64 bits as text: most readers of JSON keep 53.
pub(super) mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub(in crate::snapshot) fn serialize<S: Serializer>(
        number: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => serializer.collect_str(&format_args!("{number:016x}")),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::snapshot) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        let text = Option::<std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        let number = |text: std::borrow::Cow<'_, str>| u64::from_str_radix(&text, 16);
        text.map(number).transpose().map_err(D::Error::custom)
    }
}
