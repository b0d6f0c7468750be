//! What is wrong with a command line, in our own words and in both languages.
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::help;
use crate::lang::Lang;

/// What is wrong, and below it how the command is called.
pub(super) fn explain(error: &Error, arguments: &[OsString], lang: Lang) -> String {
    let mut root = help::command(lang);
    root.build();
    let command = called(&root, arguments);
    let mut lines = vec![sentence(error, lang)];
    lines.extend(suggestion(error, lang));
    let name = command.get_bin_name().unwrap_or("ckad-grade");
    lines.push(lang.pick(format!("Help and examples: {name} --help"), format!("說明與範例：{name} --help")));
    lines.join("\n")
}

/// The innermost command that a command line names.
fn called<'a>(root: &'a Command, arguments: &[OsString]) -> &'a Command {
    let words = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    words.fold(root, |command, word| command.find_subcommand(word).unwrap_or(command))
}

fn sentence(error: &Error, lang: Lang) -> String {
    let text = |kind| error.get(kind).map(texts).unwrap_or_default();
    let first = |kind| text(kind).into_iter().next().unwrap_or_default();
    // `--level <LEVEL>` and `<SCENARIO>` are no words of a command line
    let name = |argument: String| argument.replace(['<', '>', '[', ']'], "").trim_end_matches("...").to_owned();
    let argument = first(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            lang.pick(format!("there is no option `{argument}`"), format!("沒有 `{argument}` 這個選項"))
        }
        ErrorKind::UnknownArgument => {
            lang.pick(format!("`{argument}` is one word too many"), format!("多了一個詞：`{argument}`"))
        }
        ErrorKind::InvalidSubcommand => {
            let word = first(ContextKind::InvalidSubcommand);
            lang.pick(format!("there is no command `{word}`"), format!("沒有 `{word}` 這個指令"))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let (value, name) = (first(ContextKind::InvalidValue), name(argument));
            let allowed = text(ContextKind::ValidValue).join(lang.pick(", ", "、"));
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let mut sentence = match value.is_empty() {
                true => lang.pick(format!("{name} lacks a value"), format!("{name} 缺少值")),
                false => lang.pick(format!("`{value}` is no {name}"), format!("`{value}` 不是 {name} 可用的值")),
            };
            if !allowed.is_empty() {
                sentence.push_str(&lang.pick(format!("; it can be {allowed}"), format!("；可以是 {allowed}")));
            } else if !why.is_empty() {
                sentence.push_str(&lang.pick(format!(": {}", number(&why, lang)), format!("：{}", number(&why, lang))));
            }
            sentence
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = text(ContextKind::InvalidArg).into_iter().map(name).collect::<Vec<_>>().join(" ");
            lang.pick(format!("something is missing: {missing}"), format!("缺少 {missing}"))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            lang.pick("a command is missing", "缺少指令").to_owned()
        }
        ErrorKind::ArgumentConflict => {
            let prior = text(ContextKind::PriorArg).into_iter().map(name).collect::<Vec<_>>().join(" ");
            let word = if argument.is_empty() { first(ContextKind::InvalidSubcommand) } else { argument };
            let one = name(word);
            match prior.is_empty() || prior == one {
                true => lang.pick(format!("{one} can be given only once"), format!("{one} 只能寫一次")),
                false => lang.pick(format!("{one} does not go with {prior}"), format!("{one} 不能與 {prior} 併用")),
            }
        }
        ErrorKind::NoEquals => {
            let name = name(argument);
            lang.pick(format!("a value of {name} stands behind `=`"), format!("{name} 的值要寫在 `=` 後面"))
        }
        ErrorKind::InvalidUtf8 => lang.pick("something is not UTF-8", "有些文字不是 UTF-8").to_owned(),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// What the standard library says about numbers, in our words.
fn number(why: &str, lang: Lang) -> String {
    match why {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            lang.pick("a whole number is wanted", "需要整數").to_owned()
        }
        "number would be zero for non-zero type" => lang.pick("at least 1 is wanted", "至少要是 1").to_owned(),
        why if why.starts_with("number too") => lang.pick("the number is too large", "數字太大").to_owned(),
        why => match why.split_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
            Some((min, max)) => lang.pick(format!("it is between {min} and {max}"), format!("範圍是 {min} 到 {max}")),
            None => why.to_owned(),
        },
    }
}

fn suggestion(error: &Error, lang: Lang) -> Option<String> {
    // the nearest one is the last
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let word = kinds.into_iter().find_map(|kind| error.get(kind).and_then(|value| texts(value).pop()))?;
    Some(lang.pick(format!("Did you mean `{word}`?"), format!("是不是 `{word}`？")))
}

fn texts(value: &ContextValue) -> Vec<String> {
    match value {
        ContextValue::String(text) => vec![text.clone()],
        ContextValue::Strings(texts) => texts.clone(),
        ContextValue::StyledStr(text) => vec![text.to_string()],
        ContextValue::StyledStrs(texts) => texts.iter().map(ToString::to_string).collect(),
        ContextValue::Number(number) => vec![number.to_string()],
        _ => Vec::new(),
    }
}
