use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

// a: AsRef<Path> front, heavy body
macro_rules! a_body { ($path:expr) => {{
    let path: &Path = $path;
    let text = fs::read_to_string(path)?;
    let mut map = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') { continue; }
        let Some((key, value)) = line.split_once('=') else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{}:{}: no `=` in `{line}`", path.display(), number + 1)));
        };
        if map.insert(key.trim().to_owned(), value.trim().to_owned()).is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{}:{}: `{key}` is there twice", path.display(), number + 1)));
        }
    }
    Ok(map)
}}}
#[cfg(not(inner_a))]
#[inline(never)]
pub fn read_config<P: AsRef<Path>>(path: P) -> io::Result<BTreeMap<String, String>> { let path = path.as_ref(); a_body!(path) }
#[cfg(inner_a)]
#[inline(never)]
pub fn read_config<P: AsRef<Path>>(path: P) -> io::Result<BTreeMap<String, String>> {
    #[inline(never)]
    fn inner(path: &Path) -> io::Result<BTreeMap<String, String>> { a_body!(path) }
    inner(path.as_ref())
}

// b: Into<String> front
macro_rules! b_body { ($s:expr) => {{
    let text: String = $s;
    let mut counts: HashMap<char, usize> = HashMap::new();
    for c in text.chars() { *counts.entry(c).or_default() += 1; }
    let mut list: Vec<(char, usize)> = counts.into_iter().collect();
    list.sort();
    let mut out = String::new();
    for (c, n) in &list { out.push_str(&format!("{c:?}: {n}\n")); }
    if out.len() > 1000 { out.truncate(1000); out.push_str("..."); }
    println!("{text} has {} letters", list.len());
    out
}}}
#[cfg(not(inner_b))]
#[inline(never)]
pub fn histogram<S: Into<String>>(text: S) -> String { let text = text.into(); b_body!(text) }
#[cfg(inner_b)]
#[inline(never)]
pub fn histogram<S: Into<String>>(text: S) -> String {
    #[inline(never)]
    fn inner(text: String) -> String { b_body!(text) }
    inner(text.into())
}

// c: a closure called once, in the middle of a long body
macro_rules! c_pre { ($root:expr) => {{
    let mut files = Vec::new();
    let mut folders = vec![$root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() { folders.push(entry.path()); }
            else if kind.is_file() { files.push((entry.path(), entry.metadata()?.len())); }
        }
    }
    files.sort();
    println!("{} files below {}", files.len(), $root.display());
    files
}}}
#[cfg(not(inner_c))]
#[inline(never)]
pub fn largest<F: FnMut(&Path, u64) -> u64>(root: &Path, mut rank: F) -> io::Result<Option<PathBuf>> {
    let files: Vec<(PathBuf, u64)> = c_pre!(root);
    let mut best = None; let mut top = 0;
    for (path, len) in files { let r = rank(&path, len); if r >= top { top = r; best = Some(path); } }
    Ok(best)
}
#[cfg(inner_c)]
#[inline(never)]
pub fn largest<F: FnMut(&Path, u64) -> u64>(root: &Path, mut rank: F) -> io::Result<Option<PathBuf>> {
    #[inline(never)]
    fn list(root: &Path) -> io::Result<Vec<(PathBuf, u64)>> { Ok(c_pre!(root)) }
    let files = list(root)?;
    let mut best = None; let mut top = 0;
    for (path, len) in files { let r = rank(&path, len); if r >= top { top = r; best = Some(path); } }
    Ok(best)
}

// d: arithmetic on the type itself: nothing to save
#[inline(never)]
pub fn mix<T: Copy + Into<f64> + std::ops::Mul<Output = T> + std::ops::Add<Output = T> + PartialOrd>(list: &[T], limit: T) -> f64 {
    let mut sum = 0.0; let mut last = None;
    for &it in list { let sq = it * it + limit; if sq > limit { sum += sq.into(); } else if let Some(l) = last { let l: T = l; sum -= (l * it).into(); } last = Some(it); }
    sum
}

fn main() -> io::Result<()> {
    let mut args = std::env::args();
    let first = args.next().unwrap_or_default();
    let second: String = args.next().unwrap_or_default();
    println!("{}", read_config("a.txt")?.len());
    println!("{}", read_config(second.clone())?.len());
    println!("{}", read_config(PathBuf::from(&second))?.len());
    println!("{}", read_config(Path::new(&first))?.len());
    println!("{}", read_config(Box::<Path>::from(Path::new(&first)))?.len());
    println!("{}", histogram("abc"));
    println!("{}", histogram(first.clone()));
    println!("{}", histogram(Cow::Borrowed(first.as_str())));
    println!("{}", histogram(first.chars().next().unwrap_or('a')));
    let mut total = 0;
    println!("{:?}", largest(Path::new(&first), |_, len| len)?);
    println!("{:?}", largest(Path::new(&second), |path, _| path.as_os_str().len() as u64)?);
    println!("{:?}", largest(Path::new("."), |_, len| { total += len; total % 7 })?);
    println!("{}", mix(&[1.0f32, first.len() as f32], 3.0) + mix(&[1i32, first.len() as i32], 3) + mix(&[1u8, first.len() as u8], 3) + mix(&[1.0f64, first.len() as f64], 3.0));
    Ok(())
}
