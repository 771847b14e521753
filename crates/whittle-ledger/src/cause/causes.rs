//! The rules: which cause each item has, and each span.

use whittle_image::SectionRole;

use crate::cause::Cause;
use crate::cause::copies::Copies;
use crate::cause::handed::Handed;
use crate::cause::program::Program;
use crate::cause::symbol::{Symbol, Texts};
use crate::certainty::{Certainty, Source};
use crate::crates::{CrateId, Crates, Family};
use crate::kind::Kind;
use crate::known_symbols::is_anonymous;
use crate::ledger::{Ledger, Span};
use crate::owner::{Attribution, Item, ItemId, ItemKind, Owner};

/// A cause, how sure it is, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The cause.
    pub cause: Cause,
    /// How sure that is.
    pub certainty: Certainty,
    /// What it rests on.
    pub source: Source,
}

impl Reason {
    const UNKNOWN: Self = Self::new(Cause::Unknown, Certainty::Unknown, Source::None);

    const fn new(cause: Cause, certainty: Certainty, source: Source) -> Self {
        Self {
            cause,
            certainty,
            source,
        }
    }

    const fn exact(cause: Cause, source: Source) -> Self {
        Self::new(cause, Certainty::Exact, source)
    }

    const fn inferred(cause: Cause, source: Source) -> Self {
        Self::new(cause, Certainty::Inferred, source)
    }

    /// At least as unsure as `certainty`, which rests on `source`.
    fn weakened(self, certainty: Certainty, source: Source) -> Self {
        if certainty > self.certainty {
            Self {
                certainty,
                source,
                ..self
            }
        } else {
            self
        }
    }
}

/// How often constants are looked at: they use constants, most of them a step or two away from code.
const MAX_PASSES: usize = 4;

/// The causes of all items of a ledger.
#[derive(Debug)]
pub struct Causes {
    of_items: Vec<Reason>,
    /// The sets that the linker merged or that share what describes them.
    of_shared: Vec<Reason>,
}

impl Causes {
    /// Judges all items, in time proportional to items and references.
    #[must_use]
    pub fn of(ledger: &Ledger<'_>) -> Self {
        let items = ledger.items();
        // Damaged files can give one long name to all their symbols.
        let mut room = ledger.image().data.len().saturating_mul(4) + (64 << 20);
        let symbols: Vec<Option<Symbol<'_>>> = items
            .iter()
            .map(|item| {
                room = room.checked_sub(item.name.len())?;
                (!item.name.is_empty()).then(|| Symbol::new(item.name))
            })
            .collect();
        let mut texts = Texts::default();
        let by_name: Vec<Option<Cause>> = items
            .iter()
            .zip(&symbols)
            .map(|(item, symbol)| {
                let family = |known: Attribution| family(ledger, known.value);
                let (defined, compiled) = (family(item.defined_in), family(item.compiled_in));
                symbol.as_ref()?.cause(&mut texts, defined, compiled)
            })
            .collect();
        let rules = Rules {
            ledger,
            program: Program::find(ledger),
            copies: Copies::find(ledger, &symbols),
            handed: Handed::find(ledger, &by_name),
            symbols,
            by_name,
        };
        let mut of_items: Vec<Reason> = (0..items.len())
            .map(|index| rules.of_item(ItemId::new(index)))
            .collect();
        rules.hand_down(&mut of_items);
        let of_shared = ledger
            .shared_sets()
            .iter()
            .map(|set| of_set(set, &of_items))
            .collect();
        Self {
            of_items,
            of_shared,
        }
    }

    /// The cause of a span.
    #[must_use]
    pub fn of_span(&self, span: &Span<'_>) -> Reason {
        let by_kind = match span.kind {
            Kind::DebugInfo => Some(Cause::DebugInfo),
            Kind::SymbolNames => Some(Cause::SymbolNames),
            Kind::Padding => Some(Cause::Alignment),
            Kind::Relocations => Some(Cause::DynamicRelocations),
            Kind::UnwindTables | Kind::ExceptionTables => Some(Cause::Unwinding),
            Kind::DynamicLinking
            | Kind::Notes
            | Kind::CompilerMetadata
            | Kind::Resources
            | Kind::Signature
            | Kind::Headers => Some(Cause::Structure),
            Kind::Code
            | Kind::ReadOnlyData
            | Kind::RelocatedReadOnlyData
            | Kind::WritableData
            | Kind::ThreadLocalData
            | Kind::Other => None,
        };
        if let Some(cause) = by_kind {
            let reason = Reason::exact(cause, Source::Layout);
            // Padding that was told by its content may be something else.
            return if cause == Cause::Alignment {
                reason.weakened(span.certainty, span.source)
            } else {
                reason
            };
        }
        let reason = match span.owner {
            Owner::Item(id) => self.of_data(id, span),
            Owner::Shared(id) => self.of_shared.get(id.index()).copied(),
            Owner::Structure(_) => Some(Reason::exact(Cause::Structure, Source::Layout)),
            Owner::Padding => Some(Reason::exact(Cause::Alignment, Source::Layout)),
            Owner::Unknown => None,
        };
        reason
            .unwrap_or(Reason::UNKNOWN)
            .weakened(span.certainty, span.source)
    }

