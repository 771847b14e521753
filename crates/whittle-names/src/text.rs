//! Writing names out: limits on size and work, and escapes for characters that could deceive a reader.

use std::fmt::{self, Write as _};

use crate::{Encoding, Name};

/// The longest text, in bytes, that is written for one name, as in `rustc-demangle`; its suffix comes on top.
///
/// A text that would be longer ends in `{size limit reached}`.
pub const MAX_TEXT: usize = 1_000_000;

/// How many bytes of encoding may be read for one text. Back-references let a short name ask for the same bytes many
/// times while writing next to nothing; a name that is not made to harm stays below [`MAX_TEXT`] before it comes
/// near this.
const MAX_WORK: usize = 8_000_000;

/// What stands at the end of a text that was cut off.
const CUT: &str = "{size limit reached}";

/// One of the texts of a [`Name`], to be written by `Display` or [`Self::write_to`].
#[derive(Clone, Copy, Debug)]
pub struct Text<'n, 'a> {
    name: &'n Name<'a>,
    view: View,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Full,
    Short,
    Family,
    Definition,
    Module,
    Arguments,
    ImplementedTrait,
}

impl<'n, 'a> Text<'n, 'a> {
    pub(crate) fn new(name: &'n Name<'a>, view: View) -> Self {
        Self { name, view }
    }

    /// Writes the text without going through a formatter; the quickest way into a `String`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to<W: fmt::Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        let name = self.name;
        Sink::run(out, name.printable, |out| match &name.encoding {
            Encoding::V0(encoding) => match self.view {
                View::Full => encoding.write_full(out),
                View::Short => encoding.write_short(out),
                View::Family => encoding.write_family(out),
                View::Definition => encoding.write_definition(out),
                View::Module => encoding.write_module(out),
                View::Arguments => encoding.write_arguments(out),
                View::ImplementedTrait => encoding.write_implemented_trait(out),
            },
            Encoding::Legacy(encoding) => match self.view {
                View::Full => encoding.write_full(out),
                View::Short => encoding.write_short(out),
                View::Family | View::Definition => encoding.write_family(out),
                View::Module => encoding.write_module(out),
                View::Arguments => encoding.write_arguments(out),
                View::ImplementedTrait => encoding.write_implemented_trait(out),
            },
            Encoding::Cpp(encoding) => match self.view {
                View::Full | View::Short => encoding.write_full(out),
                View::Family | View::Definition => encoding.write_family(out),
                View::Module | View::Arguments | View::ImplementedTrait => Ok(()),
            },
        })?;
        // The other views are about the item, not about this symbol for it.
        if matches!(self.view, View::Full | View::Short) {
            out.write_str(name.printed_suffix)?;
        }
        Ok(())
    }
}

impl fmt::Display for Text<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

/// Whether `c` is written as an escape: control characters, line separators, and format characters, which are
/// invisible and can reorder or hide what stands around them (Unicode 16.0: general categories Cc, Cf, Zl and Zp, and
/// the plane of tags and variation selectors as a whole).
pub(crate) fn is_deceptive(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
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

/// Whether all of `text` is ASCII that can be written as it is.
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    // Without an early exit this is one vector instruction for many bytes.
    text.bytes()
        .fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'~'))
}

/// Writes characters, the deceptive ones as `\u{..}`.
pub(crate) fn write_escaped(
    out: &mut impl fmt::Write,
    chars: impl IntoIterator<Item = char>,
) -> fmt::Result {
    for c in chars {
        if is_deceptive(c) {
            write!(out, "{}", c.escape_unicode())?;
        } else {
            out.write_char(c)?;
        }
    }
    Ok(())
}

/// A writer with limits. Once a limit is reached every call fails, so that recursion unwinds.
pub(crate) struct Sink<'w, W: ?Sized> {
    out: &'w mut W,
    room: usize,
    work: usize,
    /// Whether identifiers can be written without looking at each character.
    printable: bool,
    cut: bool,
}

impl<'w, W: fmt::Write + ?Sized> Sink<'w, W> {
    /// `printable`: every identifier that will be passed to [`Self::name`] is known to be harmless ASCII.
    pub(crate) fn new(out: &'w mut W, printable: bool) -> Self {
        Self {
            out,
            room: MAX_TEXT,
            work: MAX_WORK,
            printable,
            cut: false,
        }
    }

    /// Runs `write` on a new sink and closes a text that reached a limit with a marker.
    pub(crate) fn run(
        out: &'w mut W,
        printable: bool,
        write: impl FnOnce(&mut Sink<'_, W>) -> fmt::Result,
    ) -> fmt::Result {
        let mut sink = Sink::new(&mut *out, printable);
        let result = write(&mut sink);
        if sink.cut {
            return out.write_str(CUT);
        }
        result
    }

    /// Accounts for `bytes` of encoding read.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize) -> fmt::Result {
        match self.work.checked_sub(bytes) {
            Some(left) => {
                self.work = left;
                Ok(())
            }
            None => self.refuse(),
        }
    }

    /// Whether nothing was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.room == MAX_TEXT
    }

    /// Reaches a limit.
    #[cold]
    pub(crate) fn refuse(&mut self) -> fmt::Result {
        self.cut = true;
        self.room = 0;
        Err(fmt::Error)
    }

    /// Text of the program's own, or known to be harmless.
    #[inline]
    pub(crate) fn put(&mut self, text: &str) -> fmt::Result {
        match self.room.checked_sub(text.len()) {
            Some(left) => {
                self.room = left;
                self.out.write_str(text)
            }
            None => self.refuse(),
        }
    }

    pub(crate) fn put_char(&mut self, c: char) -> fmt::Result {
        self.put(c.encode_utf8(&mut [0; 4]))
    }

    /// A piece of the symbol.
    #[inline]
    pub(crate) fn name(&mut self, text: &str) -> fmt::Result {
        if self.printable {
            self.put(text)
        } else {
            self.chars(text.chars())
        }
    }

    /// Decoded characters.
    pub(crate) fn chars(&mut self, chars: impl IntoIterator<Item = char>) -> fmt::Result {
        for c in chars {
            if is_deceptive(c) {
                for escaped in c.escape_unicode() {
                    self.put_char(escaped)?;
                }
            } else {
                self.put_char(c)?;
            }
        }
        Ok(())
    }

    pub(crate) fn hexadecimal(&mut self, value: u64) -> fmt::Result {
        let digit = |nibble: u8| match nibble {
            0..=9 => b'0' + nibble,
            _ => b'a' + nibble - 10,
        };
        let mut digits = [0; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(value.to_be_bytes()) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 0xf);
        }
        let start = digits.iter().position(|digit| *digit != b'0');
        let shown = &digits[start.unwrap_or(digits.len() - 1)..];
        self.put(std::str::from_utf8(shown).unwrap_or_default())
    }

    pub(crate) fn decimal(&mut self, value: u64) -> fmt::Result {
        match u8::try_from(value) {
            Ok(digit @ 0..10) => self.put_char(char::from(b'0' + digit)),
            _ => write!(self, "{value}"),
        }
    }
}

impl<W: fmt::Write + ?Sized> fmt::Write for Sink<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text)
    }
}
