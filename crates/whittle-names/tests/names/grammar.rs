//! Strategies for names that follow the v0 grammar, with back-references, and what is known about them by construction.

use proptest::prelude::*;
use proptest::sample::select;

#[derive(Clone, Debug)]
pub enum Path {
    Crate(String, Option<u64>),
    Nested(char, Box<Path>, Option<u64>, String),
    Inherent(Option<u64>, Box<Path>, Box<Type>),
    Trait(Option<u64>, Box<Path>, Box<Type>, Box<Path>),
    Definition(Box<Type>, Box<Path>),
    Generic(Box<Path>, Vec<Argument>),
    Back(usize),
}

#[derive(Clone, Debug)]
pub enum Argument {
    Lifetime(u64),
    Type(Type),
    Const(Const),
}

#[derive(Clone, Debug)]
pub enum Type {
    Primitive(char),
    Named(Path),
    Reference(char, Option<u64>, Box<Type>),
    Pointer(char, Box<Type>),
    Array(Box<Type>, Box<Const>),
    Slice(Box<Type>),
    Tuple(Vec<Type>),
    Function(
        Option<u64>,
        bool,
        Option<&'static str>,
        Vec<Type>,
        Box<Type>,
    ),
    Dyn(Option<u64>, Vec<Bound>, u64),
    Pattern(Box<Type>, Pattern),
    Splat(Box<Type>),
    Back(usize),
}

pub type Bound = (Path, Vec<(String, Argument)>);

#[derive(Clone, Debug)]
pub enum Pattern {
    Range(Const, Const),
    Or(Vec<Pattern>),
    NotNull,
}

#[derive(Clone, Debug)]
pub enum Const {
    Placeholder,
    Integer(char, bool, u128),
    Bool(bool),
    Char(char),
    Str(String),
    Reference(char, Box<Const>),
    Array(Vec<Const>),
    Tuple(Vec<Const>),
    Unit(Path),
    TupleStruct(Path, Vec<Const>),
    Struct(Path, Vec<(String, Const)>),
    Back(usize),
}

/// An encoding under construction, and where back-references may lead.
#[derive(Default)]
pub struct Encoder {
    pub text: String,
    /// Start and defining crate of each path that is complete.
    paths: Vec<(usize, String)>,
    types: Vec<usize>,
    consts: Vec<usize>,
}

impl Encoder {
    /// Writes the path and returns the name of the crate that defines the item.
    pub fn path(&mut self, path: &Path) -> String {
        let start = self.text.len();
        let crate_ = match path {
            Path::Crate(name, disambiguator) => {
                self.text.push('C');
                self.tagged('s', *disambiguator);
                self.ident(name);
                name.clone()
            }
            Path::Nested(namespace, parent, disambiguator, name) => {
                self.text.push('N');
                self.text.push(*namespace);
                let crate_ = self.path(parent);
                self.tagged('s', *disambiguator);
                self.ident(name);
                crate_
            }
            Path::Inherent(disambiguator, parent, ty) => {
                self.text.push('M');
                self.tagged('s', *disambiguator);
                let crate_ = self.path(parent);
                self.ty(ty);
                crate_
            }
            Path::Trait(disambiguator, parent, ty, trait_) => {
                self.text.push('X');
                self.tagged('s', *disambiguator);
                let crate_ = self.path(parent);
                self.ty(ty);
                self.path(trait_);
                crate_
            }
            Path::Definition(ty, trait_) => {
                self.text.push('Y');
                self.ty(ty);
                self.path(trait_)
            }
            Path::Generic(base, arguments) => {
                self.text.push('I');
                let crate_ = self.path(base);
                for argument in arguments {
                    self.argument(argument);
                }
                self.text.push('E');
                crate_
            }
            Path::Back(selector) if !self.paths.is_empty() => {
                let (target, crate_) = self.paths[selector % self.paths.len()].clone();
                self.back(target);
                return crate_;
            }
            Path::Back(_) => {
                self.text.push('C');
                self.ident("leaf");
                "leaf".to_owned()
            }
        };
        self.paths.push((start, crate_.clone()));
        crate_
    }

    fn argument(&mut self, argument: &Argument) {
        match argument {
            Argument::Lifetime(index) => {
                self.text.push('L');
                self.base_62(*index);
            }
            Argument::Type(ty) => self.ty(ty),
            Argument::Const(value) => {
                self.text.push('K');
                self.constant(value);
            }
        }
    }

