//! Functions that neither a symbol nor a table of the format tells apart.
//!
//! On Windows a function that calls nothing and keeps nothing on the stack has no unwind entry, and linkers may leave out
//! the table of function starts on macOS.

use whittle_code::Incoming;
use whittle_image::{Image, Place, Section};

use crate::certainty::Source;
use crate::items::{Items, new_item};
use crate::owner::{ItemKind, Owner};
use crate::padding;
use crate::tiling::Claim;

/// Compilers align functions to no more than this, so that filler is no longer.
const ALIGNMENT: u64 = 16;

/// Claims on gaps between functions: a function starts where something leads, and where code goes on behind the filler
/// at the start of a gap.
pub(crate) fn functions<'data>(
    image: &Image<'data>,
    section: &Section<'data>,
    gaps: &[(u64, u64)],
    incoming: &Incoming<'_>,
    items: &mut Items<'data>,
) -> Vec<Claim> {
    let targets: Vec<u64> = incoming.targets(section.index).collect();
    let is_filler =
        |start, end| start < end && padding::by_content(image, section, start, end).is_some();
    let mut claims = Vec::new();
    for &(start, end) in gaps {
        let first = targets.partition_point(|&target| target <= start);
        let past = targets.partition_point(|&target| target < end);
        let inside = targets.get(first..past).unwrap_or_default();
        let starts = std::iter::once(start).chain(inside.iter().copied());
        let ends = inside.iter().copied().chain(std::iter::once(end));
        for (mut start, mut end) in starts.zip(ends) {
            let is_target = targets.binary_search(&start).is_ok();
            if is_filler(start, end) {
                continue;
            }
            if !is_target {
                // Filler goes up to where the next function is aligned.
                let aligned = start.next_multiple_of(ALIGNMENT).min(end);
                if is_filler(start, aligned) {
                    start = aligned;
                }
            }
            let tail = (1..ALIGNMENT.min(end - start)).rev();
            if let Some(len) = tail.into_iter().find(|&len| is_filler(end - len, end)) {
                end -= len;
            }
            let place = Place {
                section: section.index,
                offset: start,
            };
            let item = items.push(new_item(ItemKind::Function, &[], Some(place), end - start));
            claims.push(Claim {
                start,
                end,
                owner: Owner::Item(item),
                source: if is_target {
                    Source::Reference
                } else {
                    Source::Neighbour
                },
            });
        }
    }
    claims
}
