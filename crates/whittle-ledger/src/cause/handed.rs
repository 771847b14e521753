//! What functions hand to panics, and which of them are the bodies of `async` functions.
//!
//! A function that panics makes the addresses of the message and of the location, and calls. Between two calls stands
//! what the second one is given:
//!
//! ```text
//!   lea  rdi, [message]        text, or a table of texts (`core::fmt::Arguments`)
//!   lea  rdx, [location]
//!   call core::panicking::panic_fmt
//! ```

use whittle_code::{Reference, ReferenceKind};
use whittle_image::Place;

use crate::cause::Cause;
use crate::constants::bytes_of;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind, Owner};

/// How many bytes of code lie between what a call is given, and from there to the call.
const WINDOW: u64 = 64;

/// What is known from who mentions what.
#[derive(Debug)]
pub(crate) struct Handed {
    /// Mentions of each text and table of texts: all of them, and those that hand it to a panic.
    mentions: Vec<(u32, u32)>,
    is_async: Vec<bool>,
}

/// Where what a function made ready goes.
#[derive(Debug, Clone, Copy)]
enum End {
    /// To this function, or to one of another file.
    Call(Option<ItemId>),
    /// No call is in sight: it is behind a jump, which panics of one function share.
    OutOfSight,
}

/// What a call is about to be given.
#[derive(Debug, Default)]
struct Pending {
    function: Option<ItemId>,
    /// Where the last mention stands.
    at: u64,
    has_location: bool,
    texts: Vec<ItemId>,
}

/// What all calls are given.
#[derive(Debug)]
struct Calls {
    /// Of each function: how many there are, and how many are given a panic location.
    of_functions: Vec<(u32, u32)>,
    /// Texts beside a panic location.
    texts: Vec<(End, ItemId)>,
}

impl Calls {
    fn end(&mut self, pending: &mut Pending, end: End) {
        if let End::Call(Some(function)) = end {
            let calls = &mut self.of_functions[function.index()];
            calls.0 += 1;
            calls.1 += u32::from(pending.has_location);
        }
        if pending.has_location {
            self.texts
                .extend(pending.texts.iter().map(|&text| (end, text)));
        }
        pending.has_location = false;
        pending.texts.clear();
    }
}

impl Handed {
    /// Goes once through all references of code, and once through those of data. `by_name` is what the names of items
    /// say of their causes.
    pub(crate) fn find(ledger: &Ledger<'_>, by_name: &[Option<Cause>]) -> Self {
        let items = ledger.items();
        let mut handed = Self {
            mentions: vec![(0, 0); items.len()],
            is_async: vec![false; items.len()],
        };
        let mut calls = Calls {
            of_functions: vec![(0, 0); items.len()],
            texts: Vec::new(),
        };
        let resumed = resumed(ledger);
        let mut pending = Pending::default();
        let mut cursor = Cursor::default();
        for reference in ledger.references().list() {
            let function = cursor.item_at(ledger, reference.from());
            let Some(id) = function.filter(|id| items[id.index()].kind == ItemKind::Function)
            else {
                continue;
            };
            if resumed.contains(&reference.to()) {
                handed.is_async[id.index()] = true;
            }
            let at = reference.from().offset;
            if pending.function != function || at.saturating_sub(pending.at) > WINDOW {
                calls.end(&mut pending, End::OutOfSight);
            }
            pending.function = function;
            pending.at = at;
            handed.read(ledger, reference, &mut pending, &mut calls);
        }
        calls.end(&mut pending, End::OutOfSight);
        for &(end, text) in &calls.texts {
            let panics = match end {
                End::OutOfSight | End::Call(None) => true,
                End::Call(Some(id)) if items[id.index()].name.is_empty() => {
                    // Where a panic starts, nearly every call brings a location.
                    let (all, with_location) = calls.of_functions[id.index()];
                    u64::from(with_location) * 10 >= u64::from(all) * 9
                }
                End::Call(Some(id)) => by_name[id.index()] == Some(Cause::PanicMachinery),
            };
            handed.mentions[text.index()].1 += u32::from(panics);
        }
        handed.follow_tables(ledger);
        handed
    }

