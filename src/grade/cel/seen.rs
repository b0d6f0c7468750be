//! What an expression that is not true saw: the part of it that is not true, and the values of that part's own parts.
use cel::{Context, Value};
use serde_json::Value as Json;

use crate::scenario::Programs;

/// What expressions are evaluated with.
pub(super) struct Scope<'a, 'p, 'v> {
    pub(super) programs: &'a Programs,
    pub(super) context: &'a Context<'p, 'v>,
}

/// Something an expression read: its text and its value, `None` if it has none. Objects are told by kind and name.
pub type Seen = (String, Option<Json>);

/// The most values that are told.
const MAX: usize = 3;
/// How far parts of parts are looked at.
const DEPTH: usize = 8;
/// From the longest, so that `<=` is not taken for `<`.
const COMPARISONS: [&str; 7] = ["==", "!=", "<=", ">=", "<", ">", " in "];
const MACROS: [&str; 2] = [".all(", ".exists("];

/// The first of the parts joined by `&&` that is not true.
pub(super) fn part<'e>(expression: &'e str, scope: &Scope<'_, '_, '_>) -> &'e str {
    let parts = split(expression, "&&");
    let simple = split(expression, "||").len() == 1 && split(expression, "?").len() == 1;
    let wrong = parts.iter().find(|part| !is_true(part, scope));
    wrong.filter(|_| simple).map_or(expression, |part| part).trim()
}

/// The values that made a part of an expression not true.
pub(super) fn values(part: &str, scope: &Scope<'_, '_, '_>) -> Vec<Seen> {
    let mut seen = Vec::new();
    look(part, scope, DEPTH, &mut seen);
    seen.truncate(MAX);
    seen
}

fn evaluate(text: &str, scope: &Scope<'_, '_, '_>) -> Option<Value> {
    scope.programs.compile(text.trim()).ok()?.execute(scope.context).ok()
}

fn is_true(text: &str, scope: &Scope<'_, '_, '_>) -> bool {
    matches!(evaluate(text, scope), Some(Value::Bool(true)))
}

fn look(text: &str, scope: &Scope<'_, '_, '_>, depth: usize, seen: &mut Vec<Seen>) {
    let text = without_parentheses(text);
    if depth == 0 || seen.len() >= MAX {
        return;
    }
    let depth = depth - 1;
    let either = split(text, "||");
    if split(text, "?").len() > 1 {
        return;
    }
    if either.len() > 1 {
        for part in either {
            look(part, scope, depth, seen);
        }
        return;
    }
    if split(text, "&&").len() > 1 {
        return look(part(text, scope), scope, depth, seen);
    }
    let sides = COMPARISONS.iter().map(|operator| split(text, operator)).find(|sides| sides.len() == 2);
    if let Some(sides) = sides {
        for side in sides {
            push(side, scope, seen);
        }
        return;
    }
    if let Some(rest) = text.strip_prefix('!') {
        return look(rest, scope, depth, seen);
    }
    if let Some(field) = text.strip_prefix("has(").and_then(|rest| rest.strip_suffix(')')) {
        return push(field, scope, seen);
    }
    let Some((receiver, each, variable, body)) = macro_of(text) else { return push(text, scope, seen) };
    let Some(Value::List(items)) = evaluate(receiver, scope) else { return push(receiver, scope, seen) };
    // of several any one would do, so that none is to blame
    if each == ".exists(" && items.len() != 1 {
        return push(receiver, scope, seen);
    }
    for item in items.iter() {
        let mut context = scope.context.new_inner_scope();
        context.add_variable_from_value(variable, item.clone());
        let inner = Scope { programs: scope.programs, context: &context };
        if !is_true(body, &inner) {
            seen.push((variable.to_owned(), item.json().ok().map(|item| brief(&item))));
            return look(body, &inner, depth, seen);
        }
    }
}

fn push(text: &str, scope: &Scope<'_, '_, '_>, seen: &mut Vec<Seen>) {
    let text = without_parentheses(text);
    if is_literal(text) || seen.iter().any(|(other, _)| other == text) {
        return;
    }
    let value = evaluate(text, scope).and_then(|value| value.json().ok()).map(|value| brief(&value));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    seen.push((with_names(&text), value));
}

/// Objects by kind and name.
fn brief(value: &Json) -> Json {
    let text = |pointer: &str| value.pointer(pointer).and_then(Json::as_str);
    match (value, text("/kind"), text("/metadata/name")) {
        (Json::Array(items), ..) => items.iter().map(brief).collect(),
        (_, Some(kind), Some(name)) => match text("/metadata/namespace") {
            Some(namespace) => format!("{kind} {namespace}/{name}").into(),
            None => format!("{kind} {name}").into(),
        },
        _ => value.clone(),
    }
}

