//! Real cargo on small workspaces that are made for each test: no network, path dependencies only.

mod project;

mod artifacts;
mod edits;
mod installed;
mod links;
mod record;
mod suites;
mod trouble;
mod twins;
mod variants;
