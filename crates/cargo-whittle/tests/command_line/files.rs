//! Files that are there: stripped and not, with debug files and link maps.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use crate::whittle::{json, own_program, stdout, sum};

const AXES: [&str; 10] = [
    "kind",
    "member",
    "segment",
    "section",
    "crate",
    "compiled-in",
    "module",
    "function",
    "generic",
    "cause",
];

#[test]
fn every_axis_adds_up_to_the_size_of_the_file() {
    let size = fs::metadata(own_program()).expect("it is there").len();
    for axis in AXES {
        let document = json([own_program().as_os_str(), "--by".as_ref(), axis.as_ref()]);
        assert_eq!(sum(&document, "file"), size, "{axis}");
        assert_eq!(document["totals"]["file"].as_u64(), Some(size));
    }
    let document = json([
        own_program().as_os_str(),
        "--by".as_ref(),
        AXES.join(",").as_ref(),
    ]);
    assert_eq!(sum(&document, "file"), size, "all axes together");
}

#[test]
fn memory_is_what_the_segments_say() {
    use object::read::elf::{FileHeader as _, ProgramHeader as _};
    let bytes = fs::read(own_program()).expect("it is there");
    let header = object::elf::FileHeader64::<object::Endianness>::parse(&*bytes)
        .expect("it is ELF of 64 bits");
    let endian = header.endian().expect("it has a byte order");
    let memory: u64 = header
        .program_headers(endian, &*bytes)
        .expect("it has segments")
        .iter()
        .filter(|segment| segment.p_type(endian) == object::elf::PT_LOAD)
        .map(|segment| segment.p_memsz(endian))
        .sum();
    let document = json([own_program()]);
    assert_eq!(document["totals"]["memory"].as_u64(), Some(memory));
    assert_eq!(sum(&document, "memory"), memory);
}

#[test]
fn spans_tile_the_file() {
    let size = fs::metadata(own_program()).expect("it is there").len();
    let text = stdout([own_program().as_os_str(), "--spans".as_ref()]);
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "start,length,section,offset,owner,kind,member,segment,crate,compiled-in,module,function,generic,cause,certainty,source,users"
        )
    );
    let mut at = 0;
    for line in lines {
        let mut fields = line.splitn(3, ',');
        let mut number = || {
            fields
                .next()
                .and_then(|field| field.parse::<u64>().ok())
                .expect("a number")
        };
        assert_eq!(number(), at, "{line}");
        at += number();
    }
    assert_eq!(at, size);
    let lines = stdout([
        own_program().as_os_str(),
        "--spans".as_ref(),
        "--format".as_ref(),
        "json".as_ref(),
    ]);
    let from_json: u64 = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("a JSON line")["length"]
                .as_u64()
                .expect("a length")
        })
        .sum();
    assert_eq!(from_json, size);
}

#[test]
fn a_debug_file_gives_a_stripped_program_its_names_back() {
    // Binutils come with the C linker that Rust itself needs; without them there is nothing to test with.
    assert!(has_objcopy(), "`objcopy` is needed: install binutils");
    let folder = tempfile::tempdir().expect("a folder");
    let (stripped, debug) = (
        folder.path().join("program"),
        folder.path().join("program.debug"),
    );
    let objcopy = |arguments: &[&str]| {
        let status = Command::new("objcopy")
            .args(arguments)
            .status()
            .expect("objcopy runs");
        assert!(status.success());
    };
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let own = text(own_program());
    objcopy(&["--only-keep-debug", &own, &text(&debug)]);
    objcopy(&["--strip-all", &own, &text(&stripped)]);
    // Much of a stripped program can be inferred, and next to nothing is certain.
    let known =
        |document: &serde_json::Value| document["totals"]["exact"].as_u64().expect("a number");
    let alone = json([&stripped]);
    assert_eq!(alone["file"]["stripped"], true);
    let with_debug = json([
        stripped.as_os_str(),
        "--debug-file".as_ref(),
        debug.as_os_str(),
    ]);
    assert!(
        known(&with_debug) > known(&alone) * 2,
        "names are worth something"
    );

    // Found through the debug link, too, which names the file and its checksum.
    let linked = folder.path().join("linked");
    objcopy(&[
        &format!("--add-gnu-debuglink={}", text(&debug)),
        &text(&stripped),
        &text(&linked),
    ]);
    let with_link = json([&linked]);
    assert!(known(&with_link) > known(&alone) * 2);
    // A debug file with another checksum is not taken.
    let mut bytes = fs::read(&debug).expect("it is there");
    bytes.push(0);
    fs::write(&debug, bytes).expect("it is written");
    assert!(known(&json([&linked])) < known(&with_link));
}

#[test]
fn a_bundle_beside_a_program_for_macos_gives_its_names_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let unpacked = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/{name}.gz"));
        let packed = fs::read(path).expect("a fixture");
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&*packed)
            .read_to_end(&mut bytes)
            .expect("a whole fixture");
        bytes
    };
    let program = folder.path().join("program");
    fs::write(&program, unpacked("macos-aarch64-stripped")).expect("it is written");
    let bundle = folder.path().join("program.dSYM/Contents/Resources/DWARF");
    fs::create_dir_all(&bundle).expect("a folder");
    let own = |document: &serde_json::Value| -> u64 {
        let crates = document["crates"].as_array().expect("crates");
        let own = crates.iter().filter(|it| it["crate"] == "specimen_words");
        own.map(|it| it["written"].as_u64().expect("a number"))
            .sum()
    };
    assert_eq!(own(&json([&program])), 0);
    // One of another processor has another number and is not taken.
    fs::write(bundle.join("program-12"), unpacked("macos-x86_64")).expect("it is written");
    assert_eq!(own(&json([&program])), 0);
    fs::write(bundle.join("program-34"), unpacked("macos-aarch64")).expect("it is written");
    let document = json([&program]);
    assert!(own(&document) > 0);
    assert!(document["notes"].to_string().contains("program-34"));
}

fn has_objcopy() -> bool {
    Command::new("objcopy").arg("--version").output().is_ok()
}
