//! 繁體中文。
use super::BatchMessage;

pub(super) fn say(message: &BatchMessage<'_>) -> String {
    match *message {
        BatchMessage::CannotRead { error } => format!("無法讀取：{error}"),
        BatchMessage::TooDeep { depth } => format!("超過 {depth} 層，不再往下看"),
        BatchMessage::SymbolicLink => "這是連結，不會跟進去".into(),
        BatchMessage::NotAFile => "不是一般檔案".into(),
        BatchMessage::NotAManifest => "不是 manifest（.yaml、.yml、.json），也不是指令檔（.sh）".into(),
        BatchMessage::TooLarge { bytes } => format!("超過 {} MiB", bytes >> 20),
        BatchMessage::TooMuch { bytes } => format!("壓縮檔內容超過 {} GiB，不再解壓縮", bytes >> 30),
        BatchMessage::DamagedArchive { error } => format!("壓縮檔無法完整讀取：{error}"),
        BatchMessage::LeadsOut => "路徑指到壓縮檔之外".into(),
        BatchMessage::NotAskedFor { scenario } => format!("這是 {scenario} 的答案，但這次不批改這一題"),
        BatchMessage::NoSuchScenario { scenario } => format!("沒有 `{scenario}` 這一題"),
        BatchMessage::NoScenario => "從路徑看不出是哪一題的答案（若全都是同一題，請加 --only SCENARIO）".into(),
        BatchMessage::NotOfLayout => "不符合指定的 layout".into(),
        BatchMessage::NoStudent => "從路徑看不出是誰的答案".into(),
        BatchMessage::NothingHandedIn => "未繳交".into(),
        BatchMessage::Crashed { message } => format!("批改程式當掉了，請回報這個問題：{message}"),
        BatchMessage::DidNotSettle => "在工作量上限內，叢集一直沒有穩定下來".into(),
        BatchMessage::ScenarioWrong { error } => format!("題目本身有錯：{error}"),
        BatchMessage::NotOnRoster => "不在名單上".into(),
        BatchMessage::FileLost { file, error } => format!("無法讀取 {file}：{error}"),
        BatchMessage::MoreLeftOut(number) => format!("還有 {number} 項"),

        BatchMessage::Students(number) => format!("{number} 位學生"),
        BatchMessage::Answers(number) => format!("{number} 份答案"),
        BatchMessage::Student => "學生".into(),
        BatchMessage::Total => "總分".into(),
        BatchMessage::FullMarks => "滿分".into(),
        BatchMessage::PassedShare => "及格".into(),
        BatchMessage::Average => "平均".into(),
        BatchMessage::Missing => "未交".into(),
        BatchMessage::FailedBy { failed, graded } => format!("{graded} 份中 {failed} 份"),
        BatchMessage::Unmatched(number) => format!("{number} 個檔案不是任何人的答案："),
        BatchMessage::Crashes(number) => format!("{number} 份因批改程式當掉而沒有成績："),
        BatchMessage::Limits(number) => format!("{number} 份超過上限："),
        BatchMessage::WrongScenarios(number) => format!("{number} 份因題目有錯而沒有成績："),
        BatchMessage::NoRosterForGradebook => "沒有 --roster，成績冊裡就沒有平台用來辨識學生的欄位".into(),
        BatchMessage::LayoutWrong { error } => format!("--layout：{error}"),
        BatchMessage::NoSuchOutput { file } => {
            format!("{file}：副檔名可用 .csv、.html、.json、.jsonl、.xml；其他請用 --report FORMAT=FILE")
        }
        BatchMessage::Rate { rate, left } => format!("每秒 {rate} 份，還要 {left}"),
        BatchMessage::Unreadables(number) => format!("{number} 份答案不是能讀取的 YAML 或 JSON："),
        BatchMessage::AndMore(number) => format!("還有 {number} 項"),
        BatchMessage::SimilarHeading => "相似程度超出題目所要求（請親自看過再判斷）：".into(),
        BatchMessage::SimilarPair { shared, percent } => format!("有 {shared} 行特殊內容相同（{percent} %）"),
        BatchMessage::WroteReport { file } => format!("已寫入 {file}"),
        BatchMessage::Grading => "批改中".into(),
        BatchMessage::NothingFound { folder } => format!("{folder} 裡沒有可以批改的檔案"),
        BatchMessage::Resumed { number } => format!("從 journal 沿用 {number} 份成績"),
    }
}
