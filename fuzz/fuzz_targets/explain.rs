//! Any bytes, the whole way: whatever the file and the link map say, every byte has one owner, all axes add up, and what
//! is kept and what is not are the whole file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_code::References;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Axis, Findings, Graph, Ledger, Request, Table, Witnesses, forecasts};

fuzz_target!(|bytes: &[u8]| {
    // What stands behind this mark is taken for the linker's map of what stands before it.
    const MARK: &[u8] = b"\n--map--\n";
    let at = bytes.windows(MARK.len()).position(|window| window == MARK);
    let (file, map) = match at {
        Some(at) => (&bytes[..at], &bytes[at + MARK.len()..]),
        None => (bytes, &[][..]),
    };
    let Ok(image) = Image::parse(file) else {
        return;
    };
    let link_map = LinkMap::parse(map).ok();
    let witnesses = Witnesses {
        companion: Some(&image),
        link_map: link_map.as_ref(),
        packages: None,
    };
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &witnesses, &references).expect("the ledger adds up");
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
});
