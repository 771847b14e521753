//! Load commands: what the loader is told, and where everything else is.

use object::macho::{self, LinkeditDataCommand};
use object::read::macho::{LoadCommandVariant, MachHeader, Section as _, Segment as _};

use super::{clip, sections, to_u64};
use crate::image::{FileKind, Header, Image};
use crate::place::FileRange;
use crate::section::{Access, SectionRole, Segment};

type Endian = object::Endianness;

/// Libraries that a file needs, at most.
const MAX_NEEDED: usize = 4096;

/// What the load commands say.
#[derive(Default)]
pub(super) struct Commands<'data> {
    /// All segments, also those that are not loaded: address and stored bytes. Their numbers are those of the format.
    pub(super) segments: Vec<(u64, FileRange)>,
    /// The address of the header, from which unwind information counts.
    pub(super) base: u64,
    /// Pieces of `__LINKEDIT`.
    pub(super) pieces: Vec<Piece>,
    pub(super) dyld_info: Option<&'data macho::DyldInfoCommand<Endian>>,
    pub(super) chained: Option<&'data LinkeditDataCommand<Endian>>,
    /// What a table of symbols says of the sections that hold slots and stubs: number of the section among all, first
    /// entry in the table of indirect symbols, size of one slot or stub.
    pub(super) indirect: Vec<(usize, u32, u64)>,
    /// Relocations of an object file: the number of the section that they patch, where they are and how many.
    pub(super) relocations: Vec<(usize, u32, u32)>,
    /// The numbers of sections that describe thread-local variables.
    pub(super) thread_local: Vec<usize>,
    /// The numbers of sections that hold distances from the header to functions that run at the start.
    pub(super) initializers: Vec<usize>,
    entry: Option<u64>,
}

/// A piece of `__LINKEDIT`.
pub(super) struct Piece {
    pub(super) name: &'static str,
    pub(super) range: FileRange,
    pub(super) role: SectionRole,
}

/// Names of pieces that others look up.
pub(super) const SYMBOLS: &str = "(symbol table)";
pub(super) const NAMES: &str = "(string table)";
pub(super) const INDIRECT: &str = "(indirect symbols)";
pub(super) const FUNCTION_STARTS: &str = "(function starts)";
pub(super) const EXPORTS: &str = "(export trie)";
pub(super) const REBASES: &str = "(rebase opcodes)";
pub(super) const CHAINED_FIXUPS: &str = "(chained fixups)";

impl<'data> Commands<'data> {
    pub(super) fn read<H>(header: &'data H, endian: Endian, image: &mut Image<'data>) -> Self
    where
        H: MachHeader<Endian = Endian>,
    {
        let mut commands = Self::default();
        let header_len = to_u64(size_of::<H>());
        let file_len = image.file_len();
        push_header(image, "Mach-O header", 0..header_len.min(file_len));
        let len = header.sizeofcmds(endian).into();
        push_header(image, "load commands", clip(header_len, len, file_len));
        let mut list = match header.load_commands(endian, image.data, 0) {
            Ok(list) => list,
            Err(error) => {
                let message = format!("not read: {error}");
                image.warnings.push("load commands", None, message);
                return commands;
            }
        };
        loop {
            let command = match list.next() {
                Ok(Some(command)) => command,
                Ok(None) => break,
                Err(error) => {
                    let message = format!("not read from here on: {error}");
                    image.warnings.push("load commands", None, message);
                    break;
                }
            };
            if let Ok(Some((segment, data))) =
                <H::Segment as object::read::macho::Segment>::from_command(command)
            {
                commands.segment::<H>(segment, data, endian, image);
                continue;
            }
            if let Ok(variant) = command.variant() {
                commands.other(command, variant, endian, image);
            }
        }
        commands
    }

    /// The address where execution starts.
    pub(super) fn entry(&self) -> Option<u64> {
        self.base.checked_add(self.entry?)
    }

    /// The piece of that name.
    pub(super) fn piece(&self, name: &str) -> Option<&Piece> {
        self.pieces.iter().find(|piece| piece.name == name)
    }

