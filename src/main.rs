//! The `ckad-grade` command.
fn main() -> std::process::ExitCode {
    ckad_grade::cli::main()
}