/// `Pod a/web: spec` for `object('Pod', 'a', 'web').spec`.
fn with_names(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("object('") {
        let Some((arguments, behind)) = after.split_once("')") else { break };
        let names: Vec<&str> = arguments.split(',').map(|name| name.trim().trim_matches('\'')).collect();
        let [kind, namespace, name] = names.as_slice() else { break };
        out.push_str(before);
        match *namespace {
            "" => out.push_str(&format!("{kind} {name}")),
            namespace => out.push_str(&format!("{kind} {namespace}/{name}")),
        }
        rest = match behind.strip_prefix('.') {
            Some(field) => {
                out.push_str(": ");
                field
            }
            None => behind,
        };
    }
    out.push_str(rest);
    out
}

/// Whether a text has its value in itself: `'a'`, `[1, 2]`, `null`.
fn is_literal(text: &str) -> bool {
    let mut outside = String::new();
    scan(text, |_, c, quoted, _| outside.push(if quoted || !(c.is_alphanumeric() || c == '_') { ' ' } else { c }));
    let known =
        |word: &str| matches!(word, "null" | "true" | "false") || word.starts_with(|c: char| c.is_ascii_digit());
    outside.split_whitespace().all(known)
}

/// The receiver, name, variable and body of a macro that is the whole text.
fn macro_of(text: &str) -> Option<(&str, &'static str, &str, &str)> {
    let inside = text.strip_suffix(')')?;
    let mut last = None;
    scan(text, |at, _, quoted, depth| {
        let rest = text.get(at..).unwrap_or_default();
        let found = MACROS.into_iter().find(|each| !quoted && depth == 0 && rest.starts_with(each));
        last = found.map(|each| (at, each)).or(last);
    });
    let (at, each) = last?;
    let (receiver, body) = (text.get(..at)?, inside.get(at + each.len()..)?);
    let mut whole = true;
    scan(body, |_, _, _, depth| whole &= depth >= 0);
    let variable = split(body, ",").first().copied()?;
    let body = body.get(variable.len() + 1..).filter(|_| whole)?;
    Some((receiver, each, variable.trim(), body))
}

fn without_parentheses(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return text };
    let mut whole = true;
    scan(inside, |_, _, _, depth| whole &= depth >= 0);
    if whole { without_parentheses(inside) } else { text }
}

/// A text cut at an operator outside of quotes and brackets.
fn split<'e>(text: &'e str, operator: &str) -> Vec<&'e str> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    scan(text, |at, _, quoted, depth| {
        let here = !quoted && depth == 0 && at >= begin;
        if here && text.get(at..).is_some_and(|rest| rest.starts_with(operator)) {
            parts.extend(text.get(begin..at));
            begin = at + operator.len();
        }
    });
    parts.extend(text.get(begin..));
    parts
}

/// Shows every character with its index, whether it is in quotes, and how many brackets are open after it.
fn scan(text: &str, mut show: impl FnMut(usize, char, bool, i32)) {
    let (mut quote, mut escaped, mut depth) = (None, false, 0_i32);
    for (at, c) in text.char_indices() {
        let quoted = quote.is_some() || matches!(c, '\'' | '"');
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth = depth.saturating_add(1),
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        show(at, c, quoted, depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_outside_of_quotes_and_brackets() {
        assert_eq!(split("a && (b && c) && '&&'", "&&"), ["a ", " (b && c) ", " '&&'"]);
        assert_eq!(without_parentheses(" ((a) || (b)) "), "(a) || (b)");
        assert_eq!(without_parentheses("(a)"), "a");
        assert_eq!(macro_of("[1].all(x, x.exists(y, y > x))"), Some(("[1]", ".all(", "x", " x.exists(y, y > x)")));
        assert_eq!(macro_of("[1].all(x, x > 0).size()"), None);
        assert!(is_literal("['a', \"b\", 1, null]") && !is_literal("a.b"));
        assert_eq!(with_names("object('Pod', 'a', 'b').spec"), "Pod a/b: spec");
    }

    #[test]
    fn the_values_of_the_first_part_that_is_not_true_are_told() {
        let context = Context::default();
        let scope = Scope { programs: &Programs::default(), context: &context };
        let told = |expression: &str| {
            let values = values(part(expression, &scope), &scope).into_iter();
            let text = values.map(|(text, value)| format!("{text} = {}", value.unwrap_or_else(|| "none".into())));
            text.collect::<Vec<_>>()
        };
        assert_eq!(told("1 == 1 && size([1, 2]) == 3"), ["size([1, 2]) = 2"]);
        assert_eq!(told("[1, 5, 7].all(x, x < 3)"), ["x = 5"]);
        assert_eq!(told("[{'a': 1}].exists(m, m.a == 2)"), ["m = {\"a\":1}", "m.a = 1"]);
        assert_eq!(told("[{'a': 1}].all(m, has(m.b))"), ["m = {\"a\":1}", "m.b = \"none\""]);
    }
}
