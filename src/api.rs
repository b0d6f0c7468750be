//! The API server: kinds, decoding, defaulting, validation, admission, storage.
pub mod admission;
mod binding;
pub mod decode;
pub mod defaults;
pub mod dynamic;
pub mod event;
pub mod field;
pub mod identity;
pub mod internal;
pub mod kinds;
pub mod label_selector;
pub mod node_selector;
pub mod object;
pub mod patch;
pub mod pod_resources;
pub mod pod_warnings;

pub mod pod_condition;
pub mod quantity;
pub mod quota;
pub mod schema;
pub mod server;
pub mod status;
pub mod store;
pub mod strategy;
pub mod validation;
pub mod warnings;

pub use field::{ErrorList, FieldError, Path};
pub use object::{ApiObject, Kind, Object};
pub use server::ApiServer;
pub use status::Status;
pub use store::{Change, Store};
