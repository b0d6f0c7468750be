//! 繁體中文。Kubernetes 的專有名詞保留原文。
mod explain;

use serde_json::Value;

use super::{
    FEW, MAX_VALUE, Message, first_difference, names_of, object, objects, prefix, several, short_value, value,
};
use crate::api::object::ObjectKey;
use crate::controllers::persistent_volume_binder::ClaimState;
use crate::dns::WhyNot;
use crate::grade::compare::{ANY, Difference};
use crate::grade::endpoints::{EndpointsWhy, LeadsTo};
use crate::grade::reasons::{NotChosen, Reason};
use crate::grade::{Failure, Finding, NotSimulated};
use crate::kubelet::mounts::{Location, Medium};
use crate::picture::{Relation, Words};
use crate::report::html::Words as Page;
use crate::scenario::{DnsTarget, Level, Range, short_id};
use crate::storage::{NamedMismatch, PassedOver};
use crate::timeline::command_line::{MAX_COMMANDS, MAX_LINE, Refusal};

pub(super) fn say(message: &Message<'_>) -> String {
    match *message {
        Message::Finding(failure) => finding(failure),
        Message::Reason { reason, about } => because(reason, about),
        Message::AsAbove => "原因：同上".into(),
        Message::NotSimulated(NotSimulated::VolumeContent) => "未模擬這種 volume 的內容，此項不計分".into(),
        Message::DidNotSettle => "叢集一直沒有穩定下來，以下並非最終結果".into(),
        Message::Step(number) => format!("步驟 {number}"),
        Message::StepFailed { number, stderr } => format!("題目的第 {number} 個步驟執行失敗：{stderr}"),

        Message::Why => "原因".into(),
        Message::ExpectedAndSimulated => "- 預期，+ 模擬結果".into(),
        Message::Advice => "建議".into(),
        Message::DidYouMean(words) => format!("是不是要寫 `{}`？", words.join("` 或 `")),
        Message::FullMarks { points } => format!("滿分，{points} 分全拿"),
        Message::Points { points, possible, percent, needed, passed } => {
            let verdict = if passed { "及格" } else { "不及格" };
            format!("{possible} 分得 {points} 分（{percent} %），{verdict}；{needed} % 及格")
        }
        Message::CheckPoints { points, possible } => format!("{points}/{possible} 分"),
        Message::TryHint { scenario } => format!("看提示：ckad-grade hint {}", short_id(scenario)),
        Message::SeeExplanation { scenario } => format!("看參考解答與說明：ckad-grade solution {}", short_id(scenario)),
        Message::Refused => "遭拒絕".into(),
        Message::Warning => "警告".into(),
        Message::MoreDifferences(number) => format!("還有 {number} 處"),
        Message::UnreadableCharacters => "這個檔案不是文字檔".into(),

        Message::NoAnswerYet { scenario } => format!(
            "這裡還沒有 {scenario} 的答案。\n\n請把 manifest 寫進 {scenario}.yaml（或放進 {scenario}/ 資料夾），再執行一次同樣的指令；\
             也可以直接指定檔案：ckad-grade {} FILE...",
            short_id(scenario)
        ),
        Message::NextScenario { scenario } => format!("下一題：ckad-grade show {}", short_id(scenario)),
        Message::EmptyAnswer { scenario } => {
            format!("答案還是空的。題目：ckad-grade show {}", short_id(scenario))
        }
        Message::AnswerFiles { names } => format!("答案：{names}"),
        Message::UnknownScenario { name, suggestion } => {
            let hint = match suggestion {
                Some(suggestion) => format!("是不是要找 `{suggestion}`？"),
                None => "`ckad-grade list` 會列出所有題目。".to_owned(),
            };
            format!("沒有 `{name}` 這一題。{hint}")
        }
        Message::CannotReadAnswer { file, error } => format!("無法讀取答案 {file}：{error}"),
        Message::NothingInAnswer { folder } => format!("資料夾 {folder} 裡沒有 .yaml、.yml 或 .json 檔"),
        Message::UsingScenariosOf { folder, scenario } => {
            format!("注意：{scenario} 取自 {folder}，不是內建的題目")
        }
        Message::OverriddenScenarios { folder, number } => {
            format!("注意：{folder} 裡有 {number} 題是新增的，或與內建的不同")
        }
        Message::ScenarioIsWrong => "題目本身有錯".into(),
        Message::Level(Level::WarmUp) => "暖身".into(),
        Message::Level(Level::Exam) => "考題".into(),
        Message::Level(Level::Hard) => "進階".into(),
        Message::Minutes(minutes) => format!("{minutes} 分鐘"),
        Message::Chapter(chapter) => format!("第 {chapter} 章"),
        Message::PointsWorth(points) => format!("{points} 分"),
        Message::ScenarioTotals { number, of, minutes } => {
            let of = of.map(|total| format!("（全部 {total} 題）")).unwrap_or_default();
            let (hours, minutes) = (minutes / 60, minutes % 60);
            let hours = if hours > 0 { format!("{hours} 小時 ") } else { String::new() };
            format!("共 {number} 題{of}，{hours}{minutes} 分鐘。開始作答：ckad-grade show SCENARIO")
        }
        Message::NothingListed { total } => format!("全部 {total} 題中沒有符合的。`ckad-grade list` 會列出所有題目。"),
        Message::HowToAnswer { scenario } => {
            format!("把答案寫進 {scenario}.yaml，再執行：ckad-grade {}", short_id(scenario))
        }
        Message::HintOf { number, total } => format!("提示 {number}/{total}"),
        Message::NoSuchHint { total } => format!("提示的編號是 1 到 {total}"),
        Message::NoHints => "這一題沒有提示".into(),
        Message::MoreHints { scenario, next } => format!("下一則：ckad-grade hint {} {next}", short_id(scenario)),
        Message::NoKey { scenario } => format!("{scenario} 沒有參考解答"),
        Message::Explanation => "說明".into(),
        Message::Sources => "出處".into(),
        Message::Checks => "計分項目".into(),
        Message::ClusterAsYaml { scenario } => format!("看 YAML：ckad-grade show {} --cluster", short_id(scenario)),
        Message::ClusterAtStart => "叢集裡已經有".into(),
        Message::NothingThere => "沒有任何物件。".into(),
        Message::NotAsWished => "不如預期之處：".into(),
        Message::AllAsWished => "一切正常。".into(),
        Message::BadScenarioName { name } => {
            format!("`{name}` 不能當名稱：只能用小寫英文字母、數字與 `-`，例如 107-archive")
        }
        Message::AlreadyThere { file } => format!("{file} 已經存在"),
        Message::Wrote { file } => format!("已寫入 {file}"),
        Message::NewScenario { file } => {
            format!("把 TODO 的地方寫完，再檢查一次：ckad-grade scenario check {file}\n說明：docs/authors.md")
        }
        Message::RefusedLine(refusal) => refused_line(refusal),
        Message::NoSuchPod { pod } => format!("最後沒有 Pod {pod}"),
        Message::NameNotFound(why) => format!("NXDOMAIN：{}", why_not(why)),
        Message::AsksFor { name, from: None } => name.to_owned(),
        Message::AsksFor { name, from: Some(pod) } => format!("{name}，由 Pod {pod} 查詢"),
        Message::SearchDomains(domains) => format!("搜尋網域：{domains}"),
        Message::NameTried(name) => format!("嘗試：{name}"),
        Message::NoRecords => "名稱存在，但沒有位址".into(),
        Message::NoScenarioFiles => "這裡沒有題目檔案；請指定：ckad-grade scenario check DIR".into(),
        Message::Picture(words) => picture(words),
        Message::Html(words) => page(words),
        Message::PictureFormat { file } => {
            format!("{file}：圖檔名稱要以 .svg、.png、.dot 或 .mermaid 結尾；- 表示畫在終端機裡")
        }
        Message::PictureBesideData => "--picture - 會把圖畫在資料中間，請指定檔名".into(),

        Message::WhatHappened => "經過".into(),
        Message::WhatWaits => "不如預期之處".into(),
        Message::ChecksNotPassed => "不符題目之處".into(),
        Message::WhatHelps => "這樣改就行".into(),
        Message::AlsoThis => "或者".into(),
        Message::HelpsAll => "改一次就全部解決".into(),
        Message::HelpedAbove => "上面的改法也能解決這一項".into(),
        Message::NothingWaits => "一切就緒，沒有需要改的地方。".into(),
        Message::AllChecksPass => "每一項都通過，沒有需要改的地方。".into(),
        Message::Deed(line) => explain::deed(line),
        Message::FixStep(step) => explain::step(step),
        Message::Remark(remark) => explain::remark(remark),
        Message::NothingHelps { tried, cut_short } => {
            let more = if cut_short { "，還有沒試完的" } else { "" };
            format!("只改一兩處都沒有用（試了 {tried} 種{more}）")
        }
        Message::Tried { tried } => format!("在模擬裡試了 {tried} 種改法"),
        Message::Unreadable { file } => format!("{file} 無法讀到最後"),
        Message::RefusedDocument { object } => format!("{object} 遭拒絕"),
    }
}

