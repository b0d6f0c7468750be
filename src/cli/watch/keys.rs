//! Key presses, read beside the work.
use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// Single keys at a terminal, first letters of lines elsewhere.
pub(super) struct Keys {
    pressed: Receiver<Option<char>>,
    /// The terminal is read only when asked for, so that it is as it was when the program ends.
    go_on: SyncSender<()>,
    at_end: bool,
}

impl Keys {
    pub(super) fn start() -> Keys {
        let (send, pressed) = channel();
        let (go_on, ask) = sync_channel(1);
        thread::spawn(move || {
            let terminal = io::stdin().is_terminal();
            loop {
                let key = if terminal { console::Term::stdout().read_char().ok() } else { first_letter_of_line() };
                if send.send(key).is_err() || key.is_none() || ask.recv().is_err() {
                    return;
                }
            }
        });
        Keys { pressed, go_on, at_end: false }
    }

    /// The key that was pressed within a period, in small letters. After the end of the input it is `q`.
    pub(super) fn wait(&mut self, period: Duration) -> Option<char> {
        if self.at_end {
            return Some('q');
        }
        match self.pressed.recv_timeout(period) {
            Ok(Some(key)) => {
                // nobody needs the terminal after `q`
                if !key.eq_ignore_ascii_case(&'q') {
                    let _ = self.go_on.send(());
                }
                Some(key.to_ascii_lowercase())
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                self.at_end = true;
                None
            }
            Err(RecvTimeoutError::Timeout) => None,
        }
    }
}

fn first_letter_of_line() -> Option<char> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().chars().next().unwrap_or(' ')),
    }
}
