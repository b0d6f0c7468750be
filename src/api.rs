//! The API server: kinds, decoding, defaulting, validation, admission, storage.

pub mod decode;
pub mod quantity;
pub mod schema;
