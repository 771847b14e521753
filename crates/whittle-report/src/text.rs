//! Text for people: one screen by default, several with everything.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
use whittle_ledger::{Bringer, Exactness, Findings, Saving, SavingKind, Table};

use crate::numbers::{grouped, percent, rounded};
use crate::options::{Options, Program, Sort, Subject};
use crate::rows::{Rows, Sum};
use crate::words::{described, explained, mark, shown};

/// Rows of the table of crates on the default screen.
const BRINGERS: usize = 12;
/// Rows of other tables.
const ROWS: usize = 20;
/// Savings on the default screen.
const SAVINGS: usize = 5;
/// Warnings that are written out.
const WARNINGS: usize = 3;

const HEADING: Style = AnsiColor::Green.on_default().bold();
const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Writes findings as text.
///
/// # Errors
/// When `out` cannot be written to.
pub fn findings(out: &mut dyn Write, findings: &Findings, options: &Options<'_>) -> io::Result<()> {
    let mut text = Text { out, options };
    text.headline(findings)?;
    if let Some(table) = &findings.table {
        text.table(table, findings.totals.file, None)?;
        return text.warnings(findings);
    }
    text.savings(findings)?;
    text.bringers(findings)?;
    if let Some(full) = &findings.full {
        let whole = findings.totals.file;
        text.table(&full.kinds, whole, Some("By what it is"))?;
        text.table(&full.sections, whole, Some("By section"))?;
        text.table(
            &full.functions,
            whole,
            Some("By function or constant, with all that describes it"),
        )?;
        text.copies(&full.generics)?;
    }
    text.warnings(findings)?;
    text.next(findings)
}

/// Writes a list of programs as text.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(
    out: &mut dyn Write,
    programs: &[Program<'_>],
    options: &Options<'_>,
) -> io::Result<()> {
    let mut text = Text { out, options };
    text.heading(&format!(
        "{} programs came out of the build",
        programs.len()
    ))?;
    text.faint("     on disk    in memory  name")?;
    for program in programs {
        let totals = program.findings.totals;
        let line = format!(
            "{:>12} {:>12}  {} ({})",
            grouped(totals.file),
            grouped(totals.memory),
            shown(program.name),
            program.kind
        );
        text.line(&line)?;
    }
    text.blank()?;
    text.line("Explain one of them:")?;
    for program in programs.iter().take(ROWS) {
        text.line(&format!(
            "  cargo whittle explain {}",
            shown(&program.choose)
        ))?;
    }
    for note in options.notes {
        text.wrapped("note: ", note)?;
    }
    Ok(())
}

struct Text<'t, 'o> {
    out: &'t mut dyn Write,
    options: &'t Options<'o>,
}

impl Text<'_, '_> {
    fn styled(&mut self, style: Style, line: &str) -> io::Result<()> {
        let line = line.trim_end();
        if self.options.color && !line.is_empty() {
            writeln!(self.out, "{style}{line}{style:#}")
        } else {
            writeln!(self.out, "{line}")
        }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.styled(Style::new(), line)
    }

    fn faint(&mut self, line: &str) -> io::Result<()> {
        self.styled(FAINT, line)
    }

    fn heading(&mut self, line: &str) -> io::Result<()> {
        self.styled(HEADING, line)
    }

    fn blank(&mut self) -> io::Result<()> {
        self.line("")
    }

