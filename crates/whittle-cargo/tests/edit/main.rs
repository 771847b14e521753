//! Settings written into files and taken back: trees before (`cases/NAME/in`) and after (`cases/NAME/out`), written by
//! hand.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use whittle_cargo::{Edit, EditError, EditRequest, SettingValue, Settings, Undo};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;
type Tree = BTreeMap<PathBuf, String>;

const RECORD: &str = ".cargo/whittle-undo.json";

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit/cases")
}

fn tree(root: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path)?;
                tree.insert(path.strip_prefix(root)?.to_owned(), text);
            }
        }
    }
    Ok(tree)
}

fn folder(tree: &Tree) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, text) in tree {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().ok_or("it is in the folder")?)?;
        fs::write(path, text)?;
    }
    Ok(folder)
}

fn one_file(name: &str, text: &str) -> Tree {
    Tree::from([(name.into(), text.to_owned())])
}

fn keys(keys: &[(&str, SettingValue)]) -> BTreeMap<String, SettingValue> {
    keys.iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

fn settings() -> Settings {
    Settings {
        profile: keys(&[
            ("opt-level", "s".into()),
            ("lto", "fat".into()),
            ("codegen-units", 1.into()),
        ]),
        packages: [("hot".to_owned(), keys(&[("opt-level", 3.into())]))].into(),
        link_args: vec!["-Wl,--icf=all".to_owned(), "-Wl,-O2".to_owned()],
        ..Settings::default()
    }
}

fn request<'a>(root: &'a Path, settings: &'a Settings) -> EditRequest<'a> {
    EditRequest {
        root,
        profile: "release",
        into_profile: None,
        settings,
        target: "x86_64-unknown-linux-gnu",
        shadowed_flags: &[],
    }
}

fn undo(root: &Path) -> Result<Vec<String>> {
    let undo = Undo::plan(root)?.ok_or("nothing to take back")?;
    undo.apply()?;
    Ok(undo.kept.into_iter().map(|(_, key)| key).collect())
}

#[test]
fn every_tree_becomes_the_other_and_back() -> Result {
    let mut names: Vec<_> = fs::read_dir(cases())?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    assert_eq!(names.len(), 6);
    for name in names {
        let before = tree(&cases().join(&name).join("in"))?;
        let wanted = tree(&cases().join(&name).join("out"))?;
        let folder = folder(&before)?;
        let settings = settings();
        let shadowed = ["--cfg".to_owned(), "tracing".to_owned()];
        let request = EditRequest {
            into_profile: (name == "into-a-profile-of-its-own").then_some("small"),
            shadowed_flags: if name == "flags-that-would-be-shadowed" {
                &shadowed
            } else {
                &[]
            },
            ..request(folder.path(), &settings)
        };
        let edit = Edit::plan(&request)?;
        assert_eq!(
            tree(folder.path())?,
            before,
            "{name}: a plan writes nothing"
        );
        edit.apply()?;
        let mut after = tree(folder.path())?;
        assert!(after.remove(Path::new(RECORD)).is_some(), "{name}");
        assert_eq!(after, wanted, "{name}");

        assert_eq!(undo(folder.path())?, [""; 0], "{name}");
        assert_eq!(tree(folder.path())?, before, "{name}");
        let had_folder = before.keys().any(|path| path.starts_with(".cargo"));
        assert_eq!(folder.path().join(".cargo").exists(), had_folder, "{name}");
        assert_eq!(Undo::plan(folder.path())?, None, "{name}");
    }
    Ok(())
}

#[test]
fn what_is_written_already_is_no_edit() -> Result {
    let tree_before = one_file("Cargo.toml", "[profile.release]\nopt-level = 's'\n");
    let folder = folder(&tree_before)?;
    let settings = Settings {
        profile: keys(&[("opt-level", "s".into())]),
        ..Settings::default()
    };
    let edit = Edit::plan(&request(folder.path(), &settings))?;
    assert_eq!(edit.files, []);
    edit.apply()?;
    assert_eq!(tree(folder.path())?, tree_before);
    Ok(())
}

#[test]
fn keys_that_somebody_changed_since_stay_and_are_named() -> Result {
    let folder = folder(&one_file(
        "Cargo.toml",
        "[profile.release]\nopt-level = 3\nlto = false\n",
    ))?;
    Edit::plan(&request(folder.path(), &settings()))?.apply()?;
    let manifest = folder.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let text = text
        .replace("opt-level = \"s\"", "opt-level = 2")
        .replace("codegen-units = 1\n", "")
        // Back by hand already.
        .replace("lto = \"fat\"", "lto = false");
    fs::write(&manifest, text)?;
    let config = folder.path().join(".cargo/config.toml");
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text.replace("-O2\"]", "-O2\", \"-Cown\"]"))?;

    assert_eq!(undo(folder.path())?, ["profile.release.opt-level"]);
    assert_eq!(
        fs::read_to_string(&manifest)?,
        "[profile.release]\nopt-level = 2\nlto = false\n"
    );
    // A flag that was added to ours is not ours.
    assert_eq!(
        fs::read_to_string(&config)?,
        "[target.x86_64-unknown-linux-gnu]\nrustflags = [\"-Cown\"]\n"
    );
    Ok(())
}

