//! Any two snapshots: what can be read is written and read again as it was, a snapshot does not differ from itself, and
//! differences add up along every axis.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_ledger::{Axis, DeltaTable, Difference, Snapshot};

fuzz_target!(|bytes: &[u8]| {
    // The old side ends where the new one starts.
    let at = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let (old, new) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Ok(old) = Snapshot::read(old) else {
        return;
    };
    assert_eq!(Snapshot::read(&old.write()).expect("it was one"), old);
    let same = Difference::of(&old, &old).expect("it adds up");
    assert!(same.is_empty() && same.blames().is_empty());
    let Ok(new) = Snapshot::read(new) else {
        return;
    };
    let difference = Difference::of(&old, &new).expect("it adds up");
    for axis in Axis::ALL {
        let rows = DeltaTable::of(&difference, &[axis]).rows;
        let sum: i64 = rows.iter().map(whittle_ledger::Delta::file).sum();
        assert_eq!(sum, difference.file());
    }
    let sum: i64 = difference.blames().iter().map(|blame| blame.bytes).sum();
    assert_eq!(sum, difference.file());
});
