//! The API server's request handling: what happens to an object between the client and the store.
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::admission::{self, Operation};
use super::event::{EventLog, EventType};
use super::field::Path;
use super::identity::Identities;
use super::kinds::{namespace, priority_class};
use super::object::{ApiObject, Kind, Object, ObjectKey, Scope};
use super::status::Status;
use super::store::Store;
use super::strategy::Strategy;
use super::validation;

/// How often a name is generated until it is a free one.
const MAX_NAME_ATTEMPTS: usize = 8;

/// The API server: the store, the clock and everything a request passes through on its way to the store.
#[derive(Clone, Debug)]
pub struct ApiServer {
    store: Store,
    events: EventLog,
    identities: Identities,
    now: Timestamp,
}

/// An accepted request.
#[derive(Clone, Debug)]
pub struct Accepted<T> {
    /// The object as stored (for a deletion: as it was last).
    pub object: T,
    /// Whether the store changed.
    pub changed: bool,
    /// Warnings for the client, without `Warning: ` in front.
    pub warnings: Vec<String>,
}

/// How dependents are treated when their owner is deleted (`propagationPolicy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Propagation {
    #[default]
    Background,
    Foreground,
    Orphan,
}

/// `metav1.DeleteOptions`.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds until a pod is killed; `None` for the object's own.
    pub grace_period_seconds: Option<i64>,
    /// What happens to dependents.
    pub propagation: Propagation,
    /// Delete only the object with this uid.
    pub uid: Option<String>,
}

/// Finalizer of objects whose dependents are deleted first (`metav1.FinalizerDeleteDependents`).
pub const FOREGROUND_DELETION: &str = "foregroundDeletion";
/// Finalizer of objects whose dependents are to be orphaned (`metav1.FinalizerOrphanDependents`).
pub const ORPHAN_DEPENDENTS: &str = "orphan";

/// An instant so many seconds later. Go counts in nanoseconds and lets a number of seconds that is too large overflow.
pub fn seconds_after(instant: Timestamp, seconds: i64) -> Timestamp {
    let duration = SignedDuration::from_nanos(seconds.wrapping_mul(1_000_000_000));
    instant.checked_add(duration).unwrap_or(instant)
}

impl Default for ApiServer {
    fn default() -> Self {
        let start = Timestamp::constant(1_767_225_600, 0); // 2026-01-01T00:00:00Z: virtual time begins here
        ApiServer {
            store: Store::default(),
            events: EventLog::default(),
            identities: Identities::default(),
            now: start,
        }
    }
}

impl ApiServer {
    /// All objects.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// The store, to let the change log be shortened.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }
    /// All events.
    pub fn events(&self) -> &EventLog {
        &self.events
    }
    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    /// The virtual time as the API writes it (whole seconds).
    pub fn time(&self) -> Time {
        Time(Timestamp::from_second(self.now.as_second()).unwrap_or(self.now))
    }
    /// Moves the virtual clock forward; it never goes back.
    pub fn advance_to(&mut self, instant: Timestamp) {
        self.now = self.now.max(instant);
    }
    /// Uids and generated names.
    pub fn identities_mut(&mut self) -> &mut Identities {
        &mut self.identities
    }

    /// The object of type `T` with this name; `namespace` is empty for cluster-scoped kinds.
    pub fn get<T: ApiObject>(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.store.get(namespace, name)
    }

    /// Records an event about an object. Events are objects too: none is created in a namespace that goes away.
    pub fn event<T: ApiObject>(
        &mut self,
        source: &'static str,
        about: &Arc<T>,
        event_type: EventType,
        reason: &str,
        message: impl AsRef<str>,
    ) {
        let namespace = self.get::<Namespace>("", about.namespace());
        if namespace.is_some_and(|n| namespace::phase(n) == "Terminating") {
            return;
        }
        let object = about.clone().into_object();
        self.events.record(self.now, source, &object, event_type, reason, message.as_ref());
    }

    /// The events of a namespace go away.
    pub(super) fn forget_events_in(&mut self, namespace: &str) {
        self.events.forget_namespace(namespace);
    }

