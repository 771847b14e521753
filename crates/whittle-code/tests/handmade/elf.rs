//! Writes small ELF files: 64 bit, little-endian. Layouts: gABI 4.1.

/// A file in the making.
pub(crate) struct Elf {
    machine: u16,
    kind: u16,
    sections: Vec<Section>,
    symbols: Vec<Symbol>,
}

struct Section {
    name: String,
    kind: u32,
    flags: u64,
    address: u64,
    link: u32,
    info: u32,
    entry_size: u64,
    bytes: Vec<u8>,
}

struct Symbol {
    name: String,
    info: u8,
    section: u16,
    value: u64,
    size: u64,
}

pub(crate) const X86_64: u16 = 62;
pub(crate) const AARCH64: u16 = 183;
pub(crate) const RISCV: u16 = 243;

pub(crate) const PROGRAM: u16 = 2;
pub(crate) const LIBRARY: u16 = 3;

pub(crate) const FUNCTION: u8 = 2;
pub(crate) const OBJECT: u8 = 1;
pub(crate) const NOTHING: u8 = 0;

const ALLOCATED: u64 = 2;
const WRITABLE: u64 = 1;
const EXECUTABLE: u64 = 4;

impl Elf {
    pub(crate) fn new(machine: u16, kind: u16) -> Self {
        let mut elf = Self {
            machine,
            kind,
            sections: Vec::new(),
            symbols: Vec::new(),
        };
        elf.section("", 0, 0, 0, Vec::new());
        elf
    }

    /// Adds a section and returns its number.
    fn section(&mut self, name: &str, kind: u32, flags: u64, address: u64, bytes: Vec<u8>) -> u16 {
        self.sections.push(Section {
            name: name.to_owned(),
            kind,
            flags,
            address,
            link: 0,
            info: 0,
            entry_size: 0,
            bytes,
        });
        u16::try_from(self.sections.len() - 1).expect("few sections")
    }

    pub(crate) fn code(&mut self, address: u64, bytes: &[u8]) -> u16 {
        self.section(".text", 1, ALLOCATED | EXECUTABLE, address, bytes.to_vec())
    }

    pub(crate) fn constants(&mut self, address: u64, bytes: &[u8]) -> u16 {
        self.section(".rodata", 1, ALLOCATED, address, bytes.to_vec())
    }

    pub(crate) fn writable(&mut self, name: &str, address: u64, bytes: &[u8]) -> u16 {
        self.section(name, 1, ALLOCATED | WRITABLE, address, bytes.to_vec())
    }

    /// Adds packed relocations.
    pub(crate) fn packed_relocations(&mut self, address: u64, words: &[u64]) {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.section(".relr.dyn", 19, ALLOCATED, address, bytes);
    }

    /// Adds relocations: patched address, type, symbol, addend. Their symbols are the file's.
    pub(crate) fn relocations(&mut self, address: u64, list: &[(u64, u32, u32, i64)]) {
        let bytes = list.iter().flat_map(|&(at, kind, symbol, addend)| {
            let info = u64::from(symbol) << 32 | u64::from(kind);
            [at.to_le_bytes(), info.to_le_bytes(), addend.to_le_bytes()].concat()
        });
        let number = self.section(".rela.dyn", 4, ALLOCATED, address, bytes.collect());
        self.sections[usize::from(number)].entry_size = 24;
        // The symbols follow behind all other sections.
        self.sections[usize::from(number)].link = u32::MAX;
    }

    /// Adds a symbol and returns its number. Section 0 says that it is in another file.
    pub(crate) fn symbol(
        &mut self,
        name: &str,
        kind: u8,
        section: u16,
        value: u64,
        size: u64,
    ) -> u32 {
        const GLOBAL: u8 = 1 << 4;
        self.symbols.push(Symbol {
            name: name.to_owned(),
            info: GLOBAL | kind,
            section,
            value,
            size,
        });
        u32::try_from(self.symbols.len()).expect("few symbols")
    }

    pub(crate) fn local_symbol(&mut self, name: &str, section: u16, value: u64) {
        self.symbol(name, NOTHING, section, value, 0);
        self.symbols.last_mut().expect("it was just added").info = NOTHING;
    }

    /// Writes the file.
    pub(crate) fn write(mut self) -> Vec<u8> {
        self.add_symbols();
        let mut names = Vec::new();
        let name_offsets: Vec<u32> = self
            .sections
            .iter()
            .map(|it| add_name(&mut names, &it.name))
            .collect();
        let own_name = add_name(&mut names, ".shstrtab");
        let names_number = self.section(".shstrtab", 3, 0, 0, names);

        let mut file = vec![0; 64];
        let mut headers = Vec::new();
        for (number, section) in self.sections.iter().enumerate() {
            let name = name_offsets.get(number).copied().unwrap_or(own_name);
            headers.extend(name.to_le_bytes());
            headers.extend(section.kind.to_le_bytes());
            let len = u64::try_from(section.bytes.len()).expect("it fits");
            for field in [
                section.flags,
                section.address,
                u64::try_from(file.len()).expect("it fits"),
                len,
            ] {
                headers.extend(field.to_le_bytes());
            }
            headers.extend(section.link.to_le_bytes());
            headers.extend(section.info.to_le_bytes());
            headers.extend(1_u64.to_le_bytes());
            headers.extend(section.entry_size.to_le_bytes());
            file.extend(&section.bytes);
        }
        let headers_at = u64::try_from(file.len()).expect("it fits");
        file.extend(headers);
        let header = [
            b"\x7fELF\x02\x01\x01".as_slice(),
            &[0; 9],
            &self.kind.to_le_bytes(),
            &self.machine.to_le_bytes(),
            &1_u32.to_le_bytes(),
            // No entry, no program headers.
            &[0; 16],
            &headers_at.to_le_bytes(),
            &0_u32.to_le_bytes(),
            &64_u16.to_le_bytes(),
            &[0; 4],
            &64_u16.to_le_bytes(),
            &u16::try_from(self.sections.len())
                .expect("few sections")
                .to_le_bytes(),
            &names_number.to_le_bytes(),
        ]
        .concat();
        file[..64].copy_from_slice(&header);
        file
    }

    /// Adds the sections of symbols and of their names.
    fn add_symbols(&mut self) {
        let mut names = vec![0];
        let mut table = vec![0; 24];
        for symbol in &self.symbols {
            table.extend(add_name(&mut names, &symbol.name).to_le_bytes());
            table.extend([symbol.info, 0]);
            table.extend(symbol.section.to_le_bytes());
            table.extend(symbol.value.to_le_bytes());
            table.extend(symbol.size.to_le_bytes());
        }
        let number = self.section(".symtab", 2, 0, 0, table);
        let names_number = self.section(".strtab", 3, 0, 0, names);
        for section in &mut self.sections {
            if section.link == u32::MAX {
                section.link = number.into();
            }
        }
        let section = &mut self.sections[usize::from(number)];
        section.link = names_number.into();
        section.entry_size = 24;
    }
}

fn add_name(names: &mut Vec<u8>, name: &str) -> u32 {
    let offset = u32::try_from(names.len()).expect("short names");
    names.extend(name.bytes());
    names.push(0);
    offset
}
