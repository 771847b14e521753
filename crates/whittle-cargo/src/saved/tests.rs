use super::*;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A folder with the files `linked` and `copied`, both saved, and where they are saved to.
fn saved() -> Result<(tempfile::TempDir, PathBuf, SavedFiles)> {
    let folder = tempfile::tempdir()?;
    let files = [
        ("linked", Keep::Link),
        ("copied", Keep::Copy),
        ("not-there", Keep::Link),
    ]
    .map(|(name, keep)| (folder.path().join(name), keep));
    for (path, _) in &files[..2] {
        fs::write(path, "original")?;
        let long_ago =
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        File::options()
            .write(true)
            .open(path)?
            .set_modified(long_ago)?;
    }
    let saved_folder = folder.path().join("saved");
    let saved = SavedFiles::save(&saved_folder, files)?;
    Ok((folder, saved_folder, saved))
}

/// As a linker that removes its output first, and as cargo that writes over its own files.
fn overwrite(folder: &Path) -> io::Result<()> {
    fs::remove_file(folder.join("linked"))?;
    fs::write(folder.join("linked"), "a twin")?;
    fs::write(folder.join("copied"), "a twin")
}

fn is_original(folder: &Path) -> Result<bool> {
    for name in ["linked", "copied"] {
        let path = folder.join(name);
        let age = fs::metadata(&path)?
            .modified()?
            .duration_since(std::time::SystemTime::UNIX_EPOCH)?;
        if fs::read(&path)? != b"original" || age.as_secs() != 1_000_000 {
            return Ok(false);
        }
    }
    Ok(true)
}

#[test]
fn changed_files_come_back_with_their_time() -> Result {
    let (folder, saved_folder, saved) = saved()?;
    overwrite(folder.path())?;
    assert!(!is_original(folder.path())?);
    assert_eq!(
        saved.restore()?,
        ["linked", "copied"].map(|name| folder.path().join(name))
    );
    assert!(is_original(folder.path())?);
    assert!(!saved_folder.exists());
    assert!(!folder.path().join("not-there").exists());
    Ok(())
}

#[test]
fn unchanged_files_are_left_alone() -> Result {
    let (folder, _, saved) = saved()?;
    let before = FileStamp::of(&folder.path().join("linked"))?;
    assert_eq!(saved.restore()?, [] as [PathBuf; 0]);
    assert_eq!(FileStamp::of(&folder.path().join("linked"))?, before);
    Ok(())
}

#[test]
fn removed_files_come_back() -> Result {
    let (folder, _, saved) = saved()?;
    fs::remove_file(folder.path().join("linked"))?;
    fs::remove_file(folder.path().join("copied"))?;
    assert_eq!(saved.restore()?.len(), 2);
    assert!(is_original(folder.path())?);
    Ok(())
}

#[test]
fn dropping_puts_back_as_well() -> Result {
    let (folder, saved_folder, saved) = saved()?;
    overwrite(folder.path())?;
    drop(saved);
    assert!(is_original(folder.path())?);
    assert!(!saved_folder.exists());
    Ok(())
}

#[test]
fn what_a_dead_process_saved_is_put_back_once() -> Result {
    let (folder, saved_folder, saved) = saved()?;
    std::mem::forget(saved);
    overwrite(folder.path())?;
    let mut restored = Vec::new();
    let mut note = |event: Event<'_>| {
        if let Event::Restored { path } = event {
            restored.push(path.to_owned());
        }
    };
    recover(&saved_folder, &mut note)?;
    recover(&saved_folder, &mut note)?;
    assert_eq!(
        restored,
        ["linked", "copied"].map(|name| folder.path().join(name))
    );
    assert!(is_original(folder.path())?);
    Ok(())
}

#[test]
fn a_saved_file_that_is_gone_does_not_stop_the_others() -> Result {
    let (folder, saved_folder, saved) = saved()?;
    std::mem::forget(saved);
    overwrite(folder.path())?;
    fs::remove_file(slot(&saved_folder, 0))?;
    recover(&saved_folder, &mut |_| ())?;
    assert_eq!(fs::read(folder.path().join("linked"))?, b"a twin");
    assert_eq!(fs::read(folder.path().join("copied"))?, b"original");
    Ok(())
}

#[test]
fn a_journal_of_another_version_is_not_obeyed() -> Result {
    let (folder, saved_folder, saved) = saved()?;
    std::mem::forget(saved);
    overwrite(folder.path())?;
    let journal = fs::read_to_string(saved_folder.join(JOURNAL))?;
    fs::write(
        saved_folder.join(JOURNAL),
        journal.replace("\"version\":1", "\"version\":2"),
    )?;
    recover(&saved_folder, &mut |_| ())?;
    assert_eq!(fs::read(folder.path().join("linked"))?, b"a twin");
    assert!(!saved_folder.exists());
    Ok(())
}
