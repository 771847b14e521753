//! Why one thing keeps another in the file: the edges of the graph, found.

use whittle_code::{Reference, ReferenceKind};
use whittle_image::{Binding, FileKind, Format, Place, Retention, SectionIndex, SymbolTableRole};

use super::adjacency::{Edge, Node};
use super::nodes::Nodes;
use super::relative_tables::distances;
use crate::items::moved;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind, Owner};
use crate::tiling::Piece;

/// Why one thing keeps another in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mention {
    /// It mentions it: how, and where.
    Reference {
        /// How.
        kind: ReferenceKind,
        /// The place of the instruction, of the pointer, of the unwind entry.
        from: Place,
    },
    /// It is one of several that own the bytes.
    Shared,
    /// Both stand in a section that programs walk through from its start to its end.
    Together,
    /// The one is a string that ends in the other, and has its bytes.
    StringEnd,
    /// It holds the distance to it.
    Distance,
    /// It calls what a table holds.
    TableCall,
    /// The table holds it, and it has the type that is called.
    TableEntry,
    /// The first is the root.
    Root(RootKind),
}

/// Why something is in the file though nothing else mentions it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RootKind {
    /// The program starts there.
    Entry,
    /// It runs before or after the program, or the linker keeps it in any case: initializers, finalizers.
    Always,
    /// Other files may use it: it is an exported symbol.
    Exported,
    /// Each thread gets all thread-local variables at its start. Instructions name them by offsets, not by addresses.
    ThreadLocal,
    /// The unwinder asks it what to do with a frame.
    Personality,
    /// What the loader reads mentions it.
    Loader,
    /// Bytes mention it of which nobody knows whose they are.
    Unknown,
    /// It describes others and stays with them: a unit of debug info, the name of a source file among the symbols.
    Describes,
}

/// Mentions without a place, as numbers beyond those of references.
const SPECIAL: [Mention; 12] = [
    Mention::Shared,
    Mention::Together,
    Mention::StringEnd,
    Mention::Distance,
    Mention::TableCall,
    Mention::TableEntry,
    Mention::Root(RootKind::Entry),
    Mention::Root(RootKind::Always),
    Mention::Root(RootKind::Exported),
    Mention::Root(RootKind::ThreadLocal),
    Mention::Root(RootKind::Unknown),
    Mention::Root(RootKind::Describes),
];

fn number_of(mention: Mention) -> u32 {
    let position = (0..).zip(SPECIAL).find(|&(_, special)| special == mention);
    position.map_or(u32::MAX, |(position, _): (u32, _)| u32::MAX - 1 - position)
}

/// What the number at an edge means.
pub(super) fn mention(ledger: &Ledger<'_>, from: Node, number: u32) -> Mention {
    let references = ledger.references().list();
    let reference = usize::try_from(number)
        .ok()
        .and_then(|at| references.get(at));
    let Some(reference) = reference else {
        let special = (u32::MAX - 1)
            .checked_sub(number)
            .and_then(|position| SPECIAL.get(usize::try_from(position).ok()?));
        return special.copied().unwrap_or(Mention::Root(RootKind::Unknown));
    };
    if from != Nodes::ROOT {
        return Mention::Reference {
            kind: reference.kind(),
            from: reference.from(),
        };
    }
    Mention::Root(match ledger.owner_at(reference.from()) {
        _ if reference.kind() == ReferenceKind::Personality => RootKind::Personality,
        Some(Owner::Structure(_)) => RootKind::Loader,
        _ => RootKind::Unknown,
    })
}

/// What is found.
pub(super) struct Found {
    /// All edges, in no order and some several times.
    pub(super) edges: Vec<Edge>,
    /// What others may use though linkers do not keep it for that: it counts as exported if nothing else keeps it.
    pub(super) perhaps_used: Vec<Node>,
}

/// Finds all edges.
pub(super) fn find(ledger: &Ledger<'_>, nodes: Nodes) -> Found {
    let mut finder = Finder {
        ledger,
        nodes,
        together: together(ledger, nodes),
        found: Vec::with_capacity(ledger.references().list().len() + nodes.count() / 8),
        perhaps_used: Vec::new(),
    };
    finder.references();
    finder.shared();
    finder.string_ends();
    finder.distances();
    finder.sections();
    finder.exports();
    finder.items();
    finder.dispatches();
    finder.entries();
    Found {
        edges: finder.found,
        perhaps_used: finder.perhaps_used,
    }
}

