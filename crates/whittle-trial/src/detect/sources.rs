//! What a source text does that a setting could change, found by its tokens: comments, strings and code for tests do not
//! count, and macros' bodies do.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A place in a source text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// What is there.
    pub kind: HitKind,
    /// The line, counted from 1.
    pub line: usize,
}

/// What is at a place in a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitKind {
    /// A panic is caught: `catch_unwind`.
    CatchesPanic,
    /// The end of a thread is looked at, or passed over, instead of panicking in turn.
    OutlivesThread,
    /// What is printed when the program panics is replaced.
    SetsPanicHook,
    /// Addresses of functions are compared.
    ComparesFunctions,
    /// Text that `Debug` prints is made.
    PrintsDebug,
}

/// The text is no Rust.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} cannot be read as Rust")]
pub struct NotRust {
    /// The line, counted from 1.
    pub line: usize,
}

/// Macros that print for users or make text for the program; those of panics, assertions and logs do not count.
const PRINTING: [&str; 7] = [
    "format", "print", "println", "eprint", "eprintln", "write", "writeln",
];
/// Deeper nesting than people write; a hostile text must not use up the stack.
const MAX_DEPTH: usize = 200;

/// Finds what a source text does, in the order of the text.
///
/// # Errors
/// [`NotRust`] if the text does not even fall into tokens.
pub fn scan(text: &str) -> Result<Vec<Hit>, NotRust> {
    if let Some(line) = too_deep(text) {
        return Err(NotRust { line });
    }
    let tokens: TokenStream = text
        .parse()
        .map_err(|error: proc_macro2::LexError| NotRust {
            line: error.span().start().line,
        })?;
    let mut hits = Vec::new();
    walk(tokens, &mut hits);
    hits.sort();
    hits.sort_by_key(|hit| hit.line);
    hits.dedup();
    Ok(hits)
}

/// The line at which brackets are nested deeper than [`MAX_DEPTH`]. Brackets in strings and comments count as well: that can
/// refuse a strange text, never let a deep one through.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut line = 1;
    for byte in text.bytes() {
        match byte {
            b'\n' => line += 1,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(line);
        }
    }
    None
}

fn walk(tokens: TokenStream, hits: &mut Vec<Hit>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = end_of_skipped(&tokens, at) {
            at = end;
            continue;
        }
        if let Some(kind) = hit_at(&tokens, at) {
            hits.push(Hit {
                kind,
                line: tokens[at].span().start().line,
            });
        }
        if let TokenTree::Group(group) = &tokens[at] {
            walk(group.stream(), hits);
        }
        at += 1;
    }
}

/// Where an item that does not count ends: imports, and what is compiled for tests only.
fn end_of_skipped(tokens: &[TokenTree], at: usize) -> Option<usize> {
    if is_ident(tokens.get(at), "use") {
        return Some(end_of_item(tokens, at));
    }
    let is_attribute = is_punct(tokens.get(at), '#');
    let group = group_at(tokens, at + 1, Delimiter::Bracket).filter(|_| is_attribute)?;
    is_for_tests(group).then(|| end_of_item(tokens, at + 2))
}

/// `#[test]`, `#[bench]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`, but not `#[cfg(not(test))]`.
fn is_for_tests(attribute: &Group) -> bool {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match tokens.first() {
        Some(TokenTree::Ident(name)) if name == "test" || name == "bench" => tokens.len() == 1,
        Some(TokenTree::Ident(name)) if name == "cfg" => {
            group_at(&tokens, 1, Delimiter::Parenthesis)
                .is_some_and(|group| asks_for_test(group.stream()))
        }
        _ => false,
    }
}

fn asks_for_test(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match tokens.first() {
        Some(TokenTree::Ident(name)) if name == "test" => tokens.len() == 1,
        Some(TokenTree::Ident(name)) if name == "all" => {
            group_at(&tokens, 1, Delimiter::Parenthesis).is_some_and(|group| {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                inner
                    .split(|token| is_punct(Some(token), ','))
                    .any(|part| part.len() == 1 && is_ident(part.first(), "test"))
            })
        }
        _ => false,
    }
}

