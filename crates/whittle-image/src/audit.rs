//! Audit data: the packages of a build, which `cargo auditable` embeds in the file.

use std::io::Read as _;

use serde::Deserialize;

/// Audit data of the largest programs takes some ten kilobytes.
const MAX_LEN: u64 = 8 << 20;
/// No build has more packages.
const MAX_PACKAGES: usize = 1 << 16;

/// A package that went into the file, as its audit data says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditedPackage {
    /// The name in its manifest.
    pub name: String,
    /// The version in its manifest.
    pub version: String,
    /// Whether it is the package that was built; the others are what it depends on.
    pub is_root: bool,
}

/// The document, as far as it matters here (format `rust-audit-info`, version 0).
#[derive(Deserialize)]
struct Document {
    packages: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    version: String,
    /// `build` for what only build scripts use; nothing of that is in the file.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    root: bool,
}

/// Reads the section `.dep-v0`: JSON, compressed with zlib. The packages come in ascending order, without those that only
/// build scripts use.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn parse(section: &[u8]) -> Result<Vec<AuditedPackage>, String> {
    let mut text = Vec::new();
    flate2::read::ZlibDecoder::new(section)
        .take(MAX_LEN + 1)
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    if u64::try_from(text.len()).is_ok_and(|len| len > MAX_LEN) {
        return Err(format!("it expands to more than {MAX_LEN} bytes"));
    }
    let document: Document = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if document.packages.len() > MAX_PACKAGES {
        return Err(format!("it lists {} packages", document.packages.len()));
    }
    let mut packages: Vec<AuditedPackage> = document
        .packages
        .into_iter()
        .filter(|package| package.kind.as_deref() != Some("build"))
        .map(|package| AuditedPackage {
            name: package.name,
            version: package.version,
            is_root: package.root,
        })
        .collect();
    packages.sort_unstable();
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn packages_of_the_file_are_listed() {
        let text = r#"{"packages":[
            {"name":"tool","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},
            {"name":"cc","version":"1.2.3","source":"crates.io","kind":"build"},
            {"name":"memchr","version":"2.7.6","source":"crates.io"}]}"#;
        let package = |name: &str, version: &str, is_root| AuditedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            is_root,
        };
        assert_eq!(
            parse(&packed(text)),
            Ok(vec![
                package("memchr", "2.7.6", false),
                package("tool", "0.1.0", true)
            ])
        );
    }

    #[test]
    fn what_is_no_audit_data_is_an_error() {
        assert!(parse(b"").is_err());
        assert!(parse(b"no zlib").is_err());
        assert!(parse(&packed("[]")).is_err());
        assert!(parse(&packed(r#"{"packages":[{"name":1}]}"#)).is_err());
        // A small section may expand without end.
        assert!(parse(&packed(&" ".repeat(9 << 20))).is_err());
    }
}
