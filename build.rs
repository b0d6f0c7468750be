//! Writes the list of embedded scenarios and their keys, so that a new scenario needs no change of Rust code.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut code = String::from("static EMBEDDED: &[Embedded] = &[\n");
    println!("cargo:rerun-if-changed=scenarios");
    println!("cargo:rerun-if-changed=solutions");
    for file in sorted(&root.join("scenarios"))? {
        let (Some(id), Some("toml")) = (file.file_stem().and_then(|s| s.to_str()), extension(&file)) else { continue };
        let key = root.join("solutions").join(id).join("key.yaml");
        println!("cargo:rerun-if-changed={}", key.display());
        let source = format!("include_str!({:?})", file.display().to_string());
        let key = match key.exists() {
            true => format!("Some(include_str!({:?}))", key.display().to_string()),
            false => "None".to_owned(),
        };
        let _ = writeln!(code, "    Embedded {{ id: {id:?}, source: {source}, key: {key} }},");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("embedded.rs");
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rustc-env=CKAD_GRADE_BUILD={:016x}", hash_of(&root.join("src"), 0xcbf2_9ce4_8422_2325)?);
    fs::write(out, code)
}

/// A hash of all source text (FNV-1a): grades of one build are not taken for those of another.
fn hash_of(path: &Path, hash: u64) -> io::Result<u64> {
    if path.is_dir() {
        return sorted(path)?.iter().try_fold(hash, |hash, path| hash_of(path, hash));
    }
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(fs::read(path)?.iter().fold(hash, step))
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn extension(file: &Path) -> Option<&str> {
    file.extension().and_then(|e| e.to_str())
}
