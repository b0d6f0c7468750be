//! `explain` 的繁體中文說法。
use super::super::{object, several, short_value};
use crate::explain::edit::EditKind;
use crate::explain::fix::{Bound, Place, Step};
use crate::explain::story::{Line, Needs, What};
use crate::explain::wish::Remark;

pub(in super::super) fn deed(line: &Line) -> String {
    let names = several(&line.objects, &|one, other| format!("{one}、{other}"), &|number, kind, prefix| {
        format!("{number} 個 {kind} {prefix}…")
    });
    match &line.what {
        What::Created => format!("建立 {names}"),
        What::Configured => format!("修改 {names}"),
        What::CreatedFor(owner) => format!("為 {} 建立 {names}", object(owner)),
        What::DefaultClass(class) => format!("manifest 沒有寫 class，所以 {names} 用預設的 class {class}"),
        What::Bound { volume, needs, only } => {
            let choice = if *only { "唯一" } else { "最小" };
            format!("把 {names} 綁定到 {volume}：符合 {} 的{choice} volume", needs_text(needs))
        }
        What::BoundNamed { volume } => format!("把 {names} 綁定到 {volume}，因為其中一方指名另一方"),
        What::BoundMade { volume, class } => format!("把 {names} 綁定到 class {class} 為它產生的 {volume}"),
        What::Phase(phase) => format!("{names} 變成 {phase}"),
        What::Scheduled(nodes) => format!("把 {names} 排到 {}", nodes.join("、")),
        What::Started => format!("啟動 {names}"),
        What::Ended(phase) => format!("{names} 結束：{phase}"),
        What::Scaled { from, to } => format!("把 {names} 從 {from} 個調整為 {to} 個"),
        What::Ready(number) => format!("{names}：{number} 個 pod 全部 ready"),
        What::Addresses(pods) if pods.len() > 4 => format!("{names} 指向 {} 個 pod", pods.len()),
        What::Addresses(pods) => format!("{names} 指向 {}", pods.join("、")),
        What::Deleting => format!("刪除 {names}"),
        What::Gone => format!("{names} 已不存在"),
        What::Said { reason, message, .. } => format!("{names}：{reason}：{message}"),
    }
}

fn needs_text(needs: &Needs) -> String {
    let mut parts = vec![format!("至少 {}", needs.size)];
    parts.extend(needs.modes.iter().cloned());
    parts.push(if needs.class.is_empty() { "沒有 class".to_owned() } else { format!("class {}", needs.class) });
    if !needs.labels.is_empty() {
        parts.push(format!("label {}", needs.labels.join("、")));
    }
    parts.join("、")
}

pub(in super::super) fn step(step: &Step) -> String {
    let place = step.places.first();
    let object = place.map(|place| place.object.as_str()).unwrap_or_default();
    match (step.kind, place) {
        (EditKind::AddDocument, _) => {
            let added = step.added.as_ref().map(crate::explain::fix::name_of).unwrap_or_default();
            format!("加上 {added}")
        }
        (EditKind::ChangeOther, _) => {
            let added = step.added.as_ref().map(crate::explain::fix::name_of).unwrap_or_default();
            format!("把叢集裡已有的 {added} 改成下面這樣再 apply")
        }
        (EditKind::DropDocument, _) => format!("拿掉 {object}"),
        (EditKind::Everywhere, Some(first)) => {
            let number = step.places.len();
            match (&first.before, &first.after) {
                (Some(_), Some(_)) => format!("{number} 處的 {} 全部改成 {}", before(first), after(first)),
                _ => format!("{}（共 {number} 處）", one(first, None)),
            }
        }
        (EditKind::Move, None) => {
            let first = step.first.as_deref().unwrap_or_default();
            format!("把 {first} 移到最前面")
        }
        (EditKind::Swap, Some(first)) => {
            let fields: Vec<&str> = step.places.iter().map(|place| place.field.as_str()).collect();
            format!("把 {} 的值對調：{} 與 {}", fields.join(" 與 "), before(first), after(first))
        }
        (EditKind::Key | EditKind::Move | EditKind::Kind, Some(_)) => places(step),
        (_, Some(place)) => one(place, step.bound),
        (_, None) => String::new(),
    }
}

/// 一個欄位變成另一個。
fn places(step: &Step) -> String {
    let gone = step.places.iter().find(|place| place.after.is_none());
    let come = step.places.iter().find(|place| place.after.is_some());
    match (gone, come) {
        (Some(gone), Some(come)) if step.kind == EditKind::Key && gone.before == come.after => {
            format!("{} 要寫成 {}", gone.field, come.field)
        }
        (Some(gone), Some(come)) if step.kind == EditKind::Move => format!("把 {} 移到 {}", gone.field, come.field),
        (Some(gone), Some(come)) => format!("把 {} 換成 {}：{}", gone.field, come.field, after(come)),
        _ => {
            let parts: Vec<String> = step.places.iter().map(|place| one(place, None)).collect();
            parts.join("，")
        }
    }
}

fn one(place: &Place, bound: Option<Bound>) -> String {
    let field = &place.field;
    match (&place.before, &place.after, bound) {
        (Some(_), Some(_), Some(Bound::AtMost)) => {
            format!("{field}：最多要求 {}，而不是 {}", after(place), before(place))
        }
        (Some(_), Some(_), Some(Bound::AtLeast)) => {
            format!("{field}：至少提供 {}，而不是 {}", after(place), before(place))
        }
        (Some(_), Some(_), None) => format!("把 {field} 從 {} 改成 {}", before(place), after(place)),
        (None, Some(_), _) => format!("加上 {field}：{}", after(place)),
        (Some(_), None, _) => format!("拿掉 {field}：{}", before(place)),
        (None, None, _) => field.clone(),
    }
}

fn before(place: &Place) -> String {
    place.before.as_ref().map(short_value).unwrap_or_default()
}

fn after(place: &Place) -> String {
    place.after.as_ref().map(short_value).unwrap_or_default()
}

pub(in super::super) fn remark(remark: &Remark) -> String {
    match remark {
        Remark::NoReadyPods { selector, pods: 0 } => format!("同一個 namespace 裡沒有 pod 的 label 是 {selector}"),
        Remark::NoReadyPods { selector, pods } => format!("label 是 {selector} 的 {pods} 個 pod 都還沒有 ready"),
        Remark::Leftover { claim } => format!("claimRef 仍指向已刪除的 claim {claim}"),
    }
}
