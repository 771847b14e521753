//! The words of a linker's command: response files, and the files that words name.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Arguments that are longer than this together go into a response file. Linux takes 2 MiB with the environment
/// (`execve(2)`), macOS 1 MiB.
const TOO_LONG: usize = 256 << 10;

/// Puts the contents of `@FILE` in the place of each. `directory` is where relative files are.
///
/// The syntax is that of GCC and the GNU and LLVM linkers ("@file" in GCC's "Overall Options"): words separated by white
/// space, quotes of both kinds, a backslash before any character. Files in files are read too, a few levels deep.
pub(super) fn expand(args: Vec<OsString>, directory: &Path) -> io::Result<Vec<OsString>> {
    const DEEPEST: u32 = 8;
    let mut expanded = Vec::new();
    let mut todo: Vec<(OsString, u32)> = args.into_iter().rev().map(|arg| (arg, 0)).collect();
    while let Some((arg, depth)) = todo.pop() {
        let file = arg.to_str().and_then(|arg| arg.strip_prefix('@'));
        let path = file.map(|file| directory.join(file));
        match path.filter(|path| depth < DEEPEST && path.is_file()) {
            Some(path) => {
                let words = split(&fs::read_to_string(path)?);
                let words = words.into_iter().rev();
                todo.extend(words.map(|word| (word.into(), depth + 1)));
            }
            None => expanded.push(arg),
        }
    }
    Ok(expanded)
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => word.get_or_insert_default().extend(characters.next()),
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, Some(open)) if character == open => quote = None,
            (_, None) if character.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// The arguments, or one that names the file into which they were written because they are too long.
pub(super) fn in_response_file(args: Vec<OsString>, path: &Path) -> io::Result<Vec<OsString>> {
    if args.iter().map(|arg| arg.len() + 1).sum::<usize>() < TOO_LONG {
        return Ok(args);
    }
    let mut text = String::new();
    for arg in &args {
        let Some(arg) = arg.to_str() else {
            return Ok(args); // the system has the last word
        };
        text.push('"');
        for character in arg.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push_str("\"\n");
    }
    fs::write(path, text)?;
    let mut arg = OsString::from("@");
    arg.push(path);
    Ok(vec![arg])
}

/// A file or folder that an argument names.
pub(super) struct Named {
    /// What stands before its path in the argument.
    pub(super) prefix: String,
    pub(super) path: PathBuf,
}

/// What an argument names, if that exists: alone, or behind the last `=` or `,` (`-Wl,--version-script=PATH`).
pub(super) fn named(arg: &OsStr, directory: &Path) -> Option<Named> {
    let whole = directory.join(arg);
    if !arg.is_empty() && whole.exists() {
        return Some(Named {
            prefix: String::new(),
            path: whole,
        });
    }
    let arg = arg.to_str()?;
    let mut ends = arg.match_indices(['=', ',']).map(|(index, _)| index + 1);
    // From the left: a path may hold both.
    ends.find_map(|end| {
        let (prefix, path) = arg.split_at_checked(end)?;
        let path = directory.join(path);
        (end < arg.len() && path.is_file()).then(|| Named {
            prefix: prefix.to_owned(),
            path,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_files_are_read_as_compilers_do() {
        assert_eq!(
            split("a \"b c\"\n'd \"e'\tf\\ g \"\" h\\\\i \"j\\\"k\" l'm'n"),
            ["a", "b c", "d \"e", "f g", "", "h\\i", "j\"k", "lmn"]
        );
        assert_eq!(split(" \n"), [""; 0]);
        assert_eq!(split("open 'end"), ["open", "end"]);
    }

    #[test]
    fn files_in_files_are_expanded_and_loops_end() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("one"), "a\n@two\n@gone\n")?;
        fs::write(folder.path().join("two"), "b\\ c\n@two\n")?;
        let args = expand(vec!["x".into(), "@one".into(), "y".into()], folder.path())?;
        let expected = [vec!["x", "a"], vec!["b c"; 7], vec!["@two", "@gone", "y"]].concat();
        assert_eq!(args, expected);
        Ok(())
    }

    #[test]
    fn long_commands_come_back_from_their_file() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("args");
        let args: Vec<OsString> = (0..20_000)
            .map(|n| format!("a b\"\\'{n:010}\n").into())
            .collect();
        let short = in_response_file(args.clone(), &path)?;
        assert_eq!(short.len(), 1);
        assert_eq!(expand(short, folder.path())?, args);
        assert_eq!(in_response_file(args[..9].to_vec(), &path)?, args[..9]);
        Ok(())
    }

    #[test]
    fn paths_are_found_behind_flags() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("list"), "")?;
        fs::write(folder.path().join("a,b=c"), "")?;
        let find = |arg: &str| {
            let named = named(OsStr::new(arg), folder.path())?;
            Some((
                named.prefix,
                named.path.strip_prefix(folder.path()).ok()?.to_owned(),
            ))
        };
        let found = |prefix: &str, path: &str| Some((prefix.to_owned(), PathBuf::from(path)));
        assert_eq!(find("list"), found("", "list"));
        assert_eq!(
            find("-Wl,--version-script=list"),
            found("-Wl,--version-script=", "list")
        );
        assert_eq!(find("-Wl,-T,a,b=c"), found("-Wl,-T,", "a,b=c"));
        for nothing in ["", "-O1", "-Wl,--as-needed", "-o", "x=", "gone"] {
            assert_eq!(find(nothing), None, "{nothing}");
        }
        Ok(())
    }
}
