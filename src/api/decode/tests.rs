#![allow(clippy::unwrap_used)]
use super::*;
fn docs(text: &str) -> Vec<Value> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text).filter_map(|d| Value::deserialize(d).ok()).collect()
}
fn strip(v: &mut Value) {
    match v {
        Value::Object(m) => {
            m.retain(|_, v| !v.is_null());
            m.values_mut().for_each(strip);
        }
        Value::Array(a) => a.iter_mut().for_each(|v| if v.is_null() { *v = "".into() } else { strip(v) }),
        _ => {}
    }
}
macro_rules! typed_as {
    ($v:expr, $k:expr; $($name:literal => $t:ty),*) => { match $k { $($name => { let t: Result<$t, _> = typed($v); t.map(|t| serde_json::to_value(t).unwrap()) })* _ => Ok(Value::Null) } }
}
fn as_typed(v: Value, kind: &str) -> Result<Value, DecodeError> {
    use k8s_openapi::api::*;
    typed_as!(v, kind; "Pod" => core::v1::Pod, "PersistentVolume" => core::v1::PersistentVolume, "PersistentVolumeClaim" => core::v1::PersistentVolumeClaim,
      "Service" => core::v1::Service, "Deployment" => apps::v1::Deployment, "StatefulSet" => apps::v1::StatefulSet, "ReplicaSet" => apps::v1::ReplicaSet,
      "ConfigMap" => core::v1::ConfigMap, "Secret" => core::v1::Secret, "Namespace" => core::v1::Namespace, "Job" => batch::v1::Job, "CronJob" => batch::v1::CronJob,
      "StorageClass" => storage::v1::StorageClass, "EndpointSlice" => discovery::v1::EndpointSlice, "ResourceQuota" => core::v1::ResourceQuota, "LimitRange" => core::v1::LimitRange,
      "ServiceAccount" => core::v1::ServiceAccount)
}
#[test]
fn adhoc() {
    let mut n = 0;
    let mut objs = 0;
    let mut bad = 0;
    for room in std::fs::read_dir("/work/shared/conformance").unwrap() {
        let room = room.unwrap().path();
        if !room.is_dir() {
            continue;
        }
        for case in std::fs::read_dir(room).unwrap() {
            let case = case.unwrap().path();
            let Ok(e) = std::fs::read_to_string(case.join("expected.json")) else { continue };
            let e: Value = serde_json::from_str(&e).unwrap();
            for (i, step) in e["steps"].as_array().unwrap().iter().enumerate() {
                let stderr = step["stderr"].as_str().unwrap();
                for o in step["objects"].as_array().unwrap() {
                    let mut o = o.clone();
                    if let Some(a) = o["metadata"].as_object_mut() {
                        if a.get("annotations").is_some_and(|a| a.as_object().unwrap().is_empty()) {
                            a.remove("annotations");
                        }
                    }
                    let root = schema::kind(o["apiVersion"].as_str().unwrap(), o["kind"].as_str().unwrap()).unwrap();
                    objs += 1;
                    let m = normalise(&o, root);
                    if m != o {
                        bad += 1;
                        if bad < 25 {
                            println!("NORM {}", case.display());
                            let (a, b) =
                                (serde_json::to_string_pretty(&o).unwrap(), serde_json::to_string_pretty(&m).unwrap());
                            println!("{}", similar::TextDiff::from_lines(&a, &b).unified_diff().context_radius(2));
                        }
                    }
                    for f in ["hostIPs", "podIPs"] {
                        if let Some(x) = o.get_mut("status").and_then(|s| s.get_mut(f)) {
                            *x = serde_json::json!([{"ip": "1.1.1.1"}]);
                        }
                    }
                    let m = normalise(&o, root);
                    let t = serde_json::to_string(&m).unwrap().replace("\"<time>\"", "\"2024-01-01T00:00:00Z\"");
                    let mut m: Value = serde_json::from_str(&t).unwrap();
                    if let Err(e) = check(&m, root) {
                        println!("CHECK {} {e}", case.display());
                    }
                    match as_typed(m.clone(), o["kind"].as_str().unwrap()) {
                        Ok(back) => {
                            strip(&mut m);
                            if back != m {
                                bad += 1;
                                if bad < 25 {
                                    println!("TYPED {}", case.display());
                                    let (a, b) = (
                                        serde_json::to_string_pretty(&m).unwrap(),
                                        serde_json::to_string_pretty(&back).unwrap(),
                                    );
                                    println!(
                                        "{}",
                                        similar::TextDiff::from_lines(&a, &b).unified_diff().context_radius(2)
                                    );
                                }
                            }
                        }
                        Err(e) => println!("TYPED {} {e}", case.display()),
                    }
                }
                let Ok(y) = std::fs::read_to_string(case.join(format!("step-{}.yaml", i + 1))) else { continue };
                for mut d in docs(&y) {
                    n += 1;
                    let (Some(av), Some(k)) =
                        (d["apiVersion"].as_str().map(str::to_owned), d["kind"].as_str().map(str::to_owned))
                    else {
                        continue;
                    };
                    let Some(root) = schema::kind(&av, &k) else {
                        println!("no kind {av} {k} {}", case.display());
                        continue;
                    };
                    if let Err(e) = check_metadata(&d) {
                        let s = format!("{e}");
                        println!("{} META {} {s}", if stderr.contains(&s) { "ok" } else { "??" }, case.display());
                        continue;
                    }
                    strip(&mut d);
                    match check(&d, root) {
                        Err(e) => {
                            let s = e.bad_request(&av, &k);
                            println!("{} {} {s}", if stderr.contains(&s) { "ok" } else { "??" }, case.display());
                        }
                        Ok(()) => {
                            if stderr.contains("cannot be handled as a") {
                                println!("MISSED? {} {stderr}", case.display());
                            }
                            if let Err(e) = as_typed(normalise(&d, root), &k) {
                                println!("SERDE {} {e}", case.display());
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{n} docs {objs} objects {bad} bad");
}
