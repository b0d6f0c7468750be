//! What `--help` shows by example.

/// A command line and what it is for, in English and in Traditional Chinese.
pub(super) type Example = (&'static str, &'static str, &'static str);

/// What belongs to a command's page beside its arguments.
#[derive(Clone, Copy, Default)]
pub(super) struct Page {
    /// Said before the arguments, in English and in Traditional Chinese.
    pub(super) note: Option<(&'static str, &'static str)>,
    pub(super) examples: &'static [Example],
    /// Said at the end.
    pub(super) end: Option<(&'static str, &'static str)>,
}

/// The first things to do.
pub(super) const WELCOME: &[Example] = &[
    ("ckad-grade list", "all tasks", "所有題目"),
    ("ckad-grade show 107", "read one", "閱讀一題"),
    ("ckad-grade 107", "grade your answer, ./scenario-107.yaml", "評分你的答案 ./scenario-107.yaml"),
    ("ckad-grade watch 107", "grade it whenever you save", "每次存檔就評分"),
    ("ckad-grade hint 107", "when you are stuck", "卡住時看提示"),
    ("ckad-grade explain 107", "what happened, and what would help", "發生了什麼事、怎麼改"),
    ("ckad-grade solution 107", "the key, and why it is right", "解答與說明"),
    ("ckad-grade exam start", "a timed set, like the exam", "限時模擬考"),
    ("ckad-grade progress", "what is solved, and what to do next", "已解出的題目與下一步"),
];

/// The page of a command by its path: `batch merge`, empty for the program itself.
pub(super) fn of_page(path: &str) -> Page {
    PAGES.iter().find(|(name, _)| *name == path).map(|(_, page)| *page).unwrap_or_default()
}

const fn examples(examples: &'static [Example]) -> Page {
    Page { note: None, examples, end: None }
}

const PAGES: &[(&str, Page)] = &[
    (
        "",
        Page {
            note: None,
            examples: &[
                ("ckad-grade 107", "grade ./scenario-107.yaml", "評分 ./scenario-107.yaml"),
                ("ckad-grade 107 claim.yaml pod.yaml", "grade these files", "評分這些檔案"),
                ("kubectl create … -o yaml | ckad-grade 107 -", "grade standard input", "評分標準輸入"),
                ("ckad-grade 107 --picture -", "and draw what came of it", "並把結果畫出來"),
                ("ckad-grade 107 --format json", "for a program", "供程式使用"),
            ],
            end: Some((
                "Exit status: 0 full marks, 1 less, 2 the command or a scenario is wrong, 3 the answer cannot be read.",
                "結束狀態：0 滿分，1 未滿分，2 指令或題目有錯，3 無法讀取答案。",
            )),
        },
    ),
    (
        "list",
        examples(&[
            ("ckad-grade list", "all tasks by chapter", "依章節列出所有題目"),
            ("ckad-grade list 107", "a chapter", "一個章節"),
            ("ckad-grade list selector", "with this word in name or title", "名稱或標題中有這個詞"),
            ("ckad-grade list --domain networking", "a domain of the exam", "一個考試領域"),
            ("ckad-grade list --level warm-up", "to begin with", "從簡單的開始"),
        ]),
    ),
    (
        "show",
        examples(&[
            ("ckad-grade show 107", "read the task", "閱讀題目"),
            (
                "ckad-grade show 107 --cluster",
                "the manifests of what is already there",
                "cluster 中既有物件的 manifest",
            ),
            ("ckad-grade show 107 --cluster > there.yaml", "to keep them", "存成檔案"),
        ]),
    ),
    (
        "hint",
        examples(&[
            ("ckad-grade hint 107", "the first hint", "第一個提示"),
            ("ckad-grade hint 107 2", "the second one", "第二個提示"),
        ]),
    ),
    (
        "solution",
        examples(&[
            ("ckad-grade solution 107", "the key, and why it is right", "解答與說明"),
            ("ckad-grade solution 107 > key.yaml", "the key alone", "只要解答"),
        ]),
    ),
    (
        "explain",
        examples(&[
            ("ckad-grade explain 107", "your answer, ./scenario-107.yaml", "你的答案 ./scenario-107.yaml"),
            ("ckad-grade explain 107 claim.yaml", "these files", "這些檔案"),
            ("ckad-grade explain claim.yaml pod.yaml", "manifests without a task", "沒有題目，只有 manifest"),
        ]),
    ),
    (
        "watch",
        Page {
            note: Some((
                "Keys: n next task, h hint, s show the task, q quit. A task is graded when its file is saved.",
                "按鍵：n 下一題，h 提示，s 題目，q 離開。存檔時就評分。",
            )),
            examples: &[
                ("ckad-grade watch", "what to do next, one after the other", "接下來該做的題目，一題接一題"),
                (
                    "ckad-grade watch 107",
                    "./scenario-107.yaml or ./scenario-107/",
                    "./scenario-107.yaml 或 ./scenario-107/",
                ),
                ("ckad-grade watch 107 claim.yaml", "another file", "其他檔案"),
            ],
            end: None,
        },
    ),
    (
        "init",
        examples(&[
            (
                "ckad-grade init practice",
                "a new folder; nothing that is there is changed",
                "新資料夾；既有的檔案不會更動",
            ),
            ("ckad-grade init practice --lang zh-TW", "with the tasks in Chinese", "題目用中文"),
        ]),
    ),
    (
        "exam",
        examples(&[
            ("ckad-grade exam start", "two hours of tasks in ./ckad-exam", "兩小時的題目，放在 ./ckad-exam"),
            ("ckad-grade exam", "time left, what is answered", "剩餘時間、作答情形"),
            ("ckad-grade exam flag 3", "come back to it", "標記，稍後再做"),
            ("ckad-grade exam finish", "the result", "看成績"),
            ("ckad-grade exam review 3", "what was wrong with task 3", "第 3 題錯在哪裡"),
        ]),
    ),
    (
        "exam start",
        examples(&[
            ("ckad-grade exam start", "two hours", "兩小時"),
            ("ckad-grade exam start --minutes 30", "a short one", "短的"),
            ("ckad-grade exam start --seed 7", "the same tasks as for anybody with seed 7", "seed 相同，題目就相同"),
            (
                "ckad-grade exam start monday --force",
                "in ./monday; give up the one under way",
                "放在 ./monday；放棄進行中的考試",
            ),
        ]),
    ),
    ("exam status", examples(&[("ckad-grade exam status --format json", "for a program", "供程式使用")])),
    ("exam clock", examples(&[("ckad-grade exam clock", "in another terminal", "在另一個終端機")])),
    (
        "exam flag",
        examples(&[(
            "ckad-grade exam flag 3",
            "mark task 3; once more takes the mark away",
            "標記第 3 題；再執行一次取消",
        )]),
    ),
    (
        "exam finish",
        examples(&[
            ("ckad-grade exam finish", "asks if there is time left", "還有時間時會先詢問"),
            ("ckad-grade exam finish --yes", "does not ask", "不詢問"),
        ]),
    ),
    (
        "exam review",
        examples(&[
            ("ckad-grade exam review", "the result of the last exam", "上一場考試的成績"),
            ("ckad-grade exam review 3", "task 3: the answer, graded with reasons", "第 3 題：評分與原因"),
        ]),
    ),
    (
        "progress",
        examples(&[
            ("ckad-grade progress", "what is solved, and what to do next", "已解出的題目與下一步"),
            ("ckad-grade progress --format json", "everything, for a program", "全部資料，供程式使用"),
        ]),
    ),
    (
        "simulate",
        examples(&[
            ("ckad-grade simulate claim.yaml pod.yaml", "apply them, show what comes of it", "套用並顯示結果"),
            ("ckad-grade simulate app/", "a folder, with commands.sh if it has one", "資料夾，可含 commands.sh"),
            ("ckad-grade simulate app/ --picture app.svg", "and draw it", "並畫成圖"),
            ("ckad-grade simulate db.yaml --resolve db-0.db", "ask the cluster's DNS", "查詢 cluster 的 DNS"),
            ("ckad-grade simulate timeline.toml", "a series of kubectl commands", "一連串的 kubectl 指令"),
        ]),
    ),
    (
        "batch",
        Page {
            note: Some((
                "What is found without --layout: a folder for each student or for each scenario, STUDENT_SCENARIO.yaml, and what \
                 Moodle, Canvas, Gradescope and GitHub Classroom let one download, as a folder or as the archive itself.",
                "不用 --layout 也能辨認：每個學生或每題一個資料夾、STUDENT_SCENARIO.yaml，以及從 Moodle、Canvas、Gradescope、\
                 GitHub Classroom 下載的內容（資料夾或壓縮檔）。",
            )),
            examples: &[
                ("ckad-grade batch submissions/", "a table", "表格"),
                (
                    "ckad-grade batch Week3.zip --only 107 --roster gradebook.csv",
                    "one task, and who is missing",
                    "只評一題，並列出誰沒交",
                ),
                (
                    "ckad-grade batch submissions/ -o grades.csv -o grades.html",
                    "for a spreadsheet and for a browser",
                    "供試算表與瀏覽器",
                ),
                (
                    "ckad-grade batch sub/ --roster export.csv --report canvas=import.csv",
                    "for Canvas",
                    "供 Canvas 匯入",
                ),
                ("ckad-grade batch submissions/ --resume", "goes on after an interruption", "中斷後繼續"),
                (
                    "ckad-grade batch submissions/ --shard 2/8 -o part-2.jsonl",
                    "a part, on one of eight machines",
                    "在八台機器之一評一部分",
                ),
                ("ckad-grade batch merge part-1.jsonl part-2.jsonl -o grades.csv", "all parts", "合併所有部分"),
            ],
            end: Some((
                "Exit status: 0 everything has a grade, 1 something has none or is nobody's, 2 the command is wrong.",
                "結束狀態：0 全部都有成績，1 有些沒有成績或無主，2 指令有錯。",
            )),
        },
    ),
    (
        "batch merge",
        examples(&[("ckad-grade batch merge part-1.jsonl part-2.jsonl -o grades.csv", "all parts", "合併所有部分")]),
    ),
    (
        "scenario",
        examples(&[
            ("ckad-grade scenario new 107-archive", "a task to begin with", "建立新題目的範本"),
            ("ckad-grade scenario check", "prove the tasks in ./scenarios", "檢驗 ./scenarios 的題目"),
        ]),
    ),
    ("scenario new", examples(&[("ckad-grade scenario new 107-archive", "a task to begin with", "建立新題目的範本")])),
    (
        "scenario check",
        examples(&[
            ("ckad-grade scenario check", "all tasks in ./scenarios", "./scenarios 的所有題目"),
            (
                "ckad-grade scenario check 107-archive --open",
                "one, with what is left open on purpose",
                "一題，並列出刻意不檢查之處",
            ),
        ]),
    ),
    (
        "schema",
        examples(&[("ckad-grade schema > scenario.schema.json", "for an editor of TOML", "供 TOML 編輯器使用")]),
    ),
    (
        "completions",
        examples(&[
            (
                "source <(ckad-grade completions bash)",
                "in ~/.bashrc; for zsh in ~/.zshrc",
                "寫進 ~/.bashrc；zsh 則是 ~/.zshrc",
            ),
            (
                "ckad-grade completions fish > ckad-grade.fish",
                "into ~/.config/fish/completions",
                "放進 ~/.config/fish/completions",
            ),
        ]),
    ),
    (
        "man",
        examples(&[
            ("ckad-grade man ~/.local/share/man/man1", "one page for each command", "每個指令一頁"),
            ("ckad-grade man | man -l -", "read the first one", "閱讀第一頁"),
        ]),
    ),
];
