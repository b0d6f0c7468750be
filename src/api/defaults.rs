//! Defaults that several kinds share (`pkg/apis/core/v1/defaults.go`). Defaults of one kind are in its own file.
mod image_name;
pub mod pod_spec;
