//! `cargo whittle`: the command line. Flags become a [`request::Request`], which a pipeline answers; whittle-report
//! writes the answer. This file knows how the program ends.

mod arguments;
mod check;
mod diff;
mod evidence;
mod exit;
mod explain;
mod history;
mod init;
mod inputs;
mod near;
mod output;
mod request;
mod shrink;
mod snapshots;
mod trouble;
mod why;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;
use crate::request::Request;
use crate::trouble::{Outcome, Trouble};

fn main() -> ExitCode {
    if let Some(code) = whittle_cargo::Helper::serve() {
        return code;
    }
    let arguments = match Arguments::try_parse_from(typed()) {
        Ok(arguments) => arguments,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Trouble
            } else {
                Exit::Done
            };
            // Nobody may read it any more; there is nothing else to tell it to.
            let _ = error.print();
            return exit.into();
        }
    };
    match run(arguments) {
        Ok(exit) => exit.into(),
        Err(trouble) if trouble.is_closed_pipe() => Exit::Done.into(),
        Err(trouble) => {
            tell(&trouble);
            Exit::Trouble.into()
        }
    }
}

fn run(arguments: Arguments) -> Outcome<Exit> {
    let explain = match arguments.command {
        None => arguments.explain,
        Some(Command::Explain(explain)) => *explain,
        Some(Command::Why(why)) => return why::why(*why).map(|()| Exit::Done),
        Some(Command::Check(check)) => {
            let style = output::Style::new(check.color, check.output.as_deref());
            return check::check(*check, style);
        }
        Some(Command::History(history)) => {
            let style = output::Style::of(&history.output);
            return history::history(*history, style);
        }
        Some(Command::Init(arguments)) => return init::init(arguments),
        Some(Command::Diff(diff)) => {
            let style = output::Style::of(&diff.output);
            return diff::diff(*diff, style);
        }
        Some(Command::Shrink(shrink)) => {
            let style = output::Style::of(&shrink.output);
            return shrink::shrink(*shrink, style);
        }
        Some(Command::Levers(levers)) => return shrink::levers(&levers),
        Some(Command::Undo(undo)) => return shrink::undo(undo),
        Some(Command::Strip(strip)) => return shrink::strip(*strip),
    };
    let style = output::Style::of(&explain.output);
    Request::new(explain).and_then(|request| explain::explain(&request, style))?;
    Ok(Exit::Done)
}

/// What was typed. Cargo runs `cargo whittle …` as `cargo-whittle whittle …`; called directly, the word is missing.
fn typed() -> impl Iterator<Item = OsString> {
    let mut typed: Vec<OsString> = std::env::args_os().collect();
    if typed.get(1).is_some_and(|word| word == "whittle") {
        typed.remove(1);
    }
    typed.into_iter()
}

fn tell(trouble: &Trouble) {
    let text = output::trouble(trouble);
    // If standard error is closed there is nobody left to tell.
    let _ = anstream::stderr().write_all(text.as_bytes());
}
