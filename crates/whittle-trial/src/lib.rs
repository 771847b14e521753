//! Plans trials that make a program smaller, and judges what they give.
//!
//! A [`lever::Lever`] is a setting that can make a program smaller; [`levers`] is the list of them. A
//! [`trial::Trial`] is something to be done with some [`settings::Settings`]; [`planner::next`] says which ones, from
//! what is known ([`facts`]), what is wanted and allowed ([`policy`]), and what has been done ([`trial::Record`]). Whoever
//! runs them hands the outcomes back, until nothing is left that could win.
//!
//! | module | for |
//! |---|---|
//! | [`lever`], [`levers`], [`class`] | settings as data: lines, price, what they may change |
//! | [`settings`] | which levers are moved, and the lines that stands for |
//! | [`facts`], [`policy`] | the program as it is; what the user wants and allows |
//! | [`planner`], [`frontier`] | what to try next, what to recommend |
//! | [`trial`], [`verdict`], [`journal`] | trials, their outcomes, and how they are written down |
//! | [`speed`] | rounds and intervals: how sure a ratio of times is |
//! | [`behaviour`] | what two runs have in common, and how a third differs |
//! | [`detect`] | whether a setting would change what this program does |
//!
//! Nothing here reads a file, starts a process or asks a clock: the same values give the same plan anywhere.

pub mod behaviour;
pub mod class;
pub mod detect;
pub mod facts;
pub mod frontier;
pub mod journal;
pub mod lever;
pub mod levers;
pub mod libc;
pub mod planner;
pub mod policy;
pub mod settings;
pub mod speed;
pub mod trial;
pub mod verdict;
