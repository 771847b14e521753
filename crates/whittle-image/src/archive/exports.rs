//! What archives of object files say without being accounted for: what in them can be linked to, and what is in them.

use std::collections::BTreeSet;

use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSymbol as _};

/// Why an archive cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an archive that can be read: {0}")]
pub struct ArchiveError(#[from] object::Error);

/// The names that some object of an archive defines for others, global and weak ones, mangled as they are.
///
/// Members that are no object files, such as a crate's metadata, and those that cannot be read define nothing. Hidden
/// symbols are among them: a program that is linked with the archive can refer to them.
///
/// # Errors
/// [`ArchiveError`] if the bytes are no archive, or the list of its members cannot be followed.
pub fn archive_exports(data: &[u8]) -> Result<BTreeSet<&[u8]>, ArchiveError> {
    let archive = ArchiveFile::parse(data)?;
    let mut names = BTreeSet::new();
    for member in archive.members() {
        let Ok(object) = object::File::parse(member?.data(data)?) else {
            continue;
        };
        for symbol in object.symbols() {
            if symbol.is_definition() && symbol.is_global() {
                names.extend(symbol.name_bytes().ok().filter(|name| !name.is_empty()));
            }
        }
    }
    Ok(names)
}

/// The names of an archive's members, in its order. Bytes that are not UTF-8 are replaced.
///
/// # Errors
/// [`ArchiveError`] if the bytes are no archive, or the list of its members cannot be followed.
pub fn archive_members(data: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let archive = ArchiveFile::parse(data)?;
    let names = archive.members().map(|member| {
        let name = String::from_utf8_lossy(member?.name()).into_owned();
        Ok(name)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{
        Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    };

    use super::*;

    /// An object file that defines one global and one local function and mentions a third.
    fn object(name: &str) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
        object.append_section_data(text, &[0xc3; 8], 8);
        for (name, scope, section) in [
            (name, SymbolScope::Dynamic, SymbolSection::Section(text)),
            (
                "own",
                SymbolScope::Compilation,
                SymbolSection::Section(text),
            ),
            ("other", SymbolScope::Unknown, SymbolSection::Undefined),
        ] {
            object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: 8,
                kind: SymbolKind::Text,
                scope,
                weak: false,
                section,
                flags: SymbolFlags::None,
            });
        }
        object.write().expect("it can be written")
    }

    /// The common form of archives: `ar(5)`.
    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"!<arch>\n".to_vec();
        for (name, data) in members {
            let name = format!("{name}/");
            let header = format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                0,
                0,
                0,
                644,
                data.len()
            );
            bytes.extend(header.as_bytes());
            bytes.extend(*data);
            if data.len() % 2 == 1 {
                bytes.push(b'\n');
            }
        }
        bytes
    }

    #[test]
    fn what_objects_define_for_others_is_found_and_nothing_else() {
        let (a, b) = (object("add"), object("subtract"));
        let bytes = archive(&[("a.o", &a), ("lib.rmeta", b"rust\0"), ("b.o", &b)]);
        let names = archive_exports(&bytes).expect("it is an archive");
        let expected: BTreeSet<&[u8]> = [&b"add"[..], b"subtract"].into();
        assert_eq!(names, expected);
        let members = archive_members(&bytes).expect("it is an archive");
        assert_eq!(members, ["a.o", "lib.rmeta", "b.o"]);
    }

    #[test]
    fn damage_at_any_byte_is_an_error_or_a_poorer_answer() {
        let object = object("add");
        let bytes = archive(&[("a.o", &object)]);
        for cut in 0..bytes.len() {
            let _ = archive_exports(&bytes[..cut]);
            let mut damaged = bytes.clone();
            damaged[cut] ^= 0xff;
            if let Ok(names) = archive_exports(&damaged) {
                assert!(names.len() <= 3, "byte {cut}: {names:?}");
            }
        }
        assert!(archive_exports(b"").is_err());
        assert!(archive_exports(b"\x7fELF").is_err());
    }
}