fn refused_line(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotKubectl(word) => format!("這裡只執行 kubectl 指令，不執行 `{word}`"),
        Refusal::Variable => "不會代入變數：請直接寫出值，或用單引號把 `$` 括起來".into(),
        Refusal::Substitution => "不會執行指令中的指令：請直接寫出值".into(),
        Refusal::Operator(operator) => format!("不支援 `{operator}`：每一行請只寫一個 kubectl 指令"),
        Refusal::Pipe => "管線只能從 dry run 或 `cat <<EOF` 接到 `kubectl … -f -`".into(),
        Refusal::Redirect => "只有 `--dry-run=client` 輸出的 YAML 或 JSON 可以寫入檔案".into(),
        Refusal::Glob(c) => format!("不會展開 `{c}`：請把名稱寫完整，或用引號括起來"),
        Refusal::UnclosedQuote(quote) => format!("引號 {quote} 沒有結尾"),
        Refusal::UnclosedHereDocument(end) => format!("here-document 沒有結尾：缺少 `{end}` 這一行"),
        Refusal::Control => "這一行有控制字元".into(),
        Refusal::TooLong => format!("指令超過 {MAX_LINE} 個位元組"),
        Refusal::TooMany => format!("只執行前 {MAX_COMMANDS} 個指令"),
        Refusal::Interactive(command) => {
            format!("`kubectl {command}` 需要人在鍵盤前操作：請改用 `kubectl patch` 或 `kubectl apply`")
        }
        Refusal::NotSimulated(command) => format!("`kubectl {command}` 的效果不在模擬範圍內"),
        Refusal::Outside(file) => format!("`{file}` 不是答案裡的檔案"),
    }
}