    /// Words behind a lead, on as many lines as they need.
    fn wrapped(&mut self, lead: &str, words: &str) -> io::Result<()> {
        let indent = " ".repeat(lead.width());
        let room = self.options.width.saturating_sub(indent.len()).max(20);
        let mut line = String::new();
        let mut first = true;
        let words = shown(words);
        for word in words.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                self.line(&format!("{}{line}", if first { lead } else { &indent }))?;
                first = false;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&shortened(word, room));
        }
        self.line(&format!("{}{line}", if first { lead } else { &indent }))
    }

    fn headline(&mut self, findings: &Findings) -> io::Result<()> {
        let totals = findings.totals;
        let path = shown(&self.options.path.display().to_string());
        self.styled(STRONG, &path)?;
        self.line(&format!(
            "{} bytes on disk ({}), {} in memory",
            grouped(totals.file),
            rounded(totals.file),
            rounded(totals.memory)
        ))?;
        self.wrapped("", &described(&findings.file))?;
        self.line(&format!(
            "whose it is: {} exactly known, {} inferred (~), {} not known (?)",
            percent(totals.exact, totals.file),
            percent(totals.inferred, totals.file),
            percent(totals.unknown, totals.file)
        ))?;
        for note in self.options.notes {
            self.wrapped("note: ", note)?;
        }
        self.blank()
    }

    fn savings(&mut self, findings: &Findings) -> io::Result<()> {
        self.heading("What you could get back")?;
        if findings.savings.is_empty() {
            self.line("  nothing that the file alone would show")?;
        }
        let count = if self.options.rows == Some(0) || findings.full.is_some() {
            usize::MAX
        } else {
            SAVINGS
        };
        for saving in findings.savings.iter().take(count) {
            let lead = format!(
                "{:>12} {:>7}  ",
                grouped(saving.bytes),
                percent(saving.bytes, findings.totals.file)
            );
            self.wrapped(&lead, &saving_line(saving))?;
            let indent = " ".repeat(lead.width());
            self.wrapped(&format!("{indent}price: "), saving.kind.price())?;
        }
        let rest = findings.savings.iter().skip(count);
        let (more, bytes) = rest.fold((0, 0), |(more, bytes), saving| {
            (more + 1, bytes + saving.bytes)
        });
        if more > 0 {
            self.line(&format!(
                "{:>12}          {more} more: see `--full`",
                grouped(bytes)
            ))?;
        }
        self.blank()
    }

    fn bringers(&mut self, findings: &Findings) -> io::Result<()> {
        let whole = findings.totals.file;
        self.heading("Who brought it (bytes on disk)")?;
        self.faint("     written            compiled")?;
        self.faint("       there                into  crate")?;
        let passes =
            |bringer: &&Bringer| self.options.filter.is_none_or(|keep| keep(&bringer.label));
        let (mut kept, left): (Vec<&Bringer>, Vec<&Bringer>) =
            findings.bringers.iter().partition(passes);
        if self.options.sort == Sort::Name {
            kept.sort_by(|a, b| a.label.cmp(&b.label));
        }
        let rows = self
            .options
            .rows
            .unwrap_or(if findings.full.is_some() { 0 } else { BRINGERS });
        let cut = if rows == 0 || kept.len() <= rows + 1 {
            kept.len()
        } else {
            rows
        };
        let (first, rest) = kept.split_at(cut);
        for bringer in first {
            self.bringer(
                bringer.written,
                bringer.compiled,
                mark(bringer.certainty),
                whole,
                &explained(&bringer.label),
            )?;
        }
        let sum = |bringers: &[&Bringer]| {
            bringers
                .iter()
                .fold((0, 0), |(written, compiled), bringer| {
                    (written + bringer.written, compiled + bringer.compiled)
                })
        };
        if !rest.is_empty() {
            let (written, compiled) = sum(rest);
            self.bringer(
                written,
                compiled,
                " ",
                whole,
                &format!("… {} more", rest.len()),
            )?;
        }
        if !left.is_empty() {
            let (written, compiled) = sum(&left);
            self.bringer(
                written,
                compiled,
                " ",
                whole,
                &format!("(filtered out: {})", left.len()),
            )?;
        }
        self.bringer(whole, whole, " ", whole, "all")?;
        self.blank()
    }

    fn bringer(
        &mut self,
        written: u64,
        compiled: u64,
        mark: &str,
        whole: u64,
        label: &str,
    ) -> io::Result<()> {
        let lead = format!(
            "{:>12} {:>7} {mark} {:>12}  ",
            grouped(written),
            percent(written, whole),
            grouped(compiled)
        );
        let room = self.options.width.saturating_sub(lead.width());
        self.line(&format!("{lead}{}", shortened(&shown(label), room)))
    }

    /// A table along axes: file, memory and code, then the values.
    fn table(&mut self, table: &Table, whole: u64, title: Option<&str>) -> io::Result<()> {
        let names: Vec<&str> = table.axes.iter().map(|axis| axis.name()).collect();
        if let Some(title) = title {
            self.heading(title)?;
        }
        let memory = if self.shows_memory() {
            "   in memory "
        } else {
            ""
        };
        self.faint(&format!(
            "     on disk          {memory}        code  {}",
            names.join(" / ")
        ))?;
        let rows = Rows::of(table, self.options);
        let (kept, rest) = rows.cut(self.options.rows.unwrap_or(ROWS));
        for row in kept {
            let sum = Sum::of([*row]);
            let values: Vec<String> = row.values.iter().map(|value| explained(value)).collect();
            self.row(&sum, mark(row.certainty()), whole, &values.join(" / "))?;
        }
        if let Some(rest) = rest {
            self.row(
                &rest,
                mark(rest.certainty()),
                whole,
                &format!("… {} more", rest.rows),
            )?;
        }
        if let Some(out) = rows.filtered_out {
            self.row(
                &out,
                mark(out.certainty()),
                whole,
                &format!("(filtered out: {})", out.rows),
            )?;
        }
        self.row(&rows.total, " ", whole, "all")?;
        self.blank()
    }

    /// Names need the room more on a narrow screen; the other formats have memory always.
    fn shows_memory(&self) -> bool {
        self.options.width >= 100
    }

    fn row(&mut self, sum: &Sum, mark: &str, whole: u64, label: &str) -> io::Result<()> {
        let memory = if self.shows_memory() {
            format!("{:>12} ", grouped(sum.memory))
        } else {
            String::new()
        };
        let (file, code) = (grouped(sum.file), grouped(sum.code));
        let lead = format!(
            "{file:>12} {:>7} {mark}{memory}{code:>12}  ",
            percent(sum.file, whole)
        );
        let room = self.options.width.saturating_sub(lead.width());
        self.line(&format!("{lead}{}", shortened(&shown(label), room)))
    }

    /// Generic functions that exist more than once, by the bytes beyond their largest copy.
    fn copies(&mut self, generics: &Table) -> io::Result<()> {
        self.heading("Generic functions with several copies")?;
        let mut repeated: Vec<_> = generics
            .rows
            .iter()
            .filter(|row| {
                self.options
                    .filter
                    .is_none_or(|keep| row.values.iter().any(|value| keep(value)))
            })
            .filter_map(|row| Some((row, row.copies.filter(|copies| copies.count > 1)?)))
            .collect();
        repeated.sort_by_key(|(row, copies)| {
            std::cmp::Reverse(row.code.saturating_sub(copies.largest))
        });
        if repeated.is_empty() {
            self.line("  none")?;
            return self.blank();
        }
        self.faint("      code of   beyond the")?;
        self.faint("   all copies largest copy copies  function")?;
        let rows = self.options.rows.unwrap_or(ROWS);
        let count = if rows == 0 { repeated.len() } else { rows };
        for (row, copies) in repeated.iter().take(count) {
            let beyond = row.code.saturating_sub(copies.largest);
            let lead = format!(
                "{:>13} {:>12} {:>6}  ",
                grouped(row.code),
                grouped(beyond),
                copies.count
            );
            let room = self.options.width.saturating_sub(lead.width());
            let name = row.values.first().map_or("", String::as_str);
            self.line(&format!("{lead}{}", shortened(&shown(name), room)))?;
        }
        let rest: Vec<_> = repeated.iter().skip(count).collect();
        if !rest.is_empty() {
            let code: u64 = rest.iter().map(|(row, _)| row.code).sum();
            let beyond: u64 = rest
                .iter()
                .map(|(row, copies)| row.code.saturating_sub(copies.largest))
                .sum();
            let copies: u64 = rest.iter().map(|(_, copies)| copies.count).sum();
            self.line(&format!(
                "{:>13} {:>12} {copies:>6}  … {} more",
                grouped(code),
                grouped(beyond),
                rest.len()
            ))?;
        }
        self.blank()
    }

    fn warnings(&mut self, findings: &Findings) -> io::Result<()> {
        let warnings = findings.warnings.list();
        for warning in warnings.iter().take(WARNINGS) {
            self.wrapped("warning: ", &warning.to_string())?;
        }
        let kept = u64::try_from(warnings.len().saturating_sub(WARNINGS)).unwrap_or(u64::MAX);
        let more = kept.saturating_add(findings.warnings.suppressed());
        if more > 0 {
            self.line(&format!("warning: {more} more: see `--format json`"))?;
        }
        Ok(())
    }

    fn next(&mut self, findings: &Findings) -> io::Result<()> {
        let file = match self.options.subject {
            Subject::Package => String::new(),
            Subject::File => format!(" {}", quoted(&self.options.path.display().to_string())),
        };
        let full = format!("  cargo whittle explain{file} --full");
        let by = format!("  cargo whittle explain{file} --by function --filter REGEX");
        self.line("Next:")?;
        if findings.full.is_none() {
            self.line(&format!("{full}   kinds, sections, functions, copies"))?;
        }
        self.line(&format!("{by}   a table of your own"))
    }
}

