//! `kubectl autoscale KIND NAME --min=MIN --max=MAX --cpu=70%` (`kubectl/pkg/cmd/autoscale`).
use serde_json::{Value, json};

use super::command::{Command, Done, DryRun, Kubectl};
use super::create::{object, submit};
use super::flags::Spec;
use super::kubectl::Error;
use super::resources::{self, Options};
use crate::api::Kind;
use crate::api::quantity::Quantity;

pub(super) const COMMAND: Command = Command {
    path: "kubectl autoscale",
    spec: Spec {
        switches: &["record", "recursive/R", "save-config"],
        texts: &[
            "cpu",
            "cpu-percent",
            "dry-run",
            "kustomize/k",
            "max",
            "memory",
            "min",
            "name",
            "output/o",
            "template",
        ],
        lists: &["filename/f"],
    },
    run,
};

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

/// A target as `70%`, `500m` or `500` in the resource's usual unit (`parseResourceInput`).
fn target(text: &str, resource: &str, unit: &str) -> Result<Value, Error> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        return match percent.parse::<i32>() {
            Ok(number) if number >= 0 => Ok(json!({ "type": "Utilization", "averageUtilization": number })),
            _ => client(format!("invalid percentage value: {percent}")),
        };
    }
    let with_unit = if text.parse::<f64>().is_ok() { format!("{text}{unit}") } else { text.to_owned() };
    match with_unit.parse::<Quantity>() {
        Ok(quantity) => Ok(json!({ "type": "AverageValue", "averageValue": quantity.to_string() })),
        Err(_) => client(format!("invalid resource {resource} value: {text}")),
    }
}

fn run(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["max"])?;
    let (min, max) = (k.flags.number32("min")?.unwrap_or(-1), k.flags.number32("max")?.unwrap_or(-1));
    let percent = k.flags.number32("cpu-percent")?.unwrap_or(-1);
    if max < 1 {
        return client(format!("--max=MAXPODS is required and must be at least 1, max: {max}"));
    }
    if max < min {
        return client(format!("--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"));
    }
    let (cpu, memory) = (k.flags.or_empty("cpu").to_owned(), k.flags.or_empty("memory").to_owned());
    if percent > 0 && !cpu.is_empty() {
        return client("--cpu-percent and --cpu are mutually exclusive");
    }
    if k.flags.text("cpu-percent").is_some() {
        let message = "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format \
                       (e.g., '70%' for utilization or '500m' for milliCPU).";
        k.notes.push(message.to_owned());
    }
    let mut metrics = Vec::new();
    let metric =
        |name: &str, target: Value| json!({ "type": "Resource", "resource": { "name": name, "target": target } });
    if percent > 0 {
        metrics.push(metric("cpu", json!({ "type": "Utilization", "averageUtilization": percent })));
    }
    if !cpu.is_empty() {
        metrics.push(metric("cpu", target(&cpu, "cpu", "m")?));
    }
    if !memory.is_empty() {
        metrics.push(metric("memory", target(&memory, "memory", "Mi")?));
    }
    let args = k.flags.args();
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    k.errors.extend(errors);
    for found in targets {
        if !matches!(found.kind, Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet) {
            let resource = format!("{}, Resource={}", found.kind.api_version(), found.kind.plural());
            let why = format!("could not find scale subresource for {resource} in discovery information");
            return client(format!("cannot autoscale a {}: {why}", found.kind.name()));
        }
        let name = match k.flags.or_empty("name") {
            "" => found.name.clone(),
            name => name.to_owned(),
        };
        let reference =
            json!({ "apiVersion": found.kind.api_version(), "kind": found.kind.name(), "name": found.name });
        let mut value = object(k, Kind::HorizontalPodAutoscaler, &name);
        value["spec"] = json!({ "scaleTargetRef": reference, "maxReplicas": max });
        if min > 0 {
            value["spec"]["minReplicas"] = min.into();
        }
        if !metrics.is_empty() {
            value["spec"]["metrics"] = json!(metrics);
        }
        let verb = if k.dry_run == DryRun::Client { "created" } else { "autoscaled" };
        submit(k, Kind::HorizontalPodAutoscaler, value, verb, None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn an_autoscaler_is_made() {
        let mut shell = Shell::with("create deployment web --image=nginx");
        assert_eq!(
            shell.stdout("autoscale deploy web --min=2 --max=5 --cpu=70%"),
            "horizontalpodautoscaler.autoscaling/web autoscaled\n"
        );
        let metric = "/spec/metrics/0/resource/target/averageUtilization";
        assert_eq!(shell.value("HorizontalPodAutoscaler", "web", metric), "70");
        assert_eq!(shell.stderr("autoscale deploy web --min=2"), "error: required flag(s) \"max\" not set\n");
        assert_eq!(
            shell.stderr("autoscale deploy web --min=3 --max=2"),
            "error: --max=MAXPODS must be larger or equal to --min=MINPODS, max: 2, min: 3\n"
        );
    }
}