fn why_not(why: &WhyNot) -> String {
    match why {
        WhyNot::OutsideTheCluster => "名稱不在 cluster.local 之下；叢集外的名稱不在模擬範圍內".into(),
        WhyNot::NotTheClustersDns => "依照 dnsPolicy，這個 Pod 不會查詢叢集的 DNS".into(),
        WhyNot::NoSuchForm => "cluster.local 之下的名稱是 SERVICE.NAMESPACE.svc 或 POD.SERVICE.NAMESPACE.svc".into(),
        WhyNot::NoNamespace { namespace } => format!("沒有 namespace {namespace}"),
        WhyNot::NoService { namespace, service, elsewhere } => {
            let elsewhere = match elsewhere.as_slice() {
                [] => String::new(),
                namespaces => format!("；namespace {} 裡才有", namespaces.join("、")),
            };
            format!("namespace {namespace} 裡沒有 Service {service}{elsewhere}")
        }
        WhyNot::NoPodWithAddress { namespace, address } => {
            format!("namespace {namespace} 裡沒有 Pod 的位址是 {address}")
        }
        WhyNot::NoReadyPods { namespace, service, selector, waiting } if waiting.is_empty() => {
            match selector.as_str() {
                "" => format!("headless Service {namespace}/{service} 沒有 selector，所以沒有 Pod"),
                selector => {
                    format!("headless Service {namespace}/{service} 沒有任何 Pod：沒有 Pod 帶有 label {selector}")
                }
            }
        }
        WhyNot::NoReadyPods { namespace, service, waiting, .. } => {
            format!("Service {namespace}/{service} 的 Pod 都還沒有 ready：{}", waiting.join(", "))
        }
        WhyNot::NoPort { service, port, ports } if ports.is_empty() => {
            format!("Service {service} 沒有 port {port}；它的 port 都沒有名稱")
        }
        WhyNot::NoPort { service, port, ports } => {
            format!("Service {service} 沒有 port {port}；有的是 {}", ports.join(", "))
        }
        WhyNot::BelowExternalName { service } => {
            format!("Service {service} 的類型是 ExternalName，底下沒有其他名稱")
        }
        WhyNot::NoPod { namespace, pod, pods } => {
            let pods = match few(pods) {
                pods if pods.is_empty() => String::new(),
                pods => format!("；這個 Service 的 Pod 是 {pods}"),
            };
            format!("namespace {namespace} 裡沒有名稱或 hostname 為 {pod} 的 Pod{pods}")
        }
        WhyNot::OtherServiceName { set, service_name, service } => {
            let has = match service_name.as_str() {
                "" => "沒有設定 serviceName".to_owned(),
                name => format!("的 serviceName 是 {name}"),
            };
            format!("StatefulSet {set} {has}；必須是 {service}，Pod 才會有 Service {service} 底下的名稱")
        }
        WhyNot::NotHeadless { service, address } => {
            format!("Service {service} 不是 headless，名稱指向它自己的位址 {address}，不是 Pod")
        }
        WhyNot::Headless { service } => {
            format!("Service {service} 是 headless（clusterIP: None），沒有自己的位址，名稱指向它的 Pod")
        }
        WhyNot::AlsoSelected { pods, service, selector } => {
            format!("Service {service} 的 selector（{selector}）還選到了 {}", few(pods))
        }
        WhyNot::NotSelected { pod, service } => format!("Service {service} 的 selector 沒有選到 Pod {pod}"),
        WhyNot::NotReady { pod } => format!("Pod {pod} 還沒有 ready"),
        WhyNot::OtherHostname { pod, hostname: None } => format!("Pod {pod} 沒有設定 hostname"),
        WhyNot::OtherHostname { pod, hostname: Some(hostname) } => format!("Pod {pod} 的 hostname 是 {hostname}"),
        WhyNot::OtherSubdomain { pod, subdomain: None, service } => {
            format!("Pod {pod} 沒有設定 subdomain；必須是 {service}")
        }
        WhyNot::OtherSubdomain { pod, subdomain: Some(subdomain), service } => {
            format!("Pod {pod} 的 subdomain 是 {subdomain}；必須是 {service}")
        }
    }
}

