//! What a setting may change besides the size.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a setting may change besides the size, from harmless to harmful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Speed at most: what the program does stays as it is. `A`.
    Speed,
    /// What is seen of a crash: names in backtraces, places in panic messages. `B`.
    Diagnostics,
    /// Where the file starts: a newer C library or processor than before, or files beside it. `P`.
    Portability,
    /// What the program does in some case that a detector looks for. `C`.
    Semantics,
    /// How well it is guarded against attacks and mistakes. `D`.
    Security,
}

impl Class {
    /// Every class, from harmless to harmful.
    pub const ALL: [Self; 5] = [
        Self::Speed,
        Self::Diagnostics,
        Self::Portability,
        Self::Semantics,
        Self::Security,
    ];

    /// The letter that flags and documents use.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Speed => 'A',
            Self::Diagnostics => 'B',
            Self::Portability => 'P',
            Self::Semantics => 'C',
            Self::Security => 'D',
        }
    }

    /// The class of a letter, in either case.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.letter() == letter.to_ascii_uppercase())
    }

    /// What it means, as a clause: "it may change …".
    #[must_use]
    pub fn may_change(self) -> &'static str {
        match self {
            Self::Speed => "speed at most",
            Self::Diagnostics => "what is seen of a crash",
            Self::Portability => "on which systems the file starts",
            Self::Semantics => "what the program does in some cases",
            Self::Security => "how well the program is guarded",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}
