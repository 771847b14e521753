//! Numbers on bodies: what stays the same when code moves, and what stays nearly the same when it is changed a little.

use sha2::{Digest as _, Sha256};
use whittle_code::References;
use whittle_image::Image;

use crate::owner::Item;
use crate::savings::body::{Bodies, Extent};

/// Bytes from which on a likeness means something.
const MIN_LEN: usize = 32;

/// Bytes of a window that [`likeness`] looks through.
const WINDOW: usize = 4;

/// Reads the numbers of items.
pub(super) struct Numbers<'a> {
    bodies: Bodies<'a>,
    bytes: Vec<u8>,
    /// How many bytes may still be read: items of damaged files can overlap without end.
    room: u64,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(image: &'a Image<'a>, references: &'a References) -> Self {
        Self {
            bodies: Bodies::new(image, references),
            bytes: Vec::new(),
            room: image.file_len().saturating_mul(4),
        }
    }

    /// The number of a body, in which what it mentions does not count, and its likeness.
    pub(super) fn of(&mut self, item: &Item<'_>) -> (Option<u64>, Option<u64>) {
        let Some(place) = item.place.filter(|_| item.len > 0) else {
            return (None, None);
        };
        let Some(room) = self.room.checked_sub(item.len) else {
            return (None, None);
        };
        self.room = room;
        let extent = Extent {
            place,
            len: item.len,
        };
        if self.bodies.normalised(&extent, &mut self.bytes).is_none() {
            return (None, None);
        }
        (Some(number(&self.bytes)), likeness(&self.bytes))
    }
}

/// The first eight bytes of the SHA-256: the same on every machine and with every version of this library.
fn number(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    let first = digest.first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

/// A `SimHash` (Charikar 2002) over windows of four bytes: each bit says whether more windows have it set than not, so that
/// bodies with most windows in common differ in few bits.
fn likeness(bytes: &[u8]) -> Option<u64> {
    if bytes.len() < MIN_LEN {
        return None;
    }
    let mut votes = [0_i64; 64];
    for window in bytes.windows(WINDOW) {
        let window = window.first_chunk::<WINDOW>().copied().unwrap_or_default();
        let hash = mixed(u64::from(u32::from_le_bytes(window)));
        for (bit, vote) in votes.iter_mut().enumerate() {
            *vote += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    let bits = votes.iter().enumerate();
    Some(bits.fold(0, |all, (bit, vote)| all | u64::from(*vote > 0) << bit))
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood 2014): every bit of the input reaches every bit of the result.
fn mixed(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1: SHA-256 of `abc`.
        assert_eq!(number(b"abc"), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn similar_bodies_differ_in_few_bits() {
        let body: Vec<u8> = (0_u32..800)
            .map(|i| (i * i % 251).to_le_bytes()[0])
            .collect();
        let mut changed = body.clone();
        changed[400] ^= 0xff;
        let other: Vec<u8> = (0_u32..800)
            .map(|i| (i * 7 % 253).to_le_bytes()[0])
            .collect();
        let bits = |a: &[u8], b: &[u8]| {
            let (a, b) = (likeness(a).expect("long"), likeness(b).expect("long"));
            (a ^ b).count_ones()
        };
        assert!(bits(&body, &changed) <= 6, "{}", bits(&body, &changed));
        assert!(bits(&body, &other) > 16, "{}", bits(&body, &other));
        assert_eq!(likeness(&body[..31]), None);
    }
}
