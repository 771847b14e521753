//! ELF files written byte by byte, with any value in any field. Layouts: gABI 4.1.

use object::elf;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub is_64: bool,
    pub is_big: bool,
}

/// The four there are.
pub const LAYOUTS: [Layout; 4] = [
    Layout::new(64, "little"),
    Layout::new(64, "big"),
    Layout::new(32, "little"),
    Layout::new(32, "big"),
];

/// A file to be.
pub struct ElfFile {
    pub layout: Layout,
    pub kind: elf::FileType,
    pub machine: elf::Machine,
    pub entry: u64,
    pub segments: Vec<Segment>,
    pub sections: Vec<Section>,
}

/// A program header.
#[derive(Clone, Copy)]
pub struct Segment {
    pub kind: elf::ProgramType,
    pub flags: elf::ProgramFlags,
    pub offset: u64,
    pub address: u64,
    pub file_size: u64,
    pub memory_size: u64,
}

/// A section and its header; [`Default`] gives plain data that is not loaded.
#[derive(Clone)]
pub struct Section {
    pub name: &'static str,
    pub kind: elf::SectionType,
    pub flags: elf::SectionFlags,
    pub address: u64,
    pub link: u32,
    pub info: u32,
    pub align: u64,
    pub entry_size: u64,
    pub data: Vec<u8>,
    /// What the header says instead of the length of `data`.
    pub size: Option<u64>,
    /// What the header says instead of the position of `data`.
    pub offset: Option<u64>,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            name: "",
            kind: elf::SHT_PROGBITS,
            flags: elf::SectionFlags(0),
            address: 0,
            link: 0,
            info: 0,
            align: 1,
            entry_size: 0,
            data: Vec::new(),
            size: None,
            offset: None,
        }
    }
}

impl Layout {
    const fn new(bits: u8, order: &str) -> Self {
        Self {
            is_64: bits == 64,
            is_big: matches!(order.as_bytes(), b"big"),
        }
    }

    pub fn bits(self) -> u8 {
        if self.is_64 { 64 } else { 32 }
    }

    /// Bytes of an address.
    pub fn word_size(self) -> u64 {
        u64::from(self.bits() / 8)
    }

    pub fn bytes(self) -> Bytes {
        Bytes {
            layout: self,
            bytes: Vec::new(),
        }
    }

    /// A table of symbols (name, value, size, type and binding, section) and the table of their names.
    pub fn symbols(self, symbols: &[(&str, u64, u64, u8, u16)]) -> (Vec<u8>, Vec<u8>) {
        let mut table = self.bytes().zeros(if self.is_64 { 24 } else { 16 });
        let mut names = vec![0];
        for &(name, value, size, info, section) in symbols {
            let at = u32::try_from(names.len()).expect("few names");
            names.extend_from_slice(name.as_bytes());
            names.push(0);
            table = table.u32(at);
            table = if self.is_64 {
                table.u8(info).u8(0).u16(section).word(value).word(size)
            } else {
                table.word(value).word(size).u8(info).u8(0).u16(section)
            };
        }
        (table.bytes, names)
    }

    /// An entry of a relocation table, with or without addend.
    pub fn relocation(self, offset: u64, symbol: u32, kind: u32, addend: Option<i64>) -> Vec<u8> {
        let info = if self.is_64 {
            u64::from(symbol) << 32 | u64::from(kind)
        } else {
            u64::from(symbol << 8 | kind)
        };
        let entry = self.bytes().word(offset).word(info);
        match addend {
            Some(addend) => entry.word(addend.cast_unsigned()).bytes,
            None => entry.bytes,
        }
    }
}

