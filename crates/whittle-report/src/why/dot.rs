//! A graph for Graphviz: the ways to it, and who holds it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::Report;
use super::words::{mention, root};
use crate::numbers::grouped;
use crate::plain::{plain, shortened};
use crate::words::explained;

/// Holders that are drawn beside the ways.
const HOLDERS: usize = 12;
/// Columns of a label: longer names make boxes that no picture has room for.
const LABEL: usize = 60;

/// Writes the ways and the holders as a directed graph, from the root to what was asked about.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let mut drawing = Drawing::default();
    let why = report.why;
    let target = drawing.node(
        &why.name,
        "",
        Some(why.leaving.retained).filter(|_| report.retained().is_some()),
    );
    for way in &why.ways {
        let mut before = None;
        let last = way.len().saturating_sub(1);
        for (number, step) in way.iter().enumerate() {
            let node = if number == last {
                target
            } else {
                drawing.node(&step.name, &step.package, None)
            };
            let from = before.unwrap_or_else(|| drawing.node(root(step.mention), "", None));
            drawing.edge(from, node, mention(step.mention));
            before = Some(node);
        }
    }
    let shown = report.shown(HOLDERS, why.holders.len());
    for holder in &why.holders[..shown] {
        let name = holder.name.as_deref().unwrap_or(root(holder.mention));
        let from = drawing.node(name, &holder.package, None);
        drawing.edge(from, target, mention(holder.mention));
    }
    out.write_all(drawing.finish(target).as_bytes())
}

/// Nodes by name and package, and edges, each once and in the order of their first mention.
#[derive(Default)]
struct Drawing {
    numbers: BTreeMap<(String, String), usize>,
    labels: Vec<String>,
    edges: Vec<(usize, usize, &'static str)>,
}

impl Drawing {
    fn node(&mut self, name: &str, package: &str, leaves: Option<u64>) -> usize {
        let key = (name.to_owned(), package.to_owned());
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let mut label = quoted(&shortened(&explained(name), LABEL));
        if !package.is_empty() {
            label.push_str("\\n");
            label.push_str(&quoted(&explained(package)));
        }
        if let Some(bytes) = leaves {
            // Writing to a string cannot fail.
            let _ = write!(label, "\\nat least {} bytes leave with it", grouped(bytes));
        }
        self.labels.push(label);
        self.numbers.insert(key, self.labels.len() - 1);
        self.labels.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, label: &'static str) {
        let is_known = |&(a, b, _): &(usize, usize, &str)| (a, b) == (from, to);
        if from != to && !self.edges.iter().any(is_known) {
            self.edges.push((from, to, label));
        }
    }

    fn finish(&self, target: usize) -> String {
        let mut text = String::from("digraph why {\n  rankdir=LR;\n  node [shape=box];\n");
        for (number, label) in self.labels.iter().enumerate() {
            let style = if number == target { ", style=bold" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  n{number} [label=\"{label}\"{style}];");
        }
        for (from, to, label) in &self.edges {
            let _ = writeln!(text, "  n{from} -> n{to} [label=\"{label}\"];");
        }
        text.push_str("}\n");
        text
    }
}

/// A name within quotation marks: Graphviz, "The DOT language", quoted strings.
fn quoted(name: &str) -> String {
    plain(name).replace('\\', "\\\\").replace('"', "\\\"")
}
