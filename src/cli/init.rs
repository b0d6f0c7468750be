//! `ckad-grade init DIR`: a folder to practise in.
use std::fs;
use std::io;
use std::path::Path;

use super::{Exit, Failure, Session, library, path_failed, show};
use crate::practice::task_file::{EDITORCONFIG, VSCODE_SETTINGS, empty_answer, markdown};
use crate::report::terminal::COLUMNS;
use crate::report::width::wrap;
use crate::scenario::Scenario;

pub(super) fn run(session: &mut Session<'_>, folder: &Path) -> Result<Exit, Failure> {
    let lang = session.lang;
    let (library, _) = library::open(session)?;
    let mut scenarios = Vec::new();
    for entry in library.entries() {
        scenarios.push(entry.load().map_err(|error| library::wrong_scenario(session, error))?);
    }
    let mut written = Written::default();
    let failed = |path: &Path, error: io::Error| Failure::usage(path_failed(path, &error, lang));
    let mut write = |name: &str, text: &str| {
        let path = folder.join(name);
        written.file(&path, text).map_err(|error| failed(&path, error))
    };
    write(".editorconfig", EDITORCONFIG)?;
    write(".vscode/settings.json", VSCODE_SETTINGS)?;
    write("README.md", &readme(&scenarios, session))?;
    for scenario in &scenarios {
        let there = show::cluster_at_start(session, scenario)?;
        write(&format!("tasks/{}.md", scenario.id), &markdown(scenario, &there, lang))?;
        write(&format!("{}.yaml", scenario.id), &empty_answer(scenario, lang))?;
    }
    let (new, kept, place) = (written.new, written.kept, folder.display());
    let mut text = lang.pick(format!("{new} files written to {place}"), format!("已在 {place} 建立 {new} 個檔案"));
    if kept > 0 {
        text.push_str(&lang.pick(format!(", {kept} left as they were"), format!("，{kept} 個既有檔案保持不變")));
    }
    writeln!(session.out, "{}", crate::report::sanitise::sanitise(&text))?;
    let first = scenarios.first().map_or("", |scenario| scenario.id.as_str());
    let hint = lang.pick(
        format!("Read tasks/{first}.md, write {first}.yaml, then there: ckad-grade watch"),
        format!("閱讀 tasks/{first}.md，把答案寫進 {first}.yaml，然後在該資料夾執行：ckad-grade watch"),
    );
    for line in wrap(&hint, COLUMNS) {
        writeln!(session.out, "{line}")?;
    }
    Ok(Exit::Success)
}

#[derive(Default)]
struct Written {
    new: usize,
    kept: usize,
}

impl Written {
    /// Writes a file, unless there is one: answers are never lost.
    fn file(&mut self, path: &Path, text: &str) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match fs::OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => {
                self.new += 1;
                io::Write::write_all(&mut file, text.as_bytes())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.kept += 1;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn readme(scenarios: &[Scenario], session: &Session<'_>) -> String {
    let lang = session.lang;
    let mut text = lang
        .pick(
            "# CKAD practice\n\nRead a task, write the answer into the file of its name, and let it be graded:\n\n```sh\nckad-grade 107            # grade \
             scenario-107.yaml\nckad-grade watch 107      # grade it whenever it is saved\nckad-grade hint 107\nckad-grade explain \
             107    # what happened, and what would help\nckad-grade progress\n```\n\n| task | level | minutes | |\n|---|---|---:|---|\n",
            "# CKAD 練習\n\n閱讀題目，把答案寫進同名的檔案，然後評分：\n\n```sh\nckad-grade 107            # 評分 scenario-107.yaml\nckad-grade watch \
             107      # 每次存檔就評分\nckad-grade hint 107\nckad-grade explain 107    # 發生了什麼事、怎麼改\nckad-grade \
             progress\n```\n\n| 題目 | 難度 | 分鐘 | |\n|---|---|---:|---|\n",
        )
        .to_owned();
    for scenario in scenarios {
        let level = crate::report::text::say(lang, &crate::report::text::Message::Level(scenario.level));
        let title = scenario.title.get(lang).trim().replace('|', "\\|");
        let id = &scenario.id;
        text.push_str(&format!("| [{id}](tasks/{id}.md) | {level} | {} | {title} |\n", scenario.minutes));
    }
    text
}
