//! Containers: files that hold several images. An archive has members, a universal Mach-O file has a slice for each of
//! several processors.
//!
//! The image of a container is made of those of its members: it has their sections and segments, one member after the
//! other, behind its own, with numbers and file positions shifted. All else stays with the members: each has addresses
//! and tables of its own.
//!
//! ```text
//!   file        |header|index| member 0         | member 1    |
//!   sections        0     1    2 … 11             12 … 20        of the container
//!                              0 …  9              0 …  8        of the members
//! ```

use std::collections::BTreeSet;
use std::ops::Range;

use crate::description::Description;
use crate::error::{ImageError, Warnings};
use crate::image::{Header, Image, Target};
use crate::place::{FileRange, Place, SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole};

/// A slice of a universal file may be an archive. Deeper, containers are members like any other, and linkers look into
/// none of them.
pub(crate) const MAX_DEPTH: usize = 2;

/// More members than this are not read as images: an image takes more memory than the few bytes that a hostile file has
/// for one. No archive that tools make comes near.
const MAX_IMAGES: usize = 1 << 14;

/// What the compressed debug info of all members may expand to beyond what honest files do, which is a small multiple of
/// what is stored: each alone may expand to much, however small.
const ROOM_TO_EXPAND: u64 = 1 << 30;

/// Longer names are cut.
const MAX_NAME: usize = 512;

/// One of the files that a container holds.
#[derive(Clone, Debug)]
pub struct Member<'data> {
    /// Its name; a second one of the same name has its number behind it. Of slices, the processor in Apple's words
    /// (`x86_64`, `arm64`).
    pub name: String,
    /// Where its contents are stored. The ranges of all members are disjoint.
    pub file_range: FileRange,
    /// What it says about itself; nothing for what is no image. That is one section of the container.
    pub image: Option<Image<'data>>,
    /// Where its sections start among those of the container.
    pub first_section: u32,
    /// Where its segments start among those of the container.
    pub first_segment: usize,
}

/// A part of a file that is no container itself: all of it, or a member at any depth.
#[derive(Clone, Copy, Debug)]
pub struct Part<'image, 'data> {
    /// The names of the members that lead to it, the outermost first. Empty for a file that is no container.
    pub path: PartPath<'image>,
    /// What it says about itself; nothing for a member that is no image.
    pub image: Option<&'image Image<'data>>,
    /// Where its contents start in the file.
    pub start: u64,
    /// Where its sections start among those of the whole.
    pub first_section: u32,
    /// How many sections it has.
    pub sections: u32,
    /// Where its segments start among those of the whole.
    pub first_segment: usize,
}

/// The names of nested members, the outermost first.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartPath<'image> {
    names: [&'image str; MAX_DEPTH],
}

impl<'image> PartPath<'image> {
    /// The innermost name: that of the part itself.
    #[must_use]
    pub fn last(&self) -> &'image str {
        let mut names = self.names.iter().rev();
        names.find(|name| !name.is_empty()).copied().unwrap_or("")
    }
}

impl std::fmt::Display for PartPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (depth, name) in self.names.iter().enumerate() {
            if !name.is_empty() {
                write!(f, "{}{name}", if depth == 0 { "" } else { "/" })?;
            }
        }
        Ok(())
    }
}

impl Part<'_, '_> {
    /// The numbers of its sections among those of the whole.
    #[must_use]
    pub fn section_range(&self) -> Range<u32> {
        self.first_section..self.first_section.saturating_add(self.sections)
    }
}

impl<'data> Image<'data> {
    /// Whether it holds several images, or could.
    #[must_use]
    pub fn is_container(&self) -> bool {
        self.target.kind.is_container()
    }

    /// The parts that are no containers, in ascending order of their sections: the image itself, or its members, and
    /// theirs. What a container has besides is its own.
    #[must_use]
    pub fn parts(&self) -> Vec<Part<'_, 'data>> {
        let whole = Part {
            path: PartPath::default(),
            image: Some(self),
            start: 0,
            first_section: 0,
            sections: to_u32(self.sections.len()),
            first_segment: 0,
        };
        let mut parts = Vec::new();
        add_parts(whole, 0, &mut parts);
        parts
    }

