//! The domains of the CKAD exam (<https://github.com/cncf/curriculum>, CKAD 1.36) and their weights.
use serde::{Deserialize, Serialize};

use crate::lang::Lang;

/// A domain of the exam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Application Design and Build.
    Design,
    /// Application Deployment.
    Deployment,
    /// Application Observability and Maintenance.
    Observability,
    /// Application Environment, Configuration and Security.
    Environment,
    /// Services and Networking.
    Networking,
}

impl Domain {
    /// All domains, in the curriculum's order.
    pub const ALL: [Domain; 5] =
        [Domain::Design, Domain::Deployment, Domain::Observability, Domain::Environment, Domain::Networking];

    /// How much of the exam it is, in percent.
    pub fn weight(self) -> u32 {
        match self {
            Domain::Design | Domain::Deployment | Domain::Networking => 20,
            Domain::Observability => 15,
            Domain::Environment => 25,
        }
    }

    /// The curriculum's name for it.
    pub fn title(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Domain::Design, Lang::En) => "Application Design and Build",
            (Domain::Design, Lang::ZhTw) => "應用程式設計與建置",
            (Domain::Deployment, Lang::En) => "Application Deployment",
            (Domain::Deployment, Lang::ZhTw) => "應用程式部署",
            (Domain::Observability, Lang::En) => "Application Observability and Maintenance",
            (Domain::Observability, Lang::ZhTw) => "應用程式觀測與維護",
            (Domain::Environment, Lang::En) => "Application Environment, Configuration and Security",
            (Domain::Environment, Lang::ZhTw) => "應用程式環境、設定與安全",
            (Domain::Networking, Lang::En) => "Services and Networking",
            (Domain::Networking, Lang::ZhTw) => "Service 與網路",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_the_whole_exam() {
        assert_eq!(Domain::ALL.iter().map(|domain| domain.weight()).sum::<u32>(), 100);
    }
}
