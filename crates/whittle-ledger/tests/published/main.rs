//! Published programs: wheels and npm packages hold Rust programs for every platform. Rows of all axes add up to the size of
//! each file.
//!
//! Nothing of it runs by itself: it downloads some 250 MB with `pip` and `npm`, which have to be there, as have `python3` and
//! `tar`. Run it with
//!
//! ```console
//! $ cargo test --release -p whittle-ledger --test published -- --ignored --nocapture
//! ```
//!
//! What was downloaded stays in `target/tmp/published` and is not downloaded again. `PUBLISHED_FILES` names a folder with
//! other files to look at instead.

#![expect(
    clippy::print_stdout,
    reason = "figures are half of what the test is run for"
)]

mod packages;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use whittle_code::References;
use whittle_image::{Format, Image};
use whittle_ledger::{
    Axis, Domain, Findings, Graph, Kind, Ledger, Owner, Request, Table, Witnesses,
};

/// No program of interest is smaller.
const MIN_LEN: u64 = 16 << 10;

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() && entry.metadata().expect("a size").len() >= MIN_LEN {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).expect("below 4 TB")) / 1_000.0
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * megabytes(part) / megabytes(whole).max(0.001)
}

/// Accounts for a file, and says how well it went; nothing if it is no program.
fn account(path: &Path) -> Option<Format> {
    let bytes = fs::read(path).expect("it can be read");
    let start = Instant::now();
    let image = Image::parse(&bytes).ok()?;
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references).expect("it adds up");
    let seconds = start.elapsed().as_secs_f64();
    let len = image.file_len();
    for axis in Axis::ALL {
        let table = Table::of(&ledger, &[axis]);
        let sum: u64 = table.rows.iter().map(|row| row.file).sum();
        assert_eq!(sum, len, "{}: {axis}", path.display());
    }
    let request = Request {
        by: Vec::new(),
        full: false,
    };
    let findings = Findings::of(&ledger, &request);
    assert_eq!(findings.totals.file, len);
    let graph = Graph::of(&ledger).expect("it adds up");
    let (mut reached, mut code, mut nameless) = (0, 0, 0);
    for span in ledger.spans(Domain::File) {
        if span.kind == Kind::Code && !matches!(span.owner, Owner::Padding | Owner::Structure(_)) {
            code += span.len;
            nameless += if span.owner == Owner::Unknown {
                span.len
            } else {
                0
            };
            let node = graph.node(span.owner);
            let is_reached = node.is_some_and(|node| graph.is_reachable(node));
            reached += if is_reached { span.len } else { 0 };
        }
    }
    println!(
        "{:<9} {:<8} {:>11} bytes  {:>5.1} % of unknown crate, of code {:>5.1} % in no function, \
         {:>5.1} % reached; {:>5.1} ms a MB; rustc {}; {} warnings; {}",
        format!("{:?}", image.target.format),
        image.target.architecture,
        len,
        percent(findings.totals.unknown, len),
        percent(nameless, code),
        percent(reached, code),
        seconds * 1_000.0 / megabytes(len),
        findings.file.rustc.as_deref().unwrap_or("not known"),
        image.warnings.list().len(),
        path.file_name().unwrap_or_default().to_string_lossy(),
    );
    for warning in image.warnings.list().iter().take(3) {
        println!("    {warning:?}");
    }
    Some(image.target.format)
}

#[test]
#[ignore = "downloads published packages"]
fn rows_add_up_on_published_programs() {
    let given = std::env::var_os("PUBLISHED_FILES").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("published");
        packages::download(&folder);
        folder
    });
    let mut formats = BTreeSet::new();
    let mut count = 0;
    for path in files(&folder) {
        if let Some(format) = account(&path) {
            formats.insert(format!("{format:?}"));
            count += 1;
        }
    }
    println!("{count} files of {formats:?}");
    assert!(count >= 10 && formats.len() >= 3, "{count}, {formats:?}");
}
