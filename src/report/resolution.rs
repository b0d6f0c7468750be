//! What the cluster's DNS answers, and why not.
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use super::sanitise::sanitise;
use super::terminal::COLUMNS;
use super::text::{Message, say};
use super::width::{width, wrap};
use crate::api::object::ApiObject;
use crate::cluster::Cluster;
use crate::dns::{self, ResolvConf, WhyNot};
use crate::lang::Lang;

/// The answer to one question.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// The name that was asked for.
    pub name: String,
    /// The pod that asked, `NAMESPACE/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The search domains of the pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<String>,
    /// The full names that were tried, in order, up to the one that was found.
    pub tried: Vec<String>,
    /// The full name that was found; `null` for NXDOMAIN.
    pub found: Option<String>,
    /// The names it leads to (CNAME).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The addresses (A or AAAA).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The places where a port is served (SRV).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    /// Why the name was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    #[serde(skip)]
    reason: Option<WhyNot>,
}

/// An address and who has it.
#[derive(Clone, Debug, Serialize)]
pub struct Address {
    /// The address.
    pub ip: String,
    /// The pod behind it, `NAMESPACE/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
}

/// Where a port is served.
#[derive(Clone, Debug, Serialize)]
pub struct Server {
    /// A name that resolves to the address.
    pub target: String,
    /// The port's number.
    pub port: i32,
    /// The address.
    #[serde(flatten)]
    pub address: Address,
}

impl Resolution {
    /// Asks for a name, from inside a pod or from nowhere.
    pub fn of(cluster: &Cluster, name: &str, from: Option<&Pod>, lang: Lang) -> Resolution {
        let store = cluster.api().store();
        let answer = dns::resolve(store, name, from);
        let mut tried = dns::candidates(name, from).unwrap_or_default();
        if let Some(at) = answer.name.as_ref().and_then(|found| tried.iter().position(|name| name == found)) {
            tried.truncate(at + 1);
        }
        let address = |a: &dns::Address| Address {
            ip: a.ip.clone(),
            pod: a.pod.as_ref().map(|(namespace, name)| format!("{namespace}/{name}")),
        };
        let server = |s: &dns::Server| Server { target: s.target.clone(), port: s.port, address: address(&s.address) };
        let reason = (!answer.is_found()).then(|| dns::explain(store, name, from));
        Resolution {
            name: name.to_owned(),
            from: from.map(|pod| format!("{}/{}", pod.namespace(), pod.name())),
            searches: from.and_then(ResolvConf::of).map(|conf| conf.searches).unwrap_or_default(),
            tried,
            found: answer.name.clone(),
            aliases: answer.aliases.clone(),
            addresses: answer.addresses.iter().map(address).collect(),
            servers: answer.servers.iter().map(server).collect(),
            why_not: reason.as_ref().map(|why| say(lang, &Message::NameNotFound(why))),
            reason,
        }
    }

    /// The records as DNS tools list them: name, type, value, and the pod behind it.
    fn records(&self) -> Vec<[String; 4]> {
        let owner = self.aliases.last().or(self.found.as_ref()).cloned().unwrap_or_default();
        let names = self.found.iter().chain(&self.aliases);
        let alias =
            |(name, target): (&String, &String)| [name.clone(), "CNAME".to_owned(), target.clone(), String::new()];
        let pod = |address: &Address| address.pod.as_ref().map(|pod| format!("pod {pod}")).unwrap_or_default();
        let record = |address: &Address| {
            let kind = if address.ip.contains(':') { "AAAA" } else { "A" };
            [owner.clone(), kind.to_owned(), address.ip.clone(), pod(address)]
        };
        let server = |server: &Server| {
            let value = format!("{}:{}", server.target, server.port);
            let behind = format!("{} {}", server.address.ip, pod(&server.address));
            [owner.clone(), "SRV".to_owned(), value, behind.trim_end().to_owned()]
        };
        let aliases = names.zip(&self.aliases).map(alias);
        aliases.chain(self.addresses.iter().map(record)).chain(self.servers.iter().map(server)).collect()
    }
}

/// Writes an answer for people.
pub fn write(answer: &Resolution, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    const STRONG: Style = Style::new().bold();
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    const BAD: Style = AnsiColor::Red.on_default();
    let head = say(lang, &Message::AsksFor { name: &answer.name, from: answer.from.as_deref() });
    writeln!(out, "{STRONG}{}{STRONG:#}", sanitise(&head))?;
    if answer.from.is_some() {
        let domains = answer.searches.join(" ");
        writeln!(out, "  {SOFT}{}{SOFT:#}", sanitise(&say(lang, &Message::SearchDomains(&domains))))?;
        for name in &answer.tried {
            writeln!(out, "  {SOFT}{}{SOFT:#}", sanitise(&say(lang, &Message::NameTried(name))))?;
        }
    }
    if let Some(why) = &answer.reason {
        for line in wrap(&sanitise(&say(lang, &Message::NameNotFound(why))), COLUMNS - 2) {
            writeln!(out, "  {BAD}{line}{BAD:#}")?;
        }
        return Ok(());
    }
    let records = answer.records();
    if records.is_empty() {
        return writeln!(out, "  {}", say(lang, &Message::NoRecords));
    }
    let columns = [0, 1, 2].map(|i| records.iter().filter_map(|r| r.get(i)).map(|text| width(text)).max().unwrap_or(0));
    for [name, kind, value, behind] in records {
        let cell = |text: &str, wide: usize| format!("{text}{}", " ".repeat(wide.saturating_sub(width(text))));
        let [one, two, three] = columns;
        let line = format!("  {}  {}  {}  {behind}", cell(&name, one), cell(&kind, two), cell(&value, three));
        writeln!(out, "{}", sanitise(line.trim_end()))?;
    }
    Ok(())
}
