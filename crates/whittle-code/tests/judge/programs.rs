//! Small programs, built with `--emit-relocs`.

use std::path::PathBuf;
use std::process::Command;

pub(crate) type Error = Box<dyn std::error::Error>;

pub(crate) struct Program {
    path: PathBuf,
    // Holds the file.
    _folder: tempfile::TempDir,
}

#[derive(Clone, Copy)]
pub(crate) enum Language {
    Rust,
    C,
    /// C that includes nothing, for processors whose headers may be missing.
    FreestandingC,
}

impl Program {
    pub(crate) fn build(language: Language, flags: &[&str]) -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("program");
        let (name, text) = match language {
            Language::Rust => ("program.rs", RUST),
            Language::C => ("program.c", C),
            Language::FreestandingC => ("program.c", FREESTANDING_C),
        };
        let source = folder.path().join(name);
        std::fs::write(&source, text)?;
        let mut command = match language {
            Language::Rust => {
                let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
                rustc.args(["--edition=2024", "-Clink-arg=-Wl,--emit-relocs"]);
                rustc
            }
            Language::C | Language::FreestandingC => {
                let mut cc = Command::new(std::env::var_os("CC").unwrap_or("cc".into()));
                // So that no call is resolved before the link.
                cc.args(["-ffunction-sections", "-Wl,--emit-relocs", "-pthread"]);
                cc
            }
        };
        let status = command
            .args(flags)
            .arg("-o")
            .arg(&path)
            .arg(&source)
            .status()?;
        if !status.success() {
            return Err(format!("{command:?} failed: {status}").into());
        }
        Ok(Self {
            path,
            _folder: folder,
        })
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, Error> {
        Ok(std::fs::read(&self.path)?)
    }
}

const RUST: &str = r#"
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display};

thread_local! { static DEPTH: std::cell::Cell<u32> = const { std::cell::Cell::new(0) }; }
static TABLE: [fn(u64) -> u64; 3] = [double, square, fail];
static NAMES: &[&str] = &["one", "two", "three"];
static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn double(x: u64) -> u64 { x.wrapping_mul(2) }
fn square(x: u64) -> u64 { x.wrapping_mul(x) }
fn fail(x: u64) -> u64 { if x > 1 << 40 { panic!("too large: {x}") } else { x } }

trait Shape { fn area(&self) -> f64; fn name(&self) -> String; }
struct Circle(f64);
struct Square(f64);
impl Shape for Circle { fn area(&self) -> f64 { self.0 * self.0 * 3.14 } fn name(&self) -> String { "circle".into() } }
impl Shape for Square { fn area(&self) -> f64 { self.0 * self.0 } fn name(&self) -> String { format!("square of {}", self.0) } }

enum Op { Add(u64), Sub(u64), Mul(u64), Div(u64), Neg, Not, Shl(u32), Shr(u32), Text(String) }
impl Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Add(x) => write!(f, "add {x}"), Op::Sub(x) => write!(f, "sub {x}"),
            Op::Mul(x) => write!(f, "mul {x}"), Op::Div(x) => write!(f, "div {x}"),
            Op::Neg => f.write_str("neg"), Op::Not => f.write_str("not"),
            Op::Shl(x) => write!(f, "shl {x}"), Op::Shr(x) => write!(f, "shr {x}"),
            Op::Text(text) => write!(f, "text {text:?}"),
        }
    }
}

#[inline(never)]
fn run(ops: &[Op], mut x: u64) -> u64 {
    for op in ops {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        x = match op {
            Op::Add(y) => x.wrapping_add(*y), Op::Sub(y) => x.wrapping_sub(*y),
            Op::Mul(y) => x.wrapping_mul(*y), Op::Div(y) => x / y,
            Op::Neg => x.wrapping_neg(), Op::Not => !x,
            Op::Shl(y) => x << (y % 64), Op::Shr(y) => x >> (y % 64),
            Op::Text(text) => text.len() as u64,
        };
        COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    x
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let ops = [Op::Add(3), Op::Mul(args.len() as u64), Op::Neg, Op::Not, Op::Shl(3), Op::Shr(1), Op::Sub(1), Op::Div(7),
        Op::Text(args.join(" "))];
    let shapes: Vec<Box<dyn Shape + Send>> = vec![Box::new(Circle(1.5)), Box::new(Square(2.0))];
    let mut words: HashMap<String, u64> = HashMap::new();
    let mut sorted: BTreeMap<String, f64> = BTreeMap::new();
    for op in &ops { *words.entry(op.to_string()).or_default() += 1; }
    for shape in &shapes { sorted.insert(shape.name(), shape.area()); }
    let thread = std::thread::spawn(move || shapes.iter().map(|shape| shape.area()).sum::<f64>());
    let caught = std::panic::catch_unwind(|| TABLE[args.len() % 3](1));
    println!("{} {:?} {words:?} {sorted:?} {:?} {}", run(&ops, 1), thread.join(), caught.is_ok(), NAMES[args.len() % 3]);
}
"#;

const C: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread int depth;
__thread int shown_depth = 3;
static const char *const names[] = {"zero", "one", "two", "three"};
static long counters[16];
long shared_counter = 7;
static double weights[] = {1.5, 2.5, 3.5};
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static long twice(long x) { return x * 2; }
long thrice(long x) { depth++; return x * 3; }
static long (*const table[])(long) = {twice, thrice, labs};
static struct { const char *name; long (*call)(long); } commands[] = {{"twice", twice}, {"thrice", thrice}};

__attribute__((noinline)) const char *describe(int x) {
    switch (x) {
    case 0: return "nothing"; case 1: return "something"; case 2: return "a pair"; case 3: return "a crowd";
    case 4: return "a square"; case 5: return names[1]; case 6: return "perfect"; case 7: abort();
    default: return names[x & 3];
    }
}
__attribute__((noinline)) double weigh(int x) { return weights[x % 3] * counters[x & 15] + 0.125; }
__attribute__((noinline)) static void *work(void *argument) {
    for (int i = 0; i < 16; i++) { counters[i] += shared_counter; shown_depth += depth; }
    return (char *)argument + 1;
}
__attribute__((noinline)) static long dispatch(const char *name, long x) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name)) return commands[i].call(x);
    return table[x % 3](x);
}
int main(int count, char **arguments) {
    int numbers[] = {3, 1, count};
    pthread_t thread;
    pthread_create(&thread, NULL, work, arguments[0]);
    qsort(numbers, 3, sizeof *numbers, compare);
    pthread_join(thread, NULL);
    printf("%s %f %ld\n", describe(numbers[0]), weigh(count), dispatch(arguments[0], count));
    fprintf(stderr, "%d %ld\n", shown_depth, shared_counter);
    return puts(names[count & 3]) == EOF;
}
"#;

const FREESTANDING_C: &str = r#"
extern int outside(const char *);
static int counters[4];
int shared = 3;
static int one(int x) { return x + shared; }
static int two(int x) { return x * counters[x & 3]; }
int (*table[])(int) = {one, two, one};
int use(int x) {
    counters[x & 3] = table[x & 1](x);
    switch (x) {
    case 0: return outside("nothing"); case 1: return outside("something"); case 2: return outside("a pair");
    case 3: return outside("a crowd"); case 4: return outside("a square"); default: return one(two(x));
    }
}
int main(void) { return use(shared) + outside("end"); }
"#;
