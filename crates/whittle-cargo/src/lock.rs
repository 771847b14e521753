//! One process of this tool at a time in a target directory: two twins in one place would save each other as the
//! original.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::CargoError;
use crate::event::{Event, Events};

/// Held until it is dropped; the system lets go of it too when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until the lock of a folder is free. The folder is created.
    ///
    /// # Errors
    /// [`CargoError::Io`] if the folder or the lock's file in it cannot be made.
    pub fn acquire(folder: &Path, events: &mut Events<'_>) -> Result<Self, CargoError> {
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

/// How many bytes more can be written where a folder is; `None` if the system does not say.
#[must_use]
pub fn free_space(folder: &Path) -> Option<u64> {
    fs4::available_space(folder).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn the_second_waits_for_the_first_and_says_so() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let place = folder.path().join("whittle");
        let first = Lock::acquire(&place, &mut |event| {
            panic!("nobody else is there: {event:?}")
        })?;
        let (sender, receiver) = channel();
        let second = thread::spawn(move || {
            let told = sender.clone();
            let lock = Lock::acquire(&place, &mut |event| {
                let is_waiting = matches!(event, Event::Waiting { .. });
                told.send(if is_waiting { "waiting" } else { "other" })
                    .expect("the test listens");
            });
            sender.send("acquired").expect("the test listens");
            lock.map(|_| ())
        });
        assert_eq!(receiver.recv()?, "waiting");
        assert!(receiver.try_recv().is_err(), "the lock was taken twice");
        drop(first);
        assert_eq!(receiver.recv()?, "acquired");
        second.join().expect("no panic there")?;
        Ok(())
    }
}
