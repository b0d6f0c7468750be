//! How wide text is on a terminal, and breaking it into lines.

/// Columns of a character: two for East Asian wide ones, none for combining marks.
pub fn char_width(c: char) -> usize {
    match c as u32 {
        0x300..=0x36f | 0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a text.
///
/// ```
/// assert_eq!(ckad_grade::report::width::width("PV 磁碟"), 7);
/// ```
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// A text and blanks up to a width.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Breaks a text into lines of at most so many columns: at blanks, and between wide characters. Its own line breaks stay; a
/// word that is too long is not broken. Lines keep the indentation of the line they come from.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_line(line, columns)).collect()
}

/// Prose for a terminal: lines of a paragraph are put together and broken anew; list items begin lines of their own, and what
/// belongs to a list item is indented under it. Tables and code blocks (fenced, or indented by four blanks after an empty line)
/// stay as they are; the fences themselves are left out.
pub fn reflow(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut prose = String::new();
    let (mut fenced, mut block) = (false, false);
    let mut after_empty = true;
    for line in text.lines().map(str::trim_end) {
        let body = line.trim_start();
        let fence = body.starts_with("```");
        // the lines of an indented block go on after an empty one
        block = !fenced && line.starts_with("    ") && (after_empty || block) || (block && line.is_empty());
        after_empty = line.is_empty();
        if fence || fenced || body.starts_with('|') || (block && !line.is_empty()) {
            lines.extend(reflow_prose(&std::mem::take(&mut prose), columns));
            match (fence, fenced) {
                (true, _) => fenced = !fenced,
                (false, true) => lines.push(if line.is_empty() { String::new() } else { format!("    {line}") }),
                (false, false) => lines.push(line.to_owned()),
            }
        } else {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    lines.extend(reflow_prose(&prose, columns));
    lines
}

fn reflow_prose(text: &str, columns: usize) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut joinable = false;
    for line in text.lines().map(str::trim_end) {
        let body = line.trim_start();
        let item = body.starts_with("- ") || body.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
        match paragraphs.last_mut() {
            Some(last) if joinable && !item && !line.is_empty() => {
                if let (Some(before), Some(after)) = (last.chars().next_back(), body.chars().next())
                    && !joins(before, after)
                {
                    last.push(' ');
                }
                last.push_str(body);
            }
            _ => paragraphs.push(line.to_owned()),
        }
        joinable = !line.is_empty();
    }
    paragraphs.iter().flat_map(|paragraph| hanging(paragraph, columns)).collect()
}

/// Whether nothing stands for the line break between two characters: Chinese is written without blanks between words, and
/// its punctuation needs none beside it.
fn joins(before: char, after: char) -> bool {
    let mark = |c: char| matches!(c as u32, 0x3000..=0x303f | 0xff00..=0xff65);
    mark(before) || mark(after) || (char_width(before) == 2 && char_width(after) == 2)
}

/// A paragraph whose lines after the first stand under the text of a list item.
fn hanging(paragraph: &str, columns: usize) -> Vec<String> {
    let marker = match paragraph.trim_start().split_once(' ') {
        Some((first, _)) if first == "-" || (first.ends_with('.') && first.len() <= 3) => {
            paragraph.len() - paragraph.trim_start().len() + first.len() + 1
        }
        _ => 0,
    };
    let (head, body) = paragraph.split_at(marker);
    let lines = wrap_line(body, columns.saturating_sub(marker)).into_iter().enumerate();
    lines
        .map(|(i, line)| if i == 0 { format!("{head}{line}") } else { format!("{}{line}", " ".repeat(marker)) })
        .collect()
}

fn wrap_line(line: &str, columns: usize) -> Vec<String> {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut current = indent.clone();
    let mut blank = false;
    // where the pieces of the current line begin, and whether they are closing marks
    let mut starts: Vec<(usize, bool)> = Vec::new();
    for piece in pieces(line) {
        if piece == " " {
            blank = current.len() > indent.len();
            continue;
        }
        let gap = usize::from(blank);
        let fits = width(&current) + gap + width(piece) <= columns;
        // a closing mark does not begin a line
        let closing = piece.chars().next().is_some_and(|c| "，。；：、）」』！？…》".contains(c));
        if !fits && current.len() > indent.len() {
            // it takes what stands before it along
            let before = starts.iter().rev().find(|(_, closing)| !closing).map(|(start, _)| *start);
            let taken = before.filter(|start| closing && *start > indent.len()).map(|start| current.split_off(start));
            if !closing || taken.is_some() {
                lines.push(std::mem::replace(&mut current, indent.clone()).trim_end().to_owned());
                starts.clear();
            }
            if let Some(taken) = taken {
                starts.push((current.len(), false));
                current.push_str(&taken);
            }
        } else if blank {
            current.push(' ');
        }
        starts.push((current.len(), closing));
        current.push_str(piece);
        blank = false;
    }
    lines.push(current);
    lines
}

/// The parts between which a line may be broken: words, blanks, wide characters.
fn pieces(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        if c == ' ' || char_width(c) == 2 {
            parts.extend(line.get(start..at).filter(|word| !word.is_empty()));
            let end = at + c.len_utf8();
            parts.extend(line.get(at..end));
            start = end;
        }
    }
    parts.extend(line.get(start..).filter(|word| !word.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::{reflow, wrap};

    #[test]
    fn lines_break_at_blanks_and_between_wide_characters() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("磁碟空間", 4), ["磁碟", "空間"]);
        assert_eq!(wrap("  - aa bb", 6), ["  - aa", "  bb"]);
    }

    #[test]
    fn a_closing_mark_does_not_begin_a_line() {
        assert_eq!(wrap("磁碟空。間", 6), ["磁碟", "空。間"]);
        assert_eq!(wrap("磁碟 PV）。空", 7), ["磁碟", "PV）。", "空"]);
        assert_eq!(wrap("磁。", 2), ["磁。"]);
    }

    #[test]
    fn paragraphs_are_put_together_and_items_hang() {
        assert_eq!(reflow("aa bb\ncc\n\n- dd ee ff\n- gg", 8), ["aa bb cc", "", "- dd ee", "  ff", "- gg"]);
        assert_eq!(reflow("磁碟\n空間", 20), ["磁碟空間"]);
    }

    #[test]
    fn a_line_break_between_chinese_and_a_word_is_a_blank() {
        assert_eq!(reflow("綁定到\nPV\n的 claim", 40), ["綁定到 PV 的 claim"]);
        assert_eq!(reflow("建立 PVC，\nPV 已存在。\n完成", 40), ["建立 PVC，PV 已存在。完成"]);
    }

    #[test]
    fn tables_and_code_blocks_stay() {
        let table = "Make these:\n\n| name | size |\n|---|---|\n| a very long name | 1Gi |\nand\nmore";
        let shown = ["Make these:", "", "| name | size |", "|---|---|", "| a very long name | 1Gi |", "and more"];
        assert_eq!(reflow(table, 12), shown);
        assert_eq!(
            reflow("do\n```yaml\na:\n  - b c d e f\n\n- x\n```\nthen\nthis", 9).join("\n"),
            "do\n    a:\n      - b c d e f\n\n    - x\nthen this"
        );
        assert_eq!(reflow("do\n\n    a b c d e\n\n    f\nso\non", 6).join("\n"), "do\n\n    a b c d e\n\n    f\nso on");
    }

    #[test]
    fn what_is_indented_under_an_item_belongs_to_it() {
        assert_eq!(reflow("- aa\n    bb", 20), ["- aa bb"]);
    }

    #[test]
    fn empty_lines_and_long_words_stay() {
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("abcdefgh", 3), ["abcdefgh"]);
    }
}
