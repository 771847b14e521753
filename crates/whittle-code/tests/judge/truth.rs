//! What the linker patched in code, read by `object`, and how references compare to it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use iced_x86::{Decoder, DecoderOptions};
use object::elf::{self, RelocationType};
use object::read::elf::{ElfFile64, FileHeader as _, Rela as _, SectionHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, SymbolSection};
use whittle_code::{Certainty, Reference, ReferenceKind, References};
use whittle_image::{Image, SectionRole};

use crate::programs::Error;

/// The linker's account of a file's code.
pub(crate) struct Truth {
    is_x86: bool,
    /// By address.
    patches: BTreeMap<u64, Vec<Patch>>,
    /// Start and end of functions, ascending.
    functions: Vec<(u64, u64)>,
    /// Where data holds which addresses.
    pointers: BTreeMap<u64, u64>,
    /// Address and bytes of sections of code.
    code: Vec<(u64, Vec<u8>)>,
}

/// What was patched.
struct Patch {
    meaning: Meaning,
    /// The symbol's address and the number of its section, if it is in this file.
    symbol: Option<u64>,
    addend: i64,
    name: String,
}

/// How the patched bytes lead to the symbol.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The symbol plus the addend.
    Plain,
    /// The same, as distance from the end of the instruction (x86-64).
    FromEnd,
    /// The symbol, through a slot.
    Slot,
    /// The page of the symbol plus the addend; another instruction adds the rest.
    Page,
    /// Nothing that is an address.
    NoAddress,
}

/// How references compare to the linker's account.
#[derive(Default)]
pub(crate) struct Judgement {
    /// References between functions, or from code to data, that the linker knows.
    pub(crate) known: usize,
    /// Of these, how many were found.
    pub(crate) found: usize,
    /// The others, in words.
    pub(crate) missed: Vec<String>,
    /// References that lead elsewhere than the linker says.
    pub(crate) wrong: Vec<String>,
    /// Addresses in data that the linker knows.
    pub(crate) pointers_known: usize,
    /// Of these, how many were found.
    pub(crate) pointers_found: usize,
    /// Pointers that the linker does not know.
    pub(crate) wrong_pointers: Vec<String>,
    /// References at instructions that the linker did not patch, by kind.
    pub(crate) unpatched: BTreeMap<String, usize>,
}

impl Judgement {
    #[expect(clippy::cast_precision_loss, reason = "a share of counts below 2^52")]
    pub(crate) fn recall(&self) -> f64 {
        self.found as f64 / self.known as f64
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (known, found) = (self.known, self.found);
        writeln!(
            f,
            "{found} of {known} found, {:.4} %",
            self.recall() * 100.0
        )?;
        writeln!(
            f,
            "{} wrong, not patched: {:?}",
            self.wrong.len(),
            self.unpatched
        )?;
        writeln!(
            f,
            "{} of {} pointers found, {} wrong",
            self.pointers_found,
            self.pointers_known,
            self.wrong_pointers.len()
        )?;
        for wrong in self.wrong_pointers.iter().take(40) {
            writeln!(f, "wrong pointer: {wrong}")?;
        }
        for missed in self.missed.iter().take(40) {
            writeln!(f, "missed: {missed}")?;
        }
        for wrong in self.wrong.iter().take(40) {
            writeln!(f, "wrong: {wrong}")?;
        }
        Ok(())
    }
}

