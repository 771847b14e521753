//! What other readers say about a file, side by side with its ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use whittle_code::References;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Attribution, Domain, Ledger, Owner, Span, Witnesses};

use crate::workspace::{Program, Result};

/// What the ledger is given besides the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Nothing,
    Packages,
    MapAndPackages,
}

/// A ledger, and the same file as the `object` crate reads it.
pub struct Judge<'a> {
    pub ledger: &'a Ledger<'a>,
    pub file: object::File<'a>,
}

/// The values of both crate axes.
pub type Crates = (String, String);

impl Program {
    /// Makes the program's ledger and looks at it.
    pub fn judge<T>(&self, given: Given, look: impl FnOnce(&Judge<'_>) -> Result<T>) -> Result<T> {
        let image = Image::parse(&self.bytes)?;
        let map = match given {
            Given::MapAndPackages => Some(LinkMap::parse(&self.map)?),
            _ => None,
        };
        let witnesses = Witnesses {
            link_map: map.as_ref(),
            packages: (given != Given::Nothing).then_some(&self.packages),
            ..Witnesses::none()
        };
        let references = References::find(&image);
        let ledger = Ledger::build(&image, &witnesses, &references)?;
        look(&Judge {
            ledger: &ledger,
            file: object::File::parse(self.bytes.as_slice())?,
        })
    }
}

impl Judge<'_> {
    /// Addresses and sizes of all symbols whose name has this in it, ascending, each place once.
    pub fn symbols(&self, part: &str) -> Vec<(u64, u64)> {
        self.symbols_with(&[part])
    }

    /// The same for names that have all of these in them.
    pub fn symbols_with(&self, parts: &[&str]) -> Vec<(u64, u64)> {
        let has_all = |name: &str| parts.iter().all(|part| name.contains(part));
        let found: BTreeSet<(u64, u64)> = self
            .file
            .symbols()
            .filter(|symbol| symbol.name().is_ok_and(has_all))
            .filter(|symbol| !symbol.is_undefined() && symbol.size() > 0)
            .map(|symbol| (symbol.address(), symbol.size()))
            .collect();
        found.into_iter().collect()
    }

    /// Address and size of the only symbol whose name has this in it.
    pub fn symbol(&self, part: &str) -> (u64, u64) {
        match self.symbols(part)[..] {
            [only] => only,
            ref found => panic!("not one symbol `{part}`: {found:?}"),
        }
    }

    /// Where the file stores what is at an address.
    pub fn stored(&self, (address, size): (u64, u64)) -> Range<u64> {
        let section = self
            .file
            .sections()
            .find(|section| {
                section.file_range().is_some()
                    && (section.address()..section.address() + section.size()).contains(&address)
            })
            .expect("a stored section");
        let (offset, _) = section.file_range().expect("it is stored");
        let start = offset + (address - section.address());
        start..start + size
    }

    /// The spans that a range of a domain is made of, clipped to it.
    pub fn spans(&self, domain: Domain, range: Range<u64>) -> Vec<(Span<'_>, u64)> {
        let mut found = Vec::new();
        let mut len = 0;
        for span in self.ledger.spans(domain) {
            let start = span.start.max(range.start);
            let end = (span.start + span.len).min(range.end);
            if start < end {
                found.push((span, end - start));
                len += end - start;
            }
        }
        assert_eq!(len, range.end - range.start, "spans for each byte");
        found
    }

    pub fn label(&self, attribution: Attribution) -> String {
        self.ledger.crates()[attribution.value.index()]
            .label
            .clone()
    }

    /// Both crates of an owner.
    pub fn crates_of(&self, owner: Owner) -> Crates {
        (
            self.label(self.ledger.defined_in(owner)),
            self.label(self.ledger.compiled_in(owner)),
        )
    }

    /// Who owns the bytes of a range of the file: bytes by the values of both crate axes.
    pub fn crates_in(&self, range: Range<u64>) -> BTreeMap<Crates, u64> {
        let mut sums = BTreeMap::new();
        for (span, len) in self.spans(Domain::File, range) {
            *sums.entry(self.crates_of(span.owner)).or_default() += len;
        }
        sums
    }

    /// Both crates of a range of the file that has one owner.
    pub fn crates_at(&self, range: Range<u64>) -> Crates {
        let spans = self.spans(Domain::File, range);
        let owners: BTreeSet<Owner> = spans.iter().map(|(span, _)| span.owner).collect();
        assert_eq!(owners.len(), 1, "one owner: {spans:?}");
        self.crates_of(spans[0].0.owner)
    }
}

/// Where these bytes stand in a file; they must stand there once.
pub fn find(haystack: &[u8], needle: &[u8]) -> Range<u64> {
    match &find_all(haystack, needle)[..] {
        [only] => only.clone(),
        found => panic!("the bytes are not there once: {found:?}"),
    }
}

/// All places where these bytes stand in a file.
pub fn find_all(haystack: &[u8], needle: &[u8]) -> Vec<Range<u64>> {
    let len = u64::try_from(needle.len()).expect("a length");
    memchr::memmem::find_iter(haystack, needle)
        .map(|at| {
            let start = u64::try_from(at).expect("a file offset");
            start..start + len
        })
        .collect()
}

pub fn crates(defined: &str, compiled: &str) -> Crates {
    (defined.to_owned(), compiled.to_owned())
}