    /// Of a debug companion: the image in it that belongs to `image`, which carries the same unique number of the build.
    /// That is the companion itself, or the slice for the same processor.
    #[must_use]
    pub fn companion_of(&self, image: &Image<'_>) -> Option<&Self> {
        let is_same =
            |it: &&Self| it.facts.build_id.is_some() && it.facts.build_id == image.facts.build_id;
        if self.is_container() {
            self.members
                .iter()
                .filter_map(|it| it.image.as_ref())
                .find(is_same)
        } else {
            Some(self).filter(is_same)
        }
    }

    /// Whether a debug companion belongs to `image`, or of a universal file to one of its slices.
    #[must_use]
    pub fn describes(&self, image: &Image<'_>) -> bool {
        let parts = image.parts();
        let mut images = parts.iter().filter_map(|part| part.image);
        images.any(|part| self.companion_of(part).is_some())
    }

    /// The member that holds a section, and the number that the section has there; nothing for what is the file's own.
    fn member_of(
        &self,
        section: SectionIndex,
    ) -> Option<(&Member<'data>, &Image<'data>, SectionIndex)> {
        let behind = self
            .members
            .partition_point(|member| member.first_section <= section.0);
        let member = self.members.get(behind.checked_sub(1)?)?;
        let image = member.image.as_ref()?;
        let number = section.0 - member.first_section;
        (number < to_u32(image.sections.len())).then_some((member, image, SectionIndex(number)))
    }

    /// The place at an address, as whatever stands at `near` would mean it: members have addresses of their own.
    #[must_use]
    pub fn place_near(&self, near: SectionIndex, address: u64) -> Option<Place> {
        if self.members.is_empty() {
            return self.place_at(address);
        }
        let (member, image, section) = self.member_of(near)?;
        let place = image.place_near(section, address)?;
        Some(shifted(place, member.first_section))
    }

    /// Of a container: the place at an address in the first member that has one.
    pub(crate) fn place_in_members(&self, address: u64) -> Option<Place> {
        self.members.iter().find_map(|member| {
            let place = member.image.as_ref()?.place_at(address)?;
            Some(shifted(place, member.first_section))
        })
    }

    /// Of a container: the address of a place in its member.
    pub(crate) fn address_in_member(&self, place: Place) -> Option<u64> {
        let (_, image, section) = self.member_of(place.section)?;
        image.address_of(Place { section, ..place })
    }
}

fn add_parts<'image, 'data>(
    part: Part<'image, 'data>,
    depth: usize,
    parts: &mut Vec<Part<'image, 'data>>,
) {
    let Some(image) = part.image.filter(|image| image.is_container()) else {
        parts.push(part);
        return;
    };
    for member in &image.members {
        let mut path = part.path;
        if let Some(name) = path.names.get_mut(depth) {
            *name = &member.name;
        }
        let inner = Part {
            path,
            image: member.image.as_ref(),
            start: part.start.saturating_add(member.file_range.start),
            first_section: part.first_section.saturating_add(member.first_section),
            sections: member
                .image
                .as_ref()
                .map_or(1, |image| to_u32(image.sections.len())),
            first_segment: part.first_segment + member.first_segment,
        };
        add_parts(inner, depth + 1, parts);
    }
}

/// What a reader of containers found, before the members are read.
pub(crate) struct Found<'data> {
    pub(crate) data: &'data [u8],
    pub(crate) target: Target,
    /// The container's own headers.
    pub(crate) headers: Vec<Header>,
    /// The container's own tables.
    pub(crate) tables: Vec<Table>,
    /// In ascending order, with disjoint contents that no header or table reaches into.
    pub(crate) members: Vec<FoundMember<'data>>,
    pub(crate) warnings: Warnings,
}

/// A table of a container's own.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) range: FileRange,
    pub(crate) role: SectionRole,
}

