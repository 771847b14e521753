//! The settings that are tried, explained.

use std::io::{self, Write};

use serde_json::json;
use whittle_trial::lever::{Lever, Line, Rebuild, Tried};

use crate::json::Document;
use crate::paint::{Paint, Role};
use crate::text::page::{Page, left};

/// Writes settings as text: a line each, or with everything that is known when there is one.
///
/// # Errors
/// When `out` cannot be written to.
pub fn text(out: &mut dyn Write, levers: &[&Lever], width: usize, color: bool) -> io::Result<()> {
    let paint = if color { Paint::Ansi } else { Paint::Plain };
    let mut page = Page::new(width, paint);
    if let [only] = levers {
        one(&mut page, only);
    } else {
        for class in whittle_trial::class::Class::ALL {
            let mut of_class = levers
                .iter()
                .filter(|lever| lever.class == class)
                .peekable();
            if of_class.peek().is_none() {
                continue;
            }
            page.heading(
                &format!("class {class}"),
                &format!(": may change {}", class.may_change()),
            );
            for lever in of_class {
                let values: Vec<&str> = lever.values.iter().map(|value| value.name).collect();
                page.line(&[
                    (Role::Typed, &format!("  {} ", left(lever.name, 18))),
                    (Role::Body, &left(&values.join(" "), 18)),
                    (Role::Aside, &format!(" {}", tried(lever))),
                ]);
                page.prose((Role::Aside, "      "), Role::Aside, lever.price);
            }
            page.blank();
        }
        page.line(&[
            (Role::Body, "One of them in full: "),
            (Role::Typed, "cargo whittle levers NAME"),
        ]);
    }
    for line in page.into_lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn one(page: &mut Page, lever: &Lever) {
    page.line(&[(Role::Heading, lever.name)]);
    page.prose((Role::Body, ""), Role::Body, lever.about);
    page.blank();
    page.prose((Role::Body, "price: "), Role::Body, lever.price);
    page.line(&[(
        Role::Body,
        &format!(
            "class: {}, may change {}",
            lever.class,
            lever.class.may_change()
        ),
    )]);
    page.line(&[(Role::Body, &format!("tried: {}", tried(lever)))]);
    page.line(&[(
        Role::Body,
        &format!("to try it: {}", rebuild(lever.rebuild)),
    )]);
    for value in lever.values {
        page.blank();
        page.line(&[(Role::Typed, &format!("{} = {}", lever.name, value.name))]);
        for line in value.lines {
            page.line(&[(Role::Body, &format!("  {}", written(*line)))]);
        }
    }
}

fn tried(lever: &Lever) -> &'static str {
    match lever.tried {
        Tried::BySearch => "by every search, as far as its class is allowed",
        Tried::ByName => "only with `--allow` and its name",
    }
}

fn rebuild(rebuild: Rebuild) -> &'static str {
    match rebuild {
        Rebuild::Link => "the linker runs once more",
        Rebuild::LastCrate => "the last crate is compiled again",
        Rebuild::AllCrates => "all crates are compiled again",
        Rebuild::StandardLibrary => "all crates and the standard library are compiled again",
    }
}

fn written(line: Line) -> String {
    match line {
        Line::Profile(key, value) => format!("{key} = {value}  in the profile, Cargo.toml"),
        Line::OwnPackage(key, value) => {
            format!("{key} = {value}  in the profile, for the program's own package, Cargo.toml")
        }
        Line::Rustflag(flag) => format!("{flag}  in rustflags, .cargo/config.toml"),
        Line::LinkArgument(argument) => {
            format!("-Clink-arg={argument}  in rustflags, .cargo/config.toml")
        }
        Line::Unstable(key, []) => format!("{key} = true  in [unstable], .cargo/config.toml"),
        Line::Unstable(key, list) => {
            let list: Vec<String> = list.iter().map(|item| format!("\"{item}\"")).collect();
            format!(
                "{key} = [{}]  in [unstable], .cargo/config.toml",
                list.join(", ")
            )
        }
    }
}

/// Writes settings as JSON: format `cargo-whittle/levers`, version 1.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(out: &mut dyn Write, levers: &[&Lever]) -> io::Result<()> {
    let mut document = Document::open(out, "cargo-whittle/levers")?;
    let list = levers.iter().map(|lever| {
        json!({
            "name": lever.name,
            "class": lever.class.letter(),
            "tried": match lever.tried {
                Tried::BySearch => "by-search",
                Tried::ByName => "by-name",
            },
            "rebuild": match lever.rebuild {
                Rebuild::Link => "link",
                Rebuild::LastCrate => "last-crate",
                Rebuild::AllCrates => "all-crates",
                Rebuild::StandardLibrary => "standard-library",
            },
            "price": lever.price,
            "about": lever.about,
            "values": lever.values.iter().map(|value| json!({
                "name": value.name,
                "lines": value.lines.iter().map(|line| written(*line)).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    });
    document.list("levers", list)?;
    document.close()
}
