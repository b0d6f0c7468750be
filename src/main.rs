//! The `ckad-grade` command.

// a grade makes and drops many small objects: the system's allocator would take a third of its time
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ckad_grade::cli::main()
}
