//! Every kind the API server stores, as one enum over the typed objects of `k8s-openapi`.
use std::sync::Arc;

use types::*;

/// The typed objects of the kinds the API server knows.
pub mod types {
    pub use k8s_openapi::api::{
        apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        batch::v1::{CronJob, Job},
        core::v1::{
            ConfigMap, Endpoints, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod,
            ResourceQuota, Secret, Service, ServiceAccount,
        },
        discovery::v1::EndpointSlice,
        networking::v1::{Ingress, NetworkPolicy},
        policy::v1::PodDisruptionBudget,
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
        scheduling::v1::PriorityClass,
        storage::v1::{StorageClass, VolumeAttributesClass},
    };
}
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ClusterResourceScope, Metadata, NamespaceResourceScope, Resource};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::kinds::horizontal_pod_autoscaler::OLDER_VERSION;
use super::{decode, schema};

/// Whether objects of a kind live in a namespace.
pub trait Scope {
    /// `true` for `NamespaceResourceScope`.
    const NAMESPACED: bool;
}
impl Scope for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}
impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

/// A typed API object that the store can hold.
pub trait ApiObject:
    Resource<Scope: Scope>
    + Metadata<Ty = ObjectMeta>
    + Serialize
    + DeserializeOwned
    + Clone
    + PartialEq
    + Default
    + Send
    + Sync
    + 'static
{
    /// The kind as a value.
    const ID: Kind;

    /// This object if it is of this type.
    fn from_object(object: &Object) -> Option<&Arc<Self>>;
    /// Wraps a typed object.
    fn into_object(self: Arc<Self>) -> Object;

    /// `metadata.name`, empty when unset.
    fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }
    /// `metadata.namespace`, empty for cluster-scoped objects.
    fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or_default()
    }
    /// `metadata.uid`, empty before the object is created.
    fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }
    /// The value of an annotation.
    fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata().annotations.as_ref()?.get(key).map(String::as_str)
    }
    /// The value of a label.
    fn label(&self, key: &str) -> Option<&str> {
        self.metadata().labels.as_ref()?.get(key).map(String::as_str)
    }
    /// Whether `metadata.deletionTimestamp` is set.
    fn is_terminating(&self) -> bool {
        self.metadata().deletion_timestamp.is_some()
    }
    /// Whether a finalizer is on the object.
    fn has_finalizer(&self, finalizer: &str) -> bool {
        self.metadata().finalizers.iter().flatten().any(|f| f == finalizer)
    }
    /// The owner reference with `controller: true`.
    fn controller(&self) -> Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference> {
        self.metadata().owner_references.iter().flatten().find(|o| o.controller == Some(true))
    }
    /// Sets an annotation; says whether that changed anything.
    fn set_annotation(&mut self, key: &str, value: &str) -> bool {
        let annotations = self.metadata_mut().annotations.get_or_insert_default();
        annotations.insert(key.to_owned(), value.to_owned()).as_deref() != Some(value)
    }
    /// Adds a finalizer if it is not there; says whether that changed anything.
    fn add_finalizer(&mut self, finalizer: &str) -> bool {
        let finalizers = self.metadata_mut().finalizers.get_or_insert_default();
        let add = !finalizers.iter().any(|f| f == finalizer);
        if add {
            finalizers.push(finalizer.to_owned());
        }
        add
    }
    /// Removes a finalizer; says whether that changed anything.
    fn remove_finalizer(&mut self, finalizer: &str) -> bool {
        let Some(finalizers) = self.metadata_mut().finalizers.as_mut() else { return false };
        let before = finalizers.len();
        finalizers.retain(|f| f != finalizer);
        let removed = finalizers.len() != before;
        if finalizers.is_empty() {
            self.metadata_mut().finalizers = None;
        }
        removed
    }
}

/// Calls `$macro!` with the list of all kinds: how code that must treat every kind is generated.
#[macro_export]
macro_rules! for_each_kind {
    ($macro:ident) => {
        $macro! {
            Namespace, Node, PersistentVolume, PersistentVolumeClaim, StorageClass, VolumeAttributesClass, ConfigMap,
            Secret, ServiceAccount, ResourceQuota, LimitRange, PriorityClass, Service, Endpoints, EndpointSlice, Pod,
            ReplicaSet, Deployment, StatefulSet, DaemonSet, ControllerRevision, Job, CronJob, HorizontalPodAutoscaler,
            PodDisruptionBudget, Ingress, NetworkPolicy, Role, RoleBinding, ClusterRole, ClusterRoleBinding
        }
    };
}

