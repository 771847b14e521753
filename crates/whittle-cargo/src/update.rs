//! Another version of one dependency, in the lock file of a workspace that is not the user's own.

use std::ffi::OsString;

use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::{Events, Step};
use crate::selection::Selection;

impl Cargo {
    /// Has the lock file of the selection's workspace name another version of a package, by `cargo update --precise`.
    /// `package` is a package id specification: `regex`, or `regex@1.10.0` where several versions are locked.
    ///
    /// # Errors
    /// [`CargoError::Failed`] if there is no such package or version, or a manifest does not allow it.
    pub fn update(
        &self,
        selection: &Selection,
        package: &str,
        version: &str,
        events: &mut Events<'_>,
    ) -> Result<(), CargoError> {
        let mut args: Vec<OsString> = vec![
            "update".into(),
            format!("--package={package}").into(),
            format!("--precise={version}").into(),
        ];
        if let Some(path) = &selection.manifest_path {
            let mut arg = OsString::from("--manifest-path=");
            arg.push(path);
            args.push(arg);
        }
        if selection.offline || selection.frozen {
            args.push("--offline".into());
        }
        let command = self.command(&self.program, &args);
        self.output(Step::Update, command, events).map(drop)
    }
}
