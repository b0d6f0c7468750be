//! What a kind does with a request before it is stored: the `RESTStrategy` of `pkg/registry/*/*/strategy.go`.
use super::field::ErrorList;
use super::object::ApiObject;
use super::store::Store;

/// Defaults, preparation and validation of one kind. Each kind has a file in [`kinds`](super::kinds) that implements this.
///
/// The order in which the API server calls them: create: `set_defaults`, mutating admission, `prepare_for_create`,
/// `validate`, `warnings`; update: `set_defaults`, mutating admission, `prepare_for_update`, `validate_update`, `warnings`.
pub trait Strategy: ApiObject {
    /// Fills in defaults (`pkg/apis/*/v1/defaults.go`).
    fn set_defaults(&mut self) {}
    /// Drops what a client may not set on creation, e.g. the status.
    fn prepare_for_create(&mut self) {}
    /// Restores what a client may not change through the main resource, e.g. the status; bumps the generation.
    fn prepare_for_update(&mut self, _old: &Self) {}
    /// Restores what may not be changed through the status subresource, e.g. the spec.
    fn prepare_for_status_update(&mut self, _old: &Self) {}
    /// Every rule a new object breaks.
    fn validate(&self) -> ErrorList {
        Vec::new()
    }
    /// Every rule a changed object breaks.
    fn validate_update(&self, _old: &Self) -> ErrorList {
        self.validate()
    }
    /// Values the server allocates, e.g. a Service's cluster IP (between admission and validation).
    fn allocate(&mut self, _old: Option<&Self>, _store: &Store) -> Result<(), super::status::Status> {
        Ok(())
    }
    /// Warnings for the client, without the `Warning: ` in front.
    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        Vec::new()
    }
}

/// Restores a part of an object; what is there already is not copied.
pub(super) fn keep<T: Clone + PartialEq>(part: &mut T, old: &T) {
    if part != old {
        part.clone_from(old);
    }
}