    fn segment<H>(
        &mut self,
        segment: &'data H::Segment,
        data: &'data [u8],
        endian: Endian,
        image: &mut Image<'data>,
    ) where
        H: MachHeader<Endian = Endian>,
    {
        let name = String::from_utf8_lossy(segment.name()).into_owned();
        let (address, memory_size) = (segment.vmaddr(endian).into(), segment.vmsize(endian).into());
        let (offset, len) = segment.file_range(endian);
        let range = clip(offset, len, image.file_len());
        if offset.saturating_add(len) > image.file_len() {
            image.warnings.push(
                &*name,
                None,
                "the segment ends past the end of the file; cut off",
            );
        }
        let number = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        if name == "__TEXT" {
            self.base = address;
        }
        self.segments.push((address, range.clone()));
        let protection = segment.initprot(endian);
        let access = Access {
            loaded: name != "__DWARF",
            writable: protection.contains(macho::VM_PROT_WRITE),
            executable: protection.contains(macho::VM_PROT_EXECUTE),
            thread_local: false,
        };
        // `__PAGEZERO` is what the program must not touch.
        let is_mapped = protection.0 != 0 && access.loaded;
        if is_mapped && u64::checked_add(address, memory_size).is_some() {
            image.segments.push(Segment {
                number,
                address,
                memory_size,
                file_range: range,
                access,
            });
        }
        let list = segment.sections(endian, data).unwrap_or_else(|error| {
            let message = format!("its sections are not read: {error}");
            image.warnings.push(&*name, None, message);
            &[]
        });
        for section in list {
            let index = image.sections.len();
            let kind = section.section_type(endian);
            if image.target.kind == FileKind::Object && section.nreloc(endian) > 0 {
                let at = (index, section.reloff(endian), section.nreloc(endian));
                self.relocations.push(at);
            }
            match kind {
                macho::S_INIT_FUNC_OFFSETS => self.initializers.push(index),
                macho::S_THREAD_LOCAL_VARIABLES => self.thread_local.push(index),
                _ => {}
            }
            let width = match kind {
                macho::S_SYMBOL_STUBS => section.reserved2(endian).into(),
                macho::S_LAZY_SYMBOL_POINTERS | macho::S_NON_LAZY_SYMBOL_POINTERS => {
                    u64::from(image.target.bits / 8)
                }
                _ => 0,
            };
            if width > 0 {
                self.indirect
                    .push((index, section.reserved1(endian), width));
            }
            sections::push::<H>(section, endian, access, image);
        }
    }

    fn other(
        &mut self,
        command: object::read::macho::LoadCommandData<'data, Endian>,
        variant: LoadCommandVariant<'data, Endian>,
        endian: Endian,
        image: &mut Image<'data>,
    ) {
        let file_len = image.file_len();
        let mut piece = |name, offset: u32, len: u64, role| {
            let range = clip(offset.into(), len, file_len);
            if !range.is_empty() {
                self.pieces.push(Piece { name, range, role });
            }
        };
        let (opcodes, linking) = (SectionRole::Relocations, SectionRole::DynamicLinking);
        match variant {
            LoadCommandVariant::Symtab(table) => {
                let entry = if image.target.bits == 64 { 16 } else { 12 };
                let len = u64::from(table.nsyms.get(endian)) * entry;
                piece(SYMBOLS, table.symoff.get(endian), len, SectionRole::Symbols);
                let len = table.strsize.get(endian).into();
                piece(
                    NAMES,
                    table.stroff.get(endian),
                    len,
                    SectionRole::SymbolNames,
                );
            }
            LoadCommandVariant::Dysymtab(table) => {
                let len = u64::from(table.nindirectsyms.get(endian)) * 4;
                piece(INDIRECT, table.indirectsymoff.get(endian), len, linking);
            }
            LoadCommandVariant::DyldInfo(info) => {
                self.dyld_info = Some(info);
                for (name, offset, len, role) in [
                    (REBASES, &info.rebase_off, &info.rebase_size, opcodes),
                    ("(bind opcodes)", &info.bind_off, &info.bind_size, opcodes),
                    (
                        "(weak bind opcodes)",
                        &info.weak_bind_off,
                        &info.weak_bind_size,
                        opcodes,
                    ),
                    (
                        "(lazy bind opcodes)",
                        &info.lazy_bind_off,
                        &info.lazy_bind_size,
                        opcodes,
                    ),
                    (EXPORTS, &info.export_off, &info.export_size, linking),
                ] {
                    piece(name, offset.get(endian), len.get(endian).into(), role);
                }
            }
            LoadCommandVariant::LinkeditData(data) => {
                let (name, role) = match data.cmd.get(endian) {
                    macho::LC_CODE_SIGNATURE => ("(code signature)", SectionRole::Signature),
                    macho::LC_FUNCTION_STARTS => (FUNCTION_STARTS, SectionRole::FileStructure),
                    macho::LC_DATA_IN_CODE => ("(data in code)", SectionRole::FileStructure),
                    macho::LC_DYLD_EXPORTS_TRIE => (EXPORTS, linking),
                    macho::LC_DYLD_CHAINED_FIXUPS => (CHAINED_FIXUPS, opcodes),
                    macho::LC_LINKER_OPTIMIZATION_HINT => {
                        ("(linker hints)", SectionRole::FileStructure)
                    }
                    macho::LC_SEGMENT_SPLIT_INFO => ("(split info)", SectionRole::FileStructure),
                    _ => ("(other link-edit data)", SectionRole::Other),
                };
                if name == CHAINED_FIXUPS {
                    self.chained = Some(data);
                }
                piece(
                    name,
                    data.dataoff.get(endian),
                    data.datasize.get(endian).into(),
                    role,
                );
            }
            LoadCommandVariant::EntryPoint(main) => self.entry = Some(main.entryoff.get(endian)),
            LoadCommandVariant::Uuid(id) => image.facts.build_id = Some(id.uuid.to_vec()),
            LoadCommandVariant::Dylib(library) if image.facts.needed.len() < MAX_NEEDED => {
                if let Ok(name) = command.string(endian, library.dylib.name) {
                    image
                        .facts
                        .needed
                        .push(String::from_utf8_lossy(name).into_owned());
                }
            }
            _ => {}
        }
    }
}

fn push_header(image: &mut Image<'_>, name: &'static str, file_range: FileRange) {
    if !file_range.is_empty() {
        image.headers.push(Header { name, file_range });
    }
}
