//! Simple keys and indentation: what decides that a scalar was a key and where a block ends.
use super::{Kind, MAX_DEPTH, Mark, Scan, Scanner, SimpleKey, token};

impl Scanner<'_> {
    /// A simple key ends on its line and within 1024 characters.
    pub(super) fn simple_key_is_valid(&mut self, place: usize) -> Scan<bool> {
        let Some(&key) = self.simple_keys.get(place) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.mark.line || key.mark.column + 1024 < self.mark.column {
            if key.required {
                return self.error("while scanning a simple key", key.mark, "could not find expected ':'");
            }
            if let Some(key) = self.simple_keys.get_mut(place) {
                key.possible = false;
            }
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn save_simple_key(&mut self) -> Scan<()> {
        if self.simple_key_allowed {
            let required = self.flow_level == 0 && self.indent == self.mark.column as i32;
            let token_number = self.next_token_number();
            self.remove_simple_key()?;
            let place = self.simple_keys.len().saturating_sub(1);
            if let Some(key) = self.simple_keys.last_mut() {
                *key = SimpleKey { possible: true, required, token_number, mark: self.mark };
            }
            self.forget_simple_key(token_number);
            self.simple_keys_by_token.push_back((token_number, place));
        }
        Ok(())
    }

    pub(super) fn remove_simple_key(&mut self) -> Scan<()> {
        let Some(key) = self.simple_keys.last().copied() else {
            return Ok(());
        };
        if key.possible {
            if key.required {
                return self.error("while scanning a simple key", key.mark, "could not find expected ':'");
            }
            if let Some(key) = self.simple_keys.last_mut() {
                key.possible = false;
            }
            self.forget_simple_key(key.token_number);
        }
        Ok(())
    }

    pub(super) fn forget_simple_key(&mut self, token_number: usize) {
        if let Ok(place) = self.simple_keys_by_token.binary_search_by_key(&token_number, |&(number, _)| number) {
            self.simple_keys_by_token.remove(place);
        }
    }

    pub(super) fn roll_indent(&mut self, column: u32, number: Option<usize>, kind: Kind, mark: Mark) -> Scan<()> {
        let column = column as i32;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            let mark = self.simple_keys.last().map_or(self.mark, |key| key.mark);
            return self.error("while increasing indent level", mark, "exceeded max depth of 10000");
        }
        let token = token(kind, mark, mark);
        match number {
            Some(number) => self.insert(number, token),
            None => self.push(token),
        }
        Ok(())
    }

    pub(super) fn unroll_indent(&mut self, column: i32) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(token(Kind::BlockEnd, self.mark, self.mark));
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}
