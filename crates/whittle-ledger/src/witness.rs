//! What else is known about a file: a companion with symbols, the linker's map, the packages of its build.

use std::collections::{BTreeSet, HashMap};

use memchr::memmem;
use whittle_image::{Image, archive_members, link_map::LinkMap};

/// What else is known about a file besides its own bytes. All of it is optional.
#[derive(Debug, Clone, Copy, Default)]
pub struct Witnesses<'data> {
    /// The same program with symbols: the unstripped twin, or a file of debug info. Its addresses are the file's own.
    pub companion: Option<&'data Image<'data>>,
    /// The map that the linker wrote for the file, or for a twin with the same loaded sections.
    pub link_map: Option<&'data LinkMap<'data>>,
    /// The packages that the build compiled.
    pub packages: Option<&'data Packages>,
}

impl Witnesses<'_> {
    /// What is known of one part of a container.
    pub(crate) fn of_part(&self, part: &Image<'_>) -> Self {
        Self {
            companion: self.companion.and_then(|it| it.companion_of(part)),
            link_map: None,
            packages: self.packages,
        }
    }

    /// What is known of a file that is no container. A companion may be one.
    pub(crate) fn of_whole(&self, image: &Image<'_>) -> Self {
        let companion = match self.companion {
            Some(companion) if companion.is_container() => companion.companion_of(image),
            other => other,
        };
        Self { companion, ..*self }
    }

    /// Nothing but the file itself.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
}

/// The packages that a build compiled for the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// In any order; other fields count in this list.
    pub list: Vec<Package>,
    /// The library files of the toolchain, as far as they were looked at.
    pub standard: Vec<StandardLibrary>,
}

/// A library file that comes with the toolchain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandardLibrary {
    /// The name of its crate: `core`, `hashbrown`.
    pub crate_name: String,
    /// What its constants are named after: see [`Package::constant_hashes_in`].
    pub constant_hashes: Vec<u128>,
}

/// One package of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name, with `-` as in its manifest.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The names its crates have for rustc, with `_`: the library's and those of its programs.
    pub crate_names: Vec<String>,
    /// The names of the files its crates were compiled to, without folder and ending: `libregex_syntax-d2aab90efe49e03d`.
    pub file_stems: Vec<String>,
    /// The stable ids of its crates, by which symbols and units know them: see [`Package::stable_ids_in`].
    pub stable_ids: Vec<u64>,
    /// What the constants of its crates are named after: see [`Package::constant_hashes_in`].
    pub constant_hashes: Vec<u128>,
    /// The names of the objects in its library files that rustc did not make: see [`Package::foreign_objects_in`].
    pub foreign_objects: Vec<String>,
    /// Folders that its build script writes to: objects from there are its own.
    pub out_dirs: Vec<String>,
    /// The folder of its manifest: what C compilers say they compiled there is its own.
    pub folder: Option<String>,
    /// What it depends on: the name its source uses, and the package's number in the list.
    pub dependencies: Vec<(String, usize)>,
    /// Whether it belongs to the user's own workspace.
    pub workspace_member: bool,
}

impl Packages {
    /// The package that was compiled to a file of that name (without folder and ending).
    #[must_use]
    pub fn by_file_stem(&self, stem: &str) -> Option<usize> {
        self.list
            .iter()
            .position(|package| package.file_stems.iter().any(|own| own == stem))
    }

    /// The library file (without folder and ending) that brought each object which rustc did not make, by the object's
    /// name; nothing where several did.
    pub(crate) fn libraries_of_objects(&self) -> HashMap<&str, Option<&str>> {
        let mut libraries: HashMap<&str, Option<&str>> = HashMap::new();
        for package in &self.list {
            let Some(stem) = package.file_stems.first() else {
                continue;
            };
            for object in &package.foreign_objects {
                libraries
                    .entry(object)
                    .and_modify(|known| *known = known.filter(|other| other == stem))
                    .or_insert(Some(stem));
            }
        }
        libraries
    }

