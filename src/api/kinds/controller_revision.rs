//! ControllerRevisions (`pkg/registry/apps/controllerrevision/strategy.go`).
use k8s_openapi::api::apps::v1::ControllerRevision;

use crate::api::strategy::Strategy;

impl Strategy for ControllerRevision {}
