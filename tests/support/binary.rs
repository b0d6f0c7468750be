//! The binary as its users call it. Shared by the tests of commands: `#[path = "support/binary.rs"] mod binary;`
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own for each test, empty; beside it the user's data folder, empty too.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(test);
    for old in [&folder, &home(&folder)] {
        let _ = fs::remove_dir_all(old);
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The user's data folder of a test.
pub fn home(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap().to_string_lossy();
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(format!("{name}.home"))
}

/// Writes a file and the folders it is in.
pub fn put(folder: &Path, path: &str, content: impl AsRef<[u8]>) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

/// The binary in a folder, in English, without colours, with a data folder of this test's own.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckad-grade"));
    command.current_dir(folder).args(arguments).env("CKAD_GRADE_HOME", home(folder)).stdin(Stdio::null());
    for variable in ["LANG", "LC_ALL", "LC_MESSAGES", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// In the repository's root, for nobody in particular.
pub fn run_in_root(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    command(root, arguments).env_remove("CKAD_GRADE_HOME").output().unwrap()
}

pub fn with_stdin(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = command(folder, arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // a command that is wrong does not read its input
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn stdout(output: &Output) -> String {
    text(&output.stdout)
}

pub fn stderr(output: &Output) -> String {
    text(&output.stderr)
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Without the line breaks of the terminal.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
