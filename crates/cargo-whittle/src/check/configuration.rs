//! `[budget]` in `whittle.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::amount::Amount;

/// `[budget]`.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Budget {
    pub(crate) total: Option<Spanned<Amount>>,
    pub(crate) growth: Option<Spanned<Amount>>,
    pub(crate) baseline: Option<String>,
    pub(crate) measure: Option<String>,
    pub(crate) message: Option<String>,
    #[serde(rename = "crate")]
    pub(crate) crates: BTreeMap<String, Spanned<Amount>>,
    pub(crate) section: BTreeMap<String, Spanned<Amount>>,
    pub(crate) kind: BTreeMap<String, Spanned<Amount>>,
    #[serde(rename = "override")]
    pub(crate) overrides: Vec<Override>,
}

/// `[[budget.override]]`.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Override {
    /// `total`, `growth`, `crate NAME`, `section NAME`, `kind NAME`.
    pub(crate) limit: String,
    pub(crate) to: Amount,
    pub(crate) reason: String,
    pub(crate) until: String,
}
