//! A page of text: lines that fit a width, in colours or without.

use crate::paint::{Paint, Role};
use crate::plain::{plain, shortened, width, wrapped};

/// Narrower terminals get lines of this many columns all the same: numbers cannot give way.
const MIN_WIDTH: usize = 60;

/// Lines of text, none of them wider than the page.
pub(crate) struct Page {
    width: usize,
    paint: Paint,
    lines: Vec<String>,
}

impl Page {
    pub(crate) fn new(width: usize, paint: Paint) -> Self {
        Self {
            width: width.max(MIN_WIDTH),
            paint,
            lines: Vec::new(),
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.lines.append(&mut other.lines);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    pub(crate) fn blank(&mut self) {
        self.lines.push(String::new());
    }

    /// A line of pieces. The piece that does not fit is shortened, or left out if it is an aside; so are those behind it.
    pub(crate) fn line(&mut self, pieces: &[(Role, &str)]) {
        let mut room = self.width;
        let mut kept: Vec<(Role, String)> = Vec::new();
        for (role, text) in pieces {
            let text = plain(text);
            let fits = width(&text) <= room;
            if room == 0 || (*role == Role::Aside && !fits && !kept.is_empty()) {
                break;
            }
            let text = shortened(&text, room);
            room -= width(&text);
            kept.push((*role, text.into_owned()));
        }
        // No spaces at the end of lines: they are noise in diffs and wrap on narrow terminals.
        while let Some((_, text)) = kept.last_mut() {
            text.truncate(text.trim_end().len());
            if !text.is_empty() {
                break;
            }
            kept.pop();
        }
        let painted = kept
            .iter()
            .map(|(role, text)| self.paint.paint(*role, text));
        self.lines.push(painted.collect());
    }

    /// What opens a part, and a word on it.
    pub(crate) fn heading(&mut self, title: &str, aside: &str) {
        self.line(&[(Role::Heading, title), (Role::Aside, aside)]);
    }

    /// Words behind a lead, on as many lines as they need.
    pub(crate) fn prose(&mut self, lead: (Role, &str), role: Role, words: &str) {
        let indent = width(lead.1);
        let room = self.width.saturating_sub(indent).max(1);
        let words = plain(words);
        let mut lines = wrapped(&words, room).into_iter();
        self.line(&[lead, (role, &lines.next().unwrap_or_default())]);
        for line in lines {
            self.line(&[(Role::Body, &" ".repeat(indent)), (role, &line)]);
        }
    }
}

/// Text in so many columns, at their right end.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Text in so many columns, at their left end.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}
