//! Debug files of stripped programs, judged by debuggers and binutils.

use std::process::Command;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use whittle_image::{DebugFile, DebugFileError, Which};

use crate::toolchain::{Error, Workshop};

const SOURCE: &str = "#include <stdio.h>\n\
    __attribute__((noinline)) static int inner(int x) {\n\
        return x * 3 + 1;\n\
    }\n\
    int (*volatile table[2])(int) = {inner, inner};\n\
    static __thread int counter = 7;\n\
    int main(int argc, char **argv) {\n\
        printf(\"%d\\n\", table[argc & 1](argc) + counter);\n\
        return 0;\n\
    }\n";

const TWINS_ID: &str = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SHIPPED_ID: &str = "0xbbccddeeff00112233445566778899aabbccddee";

/// `twin` and `shipped` as files, and the debug file `shipped.debug`.
fn workshop(options: &[&str]) -> Result<(Workshop, DebugFile), Error> {
    let workshop = Workshop::new()?;
    workshop.write("program.c", SOURCE)?;
    let id = |id: &str| format!("-Wl,--build-id={id}");
    let base = [&["-g", "-O1", "program.c"], options].concat();
    let twin = workshop.cc("twin", &[&base[..], &[&*id(TWINS_ID)]].concat())?;
    let shipped = workshop.cc("shipped", &[&base[..], &["-s", &*id(SHIPPED_ID)]].concat())?;
    let debug = DebugFile::extract(&twin, &shipped)?;
    std::fs::write(workshop.path("shipped.debug"), &debug.bytes)?;
    Ok((workshop, debug))
}

fn address_of(bytes: &[u8], name: &str) -> Result<u64, Error> {
    let file = object::File::parse(bytes)?;
    let mut symbols = file.symbols();
    let symbol = symbols.find(|symbol| symbol.name() == Ok(name));
    Ok(symbol.ok_or("there is no such symbol")?.address())
}

#[test]
fn addresses_of_the_stripped_program_are_resolved() -> Result<(), Error> {
    for options in [&[][..], &["-no-pie"], &["-fuse-ld=gold"], &["-static"]] {
        let (workshop, debug) = workshop(options)?;
        let address = address_of(&workshop.read("twin")?, "inner")?;
        let place = workshop.run(
            "addr2line",
            &["-f", "-s", "-e", "shipped.debug", &format!("{address:#x}")],
        )?;
        assert!(
            place.starts_with("inner\nprogram.c:2") || place.starts_with("inner\nprogram.c:3"),
            "{options:?}: {place}"
        );
        let notes = workshop.run("readelf", &["-n", "shipped.debug"])?;
        assert!(notes.contains(&SHIPPED_ID[2..]), "{options:?}: {notes}");
        assert!(!notes.contains(&TWINS_ID[2..]), "{options:?}: {notes}");
        let id = debug.build_id.ok_or("it has one")?;
        assert_eq!((id.len(), id[0], id[19]), (20, 0xbb, 0xee));
    }
    Ok(())
}

#[test]
fn binutils_have_no_more_to_complain_about_than_of_their_own() -> Result<(), Error> {
    let (workshop, _) = workshop(&[])?;
    workshop.run("objcopy", &["--only-keep-debug", "twin", "judge"])?;
    let complaints = |name: &str| -> Result<String, Error> {
        let output = Command::new("readelf")
            .args(["-W", "-a", name])
            .current_dir(workshop.folder())
            .env("LC_ALL", "C")
            .output()?;
        assert!(output.status.success());
        Ok(String::from_utf8(output.stderr)?)
    };
    assert_eq!(complaints("shipped.debug")?, complaints("judge")?);
    Ok(())
}

#[test]
fn sections_are_those_of_objcopy() -> Result<(), Error> {
    let (workshop, debug) = workshop(&[])?;
    workshop.run("objcopy", &["--only-keep-debug", "twin", "judge"])?;
    let judge = workshop.read("judge")?;
    let table = |bytes: &[u8]| -> Result<Vec<_>, Error> {
        let file = object::File::parse(bytes)?;
        file.sections()
            .map(|section| {
                let name = section.name()?.to_owned();
                Ok((name, section.kind(), section.address(), section.size()))
            })
            .collect()
    };
    // The table of section names comes in another order.
    let without_names = |mut table: Vec<(String, _, _, _)>| {
        table.retain(|(name, ..)| name != ".shstrtab");
        table
    };
    assert_eq!(
        without_names(table(&debug.bytes)?),
        without_names(table(&judge)?)
    );
    assert!(debug.bytes.len() < workshop.read("twin")?.len() + 4096);
    Ok(())
}

