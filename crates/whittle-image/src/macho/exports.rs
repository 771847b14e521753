//! The export trie: names that other files find things by, letter by letter. Apple, `mach-o/loader.h`, "export trie".
//!
//! A node has the length of what it says of a name that ends there, that itself, the number of its children, and for each
//! child the letters that lead there and its position.

use super::commands::{Commands, EXPORTS};
use super::functions::uleb;
use super::{sections, stored, to_u64};
use crate::description::Description;
use crate::image::Image;
use crate::place::Place;

/// Flags that say that there is no address: the name is another file's.
const REEXPORT: u64 = 8;

/// What a node says of the name that ends there goes to what the name stands for, and so do the letters that lead to a node
/// without children. Letters that several names have in common are the file's.
pub(super) fn read(commands: &Commands<'_>, image: &mut Image<'_>) {
    let Some(section) = sections::piece(image, EXPORTS) else {
        return;
    };
    let bytes = stored(image, section);
    let mut found: Vec<(u64, u64, u64)> = Vec::new();
    // Each node once: the tries of hostile files have cycles.
    let mut seen = vec![false; bytes.len()];
    // Nodes to visit, and the letters that led there.
    let mut waiting: Vec<(usize, (usize, usize))> = vec![(0, (0, 0))];
    while let Some((node, letters)) = waiting.pop() {
        match seen.get_mut(node) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let Some((start, end)) = terminal(bytes, node) else {
            continue;
        };
        let address = address(bytes, start, end).and_then(|it| commands.base.checked_add(it));
        let children = bytes.get(end).copied().unwrap_or(0);
        if let Some(address) = address {
            found.push((to_u64(node), to_u64(end + 1 - node), address));
            if children == 0 {
                found.push((to_u64(letters.0), to_u64(letters.1 - letters.0), address));
            }
        }
        let mut at = end + 1;
        for _ in 0..children {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(len) = memchr::memchr(0, rest) else {
                break;
            };
            let Some((child, width)) = rest.get(len + 1..).and_then(uleb) else {
                break;
            };
            let behind = at + len + 1 + width;
            if let Ok(child) = usize::try_from(child) {
                waiting.push((child, (at, behind)));
            }
            at = behind;
        }
    }
    found.sort_unstable();
    for (offset, len, address) in found {
        let is_inside = offset.saturating_add(len) <= to_u64(bytes.len());
        if let Some(of) = image.place_at(address).filter(|_| is_inside) {
            image.descriptions.push(Description {
                place: Place { section, offset },
                len,
                of,
            });
        }
    }
}

/// Where the node's own part is.
fn terminal(bytes: &[u8], node: usize) -> Option<(usize, usize)> {
    let (len, width) = uleb(bytes.get(node..)?)?;
    let start = node + width;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    (end < bytes.len()).then_some((start, end))
}

/// The distance of what the name stands for from the header of the file.
fn address(bytes: &[u8], start: usize, end: usize) -> Option<u64> {
    let (flags, width) = uleb(bytes.get(start..end)?)?;
    let (address, _) = uleb(bytes.get(start + width..end)?)?;
    (flags & REEXPORT == 0).then_some(address)
}