impl Truth {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let endian = file.endian();
        let machine = file.elf_header().e_machine(endian);
        let mut patches: BTreeMap<u64, Vec<Patch>> = BTreeMap::new();
        let mut pointers = BTreeMap::new();
        for section in file.sections() {
            let header = section.elf_section_header();
            let is_loaded = header.sh_flags(endian).contains(elf::SHF_ALLOC);
            if header.sh_type(endian) != elf::SHT_RELA || is_loaded {
                continue;
            }
            let section =
                file.section_by_index(object::SectionIndex(header.info_link(endian).0))?;
            let flags = section.elf_section_header().sh_flags(endian);
            if !flags.contains(elf::SHF_ALLOC) {
                continue;
            }
            let is_code = flags.contains(elf::SHF_EXECINSTR);
            let Some((entries, _)) = header.rela(endian, bytes)? else {
                continue;
            };
            for entry in entries {
                let number = entry.r_type(endian, false);
                let index = object::SymbolIndex(usize::try_from(entry.r_sym(endian, false))?);
                let Ok(symbol) = file.symbol_by_index(index) else {
                    // Left over from what the linker dropped.
                    continue;
                };
                let is_defined = matches!(symbol.section(), SymbolSection::Section(_));
                let is_number = symbol.section() == SymbolSection::Absolute;
                let name = symbol.name().unwrap_or("?").to_owned();
                if !is_code {
                    if is_pointer(machine, number) && is_defined {
                        let to = symbol.address().wrapping_add_signed(entry.r_addend(endian));
                        pointers.insert(entry.r_offset(endian), to);
                    }
                    continue;
                }
                // A weak symbol that nobody defines is 0.
                let is_null = !is_defined && (symbol.is_weak() || symbol.is_local());
                // The slots' start, to which the next instruction adds the distance of a slot.
                let is_base = name == "_GLOBAL_OFFSET_TABLE_";
                patches
                    .entry(entry.r_offset(endian))
                    .or_default()
                    .push(Patch {
                        meaning: if is_null || is_base || is_number {
                            Meaning::NoAddress
                        } else {
                            meaning(machine, number)
                        },
                        symbol: is_defined.then(|| symbol.address()),
                        addend: entry.r_addend(endian),
                        name,
                    });
            }
        }
        let mut functions: Vec<(u64, u64)> = file
            .symbols()
            .filter(|symbol| symbol.kind() == object::SymbolKind::Text && symbol.size() > 0)
            .map(|symbol| (symbol.address(), symbol.address() + symbol.size()))
            .collect();
        functions.sort_unstable();
        functions.dedup_by_key(|function| function.0);
        let code = file
            .sections()
            .filter(|section| section.kind() == object::SectionKind::Text)
            .map(|section| Ok((section.address(), section.data()?.to_vec())))
            .collect::<Result<_, object::Error>>()?;
        Ok(Self {
            is_x86: machine == elf::EM_X86_64,
            patches,
            functions,
            pointers,
            code,
        })
    }

    pub(crate) fn judge(&self, image: &Image<'_>, references: &References) -> Judgement {
        let mut judgement = Judgement::default();
        let address = |place| image.address_of(place).unwrap_or(u64::MAX);
        let from_code: Vec<&Reference> = references
            .list()
            .iter()
            .filter(|it| {
                let is_operand = matches!(
                    it.kind(),
                    ReferenceKind::Call
                        | ReferenceKind::Jump
                        | ReferenceKind::Address
                        | ReferenceKind::Access
                );
                let section = image.section(it.from().section);
                is_operand && section.is_some_and(|section| !section.name.starts_with(".plt"))
            })
            .collect();
        let mut by_instruction: HashMap<u64, Vec<u64>> = HashMap::new();
        let mut by_function: HashSet<(Option<usize>, u64)> = HashSet::new();
        for reference in &from_code {
            let (from, to) = (address(reference.from()), address(reference.to()));
            by_instruction.entry(from).or_default().push(to);
            by_function.insert((self.function(from), to));
        }

        self.judge_pointers(image, references, &mut judgement);
        for (&at, patches) in &self.patches {
            for patch in patches {
                if patch.meaning == Meaning::NoAddress || self.is_written_over(at, patch) {
                    continue;
                }
                let expected = Self::expected(patch);
                let is_own = |to: &u64| {
                    let own = self.function(at);
                    own.is_some() && own == self.function(*to)
                };
                if expected.first().is_some_and(is_own) {
                    continue;
                }
                judgement.known += 1;
                let is_found = if patch.meaning == Meaning::Page {
                    let function = self.function(at);
                    expected.is_empty()
                        || expected
                            .iter()
                            .any(|&to| by_function.contains(&(function, to)))
                } else {
                    self.instruction(at, &by_instruction).is_some_and(|found| {
                        // What is in another file is reached by a slot or stub.
                        expected.is_empty() || found.iter().any(|to| expected.contains(to))
                    })
                };
                if is_found {
                    judgement.found += 1;
                } else {
                    judgement.missed.push(format!(
                        "{at:#x}: {} {:+#x}, expected {expected:x?}",
                        patch.name, patch.addend
                    ));
                }
            }
        }

        for reference in from_code {
            let (from, to) = (address(reference.from()), address(reference.to()));
            let end = from + self.len(from);
            let patches: Vec<&Patch> = self
                .patches
                .range(from..end)
                .flat_map(|(_, patches)| patches)
                .collect();
            if patches.is_empty() {
                let kind = format!("{:?} {:?}", reference.kind(), reference.certainty());
                *judgement.unpatched.entry(kind).or_default() += 1;
                // What stays in a section needs no linker.
                let leaves = reference.from().section != reference.to().section;
                if leaves && reference.certainty() == Certainty::Exact {
                    judgement
                        .wrong
                        .push(format!("{from:#x} to {to:#x} {reference:x?}, not patched"));
                }
                continue;
            }
            let agrees = patches.iter().any(|patch| {
                let expected = Self::expected(patch);
                patch.meaning != Meaning::Page && expected.is_empty() || expected.contains(&to)
            });
            if !agrees {
                let names: Vec<&str> = patches.iter().map(|patch| &*patch.name).collect();
                judgement.wrong.push(format!(
                    "{from:#x} to {to:#x} {reference:x?}, patched for {names:?}"
                ));
            }
        }
        judgement
    }

    /// Whether the linker has replaced the instruction: where a program reaches its own thread-local storage it needs
    /// no call (ELF Handling For Thread-Local Storage 0.21, "x86-64 Linker Optimizations").
    fn is_written_over(&self, at: u64, patch: &Patch) -> bool {
        const CALL: u8 = 0xe8;
        const CALL_THROUGH_SLOT: u8 = 0x15;
        let is_call = at
            .checked_sub(1)
            .and_then(|before| self.bytes(before)?.first())
            .is_some_and(|byte| [CALL, CALL_THROUGH_SLOT].contains(byte));
        self.is_x86 && patch.name.starts_with("__tls_get_addr") && !is_call
    }

    /// The bytes of code from an address on.
    fn bytes(&self, address: u64) -> Option<&[u8]> {
        self.code.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(offset..)
        })
    }

    fn judge_pointers(
        &self,
        image: &Image<'_>,
        references: &References,
        judgement: &mut Judgement,
    ) {
        let mut found = HashSet::new();
        for reference in references.list() {
            // The linker fills slots on its own.
            let section = image.section(reference.from().section);
            let is_slot = section.is_some_and(|it| it.role == SectionRole::AddressSlots);
            if reference.kind() != ReferenceKind::Pointer || is_slot {
                continue;
            }
            let from = image.address_of(reference.from()).unwrap_or(u64::MAX);
            let to = image.address_of(reference.to()).unwrap_or(u64::MAX);
            if reference.certainty() == Certainty::Inferred && self.pointers.get(&from) != Some(&to)
            {
                judgement
                    .wrong_pointers
                    .push(format!("{from:#x} to {to:#x}"));
            }
            found.insert((from, to));
        }
        // Tables of jump targets stay in their function.
        let is_jump = |to: u64| {
            let function = self.function(to).map(|number| self.functions[number]);
            function.is_some_and(|(start, _)| start != to)
        };
        for (&from, &to) in self.pointers.iter().filter(|&(_, &to)| !is_jump(to)) {
            judgement.pointers_known += 1;
            judgement.pointers_found += usize::from(found.contains(&(from, to)));
        }
    }

    /// The addresses that a patch may lead to; none if that is in another file. The first is the likeliest.
    fn expected(patch: &Patch) -> Vec<u64> {
        let Some(symbol) = patch.symbol else {
            return Vec::new();
        };
        let plain = symbol.wrapping_add_signed(patch.addend);
        match patch.meaning {
            Meaning::Slot => vec![symbol],
            // Behind the patched bytes an immediate of some bytes may follow.
            Meaning::FromEnd => [4, 5, 6, 8].map(|bias| plain.wrapping_add(bias)).to_vec(),
            Meaning::Plain | Meaning::Page => vec![plain],
            Meaning::NoAddress => Vec::new(),
        }
    }

    /// The function that an address is in.
    fn function(&self, address: u64) -> Option<usize> {
        let after = self
            .functions
            .partition_point(|&(start, _)| start <= address);
        let number = after.checked_sub(1)?;
        (address < self.functions[number].1).then_some(number)
    }

    /// Where the references of the instruction lead that has a patch at an address.
    fn instruction<'a>(
        &self,
        at: u64,
        by_instruction: &'a HashMap<u64, Vec<u64>>,
    ) -> Option<&'a Vec<u64>> {
        let longest = if self.is_x86 { 15 } else { 1 };
        (0..longest)
            .filter_map(|back| at.checked_sub(back))
            .find_map(|start| {
                by_instruction
                    .get(&start)
                    .filter(|_| at < start + self.len(start))
            })
    }

    /// The length of the instruction at an address.
    fn len(&self, address: u64) -> u64 {
        if !self.is_x86 {
            return 4;
        }
        let bytes = self.bytes(address).unwrap_or_default();
        let len = Decoder::new(64, bytes, DecoderOptions::NONE).decode().len();
        u64::try_from(len).expect("at most 15")
    }
}

