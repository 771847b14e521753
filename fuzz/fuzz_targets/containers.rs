//! Any bytes behind the magic number of a container, the whole way: whatever they say, every byte has one owner, all axes
//! add up, members have what stands in them, and the graph is the whole file. The first byte picks the form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_code::References;
use whittle_image::{Compression, Image};
use whittle_ledger::{Axis, Findings, Graph, Ledger, Request, Snapshot, Table, Witnesses};

/// What the readers assert of every file, whole or damaged.
#[path = "../../crates/whittle-image/tests/it/invariants.rs"]
mod invariants;

/// Archives, universal files with positions of 32 and of 64 bits.
const MAGIC: [&[u8]; 3] = [
    b"!<arch>\n",
    b"\xca\xfe\xba\xbe\0\0\0",
    b"\xca\xfe\xba\xbf\0\0\0",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, rest)) = bytes.split_first() else {
        return;
    };
    let magic = MAGIC[usize::from(pick) % MAGIC.len()];
    let file = [magic, rest].concat();
    let Ok(image) = Image::parse(&file) else {
        return;
    };
    invariants::assert_sound(&image);
    // Each section may expand to 64 MiB, however small the file.
    let packed = image
        .sections
        .iter()
        .filter(|it| it.compression != Compression::None);
    if packed.fold(0_u64, |total, it| total.saturating_add(it.size)) <= 64 << 20 {
        invariants::assert_contents(&image);
    }
    let references = References::find(&image);
    let witnesses = Witnesses {
        companion: Some(&image),
        ..Witnesses::none()
    };
    let ledger = Ledger::build(&image, &witnesses, &references).expect("the ledger adds up");
    for axis in Axis::ALL {
        let table = Table::of(&ledger, &[axis]);
        let sum: u64 = table.rows.iter().map(|row| row.file).sum();
        assert_eq!(sum, image.file_len(), "{axis}");
    }
    // A member has its own bytes: no more, no fewer.
    let members = Table::of(&ledger, &[Axis::Member]);
    for part in image.parts() {
        let name = part.path.to_string();
        let alike = image
            .parts()
            .into_iter()
            .filter(|it| it.path.to_string() == name);
        let len: u64 = alike
            .map(|part| match part.image {
                Some(image) => image.file_len(),
                None => {
                    let first = usize::try_from(part.first_section).expect("few");
                    image.sections[first].size
                }
            })
            .sum();
        let row = members.rows.iter().find(|row| row.values[0] == name);
        assert_eq!(row.map_or(0, |row| row.file), len, "{name}");
    }
    let request = Request {
        by: vec![Axis::Member, Axis::Crate],
        full: true,
    };
    assert_eq!(
        Findings::of(&ledger, &request).totals.file,
        image.file_len()
    );
    Graph::of(&ledger).expect("the graph adds up");
    Snapshot::of(&ledger, "file", None, Vec::new()).expect("the snapshot adds up");
});
