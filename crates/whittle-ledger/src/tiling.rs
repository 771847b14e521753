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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::owner::ItemId;

    fn claim(start: u64, end: u64, item: u32) -> Claim {
        Claim {
            start,
            end,
            owner: Owner::Item(ItemId(item)),
            source: Source::Symbol,
        }
    }

    fn rest() -> Claim {
        Claim {
            start: 0,
            end: 0,
            owner: Owner::Unknown,
            source: Source::None,
        }
    }

    /// The owner of one byte, by looking at all claims of each layer.
    fn owner_of(byte: u64, layers: &[Vec<Claim>]) -> Owner {
        let winner = |layer: &Vec<Claim>| {
            layer
                .iter()
                .filter(|claim| (claim.start..claim.end).contains(&byte))
                .max_by_key(|claim| (claim.start, Reverse(claim.end), claim.owner))
                .map(|claim| claim.owner)
        };
        layers.iter().find_map(winner).unwrap_or(Owner::Unknown)
    }

    #[test]
    fn what_is_nested_keeps_its_bytes() {
        let mut tiling = Tiling::new(20, Kind::Code);
        tiling.lay(vec![claim(0, 12, 0), claim(4, 8, 1)]);
        tiling.lay(vec![claim(10, 30, 2)]);
        let pieces = tiling.finish(rest(), |_, _| None);
        let found: Vec<_> = pieces
            .iter()
            .map(|piece| (piece.start, piece.end, piece.owner))
            .collect();
        let item = |number| Owner::Item(ItemId(number));
        assert_eq!(
            found,
            [
                (0, 4, item(0)),
                (4, 8, item(1)),
                (8, 12, item(0)),
                (12, 20, item(2))
            ]
        );
    }

    #[test]
    fn gaps_are_padding_where_they_look_like_it() {
        let mut tiling = Tiling::new(10, Kind::Code);
        tiling.lay(vec![claim(2, 4, 0)]);
        let pieces = tiling.finish(rest(), |start, _| (start == 0).then_some(Source::Neighbour));
        let kinds: Vec<_> = pieces
            .iter()
            .map(|piece| (piece.end - piece.start, piece.kind, piece.owner))
            .collect();
        assert_eq!(
            kinds,
            [
                (2, Kind::Padding, Owner::Padding),
                (2, Kind::Code, Owner::Item(ItemId(0))),
                (6, Kind::Code, Owner::Unknown)
            ]
        );
    }

    proptest! {
        #[test]
        fn any_claims_leave_a_tiling(
            len in 0_u64..60,
            layers in prop::collection::vec(
                prop::collection::vec((0_u64..70, 0_u64..40, 0_u32..9), 0..12),
                0..4,
            ),
        ) {
            let layers: Vec<Vec<Claim>> = layers
                .into_iter()
                .map(|layer| {
                    let claims = layer.into_iter();
                    claims.map(|(start, len, item)| claim(start, start + len, item)).collect()
                })
                .collect();
            let mut tiling = Tiling::new(len, Kind::Code);
            for layer in &layers {
                tiling.lay(layer.clone());
            }
            let pieces = tiling.finish(rest(), |_, _| None);
            let mut at = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.start, at);
                prop_assert!(piece.end > piece.start);
                at = piece.end;
            }
            prop_assert_eq!(at, len);
            // Claims reach no further than the section.
            let layers: Vec<Vec<Claim>> = layers
                .iter()
                .map(|layer| {
                    let clipped = layer.iter().map(|claim| Claim { end: claim.end.min(len), ..*claim });
                    clipped.collect()
                })
                .collect();
            for byte in 0..len {
                let found = piece_at(&pieces, byte).map(|piece| piece.owner);
                prop_assert_eq!(found, Some(owner_of(byte, &layers)), "byte {}", byte);
            }
            prop_assert_eq!(piece_at(&pieces, len), None);
        }
    }
}