    fn ty(&mut self, ty: &Type) {
        let start = self.text.len();
        match ty {
            Type::Primitive(letter) => self.text.push(*letter),
            Type::Named(path) => {
                self.path(path);
            }
            Type::Reference(letter, lifetime, target) => {
                self.text.push(*letter);
                if let Some(index) = lifetime {
                    self.text.push('L');
                    self.base_62(*index);
                }
                self.ty(target);
            }
            Type::Pointer(letter, target) => {
                self.text.push(*letter);
                self.ty(target);
            }
            Type::Array(element, length) => {
                self.text.push('A');
                self.ty(element);
                self.constant(length);
            }
            Type::Slice(element) => {
                self.text.push('S');
                self.ty(element);
            }
            Type::Tuple(elements) => {
                self.text.push('T');
                for element in elements {
                    self.ty(element);
                }
                self.text.push('E');
            }
            Type::Function(binder, is_unsafe, abi, parameters, output) => {
                self.text.push('F');
                self.tagged('G', *binder);
                if *is_unsafe {
                    self.text.push('U');
                }
                match abi {
                    Some("C") => self.text.push_str("KC"),
                    Some(abi) => {
                        self.text.push('K');
                        self.ident(abi);
                    }
                    None => {}
                }
                for parameter in parameters {
                    self.ty(parameter);
                }
                self.text.push('E');
                self.ty(output);
            }
            Type::Dyn(binder, bounds, lifetime) => {
                self.text.push('D');
                self.tagged('G', *binder);
                for (trait_, associated) in bounds {
                    self.path(trait_);
                    for (name, value) in associated {
                        // Bounds have no associated lifetimes.
                        if !matches!(value, Argument::Lifetime(_)) {
                            self.text.push('p');
                            self.ident(name);
                            self.argument(value);
                        }
                    }
                }
                self.text.push_str("EL");
                self.base_62(*lifetime);
            }
            Type::Pattern(base, pattern) => {
                self.text.push('W');
                self.ty(base);
                self.pattern(pattern);
            }
            Type::Splat(target) => {
                // The marker stands in front of a type, not of another marker.
                if !matches!(**target, Type::Splat(_)) {
                    self.text.push('w');
                }
                self.ty(target);
                return;
            }
            Type::Back(selector) if !self.types.is_empty() => {
                let target = self.types[selector % self.types.len()];
                self.back(target);
                return;
            }
            Type::Back(_) => self.text.push('u'),
        }
        self.types.push(start);
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Range(start, end) => {
                self.text.push('R');
                self.constant(start);
                self.constant(end);
            }
            Pattern::Or(alternatives) => {
                self.text.push('O');
                for one in alternatives {
                    self.pattern(one);
                }
                self.text.push('E');
            }
            Pattern::NotNull => self.text.push('N'),
        }
    }

    fn constant(&mut self, value: &Const) {
        let start = self.text.len();
        match value {
            Const::Integer(letter, is_negative, value) => {
                self.text.push(*letter);
                if *is_negative && "aslxni".contains(*letter) {
                    self.text.push('n');
                }
                self.text.push_str(&format!("{value:x}_"));
            }
            Const::Bool(value) => self.text.push_str(if *value { "b1_" } else { "b0_" }),
            Const::Char(value) => self.text.push_str(&format!("c{:x}_", u32::from(*value))),
            Const::Str(value) => {
                self.text.push('e');
                for byte in value.bytes() {
                    self.text.push_str(&format!("{byte:02x}"));
                }
                self.text.push('_');
            }
            Const::Reference(letter, target) => {
                self.text.push(*letter);
                self.constant(target);
            }
            Const::Array(values) | Const::Tuple(values) => {
                self.text.push(if matches!(value, Const::Array(_)) {
                    'A'
                } else {
                    'T'
                });
                for value in values {
                    self.constant(value);
                }
                self.text.push('E');
            }
            Const::Unit(path) => {
                self.text.push('V');
                self.path(path);
                self.text.push('U');
            }
            Const::TupleStruct(path, values) => {
                self.text.push('V');
                self.path(path);
                self.text.push('T');
                for value in values {
                    self.constant(value);
                }
                self.text.push('E');
            }
            Const::Struct(path, fields) => {
                self.text.push('V');
                self.path(path);
                self.text.push('S');
                for (name, value) in fields {
                    self.ident(name);
                    self.constant(value);
                }
                self.text.push('E');
            }
            Const::Back(selector) if !self.consts.is_empty() => {
                let target = self.consts[selector % self.consts.len()];
                self.back(target);
                return;
            }
            Const::Placeholder | Const::Back(_) => self.text.push('p'),
        }
        self.consts.push(start);
    }

    fn ident(&mut self, name: &str) {
        // Punycode is marked by its delimiter here, since plain names have none.
        if let Some(written) = name.strip_prefix('-') {
            self.text.push('u');
            self.plain(written);
        } else {
            self.plain(name);
        }
    }

    fn plain(&mut self, name: &str) {
        self.text.push_str(&name.len().to_string());
        if name.starts_with(|c: char| c.is_ascii_digit() || c == '_') {
            self.text.push('_');
        }
        self.text.push_str(name);
    }

    fn back(&mut self, target: usize) {
        self.text.push('B');
        self.base_62(u64::try_from(target).expect("a short text"));
    }

    fn tagged(&mut self, tag: char, value: Option<u64>) {
        if let Some(value) = value {
            self.text.push(tag);
            self.base_62(value);
        }
    }

    fn base_62(&mut self, value: u64) {
        const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let Some(mut rest) = value.checked_sub(1) else {
            return self.text.push('_');
        };
        let mut digits = Vec::new();
        loop {
            let digit = usize::try_from(rest % 62).expect("below 62");
            digits.push(char::from(DIGITS[digit]));
            rest /= 62;
            if rest == 0 {
                break;
            }
        }
        self.text.extend(digits.iter().rev());
        self.text.push('_');
    }
}

