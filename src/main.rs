//! The `ckad-grade` command.
fn main() {}
