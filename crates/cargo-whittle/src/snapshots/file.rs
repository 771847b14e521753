//! Snapshots in files: JSON, compressed by gzip unless the file's name ends in `.json`.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use whittle_ledger::{Snapshot, SnapshotError};

use crate::trouble::{Outcome, Trouble};

/// More than the snapshot of any program takes; a few bytes can expand to any number.
const LONGEST: u64 = 1 << 30;

/// RFC 1952, 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Whether bytes are those of a snapshot, readable or not.
pub(crate) fn is_snapshot(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || Snapshot::is_one(bytes)
}

/// Reads a snapshot.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Outcome<Snapshot> {
    let what = || format!("cannot read the snapshot `{}`", path.display());
    let mut text = Vec::new();
    let bytes = if bytes.starts_with(&GZIP) {
        GzDecoder::new(bytes)
            .take(LONGEST + 1)
            .read_to_end(&mut text)
            .with_context(what)
            .map_err(Trouble::plain)?;
        if u64::try_from(text.len()).is_ok_and(|len| len > LONGEST) {
            return Err(Trouble::plain(
                anyhow!("it expands to more than {LONGEST} bytes").context(what()),
            ));
        }
        &text
    } else {
        bytes
    };
    Snapshot::read(bytes).map_err(|error| {
        let help = match error {
            SnapshotError::Newer { .. } => {
                "use the version of cargo-whittle that wrote it, or a later one"
            }
            _ => "write it anew: `cargo whittle explain --save PATH`",
        };
        Trouble::new(anyhow::Error::from(error).context(what()), help)
    })
}

/// A new file with the permissions that any new file gets: others are to read a baseline as well.
fn beside(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a snapshot; the file appears when it is complete.
pub(crate) fn write(path: &Path, snapshot: &Snapshot) -> Outcome<()> {
    let text = snapshot.write();
    let is_plain = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let compress = || -> std::io::Result<Vec<u8>> {
        // The header holds neither time nor name: equal snapshots are equal files.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&text)?;
        encoder.finish()
    };
    let what = || format!("cannot write `{}`", path.display());
    let bytes = if is_plain {
        text
    } else {
        compress().with_context(what).map_err(Trouble::plain)?
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let put = || -> std::io::Result<()> {
        let mut file = beside(folder)?;
        file.write_all(&bytes)?;
        file.persist(path)?;
        Ok(())
    };
    put().with_context(what).map_err(Trouble::plain)
}
