//! Object files, judged by their relocations as `object` reads them.

use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, RelocationKind, RelocationTarget,
    SectionKind,
};
use whittle_code::{Certainty, Method, ReferenceKind, References};
use whittle_image::{Image, Place, SectionIndex};

use crate::programs::{Error, Language, Program};

/// Checks the references of an object file; returns how many relocations in code and data led to one.
fn judge(bytes: &[u8]) -> Result<(usize, usize), Error> {
    let image = Image::parse(bytes)?;
    let references = References::find(&image);
    assert_eq!(references.coverage().method, Method::DecodedWithRelocations);
    let file = object::File::parse(bytes)?;
    let (mut in_code, mut in_data) = (0, 0);
    for section in file.sections() {
        let executable = section.kind() == SectionKind::Text;
        let is_pointers =
            section.kind() == SectionKind::Data || section.name()?.starts_with(".data.rel.ro");
        if !executable && !is_pointers {
            continue;
        }
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else {
                continue;
            };
            let symbol = file.symbol_by_index(symbol)?;
            let Some(target) = symbol.section_index() else {
                // In another file.
                continue;
            };
            let is_thread_local = matches!(
                file.section_by_index(target)?.kind(),
                SectionKind::Tls | SectionKind::UninitializedTls
            );
            if is_thread_local || target == section.index() {
                continue;
            }
            let plain = symbol.address().wrapping_add_signed(relocation.addend());
            let plain = if relocation.has_implicit_addend() {
                plain.wrapping_add_signed(implicit(&section, offset)?)
            } else {
                plain
            };
            // Behind the patched bytes an immediate of some bytes may follow.
            let expected = match relocation.kind() {
                RelocationKind::Absolute => vec![plain],
                RelocationKind::Relative | RelocationKind::PltRelative => {
                    [4, 5, 6, 8].map(|bias| plain.wrapping_add(bias)).to_vec()
                }
                // `object` has no name for a load through a slot that the linker may do without.
                RelocationKind::GotRelative | RelocationKind::Unknown => vec![symbol.address()],
                _ => continue,
            };
            let place = |offset| -> Result<_, Error> {
                Ok(Place {
                    section: SectionIndex(u32::try_from(section.index().0)?),
                    offset,
                })
            };
            // The instruction with the patched bytes is the last that starts before them.
            let start = offset.saturating_sub(if executable { 14 } else { 0 });
            let found = references
                .within(place(start)?, offset + 1 - start)
                .last()
                .ok_or_else(|| {
                    format!("{}+{offset:#x} is missing", section.name().unwrap_or("?"))
                })?;
            let to = found.to();
            assert_eq!(usize::try_from(to.section.0)?, target.0, "{found:x?}");
            assert!(
                expected.contains(&to.offset),
                "{found:x?}, expected {expected:x?}"
            );
            assert_eq!(found.certainty(), Certainty::Exact, "{found:x?}");
            if executable {
                assert_ne!(found.kind(), ReferenceKind::Operand, "{found:x?}");
                in_code += 1;
            } else {
                assert_eq!(found.kind(), ReferenceKind::Pointer);
                in_data += 1;
            }
        }
    }
    Ok((in_code, in_data))
}

/// The addend that stands at the patched place.
fn implicit(section: &object::Section<'_, '_>, offset: u64) -> Result<i64, Error> {
    let at = usize::try_from(offset)?;
    let bytes = section.data()?.get(at..at + 4).ok_or("it is inside")?;
    Ok(i32::from_le_bytes(bytes.try_into()?).into())
}

#[test]
fn rust_object() -> Result<(), Error> {
    let flags = ["-Copt-level=3", "--emit=obj", "-Ccodegen-units=1"];
    let (in_code, in_data) = judge(&Program::build(Language::Rust, &flags)?.read()?)?;
    assert!(in_code > 100, "{in_code}");
    assert!(in_data > 30, "{in_data}");
    Ok(())
}

#[test]
fn c_object() -> Result<(), Error> {
    let (in_code, in_data) = judge(&Program::build(Language::C, &["-O2", "-c", "-fPIC"])?.read()?)?;
    assert!(in_code > 20, "{in_code}");
    assert!(in_data > 5, "{in_data}");
    Ok(())
}

#[test]
fn c_object_at_a_fixed_address() -> Result<(), Error> {
    let (in_code, _) = judge(&Program::build(Language::C, &["-O2", "-c", "-fno-pic"])?.read()?)?;
    assert!(in_code > 20, "{in_code}");
    Ok(())
}

#[test]
#[cfg(target_arch = "x86_64")]
fn c_object_of_32_bit() -> Result<(), Error> {
    let flags = ["-m32", "-O2", "-c", "-fno-pic"];
    let (in_code, in_data) = judge(&Program::build(Language::FreestandingC, &flags)?.read()?)?;
    assert!(in_code >= 8, "{in_code}");
    assert!(in_data >= 3, "{in_data}");
    Ok(())
}