/// A member that is still to be read.
pub(crate) struct FoundMember<'data> {
    pub(crate) name: &'data [u8],
    pub(crate) range: FileRange,
}

impl<'data> Found<'data> {
    /// Reads the members and makes one image of all. `depth` is that of the members.
    pub(crate) fn into_image(self, depth: usize) -> Image<'data> {
        let mut image = Image::new(self.data, self.target);
        image.headers = self.headers;
        image.warnings = self.warnings;
        for table in self.tables {
            let section = own_section(&image, table.name, table.range, table.role);
            image.sections.push(section);
        }
        // What the bytes are called that are no member's.
        let mut taken: BTreeSet<String> =
            ["(archive)", "(universal file)"].map(str::to_owned).into();
        // Hostile archives give one long name to all members.
        let mut room = image.data.len().saturating_add(1 << 20);
        let mut images = 0;
        let mut to_expand = Compression::largest_expansion(image.file_len());
        to_expand = to_expand.saturating_add(ROOM_TO_EXPAND);
        for (number, found) in self.members.into_iter().enumerate() {
            let name = unique(found.name, number, &mut room, &mut taken);
            let data = slice(image.data, &found.range).unwrap_or_default();
            let contents = if images < MAX_IMAGES {
                read(data, &name, depth, &mut image.warnings)
            } else {
                if images == MAX_IMAGES {
                    image.warnings.push(
                        "members",
                        Some(to_u64(number)),
                        format!("only the first {MAX_IMAGES} object files are read"),
                    );
                    images += 1;
                }
                None
            };
            let first_section = to_u32(image.sections.len());
            let first_segment = image.segments.len();
            if let Some(contents) = &contents {
                images += 1;
                to_expand = to_expand.saturating_sub(expanded(contents));
                if to_expand == 0 && images < MAX_IMAGES {
                    image.warnings.push(
                        "members",
                        Some(to_u64(number)),
                        "debug info expands to too much: the object files behind this one are not read",
                    );
                    // One more, so that the other warning is left out.
                    images = MAX_IMAGES + 1;
                }
                append(&mut image, contents, found.range.start, &name);
            } else {
                let (kind, role) = what_is(data);
                let section = own_section(&image, kind, found.range.clone(), role);
                image.sections.push(section);
            }
            image.members.push(Member {
                name,
                file_range: found.range,
                image: contents,
                first_section,
                first_segment,
            });
        }
        image.headers.sort_by_key(|header| header.file_range.start);
        name_machines(&mut image);
        image
    }
}

/// How many bytes were expanded to read an image, or might have been.
fn expanded(image: &Image<'_>) -> u64 {
    let packed = image.sections.iter().filter(|section| {
        section.role == SectionRole::Debug && section.compression != Compression::None
    });
    packed
        .map(|section| section.size)
        .fold(0, u64::saturating_add)
}

/// Reads a member; nothing if it is no image.
fn read<'data>(
    data: &'data [u8],
    name: &str,
    depth: usize,
    warnings: &mut Warnings,
) -> Option<Image<'data>> {
    match Image::parse_at_depth(data, depth) {
        Ok(mut image) => {
            for section in &mut image.sections {
                // How rustc wraps a crate's metadata, in every object format.
                if is_metadata_section(&section.name) && !section.access.loaded {
                    section.role = SectionRole::CompilerMetadata;
                }
            }
            Some(image)
        }
        Err(ImageError::UnknownFormat { .. } | ImageError::Empty) => None,
        Err(error) => {
            warnings.push(name, None, format!("not read: {error}"));
            None
        }
    }
}

fn is_metadata_section(name: &str) -> bool {
    name.rsplit(',')
        .next()
        .is_some_and(|name| matches!(name, ".rmeta" | ".rustc"))
}

/// What a member is that is no image: what to call its section, and what it is for.
fn what_is(data: &[u8]) -> (&'static str, SectionRole) {
    if data.starts_with(b"rust\0\0\0") {
        ("(compiler metadata)", SectionRole::CompilerMetadata)
    } else if data.starts_with(b"BC\xc0\xde") || data.starts_with(b"\xde\xc0\x17\x0b") {
        ("(bitcode)", SectionRole::CompilerMetadata)
    } else {
        ("(member that is not read)", SectionRole::Other)
    }
}