    /// The cause of what an owner is, whatever describes it.
    pub(crate) fn of_owner(&self, owner: Owner) -> Cause {
        let reason = match owner {
            Owner::Item(id) => self.of_items.get(id.index()),
            Owner::Shared(id) => self.of_shared.get(id.index()),
            Owner::Structure(_) => return Cause::Structure,
            Owner::Padding => return Cause::Alignment,
            Owner::Unknown => None,
        };
        reason.map_or(Cause::Unknown, |reason| reason.cause)
    }

    /// What an item has besides its code: jump tables are the one thing of a function that is constant.
    fn of_data(&self, id: ItemId, span: &Span<'_>) -> Option<Reason> {
        let reason = *self.of_items.get(id.index())?;
        let is_constant = matches!(span.kind, Kind::ReadOnlyData | Kind::RelocatedReadOnlyData);
        if is_constant && reason.cause > Cause::Tables {
            return Some(Reason::inferred(Cause::Tables, span.source));
        }
        Some(reason)
    }
}

/// All that the rules ask for.
struct Rules<'a, 'data> {
    ledger: &'a Ledger<'data>,
    symbols: Vec<Option<Symbol<'data>>>,
    /// What names alone say.
    by_name: Vec<Option<Cause>>,
    program: Program,
    copies: Copies,
    handed: Handed,
}

impl Rules<'_, '_> {
    /// The first rule that matches an item, apart from what its users say.
    fn of_item(&self, id: ItemId) -> Reason {
        let item = self.ledger.item(id);
        if item.kind.is_data() {
            self.of_constant(id, item)
        } else {
            self.of_function(id, item)
        }
    }

    fn of_function(&self, id: ItemId, item: &Item<'_>) -> Reason {
        let by_name = self.by_name.get(id.index()).copied().flatten();
        // Of folded functions the first name speaks for all.
        let folded = |reason: Reason| {
            if item.aliases.is_empty() {
                reason
            } else {
                reason.weakened(Certainty::Inferred, Source::SymbolName)
            }
        };
        match by_name {
            // A block that somebody wrote by hand looks the same.
            Some(cause @ Cause::DerivableImpls) => {
                return Reason::inferred(cause, Source::SymbolName);
            }
            Some(cause) => return folded(Reason::exact(cause, Source::SymbolName)),
            None => {}
        }
        let symbol = self.symbols.get(id.index()).copied().flatten();
        if self.handed.is_async(id) && symbol.is_some_and(|symbol| symbol.is_closure()) {
            return Reason::inferred(Cause::AsyncBodies, Source::Reference);
        }
        if self.copies.is_beyond(id) {
            let is_sure = symbol.is_some_and(|symbol| symbol.is_surely_generic());
            return folded(if is_sure {
                Reason::exact(Cause::GenericCopies, Source::SymbolName)
            } else {
                Reason::inferred(Cause::GenericCopies, Source::SymbolName)
            });
        }
        folded(self.by_crate(id, item))
    }

    fn of_constant(&self, id: ItemId, item: &Item<'_>) -> Reason {
        let is_handed = matches!(item.kind, ItemKind::Text | ItemKind::Constant)
            && self.handed.is_for_panics_only(id);
        if matches!(item.kind, ItemKind::Location | ItemKind::SourceFile) || is_handed {
            return Reason::inferred(Cause::PanicMessages, Source::PanicLocation);
        }
        if let Some(cause) = self.by_name.get(id.index()).copied().flatten() {
            return Reason::exact(cause, Source::SymbolName);
        }
        match item.kind {
            ItemKind::VTable => Reason::inferred(Cause::Vtables, Source::Reference),
            ItemKind::Text => Reason::inferred(Cause::StringLiterals, Source::Reference),
            // What looks neither like text nor like a vtable may be one all the same.
            _ if self.is_read_only(item) && is_anonymous(item.name) => {
                Reason::inferred(Cause::Tables, Source::SectionName)
            }
            _ if self.is_read_only(item) => Reason::exact(Cause::Tables, Source::SectionName),
            _ => self.by_crate(id, item),
        }
    }

