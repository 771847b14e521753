//! Settings written into files, judged by what cargo makes of the files.

use std::fs;

use whittle_cargo::{ArtifactKind, Edit, EditRequest, Selection, Settings, Undo};

use crate::project::{MAIN, Project, Result, artifact, manifest};

fn project() -> Result<Project> {
    Project::new(&[
        ("Cargo.toml", &manifest("app", "[workspace]\n")),
        ("src/main.rs", MAIN),
    ])
}

#[test]
fn what_is_written_builds_what_was_tried() -> Result {
    let project = project()?;
    let selection = Selection::default();
    let build = project.build(&selection)?;
    let users = fs::read(&build.artifacts[0].path)?;
    let app = artifact(&build, ArtifactKind::Bin, "app")?;
    let builder = project
        .cargo()
        .variants(&selection, &build, app, &mut |_| ())?;
    let settings = Settings {
        profile: [
            ("opt-level".to_owned(), "s".into()),
            ("strip".to_owned(), "symbols".into()),
            ("codegen-units".to_owned(), 1.into()),
        ]
        .into(),
        link_args: vec!["-Wl,-z,pack-relative-relocs".to_owned()],
        ..Settings::default()
    };
    let tried = builder.build(&settings, &project.path("target/tried"), &mut |_| ())?;
    let tried = fs::read(tried.path)?;
    assert!(tried.len() < users.len());

    let root = project.path("");
    let edit = Edit::plan(&EditRequest {
        root: &root,
        profile: "release",
        into_profile: None,
        settings: &settings,
        target: &build.record.target,
        shadowed_flags: &[],
    })?;
    edit.apply()?;
    let applied = project.build(&selection)?;
    assert_eq!(fs::read(&applied.artifacts[0].path)?, tried);

    Undo::plan(&root)?.ok_or("there is an edit")?.apply()?;
    project.build(&selection)?;
    assert_eq!(fs::read(&applied.artifacts[0].path)?, users);
    Ok(())
}

#[test]
fn the_users_flags_are_heard_after_an_edit_as_before() -> Result {
    let host = project()?.cargo().toolchain(&mut |_| ())?.host;
    let tables = format!("[target.{host}]\nrustflags = [\"--cfg=a\"]\n");
    for (config, shadowed) in [
        ("", [].as_slice()),
        (
            "[build]\nrustflags = [\"--cfg=a\", \"--cfg=b=\\\"c d\\\"\"]\n",
            &["--cfg=a", "--cfg=b=\"c d\""],
        ),
        ("[build]\nrustflags = \"--cfg=a\"\n", &["--cfg=a"]),
        (
            "[build]\nrustflags = [\"--cfg=a\"]\n[target.'cfg(unix)']\nrustflags = [\"--cfg=u\"]\n",
            &[],
        ),
        (&tables, &[]),
    ] {
        // Where the user's settings are in the workspace, and where they are further up.
        for place in ["", "inner/"] {
            let project = project()?;
            project.write(".cargo/config.toml", config)?;
            project.write(
                &format!("{place}Cargo.toml"),
                &manifest("app", "[workspace]\n"),
            )?;
            project.write(&format!("{place}src/main.rs"), MAIN)?;
            let mut cargo = project.cargo();
            cargo.directory = Some(project.path(place));
            let selection = Selection::default();
            let before = cargo.rustflags(&selection, &mut |_| ())?;
            let flags = cargo.shadowed_flags(&selection, &host, &mut |_| ())?;
            assert_eq!(flags, shadowed, "{config}");
            let flags: Vec<String> = shadowed.iter().map(|flag| (*flag).to_owned()).collect();
            let settings = Settings {
                rustflags: vec!["--cfg=own".to_owned()],
                ..Settings::default()
            };
            let root = project.path(place);
            let edit = Edit::plan(&EditRequest {
                root: &root,
                profile: "release",
                into_profile: None,
                settings: &settings,
                target: &host,
                shadowed_flags: &flags,
            })?;
            edit.apply()?;
            let mut after = cargo.rustflags(&selection, &mut |_| ())?;
            let own = after.iter().position(|flag| flag == "--cfg=own");
            after.remove(own.ok_or("the flag is not heard")?);
            assert_eq!(after, before, "{config}");
        }
    }
    Ok(())
}
