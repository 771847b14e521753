//! One TOML file under change.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Key, RawString, Table, TableLike, Value};

use super::file::{self, FileEdit};
use super::record::{Applied, Change};
use super::{EditError, parse};
use crate::settings::SettingValue;

/// A key and the tables it is in, the outermost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Address {
    pub(super) table: Vec<String>,
    pub(super) key: String,
}

/// A file as it was and as it is to be.
pub(super) struct Document {
    /// Below the workspace's root.
    name: PathBuf,
    path: PathBuf,
    before: Option<String>,
    has_carriage_returns: bool,
    toml: DocumentMut,
}

impl Address {
    pub(super) fn new(table: &[&str], key: &str) -> Self {
        Self {
            table: table.iter().map(|name| (*name).to_owned()).collect(),
            key: key.to_owned(),
        }
    }
}

/// As a dotted key of TOML.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.table {
            write!(f, "{}.", Key::new(name).display_repr())?;
        }
        f.write_str(&Key::new(&self.key).display_repr())
    }
}

impl Document {
    /// A file that is not there is an empty one.
    pub(super) fn open(root: &Path, name: &Path) -> Result<Self, EditError> {
        let path = root.join(name);
        let before = file::read(&path)?;
        let text = before.as_deref().unwrap_or_default();
        let has_carriage_returns = text.contains("\r\n");
        let toml = parse(&text.replace("\r\n", "\n"), &path)?;
        Ok(Self {
            name: name.to_owned(),
            path,
            before,
            has_carriage_returns,
            toml,
        })
    }

    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What becomes of the file, if anything does. One that is left with nothing in it is removed.
    pub(super) fn finish(self) -> Option<FileEdit> {
        let mut text = self.toml.to_string();
        if self
            .before
            .as_deref()
            .unwrap_or_default()
            .starts_with('\u{feff}')
            && !text.starts_with('\u{feff}')
        {
            text.insert(0, '\u{feff}');
        }
        if self.has_carriage_returns {
            text = text.replace('\n', "\r\n");
        }
        let after = (!text.trim().is_empty()).then_some(text);
        (after != self.before).then_some(FileEdit {
            path: self.path,
            before: self.before,
            after,
        })
    }