#[test]
fn gdb_finds_it_by_the_build_id() -> Result<(), Error> {
    let (workshop, _) = workshop(&[])?;
    let folder = workshop.path("debug/.build-id/bb");
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(
        workshop.path("shipped.debug"),
        folder.join("ccddeeff00112233445566778899aabbccddee.debug"),
    )?;
    let set = format!(
        "set debug-file-directory {}",
        workshop.path("debug").display()
    );
    let args = [
        "-nx",
        "-batch",
        "-ex",
        &set,
        "-ex",
        "file shipped",
        "-ex",
        "info line inner",
    ];
    if Command::new("gdb").arg("--version").output().is_ok() {
        let said = workshop.run("gdb", &args)?;
        assert!(
            said.contains("of \"program.c\" starts at address"),
            "{said}"
        );
    } else {
        // What gdb would do: the id of the one file names the other, which has the symbol.
        let bytes = workshop.read("shipped.debug")?;
        let file = object::File::parse(&*bytes)?;
        assert_eq!(file.build_id()?.map(|id| id[0]), Some(0xbb));
        address_of(&bytes, "inner")?;
    }
    Ok(())
}

#[test]
fn a_program_without_section_headers_has_one_too() -> Result<(), Error> {
    let (workshop, debug) = workshop(&[])?;
    let mut shipped = workshop.read("shipped")?;
    // ELF64: `e_shoff` at 0x28, `e_shnum` and `e_shstrndx` at 0x3c and 0x3e (gABI, "ELF Header").
    shipped[0x28..0x30].fill(0);
    shipped[0x3c..0x40].fill(0);
    assert_eq!(
        DebugFile::extract(&workshop.read("twin")?, &shipped)?,
        debug
    );
    Ok(())
}

#[test]
fn another_program_is_refused() -> Result<(), Error> {
    let (workshop, _) = workshop(&[])?;
    let (twin, shipped) = (workshop.read("twin")?, workshop.read("shipped")?);
    workshop.write("program.c", &SOURCE.replace("x * 3", "x * 5"))?;
    let id = format!("-Wl,--build-id={SHIPPED_ID}");
    let other = workshop.cc("other", &["-g", "-O1", "-s", "program.c", &id])?;
    let error = DebugFile::extract(&twin, &other);
    assert!(
        matches!(&error, Err(DebugFileError::OtherProgram { what }) if what == "section `.text`"),
        "{error:?}"
    );
    assert_eq!(
        DebugFile::extract(&shipped, &shipped),
        Err(DebugFileError::NothingToKeep)
    );
    let error = DebugFile::extract(b"text", &shipped);
    assert!(
        matches!(
            error,
            Err(DebugFileError::Unreadable {
                which: Which::Twin,
                ..
            })
        ),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn damaged_files_give_an_answer_and_no_flood() -> Result<(), Error> {
    let (workshop, debug) = workshop(&[])?;
    let (twin, shipped) = (workshop.read("twin")?, workshop.read("shipped")?);
    let limit = 2 * (twin.len() + shipped.len());
    let mut answers = 0;
    let mut check = |twin: &[u8], shipped: &[u8]| {
        if let Ok(found) = DebugFile::extract(twin, shipped) {
            assert!(found.bytes.len() < limit, "{}", found.bytes.len());
            answers += 1;
        }
    };
    for len in (0..twin.len()).step_by(97) {
        check(&twin[..len], &shipped);
    }
    for len in (0..shipped.len()).step_by(97) {
        check(&twin, &shipped[..len]);
    }
    // Every byte of the headers, by turns.
    let table = usize::try_from(u64::from_le_bytes(twin[0x28..0x30].try_into()?))?;
    for position in (0..0x340).chain(table..twin.len()) {
        for value in [0, 1, 0x7f, 0xff] {
            let mut damaged = twin.clone();
            damaged[position] = value;
            check(&damaged, &shipped);
        }
    }
    check(&twin, &shipped);
    assert!(answers > 0);
    assert!(debug.bytes.len() < limit);
    Ok(())
}