/// 前幾個名稱，以及還有幾個。
fn few(names: &[String]) -> String {
    let shown = names.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join("、");
    if names.len() > FEW { format!("{shown} 等 {} 個", names.len()) } else { shown }
}

fn finding(failure: &Failure) -> String {
    let first = first_difference(failure).map(difference).unwrap_or_default();
    let more = match failure.differences.len() {
        0 | 1 => String::new(),
        number => format!("（另有 {} 處不同）", number - 1),
    };
    match &failure.finding {
        Finding::Missing { object: key, instead: None } => format!("找不到 {}", object(key)),
        Finding::Missing { object: key, instead: Some(other) } => {
            format!("找不到 {}，倒是有 {}", object(key), object(other))
        }
        Finding::Different { object: key } => format!("{}：{first}{more}", object(key)),
        Finding::NoneLike { kind, namespace, nearest } => {
            let place = namespace.as_ref().map(|n| format!("namespace {n} 裡")).unwrap_or_default();
            match nearest {
                None => format!("{place}沒有任何 {}", kind.name()),
                Some(key) => format!("{place}沒有符合的 {}；最接近的是 {}：{first}{more}", kind.name(), object(key)),
            }
        }
        Finding::Present { objects: keys, fields, named } => {
            let (names, others) = objects(keys);
            let others = if others > 0 { format!(" 等 {} 個物件", keys.len()) } else { String::new() };
            let field = |(path, found): &(String, Value)| match found {
                Value::Null => format!("{path} 沒有設定"),
                found => format!("{path} 是 {}", value(found)),
            };
            let what = if *named { "不該是這樣" } else { "不該存在" };
            let space = if others.is_empty() { " " } else { "" };
            match fields.as_slice() {
                [] => format!("{names}{others}{space}不該存在"),
                fields => {
                    let fields: Vec<String> = fields.iter().take(FEW).map(field).collect();
                    format!("{names}{others}{space}{what}：{}", fields.join("，"))
                }
            }
        }
        Finding::Number { expected, objects: keys, kind, nearest } => {
            let kind = kind.name();
            let number = match keys.len() {
                0 => format!("沒有符合的 {kind}"),
                number => format!("符合的 {kind} 有 {number} 個（{}）", few(&names_of(keys))),
            };
            let nearest = nearest.as_ref().map(|key| format!("；最接近的是 {}：{first}{more}", object(key)));
            format!("{number}，預期{}{}", range(*expected), nearest.unwrap_or_default())
        }
        Finding::False { missing, .. } | Finding::NoValue { missing, .. } if !missing.is_empty() => {
            format!("找不到 {}", missing.iter().take(FEW).map(object).collect::<Vec<_>>().join("、"))
        }
        Finding::False { part, values, .. } => {
            let values: Vec<String> = values
                .iter()
                .map(|(text, found)| match found {
                    None | Some(Value::Null) => format!("{} 不存在", value(&text.as_str().into())),
                    Some(found) => format!("{} = {}", value(&text.as_str().into()), short_value(found)),
                })
                .collect();
            let values = if values.is_empty() { String::new() } else { format!("；{}", values.join("，")) };
            format!("模擬的叢集裡並非如此{}{values}", short(part))
        }
        Finding::NoValue { message, .. } => format!("無法對模擬的叢集求值：{message}"),
        Finding::Resolves { name, target, found } => {
            let target = match target {
                DnsTarget::Pods(pods) => format!("預期指向 {}", pods.join("、")),
                DnsTarget::Service(service) => format!("預期指向 Service {service} 的位址"),
                DnsTarget::Nothing => "預期不存在".to_owned(),
            };
            match found {
                None => format!("名稱 {name} 不存在，{target}"),
                Some(found) if found.is_empty() => format!("名稱 {name} 沒有任何位址，{target}"),
                Some(found) => format!("名稱 {name} 指向 {}，{target}", found.join("、")),
            }
        }
        Finding::Paths { one, other, same: true } => {
            format!("{} 與 {} 看到同一份檔案：{}", one.0, other.0, location(&one.1))
        }
        Finding::Paths { one, other, same: false } => {
            format!("{} 看到的是{}，{} 看到的卻是{}", one.0, location(&one.1), other.0, location(&other.1))
        }
        Finding::LeadsTo(found) => leads_to(found),
        Finding::OnePod { path, pod } => format!("{path} 只對應到 pod {pod}，沒有其他 pod 可以比較"),
        Finding::NotMounted { path, mounts, .. } if mounts.is_empty() => {
            format!("{path} 沒有掛載任何 volume；這個容器沒有掛載 volume")
        }
        Finding::NotMounted { path, mounts, .. } => {
            let mounts: Vec<String> = mounts.iter().map(|(at, volume)| format!("{volume} 在 {at}")).collect();
            format!("{path} 沒有掛載任何 volume；這個容器掛載的是 {}", mounts.join("、"))
        }
        Finding::NoPath { path } => format!("{path} 什麼都沒有：沒有這個容器在執行"),
    }
}

