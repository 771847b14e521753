//! Tables of names: bytes in which each name ends with a zero byte. gABI 4.1, "String Table".

/// A table of names, read with bounds.
///
/// The names of a sound table together are hardly longer than the table: entries that share a name are few. A hostile
/// file may have each of a million entries name the same megabyte.
pub(super) struct Names<'data> {
    bytes: &'data [u8],
    /// No name is taken that is longer, in bytes.
    longest: usize,
    /// How many bytes of names may still be looked at.
    left: usize,
}

impl<'data> Names<'data> {
    pub(super) fn new(bytes: &'data [u8], longest: usize) -> Self {
        const SHARING: usize = 16;
        const SMALL: usize = 4 << 20;
        Self {
            bytes,
            longest,
            left: bytes.len().saturating_mul(SHARING).saturating_add(SMALL),
        }
    }

    /// The name that starts at `offset`, without its zero byte; nothing if there is none there that ends, or if it is
    /// too long.
    pub(super) fn get(&mut self, offset: u64) -> Option<&'data [u8]> {
        let rest = self.bytes.get(usize::try_from(offset).ok()?..)?;
        let limit = rest
            .len()
            .min(self.longest.saturating_add(1))
            .min(self.left);
        let window = rest.get(..limit)?;
        let len = memchr::memchr(0, window);
        self.left -= len.map_or(limit, |len| len + 1);
        window.get(..len?)
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_name_runs_to_its_zero_byte() {
        let mut names = Names::new(b"\0first\0second\0", 100);
        assert_eq!(names.get(0), Some(&b""[..]));
        assert_eq!(names.get(1), Some(&b"first"[..]));
        assert_eq!(names.get(9), Some(&b"cond"[..]));
        assert_eq!(names.get(14), None);
        assert_eq!(names.get(u64::MAX), None);
    }

    #[test]
    fn a_name_that_does_not_end_is_none() {
        assert_eq!(Names::new(b"\0abc", 100).get(1), None);
    }

    #[test]
    fn the_longest_name_is_taken_and_the_next_longer_is_not() {
        let mut names = Names::new(b"abc\0abcd\0", 3);
        assert_eq!(names.get(0), Some(&b"abc"[..]));
        assert_eq!(names.get(4), None);
    }

    #[test]
    fn sharing_one_long_name_comes_to_an_end() {
        let mut table = vec![b'a'; 1 << 20];
        table.push(0);
        let mut names = Names::new(&table, 1 << 20);
        let taken = (0..1000).filter(|_| names.get(0).is_some()).count();
        assert!((1..100).contains(&taken), "{taken} names of 1 MiB");
        assert_eq!(names.get(0), None);
    }
}