impl ElfFile {
    /// A program without sections.
    pub fn program(layout: Layout, machine: elf::Machine) -> Self {
        Self {
            layout,
            kind: elf::ET_DYN,
            machine,
            entry: 0,
            segments: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// An object file without sections.
    pub fn object(layout: Layout, machine: elf::Machine) -> Self {
        Self {
            kind: elf::ET_REL,
            ..Self::program(layout, machine)
        }
    }

    /// Adds a section and returns its number.
    pub fn push(&mut self, section: Section) -> u32 {
        self.sections.push(section);
        // Entry 0 of the table is empty.
        u32::try_from(self.sections.len()).expect("few sections")
    }

    /// The file: header, program headers, contents of sections, section headers. A section of names is added.
    pub fn write(&self) -> Vec<u8> {
        let layout = self.layout;
        let mut sections = vec![Section {
            kind: elf::SHT_NULL,
            align: 0,
            ..Section::default()
        }];
        sections.extend(self.sections.iter().cloned());
        sections.push(Section {
            name: ".shstrtab",
            kind: elf::SHT_STRTAB,
            ..Section::default()
        });
        let mut names = vec![0];
        let mut name_offsets = vec![0];
        for section in sections.iter().skip(1) {
            name_offsets.push(u32::try_from(names.len()).expect("few names"));
            names.extend_from_slice(section.name.as_bytes());
            names.push(0);
        }
        if let Some(last) = sections.last_mut() {
            last.data = names;
        }

        let header_size = if layout.is_64 { 64 } else { 52 };
        let mut contents = layout.bytes();
        contents.bytes.resize(header_size, 0);
        for segment in &self.segments {
            contents.extend(&segment.write(layout));
        }
        let mut headers = layout.bytes();
        for (section, name) in sections.iter().zip(name_offsets) {
            let align = usize::try_from(section.align.max(1)).expect("a small alignment");
            let at = contents.bytes.len().next_multiple_of(align);
            contents.bytes.resize(at, 0);
            contents.extend(&section.data);
            let len = section.data.len();
            headers = headers
                .u32(name)
                .u32(section.kind.0)
                .word(section.flags.0)
                .word(section.address)
                .word(section.offset.unwrap_or_else(|| to_u64(at)))
                .word(section.size.unwrap_or_else(|| to_u64(len)))
                .u32(section.link)
                .u32(section.info)
                .word(section.align)
                .word(section.entry_size);
        }
        let end = contents.bytes.len().next_multiple_of(8);
        contents.bytes.resize(end, 0);
        contents.extend(&headers.bytes);

        let count = |count: usize| u16::try_from(count).expect("few headers");
        let header = layout
            .bytes()
            .slice(b"\x7fELF")
            .u8(if layout.is_64 { 2 } else { 1 })
            .u8(if layout.is_big { 2 } else { 1 })
            .u8(1)
            .zeros(9)
            .u16(self.kind.0)
            .u16(self.machine.0)
            .u32(1)
            .word(self.entry)
            .word(to_u64(header_size))
            .word(to_u64(end))
            .u32(0)
            .u16(count(header_size))
            .u16(if layout.is_64 { 56 } else { 32 })
            .u16(count(self.segments.len()))
            .u16(if layout.is_64 { 64 } else { 40 })
            .u16(count(sections.len()))
            .u16(count(sections.len() - 1));
        contents.bytes[..header_size].copy_from_slice(&header.bytes);
        contents.bytes
    }
}

impl Segment {
    fn write(&self, layout: Layout) -> Vec<u8> {
        let bytes = layout.bytes().u32(self.kind.0);
        let bytes = if layout.is_64 {
            bytes.u32(self.flags.0)
        } else {
            bytes
        };
        let bytes = bytes
            .word(self.offset)
            .word(self.address)
            .word(self.address)
            .word(self.file_size)
            .word(self.memory_size);
        let bytes = if layout.is_64 {
            bytes
        } else {
            bytes.u32(self.flags.0)
        };
        bytes.word(1).bytes
    }
}

/// Bytes that grow at the end.
#[derive(Clone)]
pub struct Bytes {
    layout: Layout,
    pub bytes: Vec<u8>,
}

impl Bytes {
    fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn len(&self) -> u64 {
        to_u64(self.bytes.len())
    }

    pub fn slice(mut self, bytes: &[u8]) -> Self {
        self.extend(bytes);
        self
    }

    pub fn zeros(mut self, count: usize) -> Self {
        self.bytes.resize(self.bytes.len() + count, 0);
        self
    }

    /// Zeros up to a multiple of `align`.
    pub fn align(mut self, align: usize) -> Self {
        let len = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(len, 0);
        self
    }

    pub fn u8(self, value: u8) -> Self {
        self.slice(&[value])
    }

    pub fn u16(self, value: u16) -> Self {
        let bytes = if self.layout.is_big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.slice(&bytes)
    }

    pub fn u32(self, value: u32) -> Self {
        let bytes = if self.layout.is_big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.slice(&bytes)
    }

    pub fn u64(self, value: u64) -> Self {
        let bytes = if self.layout.is_big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.slice(&bytes)
    }

    /// An address; in a 32-bit file its low half.
    pub fn word(self, value: u64) -> Self {
        if self.layout.is_64 {
            self.u64(value)
        } else {
            self.u32(low_half(value))
        }
    }

    /// Four bytes that say how far `target` is from themselves, when these bytes start at `address`.
    pub fn distance(self, address: u64, target: u64) -> Self {
        let field = address + self.len();
        self.u32(low_half(target.wrapping_sub(field)))
    }
}

fn low_half(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).expect("32 bits")
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).expect("64 bits")
}