fn leads_to(found: &LeadsTo) -> String {
    let mut parts = vec![match found.found.as_slice() {
        [] => format!("{} 沒有指向任何 pod", object(&found.service)),
        pods => format!("{} 指向 {}", object(&found.service), pods.join("、")),
    }];
    if !found.missing.is_empty() {
        parts.push(format!("缺少 {}", found.missing.join("、")));
    }
    if !found.extra.is_empty() {
        parts.push(format!("不該有 {}", found.extra.join("、")));
    }
    if let Some((wanted, ports)) = &found.ports {
        let ports = if ports.is_empty() { "空的".to_owned() } else { ports.join("、") };
        parts.push(format!("port 是 {ports}，預期 {}", wanted.join("、")));
    }
    parts.extend(found.why.iter().map(|why| match why {
        EndpointsWhy::NoSelector => "這個 Service 沒有 selector".to_owned(),
        EndpointsWhy::SelectsNothing { selector } => format!("同一個 namespace 裡沒有 pod 有標籤 {selector}"),
        EndpointsWhy::NotSelected { pod, selector, labels } if labels.is_empty() => {
            format!("pod {pod} 沒有標籤，selector 要求 {selector}")
        }
        EndpointsWhy::NotSelected { pod, selector, labels } => {
            format!("pod {pod} 的標籤是 {labels}，selector 要求 {selector}")
        }
        EndpointsWhy::NoPod { pod } => format!("沒有 pod {pod}"),
        EndpointsWhy::NotReady { pods } => format!("pod {} 還沒有 ready", pods.join("、")),
        EndpointsWhy::NoPortNamed { pod, port } => format!("pod {pod} 沒有名為 {port} 的容器 port"),
    }));
    parts.join("；")
}

/// 夠短的運算式才有幫助。
fn short(expression: &str) -> String {
    let fits = expression.chars().count() <= MAX_VALUE && !expression.contains('\n');
    if fits { format!("：{expression}") } else { String::new() }
}

fn range(range: Range) -> String {
    match range {
        Range { min: 0, max: Some(0) } => "一個都沒有".to_owned(),
        Range { min, max: Some(max) } if min == max => format!(" {min} 個"),
        Range { min: 0, max: Some(max) } => format!("最多 {max} 個"),
        Range { min, max: Some(max) } => format!(" {min} 到 {max} 個"),
        Range { min, max: None } => format!("至少 {min} 個"),
    }
}