/// Takes what a member has into the lists of its container.
fn append<'data>(image: &mut Image<'data>, member: &Image<'data>, start: u64, name: &str) {
    let first = to_u32(image.sections.len());
    let moved =
        |range: &FileRange| range.start.saturating_add(start)..range.end.saturating_add(start);
    image
        .sections
        .extend(member.sections.iter().map(|section| Section {
            index: SectionIndex(section.index.0.saturating_add(first)),
            file_range: section.file_range.as_ref().map(moved),
            ..section.clone()
        }));
    image.segments.extend(member.segments.iter().map(|segment| {
        let mut segment = segment.clone();
        segment.file_range = moved(&segment.file_range);
        segment
    }));
    if member.is_container() {
        image
            .headers
            .extend(member.headers.iter().map(|header| Header {
                file_range: moved(&header.file_range),
                ..header.clone()
            }));
        let descriptions = member.descriptions.iter().map(|it| Description {
            place: shifted(it.place, first),
            of: shifted(it.of, first),
            ..*it
        });
        image.descriptions.extend(descriptions);
    }
    image.warnings.extend_of_member(&member.warnings, name);
    add_new(&mut image.facts.producers, &member.facts.producers);
    add_new(&mut image.facts.needed, &member.facts.needed);
    add_new(
        &mut image.facts.needed_versions,
        &member.facts.needed_versions,
    );
    for package in &member.facts.audited {
        if let Err(at) = image.facts.audited.binary_search(package) {
            image.facts.audited.insert(at, package.clone());
        }
    }
}

/// Adds what is not there yet. Producers and libraries are few; of a hostile file, not all are kept.
fn add_new(list: &mut Vec<String>, more: &[String]) {
    const MAX_KEPT: usize = 256;
    for text in more {
        if list.len() < MAX_KEPT && !list.contains(text) {
            list.push(text.clone());
        }
    }
}

fn own_section<'data>(
    image: &Image<'data>,
    name: &'static str,
    range: FileRange,
    role: SectionRole,
) -> Section<'data> {
    let stored = slice(image.data, &range).unwrap_or_default();
    Section {
        index: SectionIndex(to_u32(image.sections.len())),
        name: name.into(),
        address: 0,
        size: to_u64(stored.len()),
        file_range: Some(range),
        align: 1,
        access: Access::default(),
        role,
        retention: Retention::IfMentioned,
        compression: Compression::None,
        stored,
    }
}

/// The name of a member, with a number where another has it already.
fn unique(name: &[u8], number: usize, room: &mut usize, taken: &mut BTreeSet<String>) -> String {
    let text = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]).into_owned();
    let text = match room.checked_sub(text.len()) {
        Some(rest) if !text.is_empty() => {
            *room = rest;
            text
        }
        _ => "(no name)".to_owned(),
    };
    let mut name = text;
    while taken.contains(&name) {
        name = format!("{name} ({})", number + 1);
    }
    taken.insert(name.clone());
    name
}

/// A place of a member in its container.
pub(crate) fn shifted(place: Place, first_section: u32) -> Place {
    Place {
        section: SectionIndex(place.section.0.saturating_add(first_section)),
        ..place
    }
}

/// The machines of all members: the one that all have, or several.
fn name_machines(image: &mut Image<'_>) {
    const MAX_NAMED: usize = 8;
    let mut names: Vec<String> = Vec::new();
    let mut first = None;
    for part in image.parts() {
        let Some(of_part) = part.image else { continue };
        let target = &of_part.target;
        first = first.or(Some((target.bits, target.endianness)));
        if names.len() < MAX_NAMED && !names.contains(&target.architecture) {
            names.push(target.architecture.clone());
        }
    }
    if let Some((bits, endianness)) = first {
        image.target.bits = bits;
        image.target.endianness = endianness;
        image.target.architecture = names.join("+");
    }
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
