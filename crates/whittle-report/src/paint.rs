//! Colours: a few roles, all of them plain text when colour is off.

use anstyle::{AnsiColor, Style};

/// What a piece of text is, for its colour. Nothing is said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Text.
    Body,
    /// What opens a part of the report, and its totals.
    Heading,
    /// What explains, and can be passed over.
    Aside,
    /// What can be typed: a setting, a command.
    Typed,
    /// A doubt: inferred, unknown, estimated, a warning.
    Doubt,
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// No.
    Plain,
    /// With the escape sequences of terminals.
    Ansi,
}

impl Paint {
    /// The text in the colour of its role.
    pub(crate) fn paint(self, role: Role, text: &str) -> String {
        let style = match (self, role) {
            (Self::Plain, _) | (_, Role::Body) => Style::new(),
            (Self::Ansi, Role::Heading) => Style::new().bold(),
            (Self::Ansi, Role::Aside) => Style::new().dimmed(),
            (Self::Ansi, Role::Typed) => AnsiColor::Cyan.on_default(),
            (Self::Ansi, Role::Doubt) => AnsiColor::Yellow.on_default(),
        };
        if text.is_empty() || style.is_plain() {
            return text.to_owned();
        }
        format!("{style}{text}{style:#}")
    }
}
