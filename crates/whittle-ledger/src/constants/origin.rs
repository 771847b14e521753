//! The crates of constants, by their users: a compiler gives each unit constants of its own.

use crate::attribution::agreement;
use crate::certainty::Source;
use crate::constants::users::Users;
use crate::crates::CrateId;
use crate::items::Items;
use crate::owner::{Attribution, ItemId};

/// How often all constants are looked at: constants use constants, most of them a step or two away from code.
const MAX_PASSES: usize = 12;

/// Gives constants the crate in which all their users were compiled; that they are shared, if the users do not agree.
pub(crate) fn compiled_by_users(items: &mut Items<'_>, users: &Users) {
    settle(
        items,
        users,
        |items, id| items.list[id.index()].compiled_in,
        |items, id, found| {
            items.list[id.index()].compiled_in = found;
        },
    );
}

/// Gives constants the crate that defines all their users. Where these do not agree, what was compiled in one crate
/// was most likely written there.
pub(crate) fn defined_by_users(items: &mut Items<'_>, users: &Users) {
    settle(
        items,
        users,
        |items, id| items.list[id.index()].defined_in,
        |items, id, found| {
            let item = &mut items.list[id.index()];
            let compiled = item.compiled_in;
            item.defined_in = if found.value == CrateId::SHARED && compiled.is_known() {
                Attribution::inferred(compiled.value, compiled.source)
            } else {
                found
            };
        },
    );
}

/// Goes through the constants of which nothing is known until nothing changes. A constant whose users are all known
/// takes what they say; in the end one does of which some user is known.
fn settle<'data>(
    items: &mut Items<'data>,
    users: &Users,
    value: impl Fn(&Items<'data>, ItemId) -> Attribution,
    mut set: impl FnMut(&mut Items<'data>, ItemId, Attribution),
) {
    let mut open: Vec<ItemId> = (0..items.list.len())
        .filter_map(|index| Some(ItemId(u32::try_from(index).ok()?)))
        .filter(|&id| !users.of(id).is_empty() && !value(items, id).is_known())
        .collect();
    for needs_all in [true, false] {
        for _ in 0..MAX_PASSES {
            let before = open.len();
            open.retain(|&id| {
                let of_users = users.of(id).iter().map(|&user| value(items, user));
                if needs_all && !of_users.clone().all(Attribution::is_known) {
                    return true;
                }
                let found = agreement(of_users.filter(|one| one.is_known()));
                if !found.is_known() {
                    return true;
                }
                set(
                    items,
                    id,
                    Attribution::inferred(found.value, Source::Reference),
                );
                false
            });
            if open.len() == before {
                break;
            }
        }
    }
}