fn location(location: &Location) -> String {
    let path = &location.path;
    match &location.medium {
        Medium::Node(node) => format!(" {node} 的 /{path}"),
        Medium::Nfs(server) => format!(" NFS 伺服器 {server} 的 /{path}"),
        Medium::Csi(driver, handle) => format!(" {driver} volume {handle} 的 /{path}"),
        Medium::Volume(volume) => format!(" volume {volume} 的 /{path}"),
        Medium::Pod(_, volume) => format!(" pod 自己的 volume {volume} 的 /{path}"),
        Medium::ConfigMap(namespace, name) => format!(" ConfigMap {namespace}/{name} {path}").trim_end().to_owned(),
        Medium::Secret(namespace, name) => format!(" Secret {namespace}/{name} {path}").trim_end().to_owned(),
        Medium::Image(image) => format!(" image {image} 的 /{path}"),
        Medium::Container(_, container) => format!(" container {container} 自己的檔案"),
    }
}

fn difference(difference: &Difference) -> String {
    let Difference { path, expected, actual } = difference;
    match (expected, actual) {
        (Some(expected), Some(actual)) => format!("{path} 是 {}，預期 {}", value(actual), value(expected)),
        (Some(expected), None) if expected == ANY => format!("{path} 沒有設定"),
        (Some(expected), None) if expected.is_object() => format!("缺少 {path}"),
        (Some(expected), None) => format!("{path} 沒有設定，預期 {}", value(expected)),
        (None, Some(actual)) => format!("{path} 是 {}，不該設定", value(actual)),
        (None, None) => path.clone(),
    }
}

fn because(reason: &Reason, about: Option<&ObjectKey>) -> String {
    let of = |key: &ObjectKey| prefix(key, about, "：");
    match reason {
        Reason::PassedOver { volume, why, .. } => format!("volume {volume}：{}", passed_over(why)),
        Reason::Claim { claim, state } => format!("{}尚未綁定：{}", of(claim), claim_state(state)),
        Reason::Condition { object: key, condition, reason, message } => {
            format!("{}{condition}：{reason}：{message}", of(key))
        }
        Reason::NotChosen { volume, chosen, why } => match why {
            NotChosen::PassedOver(why) => format!("volume {volume}：{}", passed_over(why)),
            NotChosen::Larger { has, chosen_has } => {
                format!("{chosen}（{chosen_has}）符合要求，而且比 {volume}（{has}）小；符合要求的 volume 會選最小的")
            }
            NotChosen::MadeForIt => {
                format!("{chosen} 是 class 為這個 claim 產生的；claim 綁定之後就不會改用 {volume}")
            }
            NotChosen::MoreModes => {
                format!("{chosen} 符合要求，而且 access mode 比 {volume} 少；符合要求的 volume 會選 access mode 最少的")
            }
            NotChosen::Equal => format!("{chosen} 與 {volume} 同樣符合要求，選哪一個都有可能"),
        },
        Reason::Replicas { set, ready, wanted, waits_for } => {
            let waiting = waits_for.iter().map(|pod| format!("；{pod} ready 之後才會建立後面的 pod"));
            format!("{}{wanted} 個 pod 中有 {ready} 個 ready{}", of(set), waiting.collect::<String>())
        }
        Reason::Pods { pods, message } => {
            let names = several(pods, &|one, other| format!("{one}、{other}"), &|number, kind, prefix| {
                format!("{number} 個 {kind} {prefix}…")
            });
            format!("{names}：{message}")
        }
        Reason::Name(why) => why_not(why),
        Reason::Pod { pod, message } => format!("{}{message}", of(pod)),
        Reason::Event { object: key, reason, message, .. } => format!("{}{reason}：{message}", of(key)),
    }
}

fn claim_state(state: &ClaimState) -> String {
    match state {
        ClaimState::NoVolume => "沒有符合的 volume，claim 也沒有可以產生 volume 的 class".to_owned(),
        ClaimState::WaitingForFirstConsumer { class } => {
            format!("class {class} 要等到有 pod 使用這個 claim 才會綁定（WaitForFirstConsumer）")
        }
        ClaimState::WaitingForPods { pods } => format!("等待 scheduler 為 {} 選定 node", pods.join("、")),
        ClaimState::ClassMissing { class } => {
            format!("沒有符合的 volume，也沒有 StorageClass {class} 可以產生 volume")
        }
        ClaimState::ClassDoesNotProvision { class } => {
            format!("沒有符合的 volume，而 class {class} 不會產生 volume（kubernetes.io/no-provisioner）")
        }
        ClaimState::UnknownProvisioner { class, provisioner } => {
            format!("class {class} 的 provisioner {provisioner} 不存在")
        }
        ClaimState::ProvisionerNotInstalled { class, provisioner } => {
            format!("這個叢集沒有安裝 class {class} 的 provisioner {provisioner}")
        }
        ClaimState::ProvisioningFails { class, provisioner } => {
            format!("class {class} 的 provisioner {provisioner} 沒有產生 volume，請看 events")
        }
        ClaimState::NamedVolumeMissing { volume } => format!("claim 指定的 volume {volume} 不存在"),
        ClaimState::NamedVolumeTaken { volume, namespace, claim, earlier: true } => {
            format!("claim 指定的 volume {volume} 屬於先前同名的 claim {namespace}/{claim}（uid 不同）")
        }
        ClaimState::NamedVolumeTaken { volume, namespace, claim, earlier: false } => {
            format!("claim 指定的 volume {volume} 屬於 claim {namespace}/{claim}")
        }
        ClaimState::NamedVolumeMismatch { volume, why } => {
            format!("claim 指定的 volume {volume} 不符合要求：{}", named_mismatch(why))
        }
        ClaimState::Lost { volume } if volume.is_empty() => "claim 記載已綁定，卻沒有 volume 名稱".to_owned(),
        ClaimState::Lost { volume } => format!("claim 綁定過的 volume {volume} 已不存在，或已屬於別的 claim"),
        ClaimState::AboutToBind { volume } => format!("volume {volume} 符合要求，即將綁定"),
    }
}

