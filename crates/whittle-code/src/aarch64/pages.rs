//! Which registers hold the address of a page, and what is known where branches meet.

use rustc_hash::FxHashMap;

use super::instruction::{Register, Registers};
use crate::reference::Certainty;
use crate::region::Region;

/// The registers that hold the address of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pages {
    known: Registers,
    /// Those of the known ones that may hold something else: it is not sure that there is a way from where they were
    /// written.
    inferred: Registers,
    /// Registers that hold one page or another: nothing can be told until they are written again.
    doubtful: Registers,
    of: [u64; 31],
}

impl Pages {
    /// The page whose address a register holds, if it is known, and how surely.
    pub(super) fn get(&self, register: Register) -> Option<(u64, Certainty)> {
        let set = Registers::one(register).0;
        let certainty = if self.inferred.0 & set == 0 {
            Certainty::Exact
        } else {
            Certainty::Inferred
        };
        let page = self.of.get(register).filter(|_| self.known.0 & set != 0);
        page.map(|&page| (page, certainty))
    }

    pub(super) fn set(&mut self, register: Register, page: u64, certainty: Certainty) {
        let set = Registers::one(register).0;
        self.known.0 |= set;
        self.doubtful.0 &= !set;
        match certainty {
            Certainty::Exact => self.inferred.0 &= !set,
            Certainty::Inferred => self.inferred.0 |= set,
        }
        if let Some(slot) = self.of.get_mut(register) {
            *slot = page;
        }
    }

    pub(super) fn forget(&mut self, registers: Registers) {
        for set in [&mut self.known, &mut self.inferred, &mut self.doubtful] {
            *set = set.except(registers);
        }
    }

    /// Takes over what is known on another way to the same place.
    ///
    /// A compiler's code reads a register only where every way to it has written the register, and never reads a page
    /// on one way and something else on another. So what one way knows holds if it is read at all; only where two ways
    /// know different pages, of which one is left over, nothing can be told. What is known surely goes before what is
    /// inferred.
    fn join(&mut self, other: &Self) {
        let doubtful = self.doubtful.and(other.doubtful);
        for register in 0..self.of.len() {
            let Some((page, certainty)) = other.get(register) else {
                continue;
            };
            match self.get(register) {
                Some((_, own)) if own < certainty => {}
                Some((kept, own)) if own == certainty && kept != page => {
                    self.forget(Registers::one(register));
                    self.doubtful = self.doubtful.with(register);
                }
                _ => self.set(register, page, certainty),
            }
        }
        let doubtful = self.doubtful.and(doubtful);
        self.forget(doubtful);
        self.doubtful = doubtful;
    }

    /// What is known at a place to which there may be a way from here, or not.
    fn inferred(&self) -> Self {
        Self {
            inferred: self.known,
            doubtful: Registers::NONE,
            ..*self
        }
    }

    /// Whether nothing is known of any register.
    pub(super) fn is_empty(&self) -> bool {
        self.known.0 | self.doubtful.0 == 0
    }
}

/// What is known at the targets of the branches of a region.
#[derive(Debug)]
pub(super) struct Joins {
    start: u64,
    end: u64,
    at: FxHashMap<u64, Pages>,
    /// Places that no instruction before goes on to, with what was known there when they were read.
    entered_only_by_branches: FxHashMap<u64, Known>,
    /// What is known where the function jumps by a table.
    anywhere: Pages,
    learned: bool,
}

/// The registers whose page is known, and those of which it is known surely.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    all: Registers,
    exact: Registers,
}

impl Known {
    fn of(pages: &Pages) -> Self {
        Self {
            all: pages.known,
            exact: pages.known.except(pages.inferred),
        }
    }

    /// Adds what is known on another way. Whether that is news.
    fn learn(&mut self, other: Self) -> bool {
        let before = (self.all, self.exact);
        self.all = self.all.and(other.all);
        self.exact = self.exact.and(other.exact);
        before != (self.all, self.exact)
    }
}

/// How many targets are kept for one region, so that hostile code cannot fill memory. Real functions have fewer.
const MAX_JOINS: usize = 1 << 16;

impl Joins {
    pub(super) fn of(region: &Region) -> Self {
        Self {
            start: region.start,
            end: region.end,
            at: FxHashMap::default(),
            entered_only_by_branches: FxHashMap::default(),
            anywhere: Pages::default(),
            learned: false,
        }
    }

    /// Whether the last pass came to know something about a place it had read before. Asking forgets it.
    pub(super) fn learned(&mut self) -> bool {
        std::mem::take(&mut self.learned)
    }

    /// A branch at `from` goes to `to` with `pages`.
    pub(super) fn leave(&mut self, from: u64, to: u64, pages: &Pages) {
        if pages.is_empty() || !(self.start..self.end).contains(&to) {
            return;
        }
        if self.at.len() >= MAX_JOINS && !self.at.contains_key(&to) {
            return;
        }
        self.at
            .entry(to)
            .and_modify(|known| known.join(pages))
            .or_insert_with(|| pages.clone());
        if to <= from
            && let Some(before) = self.entered_only_by_branches.get_mut(&to)
        {
            self.learned |= before.learn(Known::of(pages));
        }
    }

    /// A jump by a table goes somewhere with `pages`.
    pub(super) fn leave_anywhere(&mut self, pages: &Pages) {
        self.anywhere.join(pages);
    }

    /// Reading comes to `at`.
    pub(super) fn arrive(&mut self, at: u64, pages: &mut Pages, falls_through: bool) {
        match self.at.get(&at) {
            Some(known) if falls_through => pages.join(known),
            Some(known) => pages.clone_from(known),
            None if falls_through => {}
            // No branch before goes here: it is a jump by a table, or a branch that comes later, or code outside that
            // unwinds the stack.
            None => *pages = self.anywhere.inferred(),
        }
        if !falls_through && self.entered_only_by_branches.len() < MAX_JOINS {
            let seen = self.entered_only_by_branches.entry(at).or_default();
            seen.learn(Known::of(pages));
        }
    }
}