    /// Creates an object: defaults, admission, preparation, validation, storage (`rest.BeforeCreate`,
    /// `registry.Store.Create`).
    pub fn create<T: Strategy>(&mut self, mut object: T) -> Result<Accepted<Arc<T>>, Status> {
        let namespaced = <T::Scope as Scope>::NAMESPACED;
        if !namespaced {
            object.metadata_mut().namespace = None;
        }
        object.set_defaults();
        let mut warnings = Vec::new();
        let mut object = self.admit(Operation::Create, object, None, &mut warnings)?;

        object.prepare_for_create();
        let uid = match T::ID {
            Kind::Endpoints => self.identities.uid_of_endpoints(),
            _ => self.identities.uid(),
        };
        let now = self.time();
        let metadata = object.metadata_mut();
        metadata.uid = Some(uid);
        metadata.creation_timestamp = Some(now);
        metadata.deletion_timestamp = None;
        metadata.deletion_grace_period_seconds = None;
        metadata.resource_version = None;
        metadata.self_link = None;
        metadata.managed_fields = None;
        if metadata.name.as_deref().unwrap_or_default().is_empty()
            && let Some(prefix) = metadata.generate_name.clone().filter(|p| !p.is_empty())
        {
            // names.SimpleNameGenerator cuts the prefix so that 63 characters are not exceeded
            let prefix: String = prefix.chars().take(58).collect();
            // a taken name is drawn again (`RetryGenerateName`)
            for _ in 0..MAX_NAME_ATTEMPTS {
                let name = format!("{prefix}{}", self.identities.suffix());
                let taken =
                    self.store.object(T::ID, metadata.namespace.as_deref().unwrap_or_default(), &name).is_some();
                metadata.name = Some(name);
                if !taken {
                    break;
                }
            }
        }
        object.allocate(None, &self.store)?;
        let causes = object.validate();
        if !causes.is_empty() {
            return Err(Status::invalid(T::ID, object.name(), causes));
        }
        warnings.extend(object.warnings(None));
        let (object, charged) = match self.validate_admission(Operation::Create, object, None, &mut warnings) {
            Ok(admitted) => admitted,
            Err(status) => return Err(status.with_warnings(warnings)),
        };
        if self.store.object(T::ID, object.namespace(), object.name()).is_some() {
            return Err(Status::already_exists(T::ID, object.name()).with_warnings(warnings));
        }
        charged.into_iter().for_each(|quota| self.write(quota));
        let object = Arc::new(object);
        self.write(object.clone().into_object());
        Ok(Accepted { object, changed: true, warnings })
    }

    /// Replaces an object through its main resource (`rest.BeforeUpdate`, `registry.Store.Update`).
    pub fn update<T: Strategy>(&mut self, mut object: T) -> Result<Accepted<Arc<T>>, Status> {
        object.set_defaults();
        let old = self.existing::<T>(&object)?;
        let mut warnings = Vec::new();
        let mut object = self.admit(Operation::Update, object, Some(&old), &mut warnings)?;
        let claimed = object.metadata().uid.clone().filter(|uid| !uid.is_empty() && uid != old.uid());
        keep_system_fields(object.metadata_mut(), old.metadata());
        object.prepare_for_update(&old);
        object.allocate(Some(&old), &self.store)?;
        let mut causes = object.validate_update(&old);
        if let Some(uid) = claimed {
            let uid = Path::root("metadata").child("uid").invalid(uid, validation::FIELD_IMMUTABLE);
            causes.insert(0, uid);
        }
        if !causes.is_empty() {
            return Err(Status::invalid(T::ID, object.name(), causes));
        }
        warnings.extend(object.warnings(Some(&old)));
        let (object, charged) = match self.validate_admission(Operation::Update, object, Some(&old), &mut warnings) {
            Ok(admitted) => admitted,
            Err(status) => return Err(status.with_warnings(warnings)),
        };
        charged.into_iter().for_each(|quota| self.write(quota));
        Ok(self.replace(object, &old, warnings))
    }

    /// Replaces an object's status (the `status` subresource).
    pub fn update_status<T: Strategy>(&mut self, mut object: T) -> Result<Accepted<Arc<T>>, Status> {
        let old = self.existing::<T>(&object)?;
        keep_system_fields(object.metadata_mut(), old.metadata());
        object.prepare_for_status_update(&old);
        Ok(self.replace(object, &old, Vec::new()))
    }

    fn existing<T: ApiObject>(&self, object: &T) -> Result<Arc<T>, Status> {
        let found = self.store.get::<T>(object.namespace(), object.name());
        found.cloned().ok_or_else(|| Status::not_found(T::ID, object.name()))
    }

    fn replace<T: ApiObject>(&mut self, object: T, old: &Arc<T>, warnings: Vec<String>) -> Accepted<Arc<T>> {
        let object = Arc::new(object);
        let changed = object != *old;
        if changed {
            self.write(object.clone().into_object());
        }
        Accepted { object, changed, warnings }
    }

    /// Stores an object as it is.
    pub(super) fn put(&mut self, object: Object) {
        self.store.put(object);
    }

    /// Stores an object, or removes it when it was only waiting for its last finalizer.
    pub(super) fn write(&mut self, object: Object) {
        let gone = is_gone(&object);
        let key = object.key();
        self.store.put(object);
        if gone {
            self.store.remove(&key);
        }
    }