    /// The text at a key, if there is a value.
    pub(super) fn text(&self, address: &Address) -> Result<Option<String>, EditError> {
        match self.item(address) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(self.wrong_shape(address)),
            },
        }
    }

    pub(super) fn has_table(&self, table: &[String]) -> bool {
        let mut item = self.toml.as_item();
        for name in table {
            match item.as_table_like().and_then(|table| table.get(name)) {
                Some(inner) => item = inner,
                None => return false,
            }
        }
        true
    }

    /// Gives a key a value. What stands around an old value stays: spacing, and a comment behind it.
    pub(super) fn set(
        &mut self,
        address: &Address,
        value: &SettingValue,
        applied: &mut Applied,
    ) -> Result<(), EditError> {
        let wrong_shape = self.wrong_shape(address);
        let name = self.name.clone();
        let Some(table) = self.make_table(&address.table, applied) else {
            return Err(wrong_shape);
        };
        let before = match get_mut(table, &address.key) {
            None | Some(Item::None) => {
                insert(table, &address.key, Item::Value(value.to_toml()));
                None
            }
            Some(Item::Value(old)) if is(old, value) => return Ok(()),
            Some(Item::Value(old)) => Some(replace(old, value.to_toml())),
            Some(_) => return Err(wrong_shape),
        };
        applied.changes.push((
            name,
            Change::Set {
                address: address.clone(),
                before,
                after: value.clone(),
            },
        ));
        Ok(())
    }

    /// Puts flags at the end of a list of flags, which cargo takes as an array or as one text.
    pub(super) fn extend(
        &mut self,
        address: &Address,
        flags: &[String],
        applied: &mut Applied,
    ) -> Result<(), EditError> {
        let wrong_shape = self.wrong_shape(address);
        let name = self.name.clone();
        let old = match self.item(address) {
            None => {
                let list = SettingValue::List(flags.to_vec());
                return self.set(address, &list, applied);
            }
            Some(item) => item.as_value(),
        };
        if let Some(Value::String(text)) = old {
            // A flag with a space in it can only stand in an array.
            let words = text.value().split_whitespace().map(ToOwned::to_owned);
            let all: Vec<String> = words.chain(flags.iter().cloned()).collect();
            let is_plain = |flag: &String| !flag.is_empty() && !flag.contains(char::is_whitespace);
            let value = if all.iter().all(is_plain) {
                SettingValue::Text(all.join(" "))
            } else {
                SettingValue::List(all)
            };
            return self.set(address, &value, applied);
        }
        let table = self.make_table(&address.table, applied);
        let item = table.and_then(|table| get_mut(table, &address.key));
        let Some(array) = item.and_then(Item::as_array_mut) else {
            return Err(wrong_shape);
        };
        for flag in flags {
            push(array, flag);
        }
        applied.changes.push((
            name,
            Change::Extend {
                address: address.clone(),
                flags: flags.to_vec(),
            },
        ));
        Ok(())
    }

    /// Takes a change back; `false` if what is there now is neither what was written nor what was before.
    pub(super) fn take_back(&mut self, change: &Change) -> bool {
        match change {
            Change::Table(table) => {
                self.remove_empty(table);
                true
            }
            Change::Set {
                address,
                before,
                after,
            } => {
                let Some(table) = self.table(&address.table) else {
                    return before.is_none();
                };
                let Some(now) = get_mut(table, &address.key) else {
                    return before.is_none();
                };
                let now = match now {
                    Item::Value(now) if is(now, after) => now,
                    // Somebody has added flags of their own to ours.
                    Item::Value(Value::Array(now)) if before.is_none() => {
                        return matches!(after, SettingValue::List(flags) if remove_all(now, flags));
                    }
                    Item::Value(now) => {
                        return before.as_deref() == Some(bare(now).as_str());
                    }
                    _ => return false,
                };
                match before.as_deref().map(str::parse::<Value>) {
                    Some(Ok(before)) => {
                        replace(now, before);
                        true
                    }
                    Some(Err(_)) => false,
                    None => {
                        remove_key(table, &address.key);
                        true
                    }
                }
            }
            Change::Extend { address, flags } => {
                let table = self.table(&address.table);
                let item = table.and_then(|table| get_mut(table, &address.key));
                let Some(array) = item.and_then(Item::as_array_mut) else {
                    return false;
                };
                remove_all(array, flags)
            }
        }
    }

    /// Removes a table that was made and has nothing in it any more.
    pub(super) fn remove_empty(&mut self, table: &[String]) {
        let Some((name, outer)) = table.split_last() else {
            return;
        };
        if let Some(outer) = self.table(outer) {
            let inner = outer.get(name).and_then(Item::as_table_like);
            if inner.is_some_and(TableLike::is_empty) {
                remove_key(outer, name);
            }
        }
    }

    fn item(&self, address: &Address) -> Option<&Item> {
        let mut item = self.toml.as_item();
        for name in address.table.iter().chain([&address.key]) {
            item = item.as_table_like()?.get(name)?;
        }
        (!item.is_none()).then_some(item)
    }

    fn table(&mut self, names: &[String]) -> Option<&mut Item> {
        let mut item = self.toml.as_item_mut();
        for name in names {
            item = item.as_table_like_mut()?.get_mut(name)?;
        }
        item.is_table_like().then_some(item)
    }

    /// The table, which is made with those around it if it is not there; `None` if something else is.
    fn make_table(&mut self, names: &[String], applied: &mut Applied) -> Option<&mut Item> {
        let mut item = self.toml.as_item_mut();
        for (depth, name) in names.iter().enumerate() {
            let inner = item.as_table_like()?.get(name);
            if inner.is_none_or(Item::is_none) {
                let mut made = Table::new();
                // `[profile.release]` needs no `[profile]` before it.
                made.set_implicit(depth + 1 < names.len());
                insert(item, name, Item::Table(made));
                let made = names.iter().take(depth + 1).cloned().collect();
                applied
                    .changes
                    .push((self.name.clone(), Change::Table(made)));
            }
            item = item.as_table_like_mut()?.get_mut(name)?;
        }
        item.is_table_like().then_some(item)
    }

    fn wrong_shape(&self, address: &Address) -> EditError {
        EditError::Shape {
            path: self.path.clone(),
            key: address.to_string(),
        }
    }
}

/// Whether a value says the same as a setting, however it is written.
fn is(value: &Value, setting: &SettingValue) -> bool {
    match setting {
        SettingValue::Switch(switch) => value.as_bool() == Some(*switch),
        SettingValue::Number(number) => value.as_integer() == Some(*number),
        SettingValue::Text(text) => value.as_str() == Some(text),
        SettingValue::List(list) => value.as_array().is_some_and(|array| {
            array.len() == list.len()
                && array
                    .iter()
                    .zip(list)
                    .all(|(value, text)| value.as_str() == Some(text))
        }),
    }
}