/// The edge from the root to what other files may use.
pub(super) fn exported(to: Node) -> Edge {
    Edge {
        from: Nodes::ROOT,
        to,
        reason: number_of(Mention::Root(RootKind::Exported)),
    }
}

struct Finder<'ledger, 'data> {
    ledger: &'ledger Ledger<'data>,
    nodes: Nodes,
    /// By section: the first item of those that stay together.
    together: Vec<Option<Node>>,
    found: Vec<Edge>,
    perhaps_used: Vec<Node>,
}

impl Finder<'_, '_> {
    fn push(&mut self, from: Option<Node>, to: Option<Node>, mention: Mention) {
        if let (Some(from), Some(to)) = (from, to) {
            self.found.push(Edge {
                from,
                to,
                reason: number_of(mention),
            });
        }
    }

    fn root(&mut self, owner: Option<Owner>, kind: RootKind) {
        let to = owner.and_then(|owner| self.nodes.of(owner));
        self.push(Some(Nodes::ROOT), to, Mention::Root(kind));
    }

    fn references(&mut self) {
        let ledger = self.ledger;
        // References are in the order of where they are from: most are from the piece of the one before.
        let mut piece: Option<(SectionIndex, &Piece)> = None;
        for (reference, reason) in ledger.references().list().iter().zip(0..) {
            let from = reference.from();
            let is_inside = |&(section, piece): &(SectionIndex, &Piece)| {
                section == from.section && (piece.start..piece.end).contains(&from.offset)
            };
            piece = piece
                .filter(is_inside)
                .or_else(|| Some((from.section, ledger.piece_at(from)?)));
            let to = self.target(reference);
            let from = match piece.map(|(_, piece)| piece.owner) {
                Some(owner @ (Owner::Item(_) | Owner::Shared(_))) => self.nodes.of(owner),
                // What nobody knows may be anything; what is of no item belongs to the whole.
                Some(Owner::Structure(_) | Owner::Unknown) | None => Some(Nodes::ROOT),
                Some(Owner::Padding) => None,
            };
            if let (Some(from), Some(to)) = (from, to) {
                self.found.push(Edge { from, to, reason });
            }
        }
    }

    /// What a reference leads to. The end of a section is its own where programs walk through it.
    fn target(&self, reference: &Reference) -> Option<Node> {
        let to = reference.to();
        match self.ledger.owner_at(to) {
            Some(owner) => self.nodes.of(owner),
            None => *self.together.get(to.section.get())?,
        }
    }

    /// Each of those that share bytes keeps them.
    fn shared(&mut self) {
        let ledger = self.ledger;
        for (set, number) in ledger.shared_sets().iter().zip(0..) {
            let shared = self.nodes.of(Owner::Shared(crate::owner::SharedId(number)));
            for &owner in set {
                match owner {
                    Owner::Item(_) | Owner::Shared(_) => {
                        self.push(self.nodes.of(owner), shared, Mention::Shared);
                    }
                    Owner::Structure(_) | Owner::Unknown => {
                        let kind = RootKind::Describes;
                        self.push(Some(Nodes::ROOT), shared, Mention::Root(kind));
                    }
                    Owner::Padding => {}
                }
            }
        }
    }

    fn string_ends(&mut self) {
        let ledger = self.ledger;
        for &(end, longer) in ledger.string_ends() {
            let node = |id| self.nodes.of(Owner::Item(id));
            self.push(node(longer), node(end), Mention::StringEnd);
        }
    }

    fn distances(&mut self) {
        for (table, target) in distances(self.ledger) {
            let table = self.nodes.of(Owner::Item(table));
            self.push(table, self.nodes.of(target), Mention::Distance);
        }
    }

