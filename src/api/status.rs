//! The API server's refusals (`metav1.Status`), worded as `k8s.io/apimachinery/pkg/api/errors` words them.
use std::fmt;

use super::field::{ErrorList, FieldError};
use super::object::Kind;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reason {
    BadRequest,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    Invalid,
    MethodNotAllowed,
    InternalError,
    /// The server gives no reason.
    Unknown,
}

impl Reason {
    /// The reason as kubectl prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::BadRequest => "BadRequest",
            Reason::Forbidden => "Forbidden",
            Reason::NotFound => "NotFound",
            Reason::AlreadyExists => "AlreadyExists",
            Reason::Conflict => "Conflict",
            Reason::Invalid => "Invalid",
            Reason::MethodNotAllowed => "MethodNotAllowed",
            Reason::InternalError => "InternalError",
            Reason::Unknown => "",
        }
    }
}

/// A refused request.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The kind of refusal.
    pub reason: Reason,
    /// The API server's message.
    pub message: String,
    /// Kind and name the refusal is about, where the server names them.
    pub details: Option<Box<(String, String)>>,
    /// For [`Reason::Invalid`]: every rule that was broken, in order.
    pub causes: ErrorList,
    /// Field paths the refusal points at (also for decoding errors, which have no causes).
    pub fields: Vec<String>,
    /// Warnings that the server sent along with the refusal.
    pub warnings: Vec<String>,
}

impl Status {
    fn new(reason: Reason, message: String) -> Self {
        Status { reason, message, details: None, causes: Vec::new(), fields: Vec::new(), warnings: Vec::new() }
    }

    /// The refusal of a request that was warned about before.
    #[must_use]
    pub fn with_warnings(mut self, mut warnings: Vec<String>) -> Self {
        warnings.append(&mut self.warnings);
        self.warnings = super::warnings::recorded(warnings);
        self
    }

    /// `errors.NewBadRequest`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message.into())
    }

    /// `errors.NewForbidden`: `pods "web" is forbidden: WHY`.
    pub fn forbidden(kind: Kind, name: &str, why: impl fmt::Display) -> Self {
        let resource = kind.qualified_resource();
        Self::new(Reason::Forbidden, format!("{resource} \"{name}\" is forbidden: {why}"))
    }

    /// `errors.NewNotFound`: `namespaces "x" not found`.
    pub fn not_found(kind: Kind, name: &str) -> Self {
        Self::new(Reason::NotFound, format!("{} \"{name}\" not found", kind.qualified_resource()))
    }

    /// `errors.NewAlreadyExists`: `pods "web" already exists`.
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        Self::new(Reason::AlreadyExists, format!("{} \"{name}\" already exists", kind.qualified_resource()))
    }

    /// `errors.NewConflict`: `Operation cannot be fulfilled on pods "web": WHY`.
    pub fn conflict(kind: Kind, name: &str, why: impl fmt::Display) -> Self {
        let resource = kind.qualified_resource();
        Self::new(Reason::Conflict, format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}"))
    }

    /// `errors.NewInternalError`.
    pub fn internal(why: impl fmt::Display) -> Self {
        Self::new(Reason::InternalError, format!("Internal error occurred: {why}"))
    }

    /// An error that is no status: the server reports it as it is (`ErrorToAPIStatus`).
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::new(Reason::Unknown, why.into())
    }

    /// `errors.NewInvalid`: `Pod "web" is invalid: …`, several causes in brackets and without repetitions.
    pub fn invalid(kind: Kind, name: &str, causes: ErrorList) -> Self {
        let qualified = match kind.group() {
            "" => kind.name().to_owned(),
            group => format!("{}.{group}", kind.name()),
        };
        let message = format!("{qualified} \"{name}\" is invalid: {}", aggregate(&causes));
        let fields = causes.iter().map(|c| c.field.clone()).collect();
        let details = Some(Box::new((kind.name().to_owned(), name.to_owned())));
        Status { reason: Reason::Invalid, message, details, causes, fields, warnings: Vec::new() }
    }

    /// `errors.NewInvalid` of no kind and no name: a patch whose result cannot be decoded.
    pub fn invalid_patch(patch: &str, why: &str) -> Self {
        let cause = super::field::Path::root("patch").invalid(patch, why);
        let message = format!(" \"\" is invalid: {cause}");
        let details = Some(Box::default());
        let fields = Vec::new();
        Status { reason: Reason::Invalid, message, details, causes: vec![cause], fields, warnings: Vec::new() }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Status {}

/// Several messages as `utilerrors.Aggregate` prints them: one plain, more in brackets, each once.
pub fn aggregate(causes: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes {
        let text = cause.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [one] => one.clone(),
        more => format!("[{}]", more.join(", ")),
    }
}