    /// The packages with a crate of that name, in the order of the list.
    pub fn by_crate_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.list
            .iter()
            .enumerate()
            .filter(move |(_, package)| package.crate_names.iter().any(|own| own == name))
            .map(|(index, _)| index)
    }

    /// The package whose build script wrote a file.
    #[must_use]
    pub fn by_out_dir(&self, path: &str) -> Option<usize> {
        self.list
            .iter()
            .position(|package| package.out_dirs.iter().any(|dir| is_below(path, dir)))
    }

    /// A package and those that only it brings along, in ascending order: without it, nothing that the build is for would
    /// depend on them, directly or through others. The build is for what no other package depends on.
    #[must_use]
    pub fn brought_only_by(&self, package: usize) -> Vec<usize> {
        let mut is_needed = vec![false; self.list.len()];
        for (index, it) in self.list.iter().enumerate() {
            for &(_, other) in it.dependencies.iter().filter(|(_, other)| *other != index) {
                if let Some(is_needed) = is_needed.get_mut(other) {
                    *is_needed = true;
                }
            }
        }
        let roots: Vec<usize> = (0..self.list.len()).filter(|&it| !is_needed[it]).collect();
        let with = self.needed_by(&roots, None);
        let without = self.needed_by(&roots, Some(package));
        (0..self.list.len())
            .filter(|&index| index == package || (with[index] && !without[index]))
            .collect()
    }

    /// By package: whether one of some packages needs it, directly or through others, without the one that is left out.
    fn needed_by(&self, roots: &[usize], left_out: Option<usize>) -> Vec<bool> {
        let mut is_needed = vec![false; self.list.len()];
        let mut waiting: Vec<usize> = roots.to_vec();
        while let Some(index) = waiting.pop() {
            if Some(index) == left_out || is_needed.get(index) != Some(&false) {
                continue;
            }
            is_needed[index] = true;
            waiting.extend(self.list[index].dependencies.iter().map(|&(_, to)| to));
        }
        is_needed
    }

    /// The package that a file belongs to: its build script wrote it, or it stands in the package's folder. Where one
    /// package stands in the folder of another, the inner one.
    #[must_use]
    pub fn by_path(&self, path: &str) -> Option<usize> {
        self.by_out_dir(path).or_else(|| {
            let folders = self.list.iter().zip(0..).filter_map(|(package, index)| {
                let folder = package.folder.as_deref()?;
                is_below(path, folder).then_some((folder.len(), index))
            });
            // The first of equals: programs that share a folder share a package as well.
            folders
                .max_by_key(|&(len, index)| (len, std::cmp::Reverse(index)))
                .map(|(_, index)| index)
        })
    }
}

/// Whether a path is a folder or leads into it.
fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches(['/', '\\']);
    !folder.is_empty()
        && path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

impl Package {
    /// `name@version`, as cargo writes it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The stable ids of a crate in the bytes of the library file that it was compiled to, ascending.
    ///
    /// rustc names the objects in a library after the codegen units: `FILE.CRATE.ID-cgu.N.rcgu.o`.
    #[must_use]
    pub fn stable_ids_in(rlib: &[u8], crate_name: &str) -> Vec<u64> {
        let mark = format!(".{crate_name}.");
        let ids: BTreeSet<u64> = memmem::find_iter(rlib, mark.as_bytes())
            .filter_map(|at| {
                let rest = &rlib[at + mark.len()..];
                let len = rest
                    .iter()
                    .take_while(|byte| byte.is_ascii_hexdigit())
                    .count();
                let digits = std::str::from_utf8(rest.get(..len)?).ok()?;
                let is_unit = rest[len..].starts_with(b"-cgu.");
                u64::from_str_radix(digits, 16).ok().filter(|_| is_unit)
            })
            .collect();
        ids.into_iter().collect()
    }

    /// The names of the objects in a library file that rustc did not make: what a build script compiled. They keep their
    /// names when a static library is made of library files. Empty if the file cannot be followed.
    #[must_use]
    pub fn foreign_objects_in(rlib: &[u8]) -> Vec<String> {
        let mut names = archive_members(rlib).unwrap_or_default();
        names.retain(|name| !name.ends_with(".rcgu.o") && name != "lib.rmeta");
        names
    }