/// What gives bytes back, and the setting that does it.
fn saving_line(saving: &Saving) -> String {
    let what = match &saving.kind {
        SavingKind::Symbols => "leave out the symbol names".to_owned(),
        SavingKind::DebugInfo => "leave out the debug info".to_owned(),
        SavingKind::PackedRelocations => "pack the relocations".to_owned(),
        SavingKind::Abort => "abort on panic".to_owned(),
        SavingKind::DuplicateVersions { package, versions } => {
            format!(
                "one version of {package} instead of {}",
                versions.join(" and ")
            )
        }
        other => other.name().to_owned(),
    };
    let about = match saving.exactness {
        Exactness::Exact => "",
        Exactness::Estimated => " (estimated)",
    };
    format!("{what}{about}: {}", saving.kind.setting())
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", shown(word).replace('\'', "'\\''"))
    }
}

/// Shortens text in the middle to fit into so many columns: both ends of a name tell more than its middle.
fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let head = take(text.chars(), room / 2);
    let tail: String = take(text.chars().rev(), room - room / 2)
        .chars()
        .rev()
        .collect();
    format!("{head}…{tail}")
}

fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut taken = String::new();
    let mut width = 0;
    for c in chars {
        width += c.width().unwrap_or(0);
        if width > columns {
            break;
        }
        taken.push(c);
    }
    taken
}