/// The token after an item: after its first braces, or its semicolon.
fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let is_import = is_ident(tokens.get(from), "use");
    let end = tokens.iter().skip(from).position(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        // `use a::{b, c};` goes on after its braces.
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_import,
        _ => false,
    });
    end.map_or(tokens.len(), |end| from + end + 1)
}

fn hit_at(tokens: &[TokenTree], at: usize) -> Option<HitKind> {
    let TokenTree::Ident(name) = tokens.get(at)? else {
        return None;
    };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    if is_ident(before, "fn") {
        return None;
    }
    let name = name.to_string();
    match name.as_str() {
        "catch_unwind" => Some(HitKind::CatchesPanic),
        "set_hook" | "take_hook" | "update_hook" => Some(HitKind::SetsPanicHook),
        "fn_addr_eq" => Some(HitKind::ComparesFunctions),
        "as" => compares_address(tokens, at).then_some(HitKind::ComparesFunctions),
        "join" if is_punct(before, '.') => {
            outlives_thread(tokens, at).then_some(HitKind::OutlivesThread)
        }
        _ if PRINTING.contains(&name.as_str()) && is_punct(tokens.get(at + 1), '!') => {
            let TokenTree::Group(arguments) = tokens.get(at + 2)? else {
                return None;
            };
            prints_debug(arguments.stream()).then_some(HitKind::PrintsDebug)
        }
        _ => None,
    }
}

/// `f as *const () == …`: the usual way to compare functions by address.
fn compares_address(tokens: &[TokenTree], at: usize) -> bool {
    let is_pointer = is_punct(tokens.get(at + 1), '*')
        && is_ident(tokens.get(at + 2), "const")
        && group_at(tokens, at + 3, Delimiter::Parenthesis)
            .is_some_and(|unit| unit.stream().is_empty());
    let next = tokens.get(at + 4);
    let is_compared =
        (is_punct(next, '=') || is_punct(next, '!')) && is_punct(tokens.get(at + 5), '=');
    is_pointer && is_compared
}

/// `handle.join()` whose result is not passed on as a panic.
///
/// Only the end of a thread is waited for by `join` without arguments; texts and paths are joined with something.
fn outlives_thread(tokens: &[TokenTree], at: usize) -> bool {
    let waits = group_at(tokens, at + 1, Delimiter::Parenthesis)
        .is_some_and(|arguments| arguments.stream().is_empty());
    if !waits {
        return false;
    }
    // From here to the end of the statement, or of the block that looks at the result.
    let rest = &tokens[at + 2..];
    let end = rest
        .iter()
        .position(|token| match token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        })
        .map_or(rest.len(), |end| end + 1);
    let rest = &rest[..end];
    if is_punct(rest.first(), '.')
        && matches!(rest.get(1), Some(TokenTree::Ident(name)) if name == "unwrap" || name == "expect" || name == "await")
    {
        return false;
    }
    !rest.iter().any(panics_in_turn)
}

fn panics_in_turn(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => name == "resume_unwind" || name == "panic" || name == "abort",
        TokenTree::Group(group) => group
            .stream()
            .into_iter()
            .any(|token| panics_in_turn(&token)),
        _ => false,
    }
}

/// A format text with `{:?}`, `{name:?}`, `{:#?}` or `{:02x?}`.
fn prints_debug(arguments: TokenStream) -> bool {
    arguments.into_iter().any(|token| match token {
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            text.replace("{{", "").split('{').skip(1).any(|rest| {
                rest.split('}')
                    .next()
                    .and_then(|argument| argument.split_once(':'))
                    .is_some_and(|(_, form)| form.ends_with('?'))
            })
        }
        _ => false,
    })
}

fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == name)
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn group_at(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<&Group> {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(HitKind, usize)> {
        scan(text)
            .expect("it is Rust")
            .into_iter()
            .map(|hit| (hit.kind, hit.line))
            .collect()
    }

    #[test]
    fn a_caught_panic_is_found_wherever_it_is_called() {
        assert_eq!(
            kinds(
                "use std::panic::{self, catch_unwind};\n\
                 fn a() { let _ = panic::catch_unwind(|| work()); }\n\
                 // catch_unwind(x)\n\
                 const TEXT: &str = \"catch_unwind(x)\";\n\
                 async fn b() { task.catch_unwind().await; }\n\
                 macro_rules! m { () => { catch_unwind::<_, ()>(f) } }\n\
                 fn catch_unwind() {}\n"
            ),
            [
                (HitKind::CatchesPanic, 2),
                (HitKind::CatchesPanic, 5),
                (HitKind::CatchesPanic, 6)
            ]
        );
    }

    #[test]
    fn code_for_tests_does_not_count() {
        assert_eq!(
            kinds(
                "#[cfg(test)]\nmod tests { fn a() { catch_unwind(f); } }\n\
                 #[test]\nfn b() { catch_unwind(f); }\n\
                 #[cfg(all(test, unix))]\nuse x;\n\
                 #[cfg(not(test))]\nfn c() { catch_unwind(f); }\n\
                 #[cfg(feature = \"test\")]\nfn d() { catch_unwind(f); }\n"
            ),
            [(HitKind::CatchesPanic, 8), (HitKind::CatchesPanic, 10)]
        );
    }

    #[test]
    fn a_thread_that_is_outlived_is_told_from_one_whose_panic_goes_on() {
        let hit = |text: &str| !kinds(&format!("fn f() {{ {text} }}")).is_empty();
        assert!(hit("let _ = handle.join();"));
        assert!(hit("if handle.join().is_err() { restart(); }"));
        assert!(hit("match worker.join() { Ok(x) => x, Err(_) => 0 }"));
        assert!(hit("if let Err(e) = h.join() { eprintln(e); }"));
        assert!(!hit("handle.join().unwrap();"));
        assert!(!hit("handle.join().expect(\"no panic there\")"));
        assert!(!hit(
            "h.join().unwrap_or_else(|e| std::panic::resume_unwind(e));"
        ));
        assert!(!hit(
            "match h.join() { Ok(x) => x, Err(e) => resume_unwind(e) }"
        ));
        assert!(!hit("let text = words.join(\", \");"));
        assert!(!hit("let path = folder.join(name);"));
        assert!(!hit("join();"));
    }

    #[test]
    fn functions_compared_by_address_are_found() {
        assert_eq!(
            kinds(
                "fn a() { std::ptr::fn_addr_eq(f, g) }\nfn b() -> bool { f as *const () == g as *const () }\n\
                 fn c() { let p = f as *const (); }"
            ),
            [
                (HitKind::ComparesFunctions, 1),
                (HitKind::ComparesFunctions, 2)
            ]
        );
    }

    #[test]
    fn text_of_debug_counts_where_it_is_made_for_somebody() {
        let hit = |text: &str| !kinds(&format!("fn f() {{ {text} }}")).is_empty();
        assert!(hit("println!(\"{:?}\", x);"));
        assert!(hit("let s = format!(\"a {x:#?} b\");"));
        assert!(hit("write!(f, r\"{0:02x?}\", x)"));
        assert!(!hit("println!(\"{}\", x);"));
        assert!(!hit("println!(\"{{:?}}\");"));
        assert!(!hit("panic!(\"{:?}\", x);"));
        assert!(!hit("assert!(ok, \"{:?}\", x);"));
    }

    #[test]
    fn what_is_no_rust_is_an_error_with_its_line() {
        assert_eq!(scan("fn a() {}\n\"").map_err(|error| error.line), Err(2));
        let deep = "(".repeat(100_000);
        assert_eq!(scan(&deep), Err(NotRust { line: 1 }));
    }
}