macro_rules! define_kinds {
    ($($kind:ident),* $(,)?) => {
        /// A kind the API server knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $(#[doc = stringify!($kind)] $kind),* }

        /// An API object of any kind. Cloning is cheap: the object is shared until changed.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object { $(#[doc = stringify!($kind)] $kind(Arc<$kind>)),* }

        impl Kind {
            /// All kinds, in a fixed order.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),*];
            /// The kind's name, e.g. `PersistentVolume`.
            pub fn name(self) -> &'static str { match self { $(Kind::$kind => <$kind as Resource>::KIND),* } }
            /// `v1`, `apps/v1`…
            pub fn api_version(self) -> &'static str { match self { $(Kind::$kind => <$kind as Resource>::API_VERSION),* } }
            /// The API group, empty for the core group.
            pub fn group(self) -> &'static str { match self { $(Kind::$kind => <$kind as Resource>::GROUP),* } }
            /// The version without the group.
            pub fn version(self) -> &'static str { match self { $(Kind::$kind => <$kind as Resource>::VERSION),* } }
            /// The resource's plural name, e.g. `persistentvolumes`.
            pub fn plural(self) -> &'static str {
                match self { $(Kind::$kind => <$kind as Resource>::URL_PATH_SEGMENT),* }
            }
            /// Whether objects of the kind live in a namespace.
            pub fn namespaced(self) -> bool {
                match self { $(Kind::$kind => <<$kind as Resource>::Scope as Scope>::NAMESPACED),* }
            }
        }

        impl Object {
            /// The object's kind.
            pub fn kind(&self) -> Kind { match self { $(Object::$kind(_) => Kind::$kind),* } }
            /// The object's metadata.
            pub fn metadata(&self) -> &ObjectMeta { match self { $(Object::$kind(o) => &o.metadata),* } }
            /// The object's metadata, to change it.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Object::$kind(o) => &mut Arc::make_mut(o).metadata),* }
            }
            /// The typed object's own JSON.
            fn to_typed_value(&self) -> Value {
                match self { $(Object::$kind(o) => serde_json::to_value(&**o)),* }.unwrap_or_default()
            }
        }

        $(impl ApiObject for $kind {
            const ID: Kind = Kind::$kind;
            fn from_object(object: &Object) -> Option<&Arc<Self>> {
                match object { Object::$kind(o) => Some(o), _ => None }
            }
            fn into_object(self: Arc<Self>) -> Object { Object::$kind(self) }
        })*
    };
}
for_each_kind!(define_kinds);

impl Kind {
    /// The kind of an `apiVersion` and `kind`, if the API server serves it.
    pub fn find(api_version: &str, kind: &str) -> Option<Kind> {
        if (api_version, kind) == (OLDER_VERSION, Kind::HorizontalPodAutoscaler.name()) {
            return Some(Kind::HorizontalPodAutoscaler);
        }
        Kind::ALL.iter().copied().find(|k| k.name() == kind && k.api_version() == api_version)
    }

    /// How kubectl names the resource of an object it acted on: `persistentvolume`, `storageclass.storage.k8s.io`.
    pub fn kubectl_name(self) -> String {
        let singular = self.name().to_lowercase();
        if self.group().is_empty() { singular } else { format!("{singular}.{}", self.group()) }
    }

    /// What the API server says to whoever uses a kind that is on its way out (`APILifecycleDeprecated`).
    pub fn deprecation(self) -> Option<&'static str> {
        (self == Kind::Endpoints)
            .then_some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
    }

    /// The resource as the API server names it in messages: `persistentvolumes`, `storageclasses.storage.k8s.io`.
    pub fn qualified_resource(self) -> String {
        if self.group().is_empty() { self.plural().to_owned() } else { format!("{}.{}", self.plural(), self.group()) }
    }
}

impl Object {
    /// `metadata.name`, empty when unset.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }
    /// `metadata.namespace`, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or_default()
    }
    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }
    /// The object as JSON, as the API server would return it: with the empty values that Go writes.
    pub fn to_value(&self) -> Value {
        let value = self.to_typed_value();
        match schema::kind(self.kind().api_version(), self.kind().name()) {
            Some(root) => decode::normalise(value, root),
            None => value,
        }
    }
    /// The typed object, if it is of type `T`.
    pub fn get<T: ApiObject>(&self) -> Option<&Arc<T>> {
        T::from_object(self)
    }
    /// Which object this is.
    pub fn key(&self) -> ObjectKey {
        ObjectKey { kind: self.kind(), namespace: self.namespace().to_owned(), name: self.name().to_owned() }
    }
}

/// Which object: kind, namespace (empty if cluster-scoped) and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind.
    pub kind: Kind,
    /// The namespace, empty for cluster-scoped kinds.
    pub namespace: String,
    /// The name.
    pub name: String,
}
impl ObjectKey {
    /// A key from its parts.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        ObjectKey { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}
