//! The tiling of one section: disjoint pieces in ascending order that leave nothing out.

use std::cmp::Reverse;

use crate::certainty::Source;
use crate::kind::Kind;
use crate::owner::Owner;

/// A run of bytes of a section with one owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it starts, in bytes from the start of the section.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Who owns it.
    pub owner: Owner,
    /// What the bytes are.
    pub kind: Kind,
    /// What told us the owner.
    pub source: Source,
}

/// A section being tiled. Claims come in layers: an earlier layer wins, a later one fills what is left.
#[derive(Debug, Clone)]
pub(crate) struct Tiling {
    len: u64,
    kind: Kind,
    pieces: Vec<Piece>,
}

/// A claim on a range of a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) owner: Owner,
    pub(crate) source: Source,
}

impl Tiling {
    /// A tiling of `len` bytes that are `kind`, with nothing claimed yet.
    pub(crate) fn new(len: u64, kind: Kind) -> Self {
        Self {
            len,
            kind,
            pieces: Vec::new(),
        }
    }

    /// Lays claims on what no earlier layer claimed. Claims of one layer may overlap: the one that starts last wins,
    /// so that what is nested inside another keeps its bytes, and of two that start together the shorter one.
    ///
    /// ```text
    ///   claims    |------- a --------|        |----- c -----|
    ///                 |-- b --|          |------- d -------------|
    ///   pieces    | a |   b   |  a   |   | d  |      c      | d  |
    /// ```
    pub(crate) fn lay(&mut self, mut claims: Vec<Claim>) {
        for claim in &mut claims {
            claim.end = claim.end.min(self.len);
        }
        claims.retain(|claim| claim.start < claim.end);
        if claims.is_empty() {
            return;
        }
        let flat = flatten(claims);
        let old = std::mem::take(&mut self.pieces);
        self.pieces = Vec::with_capacity(old.len() + flat.len());
        let mut claims = flat.into_iter().peekable();
        let mut at = 0;
        for piece in old {
            self.fill(at, piece.start, &mut claims);
            at = piece.end;
            self.pieces.push(piece);
        }
        self.fill(at, self.len, &mut claims);
    }

    /// Fills the gap from `from` to `to` with those parts of the claims that lie in it.
    fn fill(
        &mut self,
        from: u64,
        to: u64,
        claims: &mut std::iter::Peekable<std::vec::IntoIter<Claim>>,
    ) {
        while let Some(claim) = claims.peek_mut() {
            if claim.start >= to {
                break;
            }
            let (start, end) = (claim.start.max(from), claim.end.min(to));
            if start < end {
                self.pieces.push(Piece {
                    start,
                    end,
                    owner: claim.owner,
                    kind: self.kind,
                    source: claim.source,
                });
            }
            if claim.end > to {
                claim.start = to;
                break;
            }
            claims.next();
        }
    }

    /// Where the pieces so far start and end.
    pub(crate) fn bounds(&self) -> Vec<u64> {
        self.pieces
            .iter()
            .flat_map(|piece| [piece.start, piece.end])
            .collect()
    }

    /// The ranges that nothing claims, in ascending order.
    pub(crate) fn gaps(&self) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut at = 0;
        for piece in &self.pieces {
            if at < piece.start {
                gaps.push((at, piece.start));
            }
            at = piece.end;
        }
        if at < self.len {
            gaps.push((at, self.len));
        }
        gaps
    }

    /// Ends the tiling: what is left is padding where `is_padding` says so, else `rest`.
    pub(crate) fn finish(
        mut self,
        rest: Claim,
        is_padding: impl Fn(u64, u64) -> Option<Source>,
    ) -> Vec<Piece> {
        let gaps = self.gaps();
        let claims = gaps
            .into_iter()
            .map(|(start, end)| match is_padding(start, end) {
                Some(source) => Claim {
                    start,
                    end,
                    owner: Owner::Padding,
                    source,
                },
                None => Claim { start, end, ..rest },
            })
            .collect();
        self.lay(claims);
        for piece in &mut self.pieces {
            if piece.owner == Owner::Padding {
                piece.kind = Kind::Padding;
            }
        }
        self.pieces
    }
}

/// Makes claims disjoint; the rule stands at [`Tiling::lay`].
fn flatten(mut claims: Vec<Claim>) -> Vec<Claim> {
    claims.sort_by_key(|claim| (claim.start, Reverse(claim.end), claim.owner));
    let mut flat: Vec<Claim> = Vec::with_capacity(claims.len());
    // Claims that have started and not ended, the one that started last on top.
    let mut open: Vec<Claim> = Vec::new();
    let mut at = 0;
    let emit = |flat: &mut Vec<Claim>, claim: &Claim, from: u64, to: u64| {
        if from < to {
            flat.push(Claim {
                start: from,
                end: to,
                ..*claim
            });
        }
    };
    for claim in claims {
        while let Some(top) = open.last() {
            let until = top.end.min(claim.start);
            emit(&mut flat, top, at.max(top.start), until);
            at = at.max(until);
            if top.end > claim.start {
                break;
            }
            open.pop();
        }
        at = at.max(claim.start);
        open.push(claim);
    }
    while let Some(top) = open.pop() {
        emit(&mut flat, &top, at.max(top.start), top.end);
        at = at.max(top.end);
    }
    flat
}

/// The piece that holds the byte at `offset`, of pieces that tile a section.
pub(crate) fn piece_at(pieces: &[Piece], offset: u64) -> Option<&Piece> {
    let after = pieces.partition_point(|piece| piece.start <= offset);
    pieces
        .get(after.checked_sub(1)?)
        .filter(|piece| offset < piece.end)
}
