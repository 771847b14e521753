//! Archives, written as their descriptions say: `ar(5)` of GNU and of BSD, Apple `mach-o/ranlib.h`, Microsoft "PE Format".

/// One member of an archive to be written.
pub struct Written<'a> {
    pub name: &'a str,
    pub data: &'a [u8],
    /// What the index says that it defines.
    pub symbols: &'a [&'a str],
}

/// A record: its header and contents, filled up to an even length.
pub fn record(name: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
        0,
        0,
        0,
        644,
        data.len()
    )
    .into_bytes();
    bytes.extend(data);
    if data.len() % 2 == 1 {
        bytes.push(b'\n');
    }
    bytes
}

/// The table of long names and what stands in the header of each member instead.
fn long_names(members: &[Written<'_>], end: &str) -> (Vec<u8>, Vec<String>) {
    let mut table = Vec::new();
    let names = members.iter().map(|member| {
        if member.name.len() < 16 {
            return format!("{}/", member.name);
        }
        let position = table.len();
        table.extend(member.name.as_bytes());
        table.extend(end.as_bytes());
        format!("/{position}")
    });
    let names = names.collect();
    (table, names)
}

fn u32_of(value: usize) -> u32 {
    u32::try_from(value).expect("a small archive")
}

/// The form of GNU: an index in big endian, a table of long names, members.
pub fn gnu(members: &[Written<'_>]) -> Vec<u8> {
    let symbols: Vec<(usize, &str)> = members
        .iter()
        .enumerate()
        .flat_map(|(number, member)| member.symbols.iter().map(move |name| (number, *name)))
        .collect();
    let names_len: usize = symbols.iter().map(|(_, name)| name.len() + 1).sum();
    let index_len = 4 + 4 * symbols.len() + names_len;
    let (table, names) = long_names(members, "/\n");
    let mut front = b"!<arch>\n".len() + 60 + index_len.next_multiple_of(2);
    if !table.is_empty() {
        front += 60 + table.len().next_multiple_of(2);
    }
    let positions = positions(members, front);
    let mut index = u32_of(symbols.len()).to_be_bytes().to_vec();
    for (member, _) in &symbols {
        index.extend(u32_of(positions[*member]).to_be_bytes());
    }
    for (_, name) in &symbols {
        index.extend(name.as_bytes());
        index.push(0);
    }
    let mut bytes = b"!<arch>\n".to_vec();
    bytes.extend(record("/", &index));
    if !table.is_empty() {
        bytes.extend(record("//", &table));
    }
    for (member, name) in members.iter().zip(&names) {
        bytes.extend(record(name, member.data));
    }
    bytes
}

/// Where the header of each member stands, if names are in the headers alone.
fn positions(members: &[Written<'_>], front: usize) -> Vec<usize> {
    let mut at = front;
    let lens = members
        .iter()
        .map(|member| 60 + member.data.len().next_multiple_of(2));
    lens.map(|len| {
        at += len;
        at - len
    })
    .collect()
}

/// The form of Darwin: each name stands behind its header, filled up to a multiple of eight; the index is in the byte
/// order of the machine.
pub fn darwin(members: &[Written<'_>]) -> Vec<u8> {
    let behind_header = |name: &str, data: &[u8]| {
        let len = name.len().next_multiple_of(8);
        let mut contents = name.as_bytes().to_vec();
        contents.resize(len, 0);
        contents.extend(data);
        record(&format!("#1/{len}"), &contents)
    };
    let mut names = Vec::new();
    let mut entries = Vec::new();
    for (number, member) in members.iter().enumerate() {
        for name in member.symbols {
            entries.push((names.len(), number));
            names.extend(name.as_bytes());
            names.push(0);
        }
    }
    names.resize(names.len().next_multiple_of(8), 0);
    let records: Vec<Vec<u8>> = members
        .iter()
        .map(|it| behind_header(it.name, it.data))
        .collect();
    let index_len = 4 + entries.len() * 8 + 4 + names.len();
    let mut at = behind_header("__.SYMDEF", &vec![0; index_len]).len() + b"!<arch>\n".len();
    let mut positions = Vec::new();
    for record in &records {
        positions.push(at);
        at += record.len();
    }
    let mut index = u32_of(entries.len() * 8).to_le_bytes().to_vec();
    for (name, member) in entries {
        index.extend(u32_of(name).to_le_bytes());
        index.extend(u32_of(positions[member]).to_le_bytes());
    }
    index.extend(u32_of(names.len()).to_le_bytes());
    index.extend(names);
    let mut bytes = b"!<arch>\n".to_vec();
    bytes.extend(behind_header("__.SYMDEF", &index));
    bytes.extend(records.concat());
    bytes
}

/// The form of libraries for Windows: an index as of GNU, a second one in little endian with sorted names, a table of
/// names that end in zeros, members.
pub fn windows(members: &[Written<'_>]) -> Vec<u8> {
    let mut symbols: Vec<(&str, usize)> = members
        .iter()
        .enumerate()
        .flat_map(|(number, member)| member.symbols.iter().map(move |name| (*name, number)))
        .collect();
    symbols.sort_unstable();
    let names: Vec<u8> = symbols
        .iter()
        .flat_map(|(name, _)| name.bytes().chain([0]))
        .collect();
    let first_len = 4 + 4 * symbols.len() + names.len();
    let second_len = 4 + 4 * members.len() + 4 + 2 * symbols.len() + names.len();
    let (table, headers) = long_names(members, "\0");
    let even = |len: usize| 60 + len.next_multiple_of(2);
    let positions = positions(
        members,
        8 + even(first_len) + even(second_len) + even(table.len()),
    );
    let mut first = u32_of(symbols.len()).to_be_bytes().to_vec();
    for (_, member) in &symbols {
        first.extend(u32_of(positions[*member]).to_be_bytes());
    }
    first.extend(&names);
    let mut second = u32_of(members.len()).to_le_bytes().to_vec();
    for position in &positions {
        second.extend(u32_of(*position).to_le_bytes());
    }
    second.extend(u32_of(symbols.len()).to_le_bytes());
    for (_, member) in &symbols {
        let number = u16::try_from(member + 1).expect("a small archive");
        second.extend(number.to_le_bytes());
    }
    second.extend(&names);
    let mut bytes = b"!<arch>\n".to_vec();
    bytes.extend(record("/", &first));
    bytes.extend(record("/", &second));
    bytes.extend(record("//", &table));
    for (member, name) in members.iter().zip(&headers) {
        bytes.extend(record(name, member.data));
    }
    bytes
}

/// A member of an import library: `symbol` of `library`, for `x86_64`.
pub fn import(symbol: &str, library: &str) -> Vec<u8> {
    let mut bytes = b"\0\0\xff\xff\0\0\x64\x86\0\0\0\0".to_vec();
    bytes.extend(u32_of(symbol.len() + library.len() + 2).to_le_bytes());
    // No hint; code, imported by name.
    bytes.extend([0, 0, 4, 0]);
    for name in [symbol, library] {
        bytes.extend(name.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// A universal file of slices for processors of a kind (`CPU_TYPE_…`), each at a multiple of 2^14.
pub fn universal(slices: &[(u32, &[u8])]) -> Vec<u8> {
    const ALIGNMENT: u32 = 14;
    let mut bytes = b"\xca\xfe\xba\xbe".to_vec();
    bytes.extend(u32_of(slices.len()).to_be_bytes());
    let mut at = (bytes.len() + slices.len() * 20).next_multiple_of(1 << ALIGNMENT);
    for (processor, data) in slices {
        for value in [*processor, 0, u32_of(at), u32_of(data.len()), ALIGNMENT] {
            bytes.extend(value.to_be_bytes());
        }
        at = (at + data.len()).next_multiple_of(1 << ALIGNMENT);
    }
    for (_, data) in slices {
        bytes.resize(bytes.len().next_multiple_of(1 << ALIGNMENT), 0);
        bytes.extend(*data);
    }
    bytes
}
