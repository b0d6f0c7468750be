//! Grades CKAD practice answers by playing them into an in-process simulation of Kubernetes 1.36.
pub mod api;
pub mod manifest;
