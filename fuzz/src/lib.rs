//! What fuzz targets assert of every file that can be read, whatever its format.

use whittle_code::References;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Axis, Findings, Graph, Ledger, Request, Table, Witnesses, forecasts};

/// What the readers assert of every file, whole or damaged.
#[path = "../../crates/whittle-image/tests/it/invariants.rs"]
#[expect(dead_code, reason = "sections are expanded by the target `image`")]
mod invariants;

/// Puts a magic number before any bytes; the first of them picks which.
#[must_use]
pub fn behind(magic: &[&[u8]], bytes: &[u8]) -> Option<Vec<u8>> {
    let (&pick, rest) = bytes.split_first()?;
    let magic = magic.get(usize::from(pick) % magic.len())?;
    Some([magic, rest].concat())
}

/// Reads a file of which only the format is certain, the whole way.
///
/// # Panics
/// If what is read contradicts itself or does not add up.
pub fn assert_adds_up(file: &[u8]) {
    if let Ok(image) = Image::parse(file) {
        invariants::assert_sound(&image);
        assert_explained(&image, None);
    }
}

/// Goes from what a file says to what could be got back. The file is also its own companion.
///
/// # Panics
/// If a byte has no owner or several, if rows of an axis or findings do not add up to the file, or if what is kept and what
/// is not do not.
pub fn assert_explained(image: &Image<'_>, link_map: Option<&LinkMap<'_>>) {
    let witnesses = Witnesses {
        companion: Some(image),
        link_map,
        packages: None,
    };
    let references = References::find(image);
    let ledger = Ledger::build(image, &witnesses, &references).expect("the ledger adds up");
    let len = image.file_len();
    for axis in Axis::ALL {
        let table = Table::of(&ledger, &[axis]);
        assert_eq!(
            table.rows.iter().map(|row| row.file).sum::<u64>(),
            len,
            "{axis}"
        );
    }
    let request = Request {
        by: Axis::ALL.to_vec(),
        full: true,
    };
    let findings = Findings::of(&ledger, &request);
    assert_eq!(findings.totals.file, len);
    let written: u64 = findings
        .bringers
        .iter()
        .map(|bringer| bringer.written)
        .sum();
    assert_eq!(written, len);
    let graph = Graph::of(&ledger).expect("the graph adds up");
    let shares = graph.shares();
    let most = shares.reachable + shares.unreachable;
    assert_eq!(
        most + shares.structure + shares.padding + shares.unknown,
        len
    );
    for forecast in forecasts(&graph, None) {
        let leaving = forecast.leaving;
        assert!(leaving.shallow <= leaving.retained && leaving.retained <= most);
    }
}
