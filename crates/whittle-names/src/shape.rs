//! What kind of item a name stands for, as far as the name tells.

/// The kind of item that a symbol stands for, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// A function or method. Statics and constants look the same unless they are named in capitals.
    Function,
    /// A closure, or the body of an `async` block or function.
    Closure,
    /// The function that a tuple struct's or tuple variant's name stands for.
    Constructor,
    /// A static or constant, told by a name in capitals (a convention, not a rule) or by its namespace.
    Static,
    /// A table of methods.
    Vtable,
    /// Code that moves a value out of its box to call a method that takes `self` (`{shim:vtable#0}`,
    /// `{{vtable.shim}}`).
    VtableShim,
    /// A copy of a function for use as a function pointer (`{shim:reify#0}` and kin).
    ReifyShim,
    /// A call of a closure or function pointer through `FnOnce`, `FnMut` or `Fn`.
    FnOnceShim,
    /// The accessor of a thread-local static (`{shim:tls#0}`).
    ThreadLocalShim,
    /// Another function made by the compiler.
    OtherShim,
    /// The code that drops a value of one type: `core::ptr::drop_in_place::<T>`, since Rust 1.97 `drop_glue`.
    DropGlue,
    /// Something else.
    Other,
}

/// Whether a name stands for one of several monomorphizations of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Genericity {
    /// It has generic arguments.
    Generic,
    /// It has none: the item exists once per crate that compiles it.
    Plain,
    /// The scheme does not write them (legacy).
    Unwritten,
}

/// In `core::ptr`. The second name is used since Rust 1.97.
pub(crate) fn is_drop_glue(name: &str) -> bool {
    matches!(name, "drop_in_place" | "drop_glue")
}

/// The trait in `core::ops::function` that has this method.
pub(crate) fn call_trait(method: &str) -> Option<&'static str> {
    match method {
        "call_once" => Some("FnOnce"),
        "call_mut" => Some("FnMut"),
        "call" => Some("Fn"),
        _ => None,
    }
}

/// What an item in the namespace of functions, statics and constants is, by the case of its name.
pub(crate) fn of_value(name: &str) -> Shape {
    let is_capital = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    if name.bytes().all(is_capital) && name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Shape::Static
    } else {
        Shape::Function
    }
}
