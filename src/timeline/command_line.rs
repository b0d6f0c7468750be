//! Reading kubectl command lines: words with the shell's quoting, and nothing else of a shell.
//!
//! Beside plain lines three forms are read that people use with kubectl: a here-document as standard input
//! (`kubectl apply -f - <<EOF`, `cat <<EOF | kubectl apply -f -`), a dry run into a file (`… -o yaml > pod.yaml`) and a
//! dry run into another command (`… -o yaml | kubectl apply -f -`).
use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

/// One command of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The words after `kubectl`.
    pub words: Vec<String>,
    /// What comes in at standard input.
    pub input: Option<Input>,
    /// Where standard output goes.
    pub redirect: Option<Redirect>,
}

/// What comes in at standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A here-document.
    Text(String),
    /// The output of another kubectl command: its words.
    Command(Vec<String>),
}

/// A file that standard output goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The file.
    pub file: String,
    /// `>>`.
    pub append: bool,
}

/// Why a line is not played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not begin with `kubectl`.
    NotKubectl(String),
    /// `$NAME` and the like.
    Variable,
    /// A command inside a command.
    Substitution,
    /// `;`, `&&`, `&`, `(`, …
    Operator(String),
    /// A pipe of another form than those that are read.
    Pipe,
    /// A redirect of another form than those that are read.
    Redirect,
    /// `*`, `?`, `[…]`, `{a,b}`, `~`: names of files that the shell fills in.
    Glob(char),
    /// A quote that is not closed.
    UnclosedQuote(char),
    /// A here-document that does not end.
    UnclosedHereDocument(String),
    /// A character that is no text.
    Control,
    /// The line is longer than [`MAX_LINE`].
    TooLong,
    /// There are more commands than [`MAX_COMMANDS`].
    TooMany,
    /// A command that needs a person.
    Interactive(String),
    /// A command whose effect is not simulated.
    NotSimulated(String),
    /// A file that is not part of the answer.
    Outside(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotKubectl(word) => write!(f, "only kubectl commands are played, not `{word}`"),
            Refusal::Variable => {
                f.write_str("variables are not replaced: write the value, or put `$` in single quotes")
            }
            Refusal::Substitution => f.write_str("commands inside commands are not played: write the value itself"),
            Refusal::Operator(operator) => {
                write!(f, "`{operator}` is not read: write one kubectl command on each line")
            }
            Refusal::Pipe => f.write_str("a pipe leads only from a dry run or `cat <<EOF` to `kubectl … -f -`"),
            Refusal::Redirect => f.write_str("only the YAML or JSON of a `--dry-run=client` can go to a file"),
            Refusal::Glob(c) => write!(f, "names with `{c}` are not filled in: write the names, or put it in quotes"),
            Refusal::UnclosedQuote(quote) => write!(f, "the quote {quote} is not closed"),
            Refusal::UnclosedHereDocument(end) => {
                write!(f, "the here-document does not end: a line `{end}` is missing")
            }
            Refusal::Control => f.write_str("the line holds a control character"),
            Refusal::TooLong => write!(f, "the command is longer than {MAX_LINE} bytes"),
            Refusal::TooMany => write!(f, "only the first {MAX_COMMANDS} commands are played"),
            Refusal::Interactive(command) => {
                write!(f, "`kubectl {command}` needs a person at the keyboard: use `kubectl patch` or `kubectl apply`")
            }
            Refusal::NotSimulated(command) => write!(f, "what `kubectl {command}` does is not simulated"),
            Refusal::Outside(file) => write!(f, "`{file}` is not one of the answer's own files"),
        }
    }
}

/// The most bytes of one command, here-documents included.
pub const MAX_LINE: usize = 1 << 20;
/// The most commands of a script.
pub const MAX_COMMANDS: usize = 500;

/// A line of a script that holds a command: its number, from 1, and the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptLine {
    /// The line it begins in.
    pub number: usize,
    /// The command, or why it is not played.
    pub command: Result<CommandLine, Refusal>,
}

