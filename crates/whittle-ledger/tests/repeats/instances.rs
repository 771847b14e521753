//! One monomorphization compiled in two crates.

use whittle_ledger::SavingKind;

use crate::rustc::{Folder, Result, bytes_of, forecast, symbols};

const COMMON: &str = "
#[inline(never)]
pub fn heavy<T: std::fmt::Debug>(list: &[T]) -> String {
    let mut text = String::new();
    for (at, it) in list.iter().enumerate() { text.push_str(&format!(\"{at}: {it:?};\")); }
    text
}
";
const USER: &str = "pub fn text(list: &[u16]) -> String { common::heavy(list) }";
const OTHER: &str = "pub fn text(list: &[u16]) -> usize { common::heavy(list).len() }";
const APP: &str = "
fn main() {
    let list: Vec<u16> = std::env::args().map(|it| it.len() as u16).collect();
    println!(\"{} {} {}\", left::text(&list), right::text(&list), common::heavy(&[1.5_f32]));
}
";

#[test]
fn copies_of_several_crates_are_found() -> Result {
    let folder = Folder::new()?;
    let library = |name: &str, text, uses: &[&str]| {
        let arguments = [&["--crate-type=rlib", "-L.", "--crate-name", name], uses].concat();
        folder.compile_text(text, &format!("lib{name}.rlib"), &arguments)
    };
    library("common", COMMON, &[])?;
    library("left", USER, &["--extern=common"])?;
    library("right", OTHER, &["--extern=common"])?;
    let app = folder.compile_text(
        APP,
        "app",
        &["-L.", "--extern=left", "--extern=right", "--extern=common"],
    )?;
    let bytes = std::fs::read(app)?;

    // In the words of v0: `common::heavy::<u16>` ends in `heavytE`, then comes the crate that compiled it.
    let copies: Vec<u64> = symbols(&bytes)?
        .into_iter()
        .filter(|(name, _)| name.contains("5heavytE"))
        .map(|(_, (_, size))| size)
        .collect();
    assert_eq!(copies.len(), 2, "the compiler made a copy for each crate");
    let smaller = copies.iter().min().copied().ok_or("copies")?;

    let (savings, repeats) = forecast(&bytes)?;
    let named = |it: &&whittle_ledger::EqualItems| it.names == ["common::heavy::<u16>"];
    let group = repeats.instances.iter().find(named).ok_or("the copies")?;
    assert_eq!(group.copies, 2);
    let crates: Vec<&str> = group
        .compiled_in
        .iter()
        .filter_map(|label| label.split(['@', ' ']).next())
        .collect();
    assert_eq!(crates, ["left", "right"]);
    // Its code and what describes it: an unwind entry and its exception table, two names.
    assert!(
        (smaller..smaller * 2 + 400).contains(&group.beyond_one),
        "{group:?}"
    );
    assert!(bytes_of(&savings, &SavingKind::RepeatedInstances) >= group.beyond_one);
    let of_one_crate = |it: &whittle_ledger::EqualItems| it.names == ["common::heavy::<f32>"];
    assert!(!repeats.instances.iter().any(of_one_crate));
    Ok(())
}
