//! `cel`: an expression in the Common Expression Language is true.
//!
//! Beside CEL's own functions there are `object(KIND, NAMESPACE, NAME)`, the object or `null`; `objects(KIND)` and
//! `objects(KIND, NAMESPACE)`, lists of objects; and `quantity(TEXT)`, the number a Kubernetes quantity stands for. The
//! namespace of kinds without is `''`.
mod seen;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use cel::extractors::Arguments;
use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, Value};

use super::{Failure, Finding, ScenarioError, Verdict, compare, reasons};
use crate::api::Object;
use crate::api::object::{Kind, ObjectKey};
use crate::api::store::Store;
use crate::cluster::Cluster;
use crate::scenario::Cel;
use crate::suggest;
pub use seen::Seen;

/// CEL's own types and functions.
static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What went wrong in one of our functions because of how it was called, which is the scenario's fault.
type Misuse = Arc<Mutex<Option<String>>>;

pub(super) fn ask(question: &Cel, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let program = question.programs.compile(&question.expression).map_err(|errors| {
        let first = errors.errors.first();
        let line = first.and_then(|e| usize::try_from(e.pos.0).ok()).unwrap_or(1);
        let message = first.map_or_else(|| errors.to_string(), |e| e.msg.clone());
        ScenarioError::new(&question.place.lines_below(line.saturating_sub(1)), message)
    })?;
    let outcome = Arc::new(cluster.api().store().without_log());
    let asked_for: Arc<Mutex<Vec<ObjectKey>>> = Arc::default();
    let misuse = Misuse::default();
    let mut context = Context::with_env(STANDARD.clone());
    add_functions(&mut context, &outcome, &asked_for, &misuse)
        .map_err(|error| ScenarioError::new(&question.place, error))?;
    let result = program.execute(&context);
    let scope = seen::Scope { programs: &question.programs, context: &context };
    if let Some(message) = misuse.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(ScenarioError::new(&question.place, message));
    }
    let take = || std::mem::take(&mut *asked_for.lock().unwrap_or_else(PoisonError::into_inner));
    let expression = question.expression.trim().to_owned();
    let (objects, part) = match &result {
        Ok(Value::Bool(true)) => return Ok(Verdict::Passed),
        Ok(Value::Bool(false)) | Err(_) => (take(), seen::part(&expression, &scope).to_owned()),
        Ok(other) => {
            let message = format!("the expression is a {}, not true or false", other.type_of());
            return Err(ScenarioError::new(&question.place, message));
        }
    };
    take();
    let values = seen::values(&part, &scope);
    let mut missing = take();
    missing.retain(|key| outcome.object(key.kind, &key.namespace, &key.name).is_none());
    missing.sort();
    missing.dedup();
    let finding = match result {
        Err(error @ ExecutionError::UndeclaredReference(_)) => {
            return Err(ScenarioError::new(&question.place, error.to_string()));
        }
        Err(error) => Finding::NoValue { expression, message: error.to_string(), missing },
        Ok(_) => Finding::False { expression, part, values, missing },
    };
    let reasons = objects.iter().map(|key| reasons::with_pods(cluster, key)).find(|found| !found.is_empty());
    let failure =
        Failure { finding, differences: Vec::new(), sides: (None, None), reasons: reasons.unwrap_or_default() };
    Ok(Verdict::Failed(Box::new(failure)))
}

fn add_functions(
    context: &mut Context<'_, '_>,
    outcome: &Arc<Store>,
    asked_for: &Arc<Mutex<Vec<ObjectKey>>>,
    misuse: &Misuse,
) -> Result<(), String> {
    let (store, keys, wrong) = (outcome.clone(), asked_for.clone(), misuse.clone());
    let object = move |kind: Arc<String>, namespace: Arc<String>, name: Arc<String>| {
        let kind = kind_of(&kind, &wrong)?;
        keys.lock().unwrap_or_else(PoisonError::into_inner).push(ObjectKey::new(kind, &namespace, &name));
        let found = store.value(kind, &namespace, &name);
        Ok::<Value, ExecutionError>(found.map_or(Value::Null, |value| to_cel(value)))
    };
    let (store, wrong) = (outcome.clone(), misuse.clone());
    let objects = move |Arguments(arguments): Arguments| {
        let (kind, namespace) = match arguments.as_slice() {
            [Value::String(kind)] => (kind_of(kind, &wrong)?, None),
            [Value::String(kind), Value::String(namespace)] => (kind_of(kind, &wrong)?, Some(namespace)),
            _ => return Err(blame(&wrong, "objects", "it takes a kind and perhaps a namespace".to_owned())),
        };
        let here = |object: &&Object| namespace.is_none_or(|namespace| object.namespace() == namespace.as_str());
        let value = |object: &Object| store.value(kind, object.namespace(), object.name()).map(|value| to_cel(value));
        let list = store.objects_of(kind).filter(here).filter_map(value).collect();
        Ok::<Value, ExecutionError>(Value::List(Arc::new(list)))
    };
    let quantity = |text: Value| {
        let json = text.json().unwrap_or_default();
        let number = compare::quantity(&json).map(|quantity| match quantity.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(quantity.milli_value() as f64 / 1000.0),
        });
        number.ok_or_else(|| ExecutionError::function_error("quantity", format!("{json} is not a quantity")))
    };
    context.add_function("object", object).map_err(|error| error.to_string())?;
    context.add_function("objects", objects).map_err(|error| error.to_string())?;
    context.add_function("quantity", quantity).map_err(|error| error.to_string())
}

fn kind_of(name: &str, wrong: &Misuse) -> Result<Kind, ExecutionError> {
    if let Some(kind) = Kind::ALL.iter().find(|kind| kind.name() == name) {
        return Ok(*kind);
    }
    let near = suggest::nearest(name, Kind::ALL.iter().map(|kind| kind.name()));
    let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    Err(blame(wrong, "object", format!("there is no kind `{name}`{hint}")))
}

fn blame(wrong: &Misuse, function: &str, message: String) -> ExecutionError {
    *wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.clone());
    ExecutionError::function_error(function, message)
}

/// JSON as CEL sees it; whole numbers are always `int`, so that they compare with literals.
fn to_cel(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(to_cel).collect())),
        serde_json::Value::Object(fields) => {
            let map: HashMap<Key, Value> =
                fields.iter().map(|(key, value)| (Key::from(key.clone()), to_cel(value))).collect();
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}
