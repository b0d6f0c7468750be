//! Grading all answers of all students: finding them, running them on all cores, and what came of it.
pub mod result;