/// Reads a script.
pub fn parse(text: &str) -> Vec<ScriptLine> {
    let mut reader = Reader { text, chars: text.char_indices().peekable(), line: 1 };
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        if lines.len() == MAX_COMMANDS {
            lines.push(ScriptLine { number: line.number, command: Err(Refusal::TooMany) });
            break;
        }
        lines.push(line);
    }
    lines
}

/// Reads a single command, with or without `kubectl` in front.
///
/// # Errors
/// When it is not one plain command.
pub fn parse_one(text: &str) -> Result<CommandLine, Refusal> {
    let begins = text.trim_start();
    let named = ["kubectl", "k", "cat"]
        .iter()
        .any(|name| begins.strip_prefix(name).is_some_and(|rest| rest.starts_with(char::is_whitespace)));
    let full = if named { text.to_owned() } else { format!("kubectl {text}") };
    let mut lines = parse(&full).into_iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.command,
        (None, _) => Err(Refusal::NotKubectl(String::new())),
        (Some(_), Some(_)) => Err(Refusal::Operator("\\n".to_owned())),
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Pipe,
    Redirect { append: bool },
    HereDocument { word: String, quoted: bool, indented: bool },
}

struct Reader<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    line: usize,
}

impl<'a> Reader<'a> {
    fn bump(&mut self) -> Option<char> {
        let (_, c) = self.chars.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn offset(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    /// The next line that is neither empty nor a comment.
    fn next_line(&mut self) -> Option<ScriptLine> {
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.bump();
            }
            self.peek()?;
            let (number, start) = (self.line, self.offset());
            let mut refusal = None;
            let tokens = self.tokens(&mut refusal);
            let documents = self.here_documents(&tokens, &mut refusal);
            let length = self.offset() - start;
            if refusal.is_none() && tokens.is_empty() {
                continue;
            }
            let command = match refusal {
                _ if length > MAX_LINE => Err(Refusal::TooLong),
                Some(refusal) => Err(refusal),
                None => command(tokens, documents),
            };
            match command {
                Ok(None) => continue,
                Ok(Some(command)) => return Some(ScriptLine { number, command: Ok(command) }),
                Err(refusal) => return Some(ScriptLine { number, command: Err(refusal) }),
            }
        }
    }

