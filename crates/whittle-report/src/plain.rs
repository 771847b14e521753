//! Names as data: what comes out of a file is made fit for terminals and pages before it is shown.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The mark of what was left out of a text.
const ELLIPSIS: char = '…';

/// A name without anything that acts instead of being seen: control characters (terminal commands, line ends) and
/// invisible formatting characters (which can reverse the direction of the text) are written as their code,
/// `\u{1b}`.
///
/// Everything this crate writes has gone through it; other text that quotes a file should as well.
#[must_use]
pub fn plain(name: &str) -> Cow<'_, str> {
    if !name.chars().any(acts) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for c in name.chars() {
        if acts(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something instead of showing something.
///
/// Unicode 17, general categories Cc, Cf, Zl and Zp, in ranges that take in some unassigned neighbours.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// How many columns of a terminal a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text of at most `columns` columns: the middle of a longer one gives way to `…`, since both the crate at the front
/// and the function at the end of a path tell something.
pub(crate) fn shortened(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let front = fitting(text.chars(), room / 2);
    let back = fitting(text.chars().rev(), room - room / 2);
    let mut out: String = text.chars().take(front).collect();
    out.push(ELLIPSIS);
    out.extend(text.chars().skip(text.chars().count().saturating_sub(back)));
    // Characters can be wider side by side than one by one; names that play with it lose their end.
    while width(&out) > columns {
        out.pop();
    }
    Cow::Owned(out)
}

/// How many of the characters fit.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> usize {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(1);
            used <= columns
        })
        .count()
}

/// Lines of at most `columns` columns, broken at spaces; a word that is longer is shortened.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word = shortened(word, columns);
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_as_its_code() {
        assert_eq!(plain("core::fmt"), "core::fmt");
        assert_eq!(plain("a\x1b[31mred\n"), "a\\u{1b}[31mred\\u{a}");
        assert_eq!(plain("\u{202e}gnp.exe"), "\\u{202e}gnp.exe");
        assert_eq!(plain("c1\u{9b}2J"), "c1\\u{9b}2J");
        assert_eq!(plain("größe 大小"), "größe 大小");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(
            shortened("regex_syntax::parser::Parser::parse", 15),
            "regex_s…::parse"
        );
        assert_eq!(shortened("short", 15), "short");
        assert_eq!(shortened("abc", 0), "");
        assert_eq!(shortened("abc", 1), "…");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(shortened("大小大小大小", 7), "大…小");
        assert!(width(&shortened("大小大小大小", 8)) <= 8);
    }

    #[test]
    fn prose_breaks_at_spaces_and_long_words_are_shortened() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a 123456789 b", 5), ["a", "12…89", "b"]);
        assert!(wrapped("", 5).is_empty());
    }
}
