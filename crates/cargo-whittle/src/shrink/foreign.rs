//! Programs for another machine: they can be built and measured here, and not run.

use std::path::Path;
use std::time::Duration;

use whittle_cargo::{Helper, Invocation, Runner};

/// How long a program may take to start and stop.
const LIMIT: Duration = Duration::from_secs(10);

/// Why a program cannot run here; nothing if it can, or if it is for this machine as far as its header says.
///
/// A program for another machine is started once: the system may know an emulator for it (`binfmt_misc` of Linux), or
/// cargo's configuration a runner.
pub(crate) fn reason(
    program: &Path,
    bytes: &[u8],
    runner: Option<&Runner>,
    helper: &Helper,
) -> Option<String> {
    let own = std::fs::read(helper.program()).ok()?;
    if runner.is_none() && machine(bytes)? == machine(&own)? {
        return None;
    }
    let program = program.as_os_str().to_owned();
    let (program, mut words) = match runner {
        Some(runner) => runner.command(program),
        None => (program, Vec::new()),
    };
    words.push("--version".into());
    let try_it = Invocation {
        limit: Some(LIMIT),
        ..Invocation::program(program, words)
    };
    match try_it.run(helper) {
        Ok(_) => None,
        Err(whittle_cargo::ProcessError::NotStarted { source, .. }) => Some(source.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// Class, byte order and processor of an ELF file (`e_ident` and `e_machine`, gABI 4.1, "ELF Header").
fn machine(bytes: &[u8]) -> Option<[u8; 4]> {
    let header = bytes.first_chunk::<20>()?;
    let is_elf = header.starts_with(b"\x7fELF");
    is_elf.then(|| [header[4], header[5], header[18], header[19]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_machines_apart() {
        let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0".to_vec();
        let of_x86 = machine(&header);
        assert!(of_x86.is_some());
        header[18] = 0xb7;
        assert!(machine(&header).is_some_and(|machine| Some(machine) != of_x86));
        assert_eq!(machine(&header[..19]), None);
        assert_eq!(machine(b"!<arch>\nand so on and on"), None);
    }
}