fn named_mismatch(why: &NamedMismatch) -> &'static str {
    match why {
        NamedMismatch::Terminating { .. } => "正在刪除中",
        NamedMismatch::TooSmall => "容量不足",
        NamedMismatch::StorageClass => "storageClassName 不同",
        NamedMismatch::AttributesClass => "volumeAttributesClassName 不同",
        NamedMismatch::VolumeMode => "volumeMode 不同",
        NamedMismatch::AccessModes => "缺少所要求的 access mode",
    }
}

fn passed_over(why: &PassedOver) -> String {
    let class = |name: &str| if name.is_empty() { "沒有 class".to_owned() } else { format!("class 是 {name}") };
    match why {
        PassedOver::ReservedFor { namespace, name } => format!("claimRef 已保留給 claim {namespace}/{name}"),
        PassedOver::BoundTo { namespace, name } => format!("已綁定給 claim {namespace}/{name}"),
        PassedOver::Released { namespace, name, failed, earlier } => {
            let also = if *failed { "，而且回收失敗" } else { "" };
            if *earlier {
                return format!("claimRef 仍指向先前同名的 claim {namespace}/{name}（uid 不同）{also}");
            }
            format!("claimRef 仍指向已刪除的 claim {namespace}/{name}{also}")
        }
        PassedOver::TooSmall { has, wants } => format!("容量 {has}，claim 要求 {wants}"),
        PassedOver::AccessModes { has, missing } => {
            let has = if has.is_empty() {
                "沒有任何 access mode".to_owned()
            } else {
                format!("只提供 {}", has.join("、"))
            };
            format!("缺少 access mode {}（{has}）", missing.join("、"))
        }
        PassedOver::VolumeMode { has, wants } => format!("volumeMode 是 {has}，claim 要求 {wants}"),
        PassedOver::AttributesClass { has, wants } => {
            format!("VolumeAttributesClass 是 \"{has}\"，claim 要求 \"{wants}\"")
        }
        PassedOver::Terminating => "正在刪除中".to_owned(),
        PassedOver::WaitsForConsumer => "claim 的 class 要等到有 pod 使用才會綁定".to_owned(),
        PassedOver::NotAvailable { phase } => format!("phase 是 {phase}，不是 Available"),
        PassedOver::SelectorMismatch { requirement, has } => match has {
            Some(value) => format!("claim 的 selector 要求 {requirement}，它的 label 值是 {value}"),
            None => format!("claim 的 selector 要求 {requirement}，它沒有這個 label"),
        },
        PassedOver::StorageClass { has, wants } => match wants.as_str() {
            "" => format!("{}，claim 要求沒有 class", class(has)),
            wants => format!("{}，claim 要求 class {wants}", class(has)),
        },
        PassedOver::NodeAffinity => "nodeAffinity 排除了這個 node".to_owned(),
    }
}

