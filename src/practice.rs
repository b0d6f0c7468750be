//! Practice over days: what was tried, and a timed exam. Kept in the user's data folder as plain files.
pub mod exam;
pub mod progress;
pub mod store;
pub mod task_file;
