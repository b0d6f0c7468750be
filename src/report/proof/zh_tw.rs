//! 繁體中文。
use super::{Words, free_entry, place, values};
use crate::mutants::{Change, How};
use crate::proof::Finding;
use crate::proof::lint::Lint;

pub(super) fn say(words: &Words<'_>) -> String {
    match words {
        Words::Heads => "題目|變異|扣分|相同|開放|自由|存活".into(),
        Words::Total => "合計".into(),
        Words::Warning => "警告：".into(),
        Words::Summary { scenarios, wrong: 0, warnings } => format!("{scenarios} 題，沒有問題，{warnings} 個警告"),
        Words::Summary { scenarios, wrong, warnings } => {
            format!("{scenarios} 題，{wrong} 個問題要處理，{warnings} 個警告")
        }
        Words::Finding(found) => finding(found),
        Words::Excused(what) => format!("仍得滿分：{}", change(what)),
        Words::Advice(found) => advice(found),
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "（無）".into() } else { names.join("、") }
}

fn change(change: &Change) -> String {
    let (place, values) = (place(change), values(change));
    match change.how {
        How::Drop => format!("省略 {place}（{values}）"),
        How::Value => format!("{place}：{values}"),
        How::Rename => format!("{place} 改名：{values}"),
        How::Key => format!("{place}：key {values}"),
        How::Order => format!("{place} 換順序"),
        How::Document => format!("省略 {place}"),
        How::Kind => format!("{place}：{values}"),
        How::Source => format!("{place} 換成另一種類型：{values}"),
        How::Contradiction => format!("{place}，之後又以另一個值再寫一次：{values}"),
        How::Rival => format!("{place}，前面多一個同樣的 {values}"),
        How::Spelling => format!("{place} 換一種寫法：{values}"),
        How::Addition => format!("{place} 加上 {values}"),
    }
}

fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Unusable(message) => message.clone(),
        Finding::NoKey => "沒有 key.yaml".into(),
        Finding::KeyFails(checks) => format!("key.yaml 沒有通過 {}", list(checks)),
        Finding::RightFails { name, checks } => format!("{name} 沒有通過 {}", list(checks)),
        Finding::WrongFails { name, said, checks } => {
            format!("{name} 沒有通過的是 {}，而不是 {}", list(checks), list(said))
        }
        Finding::FewAnswers { right, wrong } => {
            format!("right-… 有 {right} 個、wrong-… 有 {wrong} 個；至少要 2 個與 3 個")
        }
        Finding::NeverFailed { check, by_mutant: true } => format!("沒有任何錯誤答案會在檢查 `{check}` 失分"),
        Finding::NeverFailed { check, by_mutant: false } => {
            format!("沒有任何錯誤答案或變異會在檢查 `{check}` 失分")
        }
        Finding::EmptyPasses => "空白的答案也能及格".into(),
        Finding::Survivor(what) => format!("存活：{}", change(what)),
        Finding::SameButLoses { change: what, checks } => {
            format!("結果相同，卻在 {} 失分：{}", list(checks), change(what))
        }
        Finding::UnsaidButLoses { change: what, checks } => {
            format!("題目沒有說，卻在 {} 失分：{}", list(checks), change(what))
        }
        Finding::OrderMatters => "key 的文件順序會影響結果".into(),
        Finding::UnusedFree(field) => format!("[[free]] `{field}` 沒有用到"),
        Finding::Lint(lint) => match lint {
            Lint::UnknownStatement { id, suggestion: None } => format!("covers `{id}`：沒有這個敘述"),
            Lint::UnknownStatement { id, suggestion: Some(word) } => {
                format!("covers `{id}`：沒有這個敘述（是不是 `{word}`？）")
            }
            Lint::ToDo(place) => format!("{place}：還沒有寫（TODO）"),
            Lint::NoHints => "沒有提示".into(),
            Lint::NoExplanation => "沒有說明（explanation）".into(),
            Lint::NoDomain => "chapter 不在已知的章節中：請寫明考試領域 `domain`".into(),
            Lint::Minutes(minutes) => format!("{minutes} 分鐘"),
            Lint::SameTitle(one, other) => format!("檢查 `{one}` 與 `{other}` 的標題相同"),
            Lint::NotSaid { check, word } => format!("檢查 `{check}` 要求 `{word}`，但題目沒有提到"),
        },
    }
}

fn advice(finding: &Finding) -> String {
    match finding {
        Finding::Survivor(what) if what.path.is_empty() => "請讓某個檢查要求它，或從 key 拿掉。".to_owned(),
        Finding::Survivor(what) => {
            format!("請讓某個檢查要求它。如果題目不限制：[[free]] field = \"{}\"", free_entry(what))
        }
        Finding::UnsaidButLoses { .. } => "請在題目中說明，或不要檢查它。".into(),
        Finding::SameButLoses { .. } => "請檢查結果，而不是寫法。".into(),
        Finding::NeverFailed { by_mutant: false, .. } => "請刪除這個檢查，或問得更精確。".into(),
        Finding::NeverFailed { .. } => "請加一個會在這裡失分的 wrong-….yaml。".into(),
        Finding::EmptyPasses => "沒有作答就成立的事，配分請少一點。".into(),
        _ => String::new(),
    }
}