    /// The tokens up to the end of the line; the first thing that is not read goes to `refusal`.
    fn tokens(&mut self, refusal: &mut Option<Refusal>) -> Vec<Token> {
        let mut tokens = Vec::new();
        loop {
            match self.peek() {
                None => return tokens,
                Some('\n') => {
                    self.bump();
                    return tokens;
                }
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.bump();
                    }
                }
                Some(' ' | '\t' | '\r') => {
                    self.bump();
                }
                Some('|') => {
                    self.bump();
                    match self.peek() {
                        Some(c @ ('|' | '&')) => {
                            refusal.get_or_insert(Refusal::Operator(format!("|{c}")));
                            self.bump();
                        }
                        _ => tokens.push(Token::Pipe),
                    }
                }
                Some('>') => {
                    self.bump();
                    let append = self.take('>');
                    if matches!(self.peek(), Some('&' | '|')) {
                        refusal.get_or_insert(Refusal::Redirect);
                        self.bump();
                    }
                    tokens.push(Token::Redirect { append });
                }
                Some('<') => self.less(&mut tokens, refusal),
                Some(c @ (';' | '&' | '(' | ')')) => {
                    self.bump();
                    let double = if self.take(c) { c.to_string() } else { String::new() };
                    refusal.get_or_insert(Refusal::Operator(format!("{c}{double}")));
                }
                Some(_) => {
                    let (word, _) = self.word(refusal);
                    // `2> file`: the number of a stream
                    if matches!(self.peek(), Some('>' | '<')) && word.chars().all(|c| c.is_ascii_digit()) {
                        refusal.get_or_insert(Refusal::Redirect);
                    }
                    if let Some(word) = word_or_continuation(word) {
                        tokens.push(Token::Word(word));
                    }
                }
            }
        }
    }

    fn less(&mut self, tokens: &mut Vec<Token>, refusal: &mut Option<Refusal>) {
        self.bump();
        if !self.take('<') {
            refusal.get_or_insert(Refusal::Redirect);
            return;
        }
        if self.take('<') {
            refusal.get_or_insert(Refusal::Redirect);
            return;
        }
        let indented = self.take('-');
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.bump();
        }
        let (word, quoted) = self.word(refusal);
        tokens.push(Token::HereDocument { word, quoted, indented });
    }

    /// A word and whether any of it was quoted. A continued line gives an empty word that was not quoted.
    fn word(&mut self, refusal: &mut Option<Refusal>) -> (String, bool) {
        let mut word = String::new();
        let mut quoted = false;
        let mut refuse = |why: Refusal| {
            refusal.get_or_insert(why);
        };
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | '|' | '>' | '<' | ';' | '&' | '(' | ')' => break,
                _ => {
                    self.bump();
                }
            }
            match c {
                '\\' => match self.bump() {
                    Some('\r') if self.peek() == Some('\n') => {
                        self.bump();
                    }
                    Some('\n') | None => {}
                    Some(c) => {
                        quoted = true;
                        word.push(c);
                    }
                },
                '\'' => {
                    quoted = true;
                    loop {
                        match self.bump() {
                            None => {
                                refuse(Refusal::UnclosedQuote('\''));
                                break;
                            }
                            Some('\'') => break,
                            Some(c) => word.push(c),
                        }
                    }
                }
                '"' => {
                    quoted = true;
                    loop {
                        match self.bump() {
                            None => {
                                refuse(Refusal::UnclosedQuote('"'));
                                break;
                            }
                            Some('"') => break,
                            Some('\\') => match self.bump() {
                                Some(c @ ('$' | '`' | '"' | '\\')) => word.push(c),
                                Some('\n') | None => {}
                                Some(c) => word.extend(['\\', c]),
                            },
                            Some('$') if self.peek() == Some('(') => refuse(Refusal::Substitution),
                            Some('$') => refuse(Refusal::Variable),
                            Some('`') => refuse(Refusal::Substitution),
                            Some(c) => word.push(c),
                        }
                    }
                }
                '$' if self.peek() == Some('(') => refuse(Refusal::Substitution),
                '$' => refuse(Refusal::Variable),
                '`' => refuse(Refusal::Substitution),
                '*' | '?' | '[' => refuse(Refusal::Glob(c)),
                '~' if word.is_empty() => refuse(Refusal::Glob(c)),
                '{' => {
                    if self.is_brace_expansion() {
                        refuse(Refusal::Glob(c));
                    }
                    word.push(c);
                }
                c if c.is_control() => refuse(Refusal::Control),
                c => word.push(c),
            }
        }
        if word.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
            refuse(Refusal::Control);
        }
        if quoted && word.is_empty() {
            word.push('\0'); // an empty word is a word; taken out again by `word_or_continuation`
        }
        (word, quoted)
    }

    /// Whether braces hold alternatives: `{a,b}` or `{1..3}`. A single word in braces is left alone by shells.
    fn is_brace_expansion(&mut self) -> bool {
        let rest = self.text.get(self.offset()..).unwrap_or_default();
        let word =
            rest.split(|c: char| c.is_whitespace() || c == '}' || c == '\'' || c == '"').next().unwrap_or_default();
        let closed = rest.get(word.len()..).is_some_and(|rest| rest.starts_with('}'));
        closed && (word.contains(',') || word.contains(".."))
    }

    /// The bodies of the line's here-documents.
    fn here_documents(&mut self, tokens: &[Token], refusal: &mut Option<Refusal>) -> Vec<String> {
        let mut bodies = Vec::new();
        for token in tokens {
            let Token::HereDocument { word, quoted, indented } = token else { continue };
            let mut body = String::new();
            loop {
                let Some((line, ended)) = self.raw_line() else {
                    refusal.get_or_insert(Refusal::UnclosedHereDocument(word.replace('\0', "")));
                    break;
                };
                let line = if *indented { line.trim_start_matches('\t') } else { line };
                let line = line.strip_suffix('\r').unwrap_or(line);
                if line == word.replace('\0', "") {
                    break;
                }
                if *quoted {
                    body.push_str(line);
                } else {
                    expand(line, &mut body, refusal);
                }
                if ended {
                    body.push('\n');
                }
            }
            bodies.push(body);
        }
        bodies
    }

    /// A line without its end, and whether it has one.
    fn raw_line(&mut self) -> Option<(&'a str, bool)> {
        self.peek()?;
        let start = self.offset();
        let text = self.text;
        while let Some(c) = self.bump() {
            if c == '\n' {
                let end = self.offset();
                return text.get(start..end).map(|line| (line.trim_end_matches('\n'), true));
            }
        }
        text.get(start..).map(|line| (line, false))
    }
}