/// Returns the old value as it was written.
fn replace(old: &mut Value, mut new: Value) -> String {
    *new.decor_mut() = old.decor().clone();
    bare(&std::mem::replace(old, new))
}

/// A value as it is written, without the space and the comment around it.
fn bare(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

/// Puts a key at the end of a table of any form. What follows the last value of an inline table, usually a space, stays
/// before its brace.
fn insert(table: &mut Item, key: &str, item: Item) {
    let end = table.as_inline_table_mut().and_then(take_end);
    if let Some(table) = table.as_table_like_mut() {
        table.insert(key, item);
    }
    set_end(table, end);
}

/// Takes a key out of a table of any form.
fn remove_key(table: &mut Item, key: &str) {
    let end = table.as_inline_table_mut().and_then(take_end);
    if let Some(table) = table.as_table_like_mut() {
        table.remove(key);
    }
    set_end(table, end);
}

fn take_end(table: &mut InlineTable) -> Option<String> {
    let (_, last) = table.iter_mut().last()?;
    let end = last.decor().suffix()?.as_str()?.to_owned();
    last.decor_mut().set_suffix("");
    Some(end)
}

fn set_end(table: &mut Item, end: Option<String>) {
    let last = table
        .as_inline_table_mut()
        .and_then(|table| table.iter_mut().last());
    if let (Some(end), Some((_, value))) = (end, last) {
        value.decor_mut().set_suffix(end);
    }
}

/// Puts a flag behind the last, in a line of its own if the others have theirs.
fn push(array: &mut Array, flag: &str) {
    let mut trailing = raw(Some(array.trailing()));
    let mut prefix = String::new();
    let has_comma = array.trailing_comma();
    if let Some(last) = array.iter_mut().last() {
        let before = raw(last.decor().prefix());
        prefix = match before.rsplit_once('\n') {
            Some((_, indentation)) => format!("\n{indentation}"),
            None => " ".to_owned(),
        };
        // What follows the last flag follows the comma, if there is one.
        if !has_comma {
            trailing.insert_str(0, &raw(last.decor().suffix()));
            last.decor_mut().set_suffix("");
        }
    }
    // A comment behind the last flag is that flag's: it stays behind it and before the next.
    if trailing.contains('#') {
        if !prefix.contains('\n') {
            "\n".clone_into(&mut prefix);
        }
        prefix.insert_str(0, trailing.trim_end());
        "\n".clone_into(&mut trailing);
    }
    array.set_trailing(trailing);
    let mut value = Value::from(flag);
    *value.decor_mut() = toml_edit::Decor::new(prefix, "");
    array.push_formatted(value);
}

/// Takes flags out, the last of each; `false` if one is not there, and then none is taken.
fn remove_all(array: &mut Array, flags: &[String]) -> bool {
    let mut indices: Vec<usize> = Vec::new();
    for flag in flags.iter().rev() {
        let found = array
            .iter()
            .enumerate()
            .filter(|(index, value)| value.as_str() == Some(flag) && !indices.contains(index))
            .map(|(index, _)| index)
            .last();
        match found {
            Some(index) => indices.push(index),
            None => return false,
        }
    }
    indices.sort_unstable();
    for index in indices.into_iter().rev() {
        remove(array, index);
    }
    true
}

/// Takes a flag out; a comment before it, which is that of the flag before, stays.
fn remove(array: &mut Array, index: usize) {
    let removed = array.remove(index);
    let prefix = raw(removed.decor().prefix());
    if index == 0 && !array.is_empty() {
        if let Some(next) = array.get_mut(0) {
            next.decor_mut().set_prefix(prefix);
        }
        return;
    }
    let comment = prefix.rsplit_once('\n').map(|(comment, _)| comment);
    let comment = comment
        .filter(|comment| comment.contains('#'))
        .unwrap_or_default();
    if let Some(next) = array.get_mut(index) {
        let prefix = format!("{comment}{}", raw(next.decor().prefix()));
        next.decor_mut().set_prefix(prefix);
        return;
    }
    // Where no comma ends the list, what follows the last flag is part of that flag.
    let mut rest = comment.to_owned();
    if !array.trailing_comma() {
        rest.push_str(&raw(removed.decor().suffix()));
    }
    rest.push_str(&raw(Some(array.trailing())));
    array.set_trailing(rest);
}

/// Not `Item::get_mut`, which makes what is not there.
fn get_mut<'a>(table: &'a mut Item, key: &str) -> Option<&'a mut Item> {
    table.as_table_like_mut()?.get_mut(key)
}

fn raw(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}
