//! What is installed on this machine, compared with what its programs say of themselves.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use whittle_cargo::{
    CargoError, Helper, InstalledToolchain, LinkerKind, LinkerOrigin, Selection, linkers,
};

use crate::project::{MAIN, Project, Result, manifest};

fn project() -> Result<Project> {
    Project::new(&[
        ("Cargo.toml", &manifest("app", "[workspace]\n")),
        ("src/main.rs", MAIN),
    ])
}

fn said(program: &OsStr, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The one that builds these tests.
fn own(project: &Project) -> Result<InstalledToolchain> {
    let sysroot = said(OsStr::new("rustc"), &["--print", "sysroot"])?;
    let toolchains = project.cargo().toolchains(&mut |_| ())?;
    let mut found = toolchains.iter().filter(|toolchain| {
        toolchain.sysroot.canonicalize().ok() == Path::new(&sysroot).canonicalize().ok()
    });
    let own = found
        .next()
        .ok_or_else(|| format!("not among {toolchains:#?}"))?;
    Ok(own.clone())
}

#[test]
fn the_toolchain_in_use_is_found() -> Result {
    let project = project()?;
    let own = own(&project)?;
    let version = said(own.rustc.as_os_str(), &["--version"])?;
    assert!(version.contains(&own.toolchain.release), "{version}");
    assert_eq!(
        own.channel.takes_unstable(),
        version.contains("-nightly") || version.contains("-dev")
    );
    assert!(own.targets.contains(&own.toolchain.host), "{own:?}");
    let sources = own
        .sysroot
        .join("lib/rustlib/src/rust/library/std/src/lib.rs");
    assert_eq!(own.std_sources.is_some(), sources.is_file());

    let cargo = project.cargo();
    let at = cargo.toolchain_at(&own.cargo, &mut |_| ())?;
    assert_eq!(
        at,
        InstalledToolchain {
            name: None,
            ..own.clone()
        }
    );
    let build = cargo
        .with_toolchain(&own)
        .build(&Selection::default(), &mut |_| ())?;
    assert_eq!(build.record.toolchain, own.toolchain);
    Ok(())
}

#[test]
fn a_toolchain_beside_rustups_is_found_in_the_path() -> Result {
    let project = project()?;
    let own = own(&project)?;
    for name in ["cargo", "rustc"] {
        let real = if name == "cargo" {
            &own.cargo
        } else {
            &own.rustc
        };
        let path = format!("usr/bin/{name}");
        // Its own sysroot tells it apart.
        let sysroot = project.path("usr");
        project.write(
            &path,
            &format!(
                "#!/bin/sh\ncase \"$*\" in *sysroot*) echo '{}';; *) exec '{}' \"$@\";; esac\n",
                sysroot.display(),
                real.display()
            ),
        )?;
        fs::set_permissions(project.path(&path), fs::Permissions::from_mode(0o755))?;
    }
    project.write("usr/lib/rustlib/src/rust/library/std/Cargo.toml", "")?;
    project.write("usr/lib/rustlib/x86_64-unknown-none/lib/libcore-0.rlib", "")?;
    // As rustup does, and with rustup missing.
    fs::create_dir(project.path("home"))?;
    project.write("home/rustup", "#!/bin/sh\nexit 1\n")?;
    fs::set_permissions(
        project.path("home/rustup"),
        fs::Permissions::from_mode(0o755),
    )?;
    symlink("rustup", project.path("home/cargo"))?;
    symlink("rustup", project.path("home/rustc"))?;
    let mut cargo = project.cargo();
    let path = std::env::join_paths([
        project.path("home"),
        project.path("gone"),
        project.path("usr/bin"),
        "/bin".into(),
    ])?;
    cargo.environment.push(("PATH".into(), Some(path)));
    let found = cargo.toolchains(&mut |_| ())?;
    let [found] = found
        .iter()
        .filter(|toolchain| toolchain.cargo.starts_with(project.path("")))
        .collect::<Vec<_>>()[..]
    else {
        return Err(format!("{found:#?}").into());
    };
    assert_eq!(found.name, None);
    assert_eq!(found.cargo, project.path("usr/bin/cargo"));
    assert_eq!(
        found.std_sources,
        Some(project.path("usr/lib/rustlib/src/rust/library"))
    );
    assert_eq!(found.targets, ["x86_64-unknown-none"]);
    Ok(())
}

#[test]
fn a_folder_without_a_toolchain_is_named() -> Result {
    let project = project()?;
    let path = project.path("nowhere/cargo");
    let error = project.cargo().toolchain_at(&path, &mut |_| ());
    assert!(
        matches!(&error, Err(CargoError::NoToolchain { path: named }) if *named == path),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn linkers_are_those_that_link() -> Result {
    let project = project()?;
    let own = own(&project)?;
    let helper = Helper::at(env!("CARGO_BIN_EXE_whittle-helper"));
    let cc = OsStr::new("cc");
    let found = linkers(cc, &own.sysroot, &own.toolchain.host, &helper);
    assert!(
        found.iter().any(|linker| linker.kind == LinkerKind::Bfd),
        "{found:?}"
    );
    project.write("main.c", "int main(void) { return 0; }\n")?;
    for linker in &found {
        let status = Command::new(cc)
            .args(&linker.args)
            .args(["main.c", "-o", "main"])
            .current_dir(project.path(""))
            .status()?;
        assert!(status.success(), "{linker:?}");
        if linker.origin == LinkerOrigin::Toolchain {
            let rust_lld = own
                .sysroot
                .join("lib/rustlib")
                .join(&own.toolchain.host)
                .join("bin/rust-lld");
            let version = said(rust_lld.as_os_str(), &["-flavor", "gnu", "--version"])?;
            assert!(version.contains(&linker.version), "{linker:?} {version}");
        }
    }
    assert_eq!(
        linkers(OsStr::new("no-such-cc"), &own.sysroot, "none", &helper),
        []
    );
    Ok(())
}
