//! What is written: whole outputs, and what must hold of each whatever the file says.

mod documents;
mod properties;
mod samples;
mod screens;
mod spans;
mod trials;
mod why;