fn ident() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-zA-Z][a-zA-Z0-9_]{0,7}",
        1 => Just(String::new()),
        1 => "[0-9_][a-z0-9_]{0,4}",
        // "gödel" in Punycode, and one that does not decode.
        1 => select(vec!["-gdel_5qa".to_owned(), "-x_A".to_owned(), "-fiq".to_owned()]),
    ]
}

fn number() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        3 => Just(None),
        2 => (0..4_u64).prop_map(Some),
        1 => (0..u64::MAX - 2).prop_map(Some),
    ]
}

fn binder() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![3 => Just(None), 2 => (0..4_u64).prop_map(Some), 1 => (20..40_u64).prop_map(Some)]
}

fn crate_() -> impl Strategy<Value = Path> {
    (ident(), number()).prop_map(|(name, number)| Path::Crate(name, number))
}

fn leaf_type() -> impl Strategy<Value = Type> {
    prop_oneof![
        select("bceuaslxnihtmyojfdzpv".chars().collect::<Vec<_>>()).prop_map(Type::Primitive),
        crate_().prop_map(Type::Named),
        any::<usize>().prop_map(Type::Back),
    ]
}

fn leaf_const() -> impl Strategy<Value = Const> {
    let letters = select("htmyojaslxni".chars().collect::<Vec<_>>());
    prop_oneof![
        Just(Const::Placeholder),
        (letters.clone(), any::<bool>(), 0..300_u128)
            .prop_map(|(letter, sign, value)| Const::Integer(letter, sign, value)),
        (letters, any::<bool>(), any::<u128>())
            .prop_map(|(letter, sign, value)| Const::Integer(letter, sign, value)),
        any::<bool>().prop_map(Const::Bool),
        any::<char>().prop_map(Const::Char),
        any::<String>().prop_map(Const::Str),
        any::<usize>().prop_map(Const::Back),
    ]
}

