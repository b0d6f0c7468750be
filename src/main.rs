//! The `ckad-grade` command. (Stand-in until branch `grade` lands: only `simulate TIMELINE --format json`.)
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let path = arguments.get(2).map_or("timeline.toml", String::as_str);
    match ckad_grade::timeline::load(Path::new(path)) {
        Ok(timeline) => println!("{}", ckad_grade::timeline::record::to_json(&timeline)),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(2);
        }
    }
}