fn picture(words: Words<'_>) -> String {
    match words {
        Words::Relation(relation) => match relation {
            Relation::Resolves => "解析為",
            Relation::Selects => "選取",
            Relation::Governs => "serviceName",
            Relation::Owns => "擁有",
            Relation::Mounts => "掛載",
            Relation::Reads => "讀取",
            Relation::Asks => "指定",
            Relation::Bound => "綁定",
            Relation::WasBound => "曾綁定",
            Relation::Provisions => "佈建",
            Relation::RunsOn => "執行於",
            Relation::OnlyFrom => "限於",
        }
        .to_owned(),
        Words::TitleOfOutcome => "模擬的叢集".to_owned(),
        Words::TitleOfGrade { scenario, points, possible } => format!("{scenario}：{points}/{possible} 分"),
        Words::Objects { items, troubles: 0 } => format!("共 {items} 個物件，沒有斷掉的連結。"),
        Words::Objects { items, troubles } => format!("共 {items} 個物件，有 {troubles} 個問題："),
        Words::Nothing { kind } => format!("沒有 {kind}"),
        Words::DoesNotExist { kind, name } => format!("{kind} {name} 不存在"),
        Words::HasNoKey { kind, name, key } => format!("{kind} {name} 沒有 key {key}"),
        Words::NotMounted { volume } => format!("宣告了 volume {volume}，但沒有 container 掛載"),
        Words::SelectsNothing { selector } => format!("沒有 pod 帶有 label {selector}"),
        Words::NotReady { pod } => format!("pod {pod} 尚未 ready，不會收到流量"),
        Words::WantedPods { missing } => format!("還少 {missing} 個 pod"),
        Words::NoSuchService { service } => format!("Service {service} 不存在，pod 沒有 DNS 名稱"),
        Words::More { number } => format!("另有 {number} 個"),
        Words::Others { kind, number } => format!("另有 {number} 個 {kind}"),
        Words::Missing => "不存在".to_owned(),
        Words::See => "見上方".to_owned(),
    }
}

fn page(words: Page<'_>) -> String {
    match words {
        Page::Title => "批次評分報告".to_owned(),
        Page::Scenarios => "題".to_owned(),
        Page::Answers => "份答案".to_owned(),
        Page::StudentsPassed { passed, students } => format!("{students} 位學生中有 {passed} 位通過"),
        Page::MeanPercent => "平均得分率".to_owned(),
        Page::Glance => "總覽".to_owned(),
        Page::GlanceLegend { percent } => format!(
            "表中是每份答案的得分；總分達 {percent} % 即通過。– 表示未繳交，! 表示無法評分。\
             點分數看這份答案的結果，點姓名看該生的所有答案。"
        ),
        Page::Distribution => "分數分布".to_owned(),
        Page::DistributionOf { students } => format!("得分率，共 {students} 筆"),
        Page::Student => "學生".to_owned(),
        Page::Total => "總分".to_owned(),
        Page::PerScenario => "各題".to_owned(),
        Page::PerStudent => "各生".to_owned(),
        Page::GradedAnswers { graded, passed, full } => {
            format!("評了 {graded} 份答案，{passed} 份通過，{full} 份滿分")
        }
        Page::Ungraded { number } => format!("{number} 份無法評分"),
        Page::NotHandedIn { number } => format!("{number} 人未繳交"),
        Page::FailedBy { failed, graded } => {
            format!("{graded} 份中 {failed} 份未達成（{} %）", (failed * 100).checked_div(graded).unwrap_or(0))
        }
        Page::Outcomes => "結果，由最常見的開始".to_owned(),
        Page::AnswersAlike { number } => format!("{number} 份答案"),
        Page::MoreOutcomes { number } => format!("另有 {number} 種較少見的結果未列出，完整資料請看 CSV 或 JSON 報告。"),
        Page::MoreStudents { number } => format!("等，另有 {number} 位"),
        Page::KubectlSaid => "kubectl 的訊息".to_owned(),
        Page::Line { line } => format!("第 {line} 行"),
        Page::PictureLeftOut => "為避免報告過大，省略差異與圖。".to_owned(),
        Page::Difference => "差異".to_owned(),
        Page::Late => "遲交".to_owned(),
        Page::Attempt { number, of } => format!("第 {number} 次作答，共 {of} 次"),
        Page::Unreadable => "檔案無法完整讀取".to_owned(),
        Page::Limit => "超出限制".to_owned(),
        Page::Crashed => "評分程式當掉（我們的錯）".to_owned(),
        Page::ScenarioWrong => "題目本身有錯".to_owned(),
        Page::Missing => "未繳交".to_owned(),
        Page::Unmatched => "不是任何一題的答案".to_owned(),
        Page::Nobody => "無法歸屬的檔案".to_owned(),
        Page::Alike => "相似的答案".to_owned(),
        Page::AlikeBy { shared, percent } => format!("有 {shared} 行獨特內容相同（{percent} %）"),
        Page::Filter => "姓名".to_owned(),
        Page::OnlyNotPassed => "只看未通過".to_owned(),
        Page::SortBy { column } => format!("依{column}排序"),
    }
}
