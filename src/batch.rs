//! Grading all answers of all students: finding them, running them on all cores, and what came of it.
//!
//! `discover` turns a folder or an archive into groups of files, one for each student and scenario, with the help of
//! `layout`, `archive`, `roster` and `attempts`; `run` lets workers grade them (`answer`, `cache`) and puts the entries in
//! order; `journal` keeps what was done; `shard` and `merge` spread a batch over machines. Reports are made from
//! [`result::Results`].
mod answer;
mod archive;
pub mod attempts;
mod cache;
mod digest;
mod discover;
mod journal;
mod kept;
pub mod layout;
pub mod merge;
pub mod result;
pub mod roster;
pub mod run;
pub mod shard;
mod similar;
mod spool;
mod statistics;

pub use run::{Options, Progress, run};