/// Everything that can stand in everything, at most a few levels deep.
fn ty() -> impl Strategy<Value = Type> {
    leaf_type().prop_recursive(4, 24, 3, |inner| {
        let inner = inner.boxed();
        let boxed = || inner.clone().prop_map(Box::new);
        let path = path_over(inner.clone());
        let constant = const_over(inner.clone()).boxed();
        let abi = select(vec![None, Some("C"), Some("C_unwind"), Some("sysv64")]);
        let bound = (
            path_over(inner.clone()),
            prop::collection::vec((ident(), argument_over(inner.clone())), 0..3),
        );
        prop_oneof![
            path.prop_map(Type::Named),
            (select(vec!['R', 'Q']), binder(), boxed())
                .prop_map(|(letter, lifetime, ty)| Type::Reference(letter, lifetime, ty)),
            (select(vec!['P', 'O']), boxed()).prop_map(|(letter, ty)| Type::Pointer(letter, ty)),
            (boxed(), constant.clone()).prop_map(|(ty, length)| Type::Array(ty, Box::new(length))),
            boxed().prop_map(Type::Slice),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Type::Tuple),
            (
                binder(),
                any::<bool>(),
                abi,
                prop::collection::vec(inner.clone(), 0..3),
                boxed()
            )
                .prop_map(|(binder, is_unsafe, abi, parameters, output)| {
                    Type::Function(binder, is_unsafe, abi, parameters, output)
                }),
            (binder(), prop::collection::vec(bound, 0..3), 0..3_u64)
                .prop_map(|(binder, bounds, lifetime)| Type::Dyn(binder, bounds, lifetime)),
            (boxed(), pattern_over(constant)).prop_map(|(ty, pattern)| Type::Pattern(ty, pattern)),
            boxed().prop_map(Type::Splat),
        ]
    })
}

fn pattern_over(value: BoxedStrategy<Const>) -> impl Strategy<Value = Pattern> {
    let leaf = prop_oneof![
        (value.clone(), value).prop_map(|(start, end)| Pattern::Range(start, end)),
        Just(Pattern::NotNull),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop::collection::vec(inner, 1..3).prop_map(Pattern::Or)
    })
}

fn argument_over(ty: BoxedStrategy<Type>) -> impl Strategy<Value = Argument> {
    prop_oneof![
        1 => (0..3_u64).prop_map(Argument::Lifetime),
        4 => ty.prop_map(Argument::Type),
        2 => leaf_const().prop_map(Argument::Const),
    ]
}

fn const_over(ty: BoxedStrategy<Type>) -> impl Strategy<Value = Const> {
    leaf_const().prop_recursive(3, 12, 3, move |inner| {
        let path = path_over(ty.clone()).boxed();
        let list = prop::collection::vec(inner.clone(), 0..3);
        let fields = prop::collection::vec((ident(), inner.clone()), 0..3);
        prop_oneof![
            (select(vec!['R', 'Q']), inner)
                .prop_map(|(letter, value)| Const::Reference(letter, Box::new(value))),
            list.clone().prop_map(Const::Array),
            list.clone().prop_map(Const::Tuple),
            path.clone().prop_map(Const::Unit),
            (path.clone(), list).prop_map(|(path, values)| Const::TupleStruct(path, values)),
            (path, fields).prop_map(|(path, fields)| Const::Struct(path, fields)),
        ]
    })
}

fn path_over(ty: BoxedStrategy<Type>) -> impl Strategy<Value = Path> {
    let leaf = prop_oneof![3 => crate_(), 1 => any::<usize>().prop_map(Path::Back)];
    leaf.prop_recursive(4, 16, 3, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let ty = ty.clone().prop_map(Box::new);
        let namespace = select(vec!['t', 'v', 'c', 'C', 'S', 'K']);
        let arguments = prop::collection::vec(argument_over(leaf_type().boxed()), 0..3);
        prop_oneof![
            4 => (namespace, boxed.clone(), number(), ident()).prop_map(
                |(namespace, parent, number, name)| Path::Nested(namespace, parent, number, name)
            ),
            1 => (number(), boxed.clone(), ty.clone())
                .prop_map(|(number, parent, ty)| Path::Inherent(number, parent, ty)),
            1 => (number(), boxed.clone(), ty.clone(), boxed.clone())
                .prop_map(|(number, parent, ty, trait_)| Path::Trait(number, parent, ty, trait_)),
            1 => (ty, boxed.clone()).prop_map(|(ty, trait_)| Path::Definition(ty, trait_)),
            2 => (boxed, arguments).prop_map(|(base, arguments)| Path::Generic(base, arguments)),
        ]
    })
}

/// Paths of all kinds.
pub fn path() -> impl Strategy<Value = Path> {
    path_over(ty().boxed())
}

/// Lists of generic arguments of all kinds.
pub fn arguments() -> impl Strategy<Value = Vec<Argument>> {
    prop::collection::vec(argument_over(ty().boxed()), 0..4)
}
