//! Near matches for names that were misspelled.

use similar::TextDiff;

/// How alike two names must be.
const ALIKE: f32 = 0.6;

/// The names most like another, three at most, the most alike first.
pub(crate) fn near<'n>(wanted: &str, names: &[&'n str]) -> Vec<&'n str> {
    let mut near: Vec<(f32, &str)> = names
        .iter()
        .map(|name| (TextDiff::from_chars(wanted, *name).ratio(), *name))
        .filter(|(ratio, _)| *ratio >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Advice that names them.
pub(crate) fn advice(wanted: &str, names: &[&str]) -> Option<String> {
    let near: Vec<String> = near(wanted, names)
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name() {
        let names = ["regex", "regex-syntax", "serde", "log"];
        assert_eq!(near("regx", &names), ["regex"]);
        assert_eq!(near("regexsyntax", &names)[0], "regex-syntax");
        assert!(near("tokio", &names).is_empty());
        assert_eq!(
            advice("serd", &names).as_deref(),
            Some("did you mean `serde`?")
        );
    }
}
