//! The compiled expressions of a check: reading one takes longer than evaluating it.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cel::{ParseErrors, Program};

/// The programs of one expression and of its parts, by their text; copies share them.
#[derive(Clone, Debug, Default)]
pub struct Programs(Arc<Mutex<BTreeMap<String, Arc<Program>>>>);

impl Programs {
    /// The program of an expression.
    ///
    /// # Errors
    /// When it is not CEL.
    pub fn compile(&self, expression: &str) -> Result<Arc<Program>, ParseErrors> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = known().get(expression) {
            return Ok(program.clone());
        }
        let program = Arc::new(Program::compile(expression)?);
        known().insert(expression.to_owned(), program.clone());
        Ok(program)
    }
}
