//! Changing several files, each in one step, and all or none as far as the system lets us.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::EditError;

/// What names of files begin with that are not yet in their place.
const UNFINISHED: &str = ".whittle-";

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// The file.
    pub path: PathBuf,
    /// What is in it; `None` if it is not there.
    pub before: Option<String>,
    /// What will be in it; `None` if it will not be there.
    pub after: Option<String>,
}

/// Makes all changes, in order. If one fails, those before it are made undone.
pub(super) fn write_all(files: &[FileEdit]) -> Result<(), EditError> {
    for file in files {
        if read(&file.path)? != file.before {
            return Err(EditError::Changed {
                path: file.path.clone(),
            });
        }
    }
    for (index, file) in files.iter().enumerate() {
        if let Err(error) = write(&file.path, file.after.as_deref()) {
            for done in files.iter().take(index).rev() {
                // The first error is the one to report.
                let _ = write(&done.path, done.before.as_deref());
            }
            return Err(EditError::io("write", &file.path)(error));
        }
    }
    Ok(())
}

/// Removes what a process that was killed while it wrote has left in a folder.
pub(super) fn clear(folder: &Path) {
    // A folder that cannot be read has nothing of ours, and what cannot be removed does no harm.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// `None` if the file is not there.
pub(super) fn read(path: &Path) -> Result<Option<String>, EditError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EditError::io("read", path)(error)),
    }
}

fn write(path: &Path, text: Option<&str>) -> io::Result<()> {
    let Some(text) = text else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    // A link stays a link: the file behind it is what changes.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // What the system makes of it for a new file is the user's wish.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(&path) {
        // A file that the user has made unwritable is not to be replaced behind their back.
        fs::File::options().write(true).open(&path)?;
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}
