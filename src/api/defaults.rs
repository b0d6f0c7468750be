//! Defaults that several kinds share (`pkg/apis/core/v1/defaults.go`). Defaults of one kind are in its own file.
pub mod image_name;
pub mod pod_spec;