#[test]
fn edits_are_taken_back_one_by_one() -> Result {
    let first = one_file("Cargo.toml", "[package]\nname = \"app\"\n");
    let folder = folder(&first)?;
    Edit::plan(&request(folder.path(), &settings()))?.apply()?;
    let second = tree(folder.path())?;
    let more = Settings {
        profile: keys(&[("opt-level", "z".into()), ("strip", true.into())]),
        link_args: vec!["-Wl,-z,pack-relative-relocs".to_owned()],
        ..Settings::default()
    };
    Edit::plan(&request(folder.path(), &more))?.apply()?;
    let config = fs::read_to_string(folder.path().join(".cargo/config.toml"))?;
    assert!(
        config.contains("-O2\", \"-Clink-arg=-Wl,-z,pack"),
        "{config}"
    );
    assert_eq!(undo(folder.path())?, [""; 0]);
    assert_eq!(tree(folder.path())?, second);
    assert_eq!(undo(folder.path())?, [""; 0]);
    assert_eq!(tree(folder.path())?, first);
    Ok(())
}

#[test]
fn what_no_file_can_hold_is_refused() -> Result {
    let folder = folder(&one_file("Cargo.toml", ""))?;
    for settings in [
        Settings {
            last_crate: vec!["-Cstrip=none".to_owned()],
            ..Settings::default()
        },
        Settings {
            bootstrap: true,
            ..Settings::default()
        },
    ] {
        let error = Edit::plan(&request(folder.path(), &settings));
        assert!(
            matches!(error, Err(EditError::NotPersistent { .. })),
            "{error:?}"
        );
    }
    Ok(())
}

