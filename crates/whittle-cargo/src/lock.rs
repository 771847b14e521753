//! One process of this tool at a time in a target directory: two twins in one place would save each other as the
//! original.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::CargoError;
use crate::event::{Event, Events};

/// Held until it is dropped; the system lets go of it too when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until the lock of a folder is free. The folder is created.
    pub(crate) fn acquire(folder: &Path, events: &mut Events<'_>) -> Result<Self, CargoError> {
        fs::create_dir_all(folder).map_err(CargoError::io("create", folder))?;
        let path = folder.join(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(CargoError::io("open", &path))?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                events(Event::Waiting { lock: &path });
                fs4::FileExt::lock(&file).map_err(CargoError::io("lock", &path))?;
            }
            // Network file systems without locks exist; cargo goes on there as well.
            Err(fs4::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(fs4::TryLockError::Error(error)) => {
                return Err(CargoError::io("lock", &path)(error));
            }
        }
        Ok(Self { _file: file })
    }
}