    /// The hashes after which LLVM names the constants of a library file, ascending: one for each codegen unit that has
    /// constants without a name.
    ///
    /// The names are `anon.HASH.NUMBER`, of 32 hexadecimal digits (LLVM's pass `NameAnonGlobals`, which rustc runs for all
    /// link-time optimization). Neither objects nor bitcode compress them. They stay when link-time optimization merges all
    /// crates into one module, so that they tell which crate a constant came from.
    #[must_use]
    pub fn constant_hashes_in(rlib: &[u8]) -> Vec<u128> {
        const MARK: &[u8] = b"anon.";
        let hashes: BTreeSet<u128> = memmem::find_iter(rlib, MARK)
            .filter_map(|at| constant_hash(&rlib[at..]))
            .collect();
        hashes.into_iter().collect()
    }
}

/// The hash in the name of a constant, which starts with `anon.`.
pub(crate) fn constant_hash(name: &[u8]) -> Option<u128> {
    const DIGITS: usize = 32;
    let rest = name.strip_prefix(b"anon.")?;
    let digits = std::str::from_utf8(rest.get(..DIGITS)?).ok()?;
    let is_hash = rest.get(DIGITS) == Some(&b'.')
        && digits
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_hash
        .then(|| u128::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_files_name_the_stable_ids_of_their_crate() {
        let rlib = b"!<arch>\n//  twice-9f.twice.2f1a7a5bc9ed4423-cgu.0.rcgu.o/\ntwice-9f.twice.2f1a7a5bc9ed4423-cgu.1.rcgu.o/\n\
            once.twice.zz-cgu.0 .twice.12";
        assert_eq!(
            Package::stable_ids_in(rlib, "twice"),
            [0x2f1a_7a5b_c9ed_4423]
        );
        assert!(Package::stable_ids_in(rlib, "other").is_empty());
    }

    #[test]
    fn library_files_name_their_constants() {
        let rlib = b"..anon.00a49a5f254fe93a982bf983703fd48b.0\0anon.00a49a5f254fe93a982bf983703fd48b.17\0\
            .Lanon.00a49a5f254fe93a982bf983703fd48c.1 anon.short.1 anon.00a49a5f254fe93a982bf983703fd48d";
        assert_eq!(
            Package::constant_hashes_in(rlib),
            [
                0x00a4_9a5f_254f_e93a_982b_f983_703f_d48b,
                0x00a4_9a5f_254f_e93a_982b_f983_703f_d48c
            ]
        );
    }

    #[test]
    fn what_only_one_package_brings_leaves_with_it() {
        let package = |dependencies: &[usize]| Package {
            dependencies: dependencies
                .iter()
                .map(|&index| (String::new(), index))
                .collect(),
            ..Package::default()
        };
        // 0 is the program: 0 → 1 → 3 → 4, 0 → 2 → 4, and 5 that nobody else needs.
        let packages = Packages {
            list: vec![
                package(&[1, 2]),
                package(&[3]),
                package(&[4]),
                package(&[4, 3]),
                package(&[]),
                package(&[5]),
            ],
            ..Packages::default()
        };
        assert_eq!(packages.brought_only_by(1), [1, 3]);
        assert_eq!(packages.brought_only_by(2), [2]);
        assert_eq!(packages.brought_only_by(4), [4]);
        assert_eq!(packages.brought_only_by(0), [0, 1, 2, 3, 4]);
        assert!(packages.brought_only_by(9).is_empty());
    }

    #[test]
    fn files_belong_to_the_innermost_package() {
        let package = |folder: &str, out_dir: &str| Package {
            folder: Some(folder.to_owned()),
            out_dirs: vec![out_dir.to_owned()],
            ..Package::default()
        };
        let packages = Packages {
            list: vec![
                package("/w", "/w/target/build/app-1/out"),
                package("/w/codec-sys", "/w/target/build/codec-sys-2/out"),
            ],
            ..Packages::default()
        };
        assert_eq!(packages.by_path("/w/src/main.c"), Some(0));
        assert_eq!(packages.by_path("/w/codec-sys/src/a.c"), Some(1));
        assert_eq!(packages.by_path("/w/codec-sys"), Some(1));
        assert_eq!(
            packages.by_path("/w/target/build/codec-sys-2/out/libcodec.a"),
            Some(1)
        );
        assert_eq!(packages.by_path("/w-other/a.c"), None);
        assert_eq!(packages.by_path("/usr/lib/libz.a"), None);
    }
}
