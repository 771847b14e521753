//! Links that are caught and run again, judged by what cargo's own link gave.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use whittle_cargo::{
    ArtifactKind, CapturedLink, Cargo, CargoError, Helper, LinkChange, LinkError, NotCaptured,
    Relinked, Selection, Settings, Variant, VariantBuilder,
};

use crate::project::{Project, Result, artifact, manifest, note, state};

fn helper() -> Helper {
    Helper::at(env!("CARGO_BIN_EXE_whittle-helper"))
}

/// A program with a dependency, some functions that are equal, and tables that need relocations.
fn project() -> Result<Project> {
    Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "app",
                "[dependencies]\ndep = { path = \"dep\" }\n[workspace]\n",
            ),
        ),
        (
            "src/main.rs",
            "#[inline(never)] fn one(x: &[u16]) -> String { format!(\"{:?}\", x.iter().map(|x| x.wrapping_mul(3)).collect::<Vec<_>>()) }\n\
             #[inline(never)] fn two(x: &[i16]) -> String { format!(\"{:?}\", x.iter().map(|x| x.wrapping_mul(3)).collect::<Vec<_>>()) }\n\
             fn main() { println!(\"{} {} {}\", one(&[1, 2]), two(&[3]), dep::name(std::env::args().count())); }\n",
        ),
        ("dep/Cargo.toml", &manifest("dep", "")),
        (
            "dep/src/lib.rs",
            "static NAMES: [&str; 8] = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\"];\n\
             pub fn name(index: usize) -> &'static str { NAMES[index % NAMES.len()] }\n",
        ),
    ])
}

const SAID: &str = "[3, 6] [9] b\n";

fn builder(project: &Project, cargo: &Cargo, selection: &Selection) -> Result<VariantBuilder> {
    let build = cargo.build(selection, &mut |_| ())?;
    let app = artifact(&build, ArtifactKind::Bin, "app")?;
    assert!(app.path.starts_with(project.path("")));
    Ok(cargo.variants(selection, &build, app, &mut |_| ())?)
}

fn capture(
    project: &Project,
    builder: &VariantBuilder,
    settings: &Settings,
) -> Result<(CapturedLink, Variant)> {
    let mut said = String::new();
    let folder = project.path("target/captured");
    builder
        .capture(settings, &folder, &mut |event| note(&mut said, &event))
        .map_err(|error| format!("{error}\n{said}").into())
}

fn relink(project: &Project, link: &CapturedLink, change: &LinkChange) -> Result<Relinked> {
    let output = project.path("target/relinked");
    match link.relink(&helper(), change, &output, Some(Duration::from_secs(60))) {
        Err(LinkError::Refused { said, .. }) => Err(said.into()),
        other => Ok(other?),
    }
}

fn add(args: &[&str]) -> LinkChange {
    LinkChange {
        add: args.iter().map(|arg| (*arg).to_owned()).collect(),
        ..LinkChange::default()
    }
}

fn unstripped() -> Settings {
    Settings {
        last_crate: vec!["-Cstrip=none".to_owned()],
        ..Settings::default()
    }
}

fn runs(program: &Path) -> Result<String> {
    let output = Command::new(program).output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// What is loaded, but for the build id, which is a hash of everything else.
fn loaded(bytes: &[u8]) -> Result<BTreeMap<String, (u64, Vec<u8>)>> {
    let file = object::File::parse(bytes)?;
    let mut sections = BTreeMap::new();
    for section in file.sections().filter(|section| section.address() != 0) {
        let name = section.name()?.to_owned();
        if name != ".note.gnu.build-id" {
            sections.insert(name, (section.address(), section.data()?.to_vec()));
        }
    }
    Ok(sections)
}

fn differing(one: &[u8], other: &[u8]) -> usize {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).filter(|(a, b)| a != b).count()
}

#[test]
fn a_link_without_change_gives_cargos_own_file() -> Result {
    let project = project()?;
    let builder = builder(&project, &project.cargo(), &Selection::default())?;
    let plain = builder.build(&unstripped(), &project.path("target/plain"), &mut |_| ())?;
    let plain = fs::read(plain.path)?;
    let (link, variant) = capture(&project, &builder, &unstripped())?;
    assert_eq!(variant.compiled.len(), 1, "{variant:?}");
    let caught = fs::read(&variant.path)?;
    // The flag that names the linker is no part of what is compiled.
    assert_eq!(loaded(&caught)?, loaded(&plain)?);

    let again = relink(&project, &link, &LinkChange::default())?;
    let again_bytes = fs::read(&again.path)?;
    assert!(
        differing(&again_bytes, &caught) <= 20,
        "more than a build id"
    );
    assert_eq!(loaded(&again_bytes)?, loaded(&caught)?);
    assert_eq!(runs(&again.path)?, SAID);

    // As cargo strips by itself.
    let stripped = Settings {
        last_crate: vec!["-Cstrip=symbols".to_owned()],
        ..Settings::default()
    };
    let cargos = builder.build(&stripped, &project.path("target/plain"), &mut |_| ())?;
    let ours = relink(&project, &link, &add(&["-Wl,--strip-all"]))?;
    assert!(differing(&fs::read(ours.path)?, &fs::read(cargos.path)?) <= 20);
    Ok(())
}

