//! The chapters that scenarios belong to: those of the study note by number, and others by a word.

use super::Domain;

/// A chapter: its name in scenarios, the exam's domain of most of its tasks, its title in English and Traditional Chinese.
struct Chapter {
    name: &'static str,
    domain: Domain,
    en: &'static str,
    zh_tw: &'static str,
}

const fn chapter(name: &'static str, domain: Domain, en: &'static str, zh_tw: &'static str) -> Chapter {
    Chapter { name, domain, en, zh_tw }
}

/// In the order in which they are listed.
const CHAPTERS: &[Chapter] = &[
    chapter("105", Domain::Design, "Volumes", "Volumes"),
    chapter("106", Domain::Design, "Persistent Volumes", "Persistent Volumes"),
    chapter("107", Domain::Design, "Persistent Volume Claims", "Persistent Volume Claims"),
    chapter("112", Domain::Design, "Storage Classes", "Storage Classes"),
    chapter("114", Domain::Design, "Why Stateful Sets", "為什麼需要 Stateful Sets"),
    chapter("115", Domain::Deployment, "Stateful Sets", "Stateful Sets"),
    chapter("116", Domain::Networking, "Headless Services", "Headless Services"),
    chapter("117", Domain::Design, "Storage in StatefulSets", "StatefulSet 的儲存空間"),
    chapter("config", Domain::Environment, "ConfigMaps and Secrets", "ConfigMap 與 Secret"),
    chapter("pods", Domain::Design, "Pods and containers", "Pod 與 container"),
    chapter("workloads", Domain::Deployment, "Deployments and rollouts", "Deployment 與 rollout"),
    chapter("services", Domain::Networking, "Services", "Service"),
    chapter("jobs", Domain::Design, "Jobs and CronJobs", "Job 與 CronJob"),
    chapter("limits", Domain::Environment, "Resources and quotas", "資源與 quota"),
    chapter("accounts", Domain::Environment, "ServiceAccounts and RBAC", "ServiceAccount 與 RBAC"),
];

/// The title of a chapter, if it is known.
pub fn title(name: &str, lang: crate::lang::Lang) -> Option<&'static str> {
    let chapter = CHAPTERS.iter().find(|chapter| chapter.name == name)?;
    Some(match lang {
        crate::lang::Lang::En => chapter.en,
        crate::lang::Lang::ZhTw => chapter.zh_tw,
    })
}

/// The domain of most tasks of a chapter, if it is known.
pub fn domain(name: &str) -> Option<Domain> {
    CHAPTERS.iter().find(|chapter| chapter.name == name).map(|chapter| chapter.domain)
}

/// The names of all known chapters, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHAPTERS.iter().map(|chapter| chapter.name)
}

/// Where a chapter is listed: known ones in their order, others behind.
pub fn position(name: &str) -> usize {
    CHAPTERS.iter().position(|chapter| chapter.name == name).unwrap_or(CHAPTERS.len())
}