    fn is_read_only(&self, item: &Item<'_>) -> bool {
        let section = item
            .place
            .and_then(|place| self.ledger.image().section(place.section));
        section.is_some_and(|section| {
            matches!(
                section.role,
                SectionRole::ReadOnlyData | SectionRole::RelocatedReadOnlyData
            )
        })
    }

    /// By the crate that defines it, and by its language.
    fn by_crate(&self, id: ItemId, item: &Item<'_>) -> Reason {
        let defined = item.defined_in;
        let symbol = self.symbols.get(id.index()).copied().flatten();
        let is_rust = symbol.is_some_and(|symbol| symbol.is_rust());
        if item.kind == ItemKind::Import || defined.value == CrateId::STRUCTURE {
            return Reason::exact(Cause::Structure, Source::Symbol);
        }
        if defined.value == CrateId::C_RUNTIME {
            return Reason::new(Cause::CCode, defined.certainty, defined.source);
        }
        if !is_rust && self.ledger.is_foreign(id) {
            return Reason::exact(Cause::CCode, Source::LinkMap);
        }
        match family(self.ledger, defined.value) {
            Family::Standard => {
                Reason::new(Cause::StandardLibrary, defined.certainty, defined.source)
            }
            Family::Package => {
                let cause = if self.program.owns(defined.value) {
                    Cause::OwnCode
                } else {
                    Cause::DependencyCode
                };
                Reason::new(cause, defined.certainty, defined.source)
                    .weakened(self.program.certainty, Source::SymbolName)
            }
            Family::Special => by_symbol(symbol),
        }
    }

    /// Gives constants the cause of their users where all have the same and would take the constant with them.
    fn hand_down(&self, of_items: &mut [Reason]) {
        const HANDED_DOWN: [Cause; 4] = [
            Cause::PanicMachinery,
            Cause::BacktraceSymbolizer,
            Cause::FormattingMachinery,
            Cause::DerivableImpls,
        ];
        for _ in 0..MAX_PASSES {
            let mut is_settled = true;
            for (index, item) in self.ledger.items().iter().enumerate() {
                let own = of_items[index].cause;
                if !item.kind.is_data() || own < Cause::Vtables {
                    continue;
                }
                let users = self.ledger.users(ItemId::new(index));
                let mut causes = users.iter().map(|user| of_items[user.index()].cause);
                let Some(first) = causes.next() else { continue };
                if HANDED_DOWN.contains(&first) && causes.all(|other| other == first) {
                    of_items[index] = Reason::inferred(first, Source::Reference);
                    is_settled = false;
                }
            }
            if is_settled {
                break;
            }
        }
    }
}

fn family(ledger: &Ledger<'_>, id: CrateId) -> Family {
    ledger
        .crates()
        .get(id.index())
        .map_or(Family::Special, |known| known.family)
}

/// By its first name alone, where several crates share an item or none is known.
fn by_symbol(symbol: Option<Symbol<'_>>) -> Reason {
    let Some(symbol) = symbol else {
        return Reason::UNKNOWN;
    };
    if !symbol.is_rust() {
        // rustc leaves a name unmangled when the source says so; most such names are C's.
        return Reason::inferred(Cause::CCode, Source::SymbolName);
    }
    let Some(name) = symbol.crate_name() else {
        return Reason::UNKNOWN;
    };
    let cause = if Crates::is_standard_name(name) {
        Cause::StandardLibrary
    } else {
        Cause::DependencyCode
    };
    Reason::inferred(cause, Source::SymbolName)
}

/// The cause of what several owners share: theirs, if they agree.
fn of_set(set: &[Owner], of_items: &[Reason]) -> Reason {
    let mut causes = set.iter().map(|owner| match owner {
        Owner::Item(id) => of_items.get(id.index()).map(|reason| reason.cause),
        Owner::Structure(_) => Some(Cause::Structure),
        Owner::Padding => Some(Cause::Alignment),
        Owner::Shared(_) | Owner::Unknown => None,
    });
    match causes.next().flatten() {
        Some(first) if causes.all(|other| other == Some(first)) => {
            Reason::inferred(first, Source::Reference)
        }
        _ => Reason::UNKNOWN,
    }
}