#[test]
fn files_that_say_something_else_are_refused() -> Result {
    for (text, key) in [
        ("profile = 3\n", "profile.release.codegen-units"),
        ("[[profile]]\n", "profile.release.codegen-units"),
        ("[profile.release]\nlto = { a = 1 }\n", ""),
        ("[profile.release.opt-level]\n", "profile.release.opt-level"),
    ] {
        let folder = folder(&one_file("Cargo.toml", text))?;
        match Edit::plan(&request(folder.path(), &settings())) {
            // An inline table is a value, and cargo's to refuse.
            Ok(_) => assert_eq!(key, "", "{text}"),
            Err(EditError::Shape { key: named, .. }) => assert_eq!(named, key, "{text}"),
            Err(error) => return Err(error.into()),
        }
    }
    let broken = folder(&one_file("Cargo.toml", "[profile.release\n"))?;
    let error = Edit::plan(&request(broken.path(), &settings()));
    assert!(matches!(error, Err(EditError::Syntax { .. })), "{error:?}");

    let other = folder(&one_file(
        "Cargo.toml",
        "[profile.small]\ninherits = \"dev\"\n",
    ))?;
    let settings = settings();
    let error = Edit::plan(&EditRequest {
        into_profile: Some("small"),
        ..request(other.path(), &settings)
    });
    assert!(
        matches!(error, Err(EditError::OtherProfile { .. })),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn a_file_that_changed_after_the_plan_is_left_alone() -> Result {
    let folder = folder(&one_file("Cargo.toml", "[package]\nname = \"app\"\n"))?;
    let edit = Edit::plan(&request(folder.path(), &settings()))?;
    let edited = one_file("Cargo.toml", "[package]\nname = \"other\"\n");
    fs::write(
        folder.path().join("Cargo.toml"),
        &edited[Path::new("Cargo.toml")],
    )?;
    let error = edit.apply();
    assert!(matches!(error, Err(EditError::Changed { .. })), "{error:?}");
    assert_eq!(tree(folder.path())?, edited);
    Ok(())
}

#[test]
fn what_a_killed_edit_has_left_goes_with_the_next() -> Result {
    let before = one_file("Cargo.toml", "[package]\nname = \"a\"\n");
    let folder = folder(&before)?;
    let settings = settings();
    Edit::plan(&request(folder.path(), &settings))?.apply()?;
    // Killed between a file and its place.
    fs::write(folder.path().join(".cargo/.whittle-x1"), "half")?;
    fs::write(folder.path().join(".whittle-x2"), "half")?;
    undo(folder.path())?;
    assert!(!folder.path().join(".whittle-x2").exists());
    assert!(!folder.path().join(".cargo/.whittle-x1").exists());
    Ok(())
}

#[test]
fn if_one_file_cannot_be_written_none_is() -> Result {
    let before = Tree::from([
        (
            "Cargo.toml".into(),
            "[package]\nname = \"app\"\n".to_owned(),
        ),
        // Not a folder, so that nothing can be put into it; found out only when it is tried.
        (".cargo/whittle-undo.json/x".into(), String::new()),
    ]);
    let folder = folder(&before)?;
    let error = Edit::plan(&request(folder.path(), &settings())).and_then(|edit| edit.apply());
    assert!(matches!(error, Err(EditError::Io { .. })), "{error:?}");
    assert_eq!(tree(folder.path())?, before);
    Ok(())
}

#[test]
fn a_record_that_cannot_be_read_is_not_written_over() -> Result {
    for text in [
        "",
        "{}",
        "{\"format\":\"cargo-whittle/undo\",\"version\":99,\"edits\":[]}",
    ] {
        let before = Tree::from([
            ("Cargo.toml".into(), String::new()),
            (RECORD.into(), text.to_owned()),
        ]);
        let folder = folder(&before)?;
        let error = Edit::plan(&request(folder.path(), &settings()))?.apply();
        assert!(matches!(error, Err(EditError::Io { .. })), "{error:?}");
        assert!(Undo::plan(folder.path()).is_err());
        assert_eq!(tree(folder.path())?, before);
    }
    Ok(())
}

#[test]
#[cfg(unix)]
fn links_and_permissions_stay() -> Result {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&one_file("real/manifest", "[package]\nname = \"app\"\n"))?;
    let real = folder.path().join("real/manifest");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640))?;
    let manifest = folder.path().join("Cargo.toml");
    std::os::unix::fs::symlink("real/manifest", &manifest)?;
    Edit::plan(&request(folder.path(), &settings()))?.apply()?;
    assert!(fs::symlink_metadata(&manifest)?.is_symlink());
    assert_eq!(fs::metadata(&real)?.permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&real)?.contains("[profile.release]"));
    Ok(())
}
