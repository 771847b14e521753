//! Generic functions rewritten by hand: what a rewrite saves, beside what was foretold.

use std::path::Path;

use crate::rustc::{Folder, Result, forecast, len};

/// The rewrite that a flag turns on, and the function it is of.
const REWRITES: [(&str, &str); 3] = [
    ("inner_a", "read_config"),
    ("inner_b", "histogram"),
    ("inner_c", "largest"),
];

#[test]
fn inner_functions_save_about_what_was_foretold() -> Result {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repeats/programs/rewrites.rs");
    let folder = Folder::new()?;
    let build = |name: &str| -> Result<Vec<u8>> {
        let arguments = ["-Ccodegen-units=1", "--crate-name=rewrites", "--cfg", name];
        Ok(std::fs::read(folder.compile(&source, name, &arguments)?)?)
    };
    let before = build("as_it_was")?;
    let (_, repeats) = forecast(&before)?;
    let foretold = |function: &str| {
        let family = format!("rewrites::{function}");
        let found = repeats.generics.iter().find(|it| it.family == family);
        found.ok_or(format!("{family} is not in the list"))
    };
    for (flag, function) in REWRITES {
        let measured = len(&before) - len(&build(flag)?);
        let copies = foretold(function)?;
        let bytes = copies.inner_function;
        assert!(
            bytes * 2 >= measured && bytes * 2 <= measured * 3,
            "{function}: {bytes} foretold, {measured} measured"
        );
        assert!(
            copies
                .callers
                .iter()
                .any(|it| it.examples == ["rewrites::main"])
        );
    }
    // Its body is arithmetic on the type itself.
    assert_eq!(foretold("mix")?.inner_function, 0);
    Ok(())
}