/// Whether a relocation writes a whole address.
fn is_pointer(machine: elf::Machine, number: RelocationType) -> bool {
    match machine {
        elf::EM_X86_64 => number == elf::R_X86_64_64,
        _ => number == elf::R_AARCH64_ABS64,
    }
}

/// What relocations mean. Sources: AMD64 ABI 1.0, "Relocation Types"; ELF for the Arm 64-bit Architecture,
/// "Relocation".
fn meaning(machine: elf::Machine, number: RelocationType) -> Meaning {
    if machine == elf::EM_X86_64 {
        match number {
            elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => Meaning::FromEnd,
            elf::R_X86_64_32 | elf::R_X86_64_32S | elf::R_X86_64_64 => Meaning::Plain,
            elf::R_X86_64_GOTPCREL | elf::R_X86_64_GOTPCRELX | elf::R_X86_64_REX_GOTPCRELX => {
                Meaning::Slot
            }
            _ => Meaning::NoAddress,
        }
    } else {
        match number {
            elf::R_AARCH64_CALL26
            | elf::R_AARCH64_JUMP26
            | elf::R_AARCH64_CONDBR19
            | elf::R_AARCH64_TSTBR14
            | elf::R_AARCH64_ADR_PREL_LO21
            | elf::R_AARCH64_LD_PREL_LO19
            | elf::R_AARCH64_ADD_ABS_LO12_NC
            | elf::R_AARCH64_LDST8_ABS_LO12_NC
            | elf::R_AARCH64_LDST16_ABS_LO12_NC
            | elf::R_AARCH64_LDST32_ABS_LO12_NC
            | elf::R_AARCH64_LDST64_ABS_LO12_NC
            | elf::R_AARCH64_LDST128_ABS_LO12_NC => Meaning::Plain,
            elf::R_AARCH64_ADR_PREL_PG_HI21 | elf::R_AARCH64_ADR_PREL_PG_HI21_NC => Meaning::Page,
            elf::R_AARCH64_LD64_GOT_LO12_NC => Meaning::Slot,
            _ => Meaning::NoAddress,
        }
    }
}