#[test]
fn a_captured_link_needs_nothing_of_the_build_any_more() -> Result {
    let project = project()?;
    let builder = builder(&project, &project.cargo(), &Selection::default())?;
    let (link, variant) = capture(&project, &builder, &unstripped())?;
    let caught = fs::read(&variant.path)?;
    fs::remove_dir_all(builder.target_directory())?;
    let reopened = CapturedLink::open(link.folder())?;
    assert_eq!(reopened, link);
    let again = relink(&project, &reopened, &LinkChange::default())?;
    assert!(differing(&fs::read(again.path)?, &caught) <= 20);

    // And is caught again, although cargo built the same before.
    fs::remove_dir_all(link.folder())?;
    for _ in 0..2 {
        let (link, variant) = capture(&project, &builder, &unstripped())?;
        assert_eq!(fs::read(&variant.path)?.len(), caught.len());
        relink(&project, &link, &LinkChange::default())?;
    }
    Ok(())
}

#[test]
fn arguments_of_the_linker_can_be_added_and_removed() -> Result {
    let project = project()?;
    let builder = builder(&project, &project.cargo(), &Selection::default())?;
    let (link, _) = capture(&project, &builder, &unstripped())?;
    let len = |change: &LinkChange| -> Result<u64> {
        let relinked = relink(&project, &link, change)?;
        assert_eq!(runs(&relinked.path)?, SAID, "{change:?}");
        Ok(fs::metadata(relinked.path)?.len())
    };
    let base = len(&add(&["-Wl,--strip-all"]))?;
    let packed = len(&add(&["-Wl,--strip-all", "-Wl,-z,pack-relative-relocs"]))?;
    assert!(packed < base, "{packed} {base}");
    let bytes = fs::read(project.path("target/relinked"))?;
    let file = object::File::parse(&*bytes)?;
    assert!(file.section_by_name(".relr.dyn").is_some());

    let uses_lld = link.args().iter().any(|arg| arg == "-fuse-ld=lld");
    let host = project.cargo().toolchain(&mut |_| ())?.host;
    // Since 1.90 the compiler's own linker is the default here; giving it a linker must not change that.
    assert_eq!(uses_lld, host == "x86_64-unknown-linux-gnu");
    if uses_lld {
        let folded = len(&add(&["-Wl,--strip-all", "-Wl,--icf=all"]))?;
        assert!(folded < base, "{folded} {base}");
        let gnu = LinkChange {
            remove: vec!["-fuse-ld=lld".to_owned()],
            ..add(&["-fuse-ld=bfd"])
        };
        len(&gnu)?;
        let bytes = fs::read(project.path("target/relinked"))?;
        let file = object::File::parse(&*bytes)?;
        let comment = file
            .section_by_name(".comment")
            .ok_or("no compiler says so")?;
        assert!(!String::from_utf8_lossy(comment.data()?).contains("LLD"));
    }

    // A map, for whoever explains the file.
    let map = project.path("target/the map");
    let change = add(&["-Xlinker", &format!("-Map={}", map.display())]);
    relink(&project, &link, &change)?;
    assert!(fs::read_to_string(map)?.contains(".text"));
    Ok(())
}

#[test]
fn what_does_not_link_is_an_error_and_leaves_what_was_there() -> Result {
    let project = project()?;
    let builder = builder(&project, &project.cargo(), &Selection::default())?;
    let (link, _) = capture(&project, &builder, &unstripped())?;
    let output = project.path("target/relinked");
    fs::write(&output, "before")?;
    let refused = |change: &LinkChange| {
        let error = link.relink(&helper(), change, &output, None);
        error.err().ok_or("it links")
    };
    let error = refused(&add(&["-Wl,--no-such-argument"]))?;
    assert!(
        matches!(&error, LinkError::Refused { said, .. } if said.contains("no-such-argument")),
        "{error:?}"
    );
    let error = refused(&add(&["-fuse-ld=no-such-linker"]))?;
    assert!(matches!(error, LinkError::Refused { .. }), "{error:?}");
    let missing = LinkChange {
        program: Some("no-such-compiler".into()),
        ..LinkChange::default()
    };
    let error = refused(&missing)?;
    assert_eq!(error.to_string(), "cannot run `no-such-compiler`");
    let silent = LinkChange {
        program: Some("true".into()),
        ..LinkChange::default()
    };
    assert!(matches!(
        refused(&silent)?,
        LinkError::NothingWritten { .. }
    ));
    assert_eq!(fs::read(&output)?, b"before");
    let left: Vec<_> = fs::read_dir(project.path("target"))?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<std::io::Result<_>>()?;
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with(".tmp")),
        "{left:?}"
    );

    assert!(CapturedLink::open(&project.path("target")).is_err());
    Ok(())
}

