//! Grades CKAD practice answers by playing them into an in-process simulation of Kubernetes 1.36.
pub mod api;
pub mod cli;
pub mod cluster;
pub mod controllers;
pub mod environment;
pub mod grade;
pub mod kubelet;
pub mod lang;
pub mod manifest;
pub mod reconcile;
pub mod report;
pub mod scenario;
pub mod scheduler;
pub mod storage;
pub mod suggest;
pub mod timeline;
pub mod yaml;