/// A line of a here-document whose end was not quoted: the shell looks for variables in it.
fn expand(line: &str, body: &mut String, refusal: &mut Option<Refusal>) {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('$' | '`' | '\\')) => body.extend(chars.next()),
            ('`', _) | ('$', Some('(')) => {
                refusal.get_or_insert(Refusal::Substitution);
            }
            ('$', Some(next)) if next.is_ascii_alphanumeric() || matches!(next, '_' | '{') => {
                refusal.get_or_insert(Refusal::Variable);
            }
            (c, _) => body.push(c),
        }
    }
}

/// What [`Reader::word`] gave, without its mark for an empty word in quotes; `None` for the end of a continued line.
fn word_or_continuation(word: String) -> Option<String> {
    match word.as_str() {
        "" => None,
        "\0" => Some(String::new()),
        _ => Some(word),
    }
}

/// The command that tokens mean; `None` for a line that does nothing.
fn command(tokens: Vec<Token>, documents: Vec<String>) -> Result<Option<CommandLine>, Refusal> {
    let mut stages: Vec<Stage> = vec![Stage::default()];
    let mut documents = documents.into_iter();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let last = stages.len() - 1;
        let Some(stage) = stages.get_mut(last) else { break };
        match token {
            Token::Word(word) => stage.words.push(word),
            Token::Pipe => stages.push(Stage::default()),
            Token::HereDocument { .. } => stage.document = documents.next(),
            Token::Redirect { append } => match (tokens.next(), &stage.redirect) {
                (Some(Token::Word(file)), None) => stage.redirect = Some(Redirect { file, append }),
                _ => return Err(Refusal::Redirect),
            },
        }
    }
    let mut stages = stages.into_iter();
    match (stages.next(), stages.next(), stages.next()) {
        (Some(only), None, _) => {
            if only.words == ["alias", "k=kubectl"] && only.redirect.is_none() {
                return Ok(None);
            }
            let words = kubectl_words(only.words)?;
            let input = only.document.map(Input::Text);
            Ok(Some(CommandLine { words, input, redirect: only.redirect }))
        }
        (Some(first), Some(second), None) if first.redirect.is_none() && second.document.is_none() => {
            let input = match first.document {
                Some(text) if first.words == ["cat"] || first.words == ["cat", "-"] => Input::Text(text),
                Some(_) => return Err(Refusal::Pipe),
                None => Input::Command(kubectl_words(first.words).map_err(|_| Refusal::Pipe)?),
            };
            let words = kubectl_words(second.words).map_err(|_| Refusal::Pipe)?;
            Ok(Some(CommandLine { words, input: Some(input), redirect: second.redirect }))
        }
        _ => Err(Refusal::Pipe),
    }
}

/// What stands between two pipes.
#[derive(Default)]
struct Stage {
    words: Vec<String>,
    document: Option<String>,
    redirect: Option<Redirect>,
}

fn kubectl_words(mut words: Vec<String>) -> Result<Vec<String>, Refusal> {
    match words.first().map(String::as_str) {
        Some("kubectl" | "k") => {
            words.remove(0);
            Ok(words)
        }
        first => Err(Refusal::NotKubectl(first.unwrap_or_default().chars().take(40).collect())),
    }
}

#[cfg(test)]
#[path = "command_line/tests.rs"]
mod tests;