    /// Sections that the linker keeps, whole or at all.
    fn sections(&mut self) {
        let ledger = self.ledger;
        for section in &ledger.image().sections {
            let head = self.together.get(section.index.get()).copied().flatten();
            let always = section.retention == Retention::Always && section.access.loaded;
            if !always && head.is_none() {
                continue;
            }
            for piece in ledger.pieces_of(section.index) {
                if always {
                    self.root(Some(piece.owner), RootKind::Always);
                } else {
                    self.push(head, self.nodes.of(piece.owner), Mention::Together);
                }
            }
        }
    }

    /// What other files may use. Of an object file, all that is not its own.
    ///
    /// A program of Mach-O lists whatever is not local, but its linkers keep nothing for that (`ld`, options `-dead_strip` and
    /// `-export_dynamic`).
    fn exports(&mut self) {
        let ledger = self.ledger;
        for part in ledger.image().parts() {
            let Some(image) = part.image else { continue };
            let is_object = image.target.kind == FileKind::Object;
            let is_program = matches!(
                image.target.kind,
                FileKind::Executable | FileKind::PositionIndependentExecutable
            );
            let is_only_listed = is_program && image.target.format == Format::MachO;
            for table in &image.symbol_tables {
                if !is_object && table.role != SymbolTableRole::Dynamic {
                    continue;
                }
                for symbol in &table.symbols {
                    if symbol.binding != Binding::Local
                        && !symbol.undefined
                        && let Some(place) = symbol.place
                    {
                        let place = moved(place, part.first_section);
                        let owner = ledger.owner_at(place);
                        if is_only_listed {
                            let node = owner.and_then(|owner| self.nodes.of(owner));
                            self.perhaps_used.extend(node);
                        } else {
                            self.root(owner, RootKind::Exported);
                        }
                    }
                }
            }
        }
    }

    /// Where programs start.
    fn entries(&mut self) {
        let ledger = self.ledger;
        for part in ledger.image().parts() {
            if let Some(entry) = part.image.and_then(|image| image.entry) {
                let entry = moved(entry, part.first_section);
                self.root(ledger.owner_at(entry), RootKind::Entry);
            }
        }
    }

    /// Calls through tables. Between the callers and the functions that they can mean stands a node for all calls of one
    /// type: each of many callers can mean each of many functions.
    fn dispatches(&mut self) {
        let ledger = self.ledger;
        for (dispatch, number) in ledger.references().dispatches().iter().zip(0..) {
            let node = self.nodes.of_dispatch(number);
            for &caller in &dispatch.callers {
                let from = match ledger.owner_at(caller) {
                    Some(owner @ (Owner::Item(_) | Owner::Shared(_))) => self.nodes.of(owner),
                    _ => Some(Nodes::ROOT),
                };
                self.push(from, Some(node), Mention::TableCall);
            }
            for &function in &dispatch.functions {
                let to = ledger.owner_at(function).and_then(|it| self.nodes.of(it));
                self.push(Some(node), to, Mention::TableEntry);
            }
            if dispatch.exported {
                self.perhaps_used.push(node);
            }
        }
    }

    /// Items that are roots for what they are.
    fn items(&mut self) {
        let ledger = self.ledger;
        for (index, item) in ledger.items().iter().enumerate() {
            let is_thread_local = || {
                let section = ledger.image().section(item.place?.section)?;
                Some(section.access.thread_local)
            };
            let kind = if item.kind == ItemKind::Unit {
                RootKind::Describes
            } else if is_thread_local() == Some(true) {
                RootKind::ThreadLocal
            } else {
                continue;
            };
            self.root(Some(Owner::Item(ItemId::new(index))), kind);
        }
    }
}

/// By section that programs walk through: its first item.
fn together(ledger: &Ledger<'_>, nodes: Nodes) -> Vec<Option<Node>> {
    let sections = ledger.image().sections.iter();
    sections
        .map(|section| {
            let is_walked = section.retention == Retention::Together && section.access.loaded;
            let mut pieces = ledger.pieces_of(section.index).iter();
            pieces.find_map(|piece| nodes.of(piece.owner).filter(|_| is_walked))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_without_a_place_have_numbers_of_their_own() {
        for (position, special) in (0..).zip(SPECIAL) {
            assert_eq!(number_of(special), u32::MAX - 1 - position);
        }
    }
}
