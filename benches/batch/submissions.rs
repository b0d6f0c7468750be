//! Makes a class: answers that are right, wrong, nearly right, broken and hostile, each written a little differently, as
//! people do. The same numbers give the same bytes.
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A small deterministic source of numbers (xorshift).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit.max(1) as u64) as usize
    }
}

/// The solutions of a scenario.
struct Solutions {
    id: String,
    right: Vec<String>,
    wrong: Vec<String>,
}

/// In what share answers are of which kind, in percent; the rest is hostile.
pub(crate) struct Mix {
    /// The key or another right answer.
    pub(crate) right: usize,
    /// One of the wrong answers people give.
    pub(crate) wrong: usize,
    /// An answer with a value nobody else has.
    pub(crate) own: usize,
    /// Damaged: most are no YAML any more.
    pub(crate) broken: usize,
}

/// A class as one meets it: most answers say what others say, too.
pub(crate) const CLASS: Mix = Mix { right: 45, wrong: 35, own: 8, broken: 8 };
/// Nobody says what anybody else says.
pub(crate) const LONERS: Mix = Mix { right: 0, wrong: 0, own: 100, broken: 0 };

fn solutions() -> Vec<Solutions> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions");
    let mut all = Vec::new();
    let sorted = |path: &Path| {
        let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    for folder in sorted(&root) {
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for file in sorted(&folder) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let Ok(text) = fs::read_to_string(&file) else { continue };
            match name.starts_with("wrong") {
                true => wrong.push(text),
                false if name.ends_with(".yaml") => right.push(text),
                false => {}
            }
        }
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !right.is_empty() && !wrong.is_empty() {
            all.push(Solutions { id, right, wrong });
        }
    }
    all
}

/// Writes `count` answers of `count / 10` students into a folder, and says how many bytes they are.
pub(crate) fn write(folder: &Path, count: usize, mix: &Mix) -> u64 {
    let solutions = solutions();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut bytes = 0;
    for student in 0..count.div_ceil(10) {
        let name = format!("student-{student:06}");
        let place = folder.join(&name);
        fs::create_dir_all(&place).unwrap();
        for task in 0..10.min(count - student * 10) {
            let solution = &solutions[(student + task) % solutions.len()];
            let attempt = (student + task) / solutions.len() % 10;
            let text = answer(solution, &name, student * 10 + task, mix, &mut numbers);
            bytes += text.len() as u64;
            // more tasks than there are scenarios become attempts
            let file = if task < solutions.len() {
                format!("{}.yaml", solution.id)
            } else {
                format!("{}_2026-05-{:02}.yaml", solution.id, attempt + 1)
            };
            fs::write(place.join(file), text).unwrap();
        }
    }
    bytes
}

fn answer(solution: &Solutions, student: &str, number: usize, mix: &Mix, numbers: &mut Numbers) -> Vec<u8> {
    let mut kind = numbers.below(100);
    let mut is = |share: usize| {
        let hit = kind < share;
        kind = kind.saturating_sub(share);
        hit
    };
    let pick = |texts: &[String], numbers: &mut Numbers| texts[numbers.below(texts.len())].clone();
    if is(mix.right) {
        let text = pick(&solution.right, numbers);
        return styled(&text, student, numbers).into_bytes();
    }
    if is(mix.wrong) {
        let text = pick(&solution.wrong, numbers);
        return styled(&text, student, numbers).into_bytes();
    }
    if is(mix.own) {
        let text = pick(if number.is_multiple_of(2) { &solution.right } else { &solution.wrong }, numbers);
        let own = format!("metadata:\n  annotations:\n    note: \"{student} {number}\"\n");
        return text.replacen("metadata:\n", &own, 1).into_bytes();
    }
    let text = pick(&solution.right, numbers);
    if is(mix.broken) {
        let mut bytes = text.into_bytes();
        let at = numbers.below(bytes.len());
        let piece: &[u8] =
            [&b"\t"[..], b": ", b"\0", b"\xff", b"\"", b"- [", b"{{ .Values }}", b"*x "][numbers.below(8)];
        bytes.splice(at..at, piece.iter().copied());
        return bytes;
    }
    match numbers.below(5) {
        0 => format!(
            "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [{0}]\nc: &c [{1}]\nd: [{2}]\n",
            "*a,".repeat(9),
            "*b,".repeat(9),
            "*c,".repeat(9)
        )
        .into_bytes(),
        1 => format!("kind: {}1{}\n", "[".repeat(2000), "]".repeat(2000)).into_bytes(),
        2 => text.replace("name: ", "name: \u{1b}]0;owned\u{7}\u{202e}<script>alert(1)</script>").into_bytes(),
        3 => text.replace("apiVersion", "=cmd|' /C calc'!A0").into_bytes(),
        _ => "---\n".repeat(500).into_bytes(),
    }
}

/// The same documents as another person would type them: comments, blank lines, quotes, a document mark.
fn styled(text: &str, student: &str, numbers: &mut Numbers) -> String {
    let mut out = String::new();
    match numbers.below(4) {
        0 => {}
        1 => out.push_str("---\n"),
        2 => writeln!(out, "# {student}").unwrap(),
        _ => writeln!(out, "# my answer, {} tries\n---", numbers.below(100)).unwrap(),
    }
    for line in text.lines() {
        if line.starts_with("# fails:") {
            continue;
        }
        out.push_str(line);
        match numbers.below(24) {
            0 if !line.ends_with('|') && !line.contains('#') => writeln!(out, "  # {}", numbers.below(1000)).unwrap(),
            1 => out.push_str("\r\n"),
            _ => out.push('\n'),
        }
    }
    out
}
