//! Instructions of WebAssembly: calls and globals by number, linear memory by plain numbers.

use std::collections::BTreeSet;

use wasmparser::{BinaryReader, FunctionBody, Operator};
use whittle_image::Place;

use crate::finder::Finder;
use crate::reference::{Certainty, ReferenceKind};
use crate::region::{Content, Region};

/// Reads the functions of a module.
///
/// What functions and globals an instruction names is certain. A number may be the address of data or just a number:
/// what it leads to is inferred. A call through a table is a [`Dispatch`](crate::Dispatch): which functions it can reach
/// only the types say.
pub(crate) fn module(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    let code = finder.section.index;
    let mut spaces = finder.image().index_spaces.iter();
    let Some(spaces) = spaces.find(|spaces| spaces.code == Some(code)) else {
        return;
    };
    let place = |list: &[Place], number: u32| {
        let number = usize::try_from(number).ok()?;
        list.get(number).copied()
    };
    for region in regions {
        if !finder.enter(region) || !matches!(region.content, Content::Function(_)) {
            continue;
        }
        // What was called so far through tables: one such call of a function is as good as many.
        let mut dispatched = BTreeSet::new();
        let mut each = |finder: &mut Finder<'_, '_>, operator: &Operator<'_>, at: u64| {
            let (to, kind) = match *operator {
                Operator::CallIndirect {
                    type_index,
                    table_index,
                }
                | Operator::ReturnCallIndirect {
                    type_index,
                    table_index,
                } => {
                    if dispatched.insert((table_index, type_index)) {
                        finder.dispatch(at, table_index, type_index);
                    }
                    return;
                }
                Operator::Call { function_index } => (
                    place(&spaces.functions, function_index),
                    ReferenceKind::Call,
                ),
                Operator::ReturnCall { function_index } => (
                    place(&spaces.functions, function_index),
                    ReferenceKind::Jump,
                ),
                Operator::RefFunc { function_index } => (
                    place(&spaces.functions, function_index),
                    ReferenceKind::Address,
                ),
                Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                    (place(&spaces.globals, global_index), ReferenceKind::Access)
                }
                Operator::I32Const { value } => {
                    let address = u64::from(value.cast_unsigned());
                    finder.linear(at, address, &spaces.data, ReferenceKind::Address);
                    return;
                }
                Operator::I64Const { value } if finder.image().target.bits == 64 => {
                    finder.linear(
                        at,
                        value.cast_unsigned(),
                        &spaces.data,
                        ReferenceKind::Address,
                    );
                    return;
                }
                _ => {
                    if let Some(address) = accessed(operator) {
                        finder.linear(at, address, &spaces.data, ReferenceKind::Access);
                    }
                    return;
                }
            };
            match to {
                Some(to) => finder.refer(at, to, kind, Certainty::Exact),
                None => finder.bytes.leads_nowhere(),
            }
        };
        if let Err(at) = operators(finder, region, &mut each) {
            finder.bytes.skipped += region.end.saturating_sub(at.max(region.start));
        }
    }
}

/// Hands on the instructions of a function with their offsets in the section.
///
/// # Errors
/// The offset behind which nothing could be read.
fn operators(
    finder: &mut Finder<'_, '_>,
    region: &Region,
    each: &mut impl FnMut(&mut Finder<'_, '_>, &Operator<'_>, u64),
) -> Result<(), u64> {
    let bounds = usize::try_from(region.start)
        .ok()
        .zip(usize::try_from(region.end).ok());
    let bytes = bounds
        .and_then(|(start, end)| finder.code().get(start..end))
        .ok_or(region.start)?;
    let mut reader = BinaryReader::new(bytes, region.start);
    // The length of the body stands first.
    reader.read_var_u32().map_err(|error| error.offset())?;
    let body = FunctionBody::new(reader);
    let mut operators = body
        .get_operators_reader()
        .map_err(|error| error.offset())?;
    while !operators.eof() {
        let (operator, at) = operators
            .read_with_offset()
            .map_err(|error| error.offset())?;
        each(finder, &operator, at);
    }
    Ok(())
}

/// The fixed part of the address that an instruction reads or writes at.
fn accessed(operator: &Operator<'_>) -> Option<u64> {
    match operator {
        Operator::I32Load { memarg }
        | Operator::I64Load { memarg }
        | Operator::F32Load { memarg }
        | Operator::F64Load { memarg }
        | Operator::I32Load8S { memarg }
        | Operator::I32Load8U { memarg }
        | Operator::I32Load16S { memarg }
        | Operator::I32Load16U { memarg }
        | Operator::I64Load8S { memarg }
        | Operator::I64Load8U { memarg }
        | Operator::I64Load16S { memarg }
        | Operator::I64Load16U { memarg }
        | Operator::I64Load32S { memarg }
        | Operator::I64Load32U { memarg }
        | Operator::I32Store { memarg }
        | Operator::I64Store { memarg }
        | Operator::F32Store { memarg }
        | Operator::F64Store { memarg }
        | Operator::I32Store8 { memarg }
        | Operator::I32Store16 { memarg }
        | Operator::I64Store8 { memarg }
        | Operator::I64Store16 { memarg }
        | Operator::I64Store32 { memarg }
        | Operator::V128Load { memarg }
        | Operator::V128Store { memarg } => Some(memarg.offset),
        _ => None,
    }
}
