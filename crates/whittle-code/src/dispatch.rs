//! Calls through a table: in WebAssembly an instruction names a table and a type, and can reach every function of that
//! type in the table. What number it takes from where nobody sees.

use std::collections::BTreeMap;

use whittle_image::{Image, Place, SectionIndex};

/// Calls of functions of one type through one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispatch {
    /// The type, as text: `(i32, i32) -> i32`.
    pub signature: String,
    /// The calling instructions, in ascending order; of several in one function the first.
    pub callers: Vec<Place>,
    /// The functions that can be meant, in ascending order.
    pub functions: Vec<Place>,
    /// Whether other files can call through the table.
    pub exported: bool,
}

impl Dispatch {
    /// The same, counted from elsewhere.
    pub(crate) fn moved(&self, to: impl Fn(Place) -> Place) -> Self {
        let moved = |places: &[Place]| places.iter().map(|&place| to(place)).collect();
        Self {
            signature: self.signature.clone(),
            callers: moved(&self.callers),
            functions: moved(&self.functions),
            exported: self.exported,
        }
    }
}

/// The functions in tables by table and type.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    /// By code section, table and type: a number.
    numbers: BTreeMap<(SectionIndex, u32, u32), u32>,
    /// By number; without callers.
    list: Vec<Dispatch>,
    /// By code section and number of a type: the first type that is the same.
    same_types: BTreeMap<SectionIndex, Vec<u32>>,
}

impl Targets {
    pub(crate) fn of(image: &Image<'_>) -> Self {
        let mut targets = Self::default();
        for spaces in &image.index_spaces {
            let Some(code) = spaces.code else {
                continue;
            };
            let same: Vec<u32> = spaces.types.iter().map(|it| it.same_as).collect();
            for (table, number) in spaces.tables.iter().zip(0..) {
                for &function in &table.functions {
                    let at = usize::try_from(function).unwrap_or(usize::MAX);
                    let of_type = spaces.function_types.get(at);
                    let same_type = of_type.and_then(|&of_type| get(&same, of_type));
                    let (Some(&place), Some(of_type)) = (spaces.functions.get(at), same_type)
                    else {
                        continue;
                    };
                    let next = u32::try_from(targets.list.len()).unwrap_or(u32::MAX);
                    let number = *targets
                        .numbers
                        .entry((code, number, of_type))
                        .or_insert(next);
                    if number == next {
                        let known = usize::try_from(of_type).unwrap_or(usize::MAX);
                        targets.list.push(Dispatch {
                            signature: spaces
                                .types
                                .get(known)
                                .map_or_else(String::new, |it| it.text.clone()),
                            exported: table.exported,
                            ..Dispatch::default()
                        });
                    }
                    let known = usize::try_from(number).unwrap_or(usize::MAX);
                    if let Some(dispatch) = targets.list.get_mut(known) {
                        dispatch.functions.push(place);
                    }
                }
            }
            targets.same_types.insert(code, same);
        }
        targets
    }

    /// The number of a table and a type; nothing if no function of that type stands in it.
    pub(crate) fn number(&self, code: SectionIndex, table: u32, of_type: u32) -> Option<u32> {
        let of_type = get(self.same_types.get(&code)?, of_type)?;
        self.numbers.get(&(code, table, of_type)).copied()
    }

    /// All of them with their callers, which are in the order of the code.
    pub(crate) fn with_callers(mut self, callers: Vec<(Place, u32)>) -> Vec<Dispatch> {
        for (place, number) in callers {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            if let Some(dispatch) = self.list.get_mut(number) {
                dispatch.callers.push(place);
            }
        }
        for dispatch in &mut self.list {
            dispatch.functions.sort_unstable();
            dispatch.functions.dedup();
        }
        self.list
    }
}

fn get(list: &[u32], number: u32) -> Option<u32> {
    list.get(usize::try_from(number).ok()?).copied()
}
