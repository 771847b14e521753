//! Types of functions, and the tables that functions are called through. Core Specification, "Type Section", "Table
//! Section", "Element Section".

use std::collections::HashMap;
use std::fmt::Write as _;

use wasmparser::{
    CompositeInnerType, ElementItems, ElementKind, ElementSectionReader, FuncType, Operator,
    TableSectionReader, TypeSectionReader, ValType,
};

use super::sections::{Found, cut_off};
use super::{FunctionTable, FunctionType, IndexSpaces, reader};
use crate::description::Description;
use crate::error::Warnings;
use crate::image::Image;
use crate::place::Place;

/// Engines take 100 000 tables; compilers of Rust make one.
const MAX_TABLES: usize = 1 << 10;

/// Reads the types.
pub(super) fn read_types(
    found: &Found,
    image: &Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.types else {
        return;
    };
    let mut numbers: HashMap<FuncType, u32> = HashMap::new();
    let mut read = || -> wasmparser::Result<()> {
        for group in TypeSectionReader::new(reader(image, section))? {
            for sub_type in group?.into_types() {
                let number = u32::try_from(spaces.types.len()).unwrap_or(u32::MAX);
                spaces.types.push(match sub_type.composite_type.inner {
                    CompositeInnerType::Func(function) => FunctionType {
                        text: text(&function),
                        same_as: *numbers.entry(function).or_insert(number),
                    },
                    _ => FunctionType {
                        same_as: number,
                        text: String::new(),
                    },
                });
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "type", &error);
    }
}

/// A type as text. What is longer than people read is cut.
fn text(function: &FuncType) -> String {
    const MAX_SHOWN: usize = 16;
    let list = |text: &mut String, types: &[ValType]| {
        for (number, of_type) in types.iter().take(MAX_SHOWN).enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{of_type}");
        }
        if types.len() > MAX_SHOWN {
            text.push_str(", …");
        }
    };
    let mut text = String::from("(");
    list(&mut text, function.params());
    text.push(')');
    match function.results() {
        [] => {}
        [one] => {
            let _ = write!(text, " -> {one}");
        }
        several => {
            text.push_str(" -> (");
            list(&mut text, several);
            text.push(')');
        }
    }
    text
}

/// Counts the tables that the module has of its own.
pub(super) fn read_tables(
    found: &Found,
    image: &Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.tables else {
        return;
    };
    match TableSectionReader::new(reader(image, section)) {
        Ok(tables) => {
            let count = usize::try_from(tables.count()).unwrap_or(usize::MAX);
            let count = spaces.tables.len().saturating_add(count).min(MAX_TABLES);
            if spaces.tables.len() < count {
                spaces.tables.resize(count, FunctionTable::default());
            }
        }
        Err(error) => cut_off(warnings, "table", &error),
    }
}

/// An entry of a segment: where it starts, where its segment ends, the function.
type Entry = (u64, u64, u32);

/// Each entry of a table goes to its function, and tells that the function can be called through the table.
pub(super) fn read_elements(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.elements else {
        return;
    };
    let mut entries: Vec<Entry> = Vec::new();
    // Which entries can come into which table: any, if instructions put them there.
    let mut segments: Vec<(Option<usize>, std::ops::Range<usize>)> = Vec::new();
    let mut read = || -> wasmparser::Result<()> {
        for element in ElementSectionReader::new(reader(image, section))? {
            let element = element?;
            let first = entries.len();
            let items = read_items(element.items, &mut entries);
            let table = match element.kind {
                ElementKind::Active { table_index, .. } => {
                    Some(usize::try_from(table_index.unwrap_or(0)).unwrap_or(usize::MAX))
                }
                ElementKind::Passive => None,
                // These only say that instructions name the functions.
                ElementKind::Declared => Some(usize::MAX),
            };
            segments.push((table, first..entries.len()));
            items?;
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "element", &error);
    }
    for (number, &(offset, last, function)) in entries.iter().enumerate() {
        // An entry ends where the next one of its segment starts.
        let next = entries.get(number + 1).map_or(last, |&(next, ..)| next);
        let of = usize::try_from(function)
            .ok()
            .and_then(|function| spaces.functions.get(function));
        if let Some(&of) = of
            && offset < next.min(last)
        {
            image.descriptions.push(Description {
                place: Place { section, offset },
                len: next.min(last) - offset,
                of,
            });
        }
    }
    let mut anywhere: Vec<u32> = Vec::new();
    for (table, range) in segments {
        let functions = entries[range].iter().map(|&(.., function)| function);
        match table {
            None => anywhere.extend(functions),
            Some(table) => {
                if let Some(table) = spaces.tables.get_mut(table) {
                    table.functions.extend(functions);
                }
            }
        }
    }
    let tables = spaces.tables.len().max(1);
    // Instructions that fill tables are rare, and no file has so many of both that it would matter.
    anywhere.truncate((1 << 20) / tables);
    for table in &mut spaces.tables {
        table.functions.extend(&anywhere);
        table.functions.sort_unstable();
        table.functions.dedup();
    }
}

fn read_items(items: ElementItems<'_>, entries: &mut Vec<Entry>) -> wasmparser::Result<()> {
    match items {
        ElementItems::Functions(functions) => {
            let end = functions.range().end;
            for function in functions.into_iter_with_offsets() {
                let (start, function) = function?;
                entries.push((start, end, function));
            }
        }
        ElementItems::Expressions(_, expressions) => {
            let end = expressions.range().end;
            for expression in expressions.into_iter_with_offsets() {
                let (start, expression) = expression?;
                for operator in expression.get_operators_reader() {
                    if let Operator::RefFunc { function_index } = operator? {
                        entries.push((start, end, function_index));
                    }
                }
            }
        }
    }
    Ok(())
}