    /// Whether all that mention a text or table hand it to a panic.
    pub(crate) fn is_for_panics_only(&self, id: ItemId) -> bool {
        let mentions = self.mentions.get(id.index());
        mentions.is_some_and(|&(all, panics)| panics > 0 && panics == all)
    }

    /// Whether a function says that it cannot be resumed once it is done, as only `async` bodies do.
    pub(crate) fn is_async(&self, id: ItemId) -> bool {
        self.is_async.get(id.index()).copied().unwrap_or(false)
    }

    /// Reads one reference of a function.
    fn read(
        &mut self,
        ledger: &Ledger<'_>,
        reference: &Reference,
        pending: &mut Pending,
        calls: &mut Calls,
    ) {
        let target = match ledger.owner_at(reference.to()) {
            Some(Owner::Item(id)) => Some(id),
            _ => None,
        };
        if matches!(reference.kind(), ReferenceKind::Call | ReferenceKind::Jump) {
            calls.end(pending, End::Call(target));
            return;
        }
        let Some(id) = target else { return };
        match ledger.item(id).kind {
            ItemKind::Location => pending.has_location = true,
            ItemKind::Text | ItemKind::Constant => {
                self.mentions[id.index()].0 += 1;
                pending.texts.push(id);
            }
            _ => {}
        }
    }

    /// What a table of texts mentions is handed over with it. Tables hold texts, never tables.
    fn follow_tables(&mut self, ledger: &Ledger<'_>) {
        let items = ledger.items();
        let mut cursor = Cursor::default();
        for reference in ledger.references().list() {
            if reference.kind() != ReferenceKind::Pointer {
                continue;
            }
            let Some(Owner::Item(text)) = ledger.owner_at(reference.to()) else {
                continue;
            };
            if items[text.index()].kind != ItemKind::Text {
                continue;
            }
            let from = cursor.item_at(ledger, reference.from());
            let panics = from.is_some_and(|table| self.is_for_panics_only(table));
            let mentions = &mut self.mentions[text.index()];
            mentions.0 += 1;
            mentions.1 += u32::from(panics);
        }
    }
}

/// Finds the items of places that come in ascending order: most are in the item of the one before.
#[derive(Debug, Default)]
struct Cursor {
    last: Option<(Place, u64, Option<ItemId>)>,
}

impl Cursor {
    fn item_at(&mut self, ledger: &Ledger<'_>, place: Place) -> Option<ItemId> {
        if let Some((start, end, id)) = self.last
            && start.section == place.section
            && (start.offset..end).contains(&place.offset)
        {
            return id;
        }
        let piece = ledger.piece_at(place)?;
        let id = match piece.owner {
            Owner::Item(id) => Some(id),
            _ => None,
        };
        let start = Place {
            offset: piece.start,
            ..place
        };
        self.last = Some((start, piece.end, id));
        id
    }
}

/// What only `async` bodies lead to: the functions that panic when one is resumed after its end, by their names (since
/// Rust 1.83), or the message.
fn resumed(ledger: &Ledger<'_>) -> Vec<Place> {
    const NAME: &[u8] = b"panic_const_async_fn_resumed";
    const MESSAGE: &[u8] = b"`async fn` resumed after";
    // The standard library has two of each; more are none of its own.
    const MAX: usize = 16;
    let is_entry = |name: &[u8]| memchr::memmem::find(name, NAME).is_some();
    let items = ledger.items().iter().filter(|item| match item.kind {
        ItemKind::Function => is_entry(item.name) || item.aliases.iter().any(|name| is_entry(name)),
        ItemKind::Text => item
            .place
            .and_then(|place| bytes_of(ledger.image(), place, item.len))
            .is_some_and(|bytes| bytes.starts_with(MESSAGE)),
        _ => false,
    });
    items.filter_map(|item| item.place).take(MAX).collect()
}