    /// Deletes an object, at once or as soon as its finalizers and its grace period allow
    /// (`registry.Store.Delete`, `rest.BeforeDelete`).
    pub fn delete(&mut self, key: &ObjectKey, options: &DeleteOptions) -> Result<Accepted<Object>, Status> {
        let not_found = || Status::not_found(key.kind, &key.name);
        let object = self.store.object(key.kind, &key.namespace, &key.name).cloned().ok_or_else(not_found)?;
        if let Some(uid) = &options.uid
            && uid != object.uid()
        {
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", object.uid());
            return Err(Status::conflict(key.kind, &key.name, why));
        }
        if key.kind == Kind::PriorityClass && priority_class::is_system_priority_class(&key.name) {
            let why = "this is a system priority class and cannot be deleted";
            return Err(Status::forbidden(key.kind, &key.name, why));
        }
        admission::delete(&self.store, &object)?;
        if let Object::Namespace(namespace) = &object
            && let Some(accepted) = self.delete_namespace(namespace, options)
        {
            return Ok(accepted);
        }
        let grace = admission::graceful_deletion_seconds(&object, options.grace_period_seconds);
        let mut changed = object.clone();
        let now = self.now;
        let metadata = changed.metadata_mut();
        let finalizer = match options.propagation {
            Propagation::Background => None,
            Propagation::Foreground => Some(FOREGROUND_DELETION),
            Propagation::Orphan => Some(ORPHAN_DEPENDENTS),
        };
        if let Some(finalizer) = finalizer {
            let finalizers = metadata.finalizers.get_or_insert_default();
            if !finalizers.iter().any(|f| f == finalizer) {
                finalizers.push(finalizer.to_owned());
            }
        }
        match metadata.deletion_grace_period_seconds {
            Some(earlier) if metadata.deletion_timestamp.is_some() => {
                metadata.deletion_grace_period_seconds = Some(earlier.min(grace));
            }
            _ => {
                let end = seconds_after(now, grace);
                metadata.deletion_timestamp = Some(Time(end));
                metadata.deletion_grace_period_seconds = Some(grace);
                if let Some(generation) = metadata.generation.as_mut() {
                    *generation += 1;
                }
            }
        }
        let differs = changed != object;
        if differs || is_gone(&changed) {
            self.write(changed.clone());
        }
        Ok(Accepted { object: changed, changed: differs, warnings: Vec::new() })
    }

    fn admit<T: Strategy>(
        &mut self,
        operation: Operation,
        object: T,
        old: Option<&Arc<T>>,
        warnings: &mut Vec<String>,
    ) -> Result<T, Status> {
        let mut request = admission::Request {
            store: &self.store,
            identities: &mut self.identities,
            operation,
            object: Arc::new(object).into_object(),
            old: old.map(|o| o.clone().into_object()),
            warnings,
        };
        admission::mutate(&mut request)?;
        Ok(unwrap_object(request.object))
    }

    fn validate_admission<T: Strategy>(
        &mut self,
        operation: Operation,
        object: T,
        old: Option<&Arc<T>>,
        warnings: &mut Vec<String>,
    ) -> Result<(T, Vec<Object>), Status> {
        let mut request = admission::Request {
            store: &self.store,
            identities: &mut self.identities,
            operation,
            object: Arc::new(object).into_object(),
            old: old.map(|o| o.clone().into_object()),
            warnings,
        };
        let charged = admission::validate(&mut request)?;
        Ok((unwrap_object(request.object), charged))
    }
}

fn unwrap_object<T: ApiObject>(object: Object) -> T {
    let typed = T::from_object(&object).cloned();
    drop(object);
    Arc::unwrap_or_clone(typed.expect("admission does not change the kind of an object"))
}

/// Whether an object was deleted and nothing holds it any more: no finalizer, no grace period.
fn is_gone(object: &Object) -> bool {
    let metadata = object.metadata();
    metadata.deletion_timestamp.is_some()
        && metadata.finalizers.as_ref().is_none_or(Vec::is_empty)
        && metadata.deletion_grace_period_seconds.unwrap_or(0) == 0
        && !matches!(object, Object::Namespace(n) if !namespace::spec_finalizers(n).is_empty())
}

/// What no client can change by an update.
fn keep_system_fields(
    metadata: &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    old: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
) {
    metadata.uid.clone_from(&old.uid);
    metadata.creation_timestamp.clone_from(&old.creation_timestamp);
    metadata.deletion_timestamp.clone_from(&old.deletion_timestamp);
    metadata.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    metadata.generation = old.generation;
    metadata.resource_version = None;
    metadata.self_link = None;
    metadata.managed_fields = None;
    // the API server stores no empty maps and lists
    if metadata.finalizers.as_ref().is_some_and(Vec::is_empty) {
        metadata.finalizers = None;
    }
    if metadata.annotations.as_ref().is_some_and(std::collections::BTreeMap::is_empty) {
        metadata.annotations = None;
    }
    if metadata.labels.as_ref().is_some_and(std::collections::BTreeMap::is_empty) {
        metadata.labels = None;
    }
}
