//! Any text read as a symbol: texts equal `rustc-demangle`'s, stay in bounds and harmless, and every view ends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_names::v0::{
    Argument, AssociatedType, ConstKind, Field, Fields, Path, PathKind, Pattern, PatternKind, Type,
    TypeKind,
};
use whittle_names::{MAX_TEXT, Name, Scheme, Tree, legacy, v0};

fuzz_target!(|symbol: &str| {
    let name = Name::parse(symbol);
    let judge = rustc_demangle::try_demangle(symbol).ok();
    let Some(name) = name else {
        assert!(judge.is_none(), "refused");
        return;
    };
    assert!(symbol.ends_with(name.suffix()));
    // Full text first: where back-references blow it up, the other views would only slow the fuzzer down.
    if name.full().to_string().len() > 1 << 16 {
        return;
    }
    check_texts(&name);
    if name.scheme() != Scheme::Cpp {
        match judge {
            Some(judge) => {
                assert_same(&name.full().to_string(), &judge.to_string());
                assert_same(&name.short().to_string(), &format!("{judge:#}"));
            }
            // Suffixes that only the specification and linkers know.
            None => assert!(name.suffix().starts_with(['$', '@']), "accepted alone"),
        }
    }
    let mut walk = Walk { nodes_left: 20_000 };
    match name.tree() {
        Tree::V0(path) => {
            assert_eq!(path.defining_crate(), name.defining_crate().exact());
            walk.path(path);
        }
        Tree::Legacy(path) => walk_legacy(path),
        _ => {}
    }
    let _ = (name.shape(), name.genericity(), name.instantiating_crate());
});

fn check_texts(name: &Name<'_>) {
    for text in [
        name.full(),
        name.short(),
        name.family(),
        name.definition(),
        name.module(),
        name.arguments(),
        name.implemented_trait(),
    ] {
        let text = text.to_string();
        assert!(text.len() <= MAX_TEXT + name.symbol().len() + 64);
        assert!(!text.contains(is_deceptive), "{text:?}");
    }
}

fn is_deceptive(c: char) -> bool {
    let is_bidi =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_bidi
}

/// Equality, except where this crate escapes or either side reached a limit.
fn assert_same(ours: &str, judge: &str) {
    let is_shown_raw = |c: char| c.is_control() || c.escape_debug().count() > 2;
    if judge.contains(is_shown_raw)
        || [ours, judge]
            .iter()
            .any(|text| text.contains("{size limit"))
    {
        return;
    }
    assert_eq!(ours, judge);
}

fn walk_legacy(path: legacy::Path<'_>) {
    for segment in path.segments() {
        let _ = (segment.kind(), segment.to_string());
        if let legacy::SegmentKind::Qualified { self_type, trait_ }
        | legacy::SegmentKind::Block { self_type, trait_ } = segment.kind()
        {
            let _ = (self_type.to_string(), trait_.map(|of| of.to_string()));
        }
    }
    let _ = path.hash();
}

/// Visits a tree until there were enough nodes: back-references can make it endless.
struct Walk {
    nodes_left: u32,
}

impl Walk {
    fn goes_on(&mut self) -> bool {
        self.nodes_left = self.nodes_left.saturating_sub(1);
        self.nodes_left > 0
    }

    fn path(&mut self, path: Path<'_>) {
        if !self.goes_on() {
            return;
        }
        match path.kind() {
            PathKind::Nested { parent, name, .. } => {
                let _ = name.to_string();
                self.path(parent);
            }
            PathKind::InherentImpl {
                parent, self_type, ..
            } => {
                self.path(parent);
                self.ty(self_type);
            }
            PathKind::TraitImpl {
                parent,
                self_type,
                trait_,
                ..
            } => {
                self.path(parent);
                self.ty(self_type);
                self.path(trait_);
            }
            PathKind::TraitDefinition { self_type, trait_ } => {
                self.ty(self_type);
                self.path(trait_);
            }
            PathKind::Generic { base, arguments } => {
                self.path(base);
                for argument in arguments {
                    match argument {
                        Argument::Type(ty) => self.ty(ty),
                        Argument::Const(value) => self.constant(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn ty(&mut self, ty: Type<'_>) {
        if !self.goes_on() {
            return;
        }
        match ty.kind() {
            TypeKind::Named(path) => self.path(path),
            TypeKind::Reference { target, .. }
            | TypeKind::Pointer { target, .. }
            | TypeKind::Slice(target)
            | TypeKind::Splat(target) => self.ty(target),
            TypeKind::Array { element, length } => {
                self.ty(element);
                self.constant(length);
            }
            TypeKind::Tuple(elements) => elements.for_each(|element| self.ty(element)),
            TypeKind::Function(function) => {
                function.parameters.for_each(|parameter| self.ty(parameter));
                self.ty(function.output);
            }
            TypeKind::Dyn { bounds, .. } => {
                for bound in bounds {
                    self.path(bound.trait_());
                    for associated in bound.associated_types() {
                        match associated {
                            AssociatedType::Type(_, ty) => self.ty(ty),
                            AssociatedType::Const(_, value) => self.constant(value),
                            _ => {}
                        }
                    }
                }
            }
            TypeKind::Pattern { base, pattern } => {
                self.ty(base);
                self.pattern(pattern);
            }
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: Pattern<'_>) {
        if !self.goes_on() {
            return;
        }
        match pattern.kind() {
            PatternKind::Range { start, end } => {
                self.constant(start);
                self.constant(end);
            }
            PatternKind::Or(alternatives) => {
                alternatives.for_each(|alternative| self.pattern(alternative));
            }
            _ => {}
        }
    }

    fn constant(&mut self, value: v0::Const<'_>) {
        if !self.goes_on() {
            return;
        }
        match value.kind() {
            ConstKind::Reference { target, .. } => self.constant(target),
            ConstKind::Array(values) | ConstKind::Tuple(values) => {
                values.for_each(|value| self.constant(value));
            }
            ConstKind::Named { path, fields } => {
                self.path(path);
                match fields {
                    Fields::Unit => {}
                    Fields::Tuple(values) => values.for_each(|value| self.constant(value)),
                    Fields::Struct(fields) => fields.for_each(|field| {
                        if let Field::Value(_, value) = field {
                            self.constant(value);
                        }
                    }),
                }
            }
            _ => {}
        }
    }
}
