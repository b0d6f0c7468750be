//! A screen that is drawn as a whole: a title, as much of a text as there is room for, and the keys.
use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use console::Term;

use crate::cli::Session;
use crate::report::narrow::fit;
use crate::report::terminal::COLUMNS;

const SOFT: Style = AnsiColor::BrightBlack.on_default();
const STRONG: Style = Style::new().bold();

/// Rows and columns; no terminal has no end.
pub(super) type Size = (usize, usize);

/// The size of the terminal.
pub(super) fn size() -> Size {
    if !io::stdout().is_terminal() {
        return (usize::MAX, COLUMNS);
    }
    Term::stdout().size_checked().map_or((24, COLUMNS), |(rows, columns)| (rows.into(), columns.into()))
}

/// What is on the screen.
#[derive(Default)]
pub(super) struct Screen {
    title: String,
    text: String,
    /// The page of the text that is shown.
    page: usize,
}

impl Screen {
    /// Shows another text, from its beginning.
    pub(super) fn show(&mut self, session: &mut Session<'_>, title: &str, text: String) -> io::Result<()> {
        *self = Screen { title: title.to_owned(), text, page: 0 };
        self.draw(session)
    }

    /// Shows what there was no room for; after the end the beginning again.
    pub(super) fn turn(&mut self, session: &mut Session<'_>) -> io::Result<()> {
        self.page += 1;
        self.draw(session)
    }

    /// Draws everything anew.
    pub(super) fn draw(&mut self, session: &mut Session<'_>) -> io::Result<()> {
        let lang = session.lang;
        let (rows, columns) = size();
        let fitted = |text: &str| -> Vec<String> { text.lines().flat_map(|line| fit(line, columns)).collect() };
        let title = fitted(&format!("{STRONG}{}{STRONG:#}", self.title));
        let lines = fitted(self.text.trim_end());
        let mut keys = lang.pick("n next · h hint · s show · q quit", "n 下一題 · h 提示 · s 題目 · q 離開").to_owned();
        // the title, the keys, and the line where the cursor is
        let room = rows.saturating_sub(title.len() + 2).max(1);
        let pages = lines.len().div_ceil(room).max(1);
        self.page %= pages;
        if pages > 1 {
            let page = self.page + 1;
            let more = lang.pick(format!("space more ({page}/{pages})"), format!("空白鍵 看更多（{page}/{pages}）"));
            keys = format!("{more} · {keys}");
        }
        if io::stdout().is_terminal() {
            // what was there before the program stays in the terminal's memory
            write!(session.out, "\x1b[H\x1b[2J")?;
        } else {
            writeln!(session.out)?;
        }
        let shown = lines.iter().skip(self.page * room).take(room);
        for line in title.iter().chain(shown) {
            writeln!(session.out, "{line}")?;
        }
        for line in fit(&keys, columns) {
            writeln!(session.out, "{SOFT}{line}{SOFT:#}")?;
        }
        session.out.flush()
    }
}