#[test]
fn the_users_own_linker_is_the_one_that_links() -> Result {
    use std::os::unix::fs::PermissionsExt as _;
    let project = project()?;
    let log = project.path("target/log");
    project.write(
        "tools/my-gcc",
        &format!(
            "#!/bin/sh\necho \"$0\" >> '{}'\nexec cc \"$@\"\n",
            log.display()
        ),
    )?;
    let tool = project.path("tools/my-gcc");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755))?;
    project.write(
        ".cargo/config.toml",
        &format!("[target.'cfg(unix)']\nlinker = {tool:?}\n"),
    )?;
    let users = project.build(&Selection::default())?.artifacts[0]
        .path
        .clone();
    let before = state(&users)?;
    let builder = builder(&project, &project.cargo(), &Selection::default())?;
    fs::remove_file(&log)?;
    let (link, variant) = capture(&project, &builder, &unstripped())?;
    assert_eq!(link.program(), tool.as_os_str());
    let caught = fs::read(&variant.path)?;
    // Once for the capture.
    assert_eq!(fs::read_to_string(&log)?.lines().count(), 1);
    let again = relink(&project, &link, &LinkChange::default())?;
    assert!(differing(&fs::read(again.path)?, &caught) <= 20);
    assert_eq!(fs::read_to_string(&log)?.lines().count(), 2);
    assert_eq!(state(&users)?, before);
    assert_eq!(project.stale(&["--release"])?, [""; 0]);
    Ok(())
}

#[test]
fn a_dynamic_library_keeps_its_exports() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "plug",
                "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n[workspace]\n",
            ),
        ),
        (
            "src/lib.rs",
            "#[unsafe(no_mangle)] pub extern \"C\" fn entry() -> u32 { 7 }\n",
        ),
    ])?;
    let cargo = project.cargo();
    let selection = Selection::default();
    let build = cargo.build(&selection, &mut |_| ())?;
    let library = artifact(&build, ArtifactKind::Cdylib, "plug")?;
    let builder = cargo.variants(&selection, &build, library, &mut |_| ())?;
    let (link, variant) = capture(&project, &builder, &Settings::default())?;
    fs::remove_dir_all(builder.target_directory())?;
    let again = relink(&project, &link, &LinkChange::default())?;
    let bytes = fs::read(&again.path)?;
    let file = object::File::parse(&*bytes)?;
    // By the list that rustc writes into a temporary folder.
    let exports: Vec<_> = file
        .dynamic_symbols()
        .filter(object::ObjectSymbol::is_definition)
        .map(|symbol| symbol.name().map(ToOwned::to_owned))
        .collect::<object::Result<_>>()?;
    assert_eq!(exports, ["entry"]);
    assert!(differing(&bytes, &fs::read(&variant.path)?) <= 20);
    Ok(())
}

#[test]
fn targets_without_elf_are_refused_at_once() -> Result {
    let project = project()?;
    let cargo = project.cargo();
    let selection = Selection::default();
    let mut build = cargo.build(&selection, &mut |_| ())?;
    build.record.target = "aarch64-apple-darwin".to_owned();
    let builder = cargo.variants(&selection, &build, &build.artifacts[0], &mut |_| ())?;
    let error = builder.capture(
        &Settings::default(),
        &project.path("target/captured"),
        &mut |_| (),
    );
    assert!(
        matches!(
            error,
            Err(CargoError::NotCaptured {
                why: NotCaptured::OtherFormat,
                ..
            })
        ),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn a_captured_link_tells_the_profile_that_the_manifest_names() -> Result {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest(
                "tool",
                "[workspace]\n[profile.small]\ninherits = \"release\"\nopt-level = \"s\"\nlto = true\npanic = \"abort\"\n\
                 codegen-units = 1\nstrip = \"symbols\"\noverflow-checks = true\n",
            ),
        ),
        ("src/main.rs", "fn main() {}\n"),
    ])?;
    let cargo = project.cargo();
    let selection = Selection {
        profile: "small".to_owned(),
        ..Selection::default()
    };
    let build = cargo.build(&selection, &mut |_| ())?;
    let builder = cargo.variants(&selection, &build, &build.artifacts[0], &mut |_| ())?;
    let ours = Settings {
        last_crate: vec!["-Cstrip=none".to_owned()],
        ..Settings::default()
    };
    let (link, _) = capture(&project, &builder, &ours)?;
    let profile = link.profile(&ours)?;
    assert_eq!(profile.opt_level, "s");
    assert_eq!(profile.lto, "fat");
    assert_eq!(profile.codegen_units, 1);
    assert_eq!(profile.panic, "abort");
    assert_eq!(profile.strip, "symbols");
    assert!(profile.overflow_checks && !profile.debug && !profile.debug_assertions);
    Ok(())
}
