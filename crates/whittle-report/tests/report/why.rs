//! Why something is in the file: names from outside do no harm in any format, and lines fit.

use std::path::Path;

use whittle_code::ReferenceKind;
use whittle_image::{Place, SectionIndex};
use whittle_ledger::{Holder, Kept, Leaving, Mention, RootKind, Step, SubjectKind, Why};
use whittle_report::why::{Code, Dependent, Dependents, Report, dot, json, markdown, text};

/// What a name of a hostile file may hold: terminal commands, the end of a label, markup, text in reverse, a long tail.
const HOSTILE: &str = "a\u{1b}[31m\"];}\n|<b>`@everyone`\u{202e}\\";

fn hostile(tail: usize) -> String {
    format!("{HOSTILE}{}", "::tail".repeat(tail))
}

fn why() -> Why {
    let call = Mention::Reference {
        kind: ReferenceKind::Call,
        from: Place {
            section: SectionIndex(1),
            offset: 0,
        },
    };
    let step = |mention| Step {
        name: hostile(30),
        package: hostile(9),
        address: Some(0x1234),
        mention,
    };
    let leaving = Leaving {
        shallow: 1_000,
        retained: 23_456,
    };
    let holder = |name: Option<String>, mention| Holder {
        name,
        package: hostile(0),
        mention,
        keeps_of_it: 17,
        leaving,
        is_reachable: false,
    };
    Why {
        kind: SubjectKind::Copies,
        name: hostile(20),
        package: Some(hostile(3)),
        items: 2,
        leaving,
        unreachable: 12,
        ways: vec![vec![step(Mention::Root(RootKind::Entry)), step(call)]],
        holders: vec![
            holder(Some(hostile(12)), call),
            holder(None, Mention::Root(RootKind::Exported)),
        ],
        kept: vec![Kept {
            package: hostile(7),
            items: 3,
            bytes: 22_456,
            largest: hostile(40),
        }],
        parts: vec![(hostile(5), leaving)],
    }
}

fn dependents() -> Dependents {
    Dependents {
        features: vec![hostile(1)],
        list: vec![Dependent {
            package: hostile(0),
            version: hostile(0),
            is_member: true,
            features: vec![hostile(30)],
            default_features: true,
            through: vec![hostile(0)],
        }],
    }
}

fn all(code: Code) -> [String; 4] {
    let (why, dependents, notes) = (why(), dependents(), [hostile(2)]);
    let report = Report {
        path: Path::new("target/release/demo"),
        file: 100_000,
        why: &why,
        code,
        dependents: Some(&dependents),
        notes: &notes,
        rows: None,
    };
    let mut outs: [Vec<u8>; 4] = Default::default();
    text(&mut outs[0], &report, 80, false).expect("memory takes it");
    json(&mut outs[1], &report).expect("memory takes it");
    dot(&mut outs[2], &report).expect("memory takes it");
    markdown(&mut outs[3], &report).expect("memory takes it");
    outs.map(|out| String::from_utf8(out).expect("UTF-8"))
}

#[test]
fn hostile_names_do_no_harm() {
    for code in [Code::Read, Code::Unread] {
        let [text, json, dot, markdown] = all(code);
        for out in [&text, &json, &dot, &markdown] {
            let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!out.contains(acts), "{out}");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        let document: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(document["retained"].is_null(), code == Code::Unread);
        // Within a label every quotation mark and backslash is quoted, so that marks come in pairs.
        for line in dot.lines() {
            let bare = line.replace("\\\\", "").replace("\\\"", "");
            assert!(bare.matches('"').count() % 2 == 0, "{line}");
            assert!(line == "}" || !line.starts_with('}'), "{line}");
        }
        assert!(
            !markdown.contains("<b>") && !markdown.contains("@everyone|"),
            "{markdown}"
        );
        assert!(
            markdown.lines().all(|line| !line.starts_with("|<")),
            "{markdown}"
        );
    }
}

#[test]
fn the_answer_is_the_first_line() {
    let [read, ..] = all(Code::Read);
    assert!(
        read.starts_with("Without it at least 23,456 bytes leave (23.5 %): a"),
        "{read}"
    );
    let [unread, ..] = all(Code::Unread);
    assert!(
        unread.starts_with("It has 1,000 bytes; what keeps it is not known: a"),
        "{unread}"
    );
}
