//! The chapters that scenarios belong to: those of the study note by number, and others by a word.

/// A chapter: its name in scenarios and its title in English and Traditional Chinese.
struct Chapter {
    name: &'static str,
    en: &'static str,
    zh_tw: &'static str,
}

const fn chapter(name: &'static str, en: &'static str, zh_tw: &'static str) -> Chapter {
    Chapter { name, en, zh_tw }
}

/// In the order in which they are listed.
const CHAPTERS: &[Chapter] = &[
    chapter("105", "Volumes", "Volumes"),
    chapter("106", "Persistent Volumes", "Persistent Volumes"),
    chapter("107", "Persistent Volume Claims", "Persistent Volume Claims"),
    chapter("112", "Storage Classes", "Storage Classes"),
    chapter("114", "Why Stateful Sets", "為什麼需要 Stateful Sets"),
    chapter("115", "Stateful Sets", "Stateful Sets"),
    chapter("116", "Headless Services", "Headless Services"),
    chapter("117", "Storage in StatefulSets", "StatefulSet 的儲存空間"),
    chapter("config", "ConfigMaps and Secrets", "ConfigMap 與 Secret"),
    chapter("pods", "Pods and containers", "Pod 與 container"),
    chapter("workloads", "Deployments and rollouts", "Deployment 與 rollout"),
    chapter("services", "Services", "Service"),
    chapter("jobs", "Jobs and CronJobs", "Job 與 CronJob"),
    chapter("limits", "Resources and quotas", "資源與 quota"),
    chapter("accounts", "ServiceAccounts and RBAC", "ServiceAccount 與 RBAC"),
];

/// The title of a chapter, if it is known.
pub fn title(name: &str, lang: crate::lang::Lang) -> Option<&'static str> {
    let chapter = CHAPTERS.iter().find(|chapter| chapter.name == name)?;
    Some(match lang {
        crate::lang::Lang::En => chapter.en,
        crate::lang::Lang::ZhTw => chapter.zh_tw,
    })
}

/// The names of all known chapters, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHAPTERS.iter().map(|chapter| chapter.name)
}

/// Where a chapter is listed: known ones in their order, others behind.
pub fn position(name: &str) -> usize {
    CHAPTERS.iter().position(|chapter| chapter.name == name).unwrap_or(CHAPTERS.len())
}
