//! What the Kubernetes API's types look like: fields, Go types, list and map keys, patch strategies.
//!
//! `schema/types.txt` lists every struct that is reachable from the API kinds of Kubernetes 1.36 simulated here. It
//! was derived by a script from the Go source: `staging/src/k8s.io/api/*/v1/types.go` (and `autoscaling/v2`) and
//! `apimachinery/pkg/apis/meta/v1/types.go`. For each field it holds what the API server's behaviour depends on and
//! typed Rust objects no longer tell: the JSON name, the Go type (with pointers, since `*string` keeps `""` and
//! `string,omitempty` drops it), embedded structs (Go names them in errors), `omitempty` and `omitzero`, the
//! `patchStrategy` and `patchMergeKey` tags that strategic merge patch follows, and the `+listType`, `+listMapKey`,
//! `+mapType`, `+structType` markers that tell which lists are sets or maps.
//!
//! Which resources there are, with their plurals and short names, is in [`resources`].
//!
//! ```
//! use ckad_grade::api::schema;
//!
//! let pod = schema::kind("v1", "Pod").ok_or("no Pod")?;
//! let ports = schema::at(pod, &["spec".into(), "containers".into(), 0.into(), "ports".into()]).ok_or("no ports")?;
//! assert_eq!(ports.ty.go_type(), "[]v1.ContainerPort");
//! assert_eq!(ports.field.and_then(|field| field.patch_merge_key), Some("containerPort"));
//! # Ok::<(), &str>(())
//! ```

mod parse;
pub mod resources;

use std::fmt;
use std::sync::LazyLock;

static TABLE: LazyLock<Table> = LazyLock::new(|| parse::table(include_str!("schema/types.txt")));

/// All types; structs refer to each other by index.
#[derive(Debug, Default)]
struct Table {
    structs: Vec<StructType>,
    /// `apiVersion` and index of each root, whose name is its kind.
    roots: Vec<(&'static str, usize)>,
}

/// A Go struct of the API.
#[derive(Debug)]
pub struct StructType {
    /// `PersistentVolumeSpec`.
    pub go_name: &'static str,
    /// Group and version of the Go package: `core/v1`, `meta/v1`.
    pub go_package: &'static str,
    /// Marked `+structType=atomic`: server-side apply replaces it whole.
    pub atomic: bool,
    /// Sorted by JSON name; embedded structs' fields included.
    fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key in JSON.
    pub json_name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Tagged `omitempty`: Go does not write it when empty (`false`, `0`, `""`, nil, no elements).
    pub omit_empty: bool,
    /// Tagged `omitzero`: Go does not write a zero struct, such as an unset time.
    pub omit_zero: bool,
    /// `false` is not the same as unset, although Go says `nil` where it says `false` for most others: unset means `true`,
    /// or what the pod, the ServiceAccount or a default says (the fields' comments in `types.go`).
    pub false_is_own: bool,
    /// How strategic merge patch treats it.
    pub patch_strategy: PatchStrategy,
    /// The key of a list's elements for strategic merge patch.
    pub patch_merge_key: Option<&'static str>,
    /// What a list is to server-side apply and to validation.
    pub list_type: Option<ListType>,
    /// Marked `+mapType=atomic` or `+structType=atomic`.
    pub atomic: bool,
    /// Go names of the embedded structs the field comes from, outermost first: `VolumeSource` for `hostPath`.
    pub embedded_in: &'static [&'static str],
}

/// The `patchStrategy` tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchStrategy {
    /// `merge`: lists are merged by key (or as sets) instead of replaced.
    pub merge: bool,
    /// `retainKeys`: a patch drops the keys it does not list.
    pub retain_keys: bool,
}

/// The `+listType` marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListType {
    /// Replaced as a whole.
    Atomic,
    /// Each value at most once.
    Set,
    /// Elements are told apart by these keys.
    Map(&'static [&'static str]),
}

/// The Go type of a value.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it holds.
    pub shape: Shape,
    /// Whether it is a pointer, which can tell absent from empty.
    pub pointer: bool,
    /// As in types.txt, without the pointer's star.
    text: &'static str,
    /// Package in which `text` is to be read.
    package: &'static str,
}

/// What a value holds.
#[derive(Clone, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// A 32-bit integer.
    Int32,
    /// A 64-bit integer.
    Int64,
    /// Text; may be a named type.
    String,
    /// Base64 text.
    Bytes,
    /// `resource.Quantity`.
    Quantity,
    /// `intstr.IntOrString`.
    IntOrString,
    /// `metav1.Time`: RFC 3339, seconds.
    Time,
    /// `metav1.MicroTime`: RFC 3339, microseconds.
    MicroTime,
    /// JSON that is not looked into: `runtime.RawExtension`, `metav1.FieldsV1`.
    Raw,
    /// A struct.
    Struct(StructRef),
    /// A list.
    List(Box<Type>),
    /// A map with text keys.
    Map(Box<Type>),
}

/// A struct as a field's type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StructRef(usize);

impl fmt::Debug for StructRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl StructRef {
    /// The struct it stands for.
    pub fn get(self) -> &'static StructType {
        // The parser makes references only to structs it has seen.
        &TABLE.structs[self.0]
    }
}

/// The type of an API kind: `kind("apps/v1", "Deployment")`. Case matters, as for the API server.
pub fn kind(api_version: &str, kind: &str) -> Option<&'static StructType> {
    kinds().find(|(version, root)| *version == api_version && root.go_name == kind).map(|(_, root)| root)
}

/// All API kinds with their `apiVersion`.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static StructType)> {
    TABLE.roots.iter().filter_map(|(version, index)| Some((*version, TABLE.structs.get(*index)?)))
}

/// A struct that is not a kind: `structure("meta/v1", "ObjectMeta")`.
pub fn structure(go_package: &str, go_name: &str) -> Option<&'static StructType> {
    TABLE.structs.iter().find(|found| found.go_name == go_name && found.go_package == go_package)
}

/// One step of a path into an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A field of a struct or a key of a map.
    Key(String),
    /// An element of a list.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// What [`at`] found.
#[derive(Clone, Copy, Debug)]
pub struct Located {
    /// The type of the value at the path.
    pub ty: &'static Type,
    /// The field the path ends in; `None` if it ends in an element of a list or map.
    pub field: Option<&'static Field>,
}

/// The type at `path` inside `root`; `None` if there is no such field, or if the path is empty or enters a value that
/// has no parts.
pub fn at(root: &'static StructType, path: &[Segment]) -> Option<Located> {
    let (first, rest) = path.split_first()?;
    let Segment::Key(key) = first else {
        return None;
    };
    let field = root.field(key)?;
    let mut found = Located { ty: &field.ty, field: Some(field) };
    for segment in rest {
        found = match (&found.ty.shape, segment) {
            (Shape::Struct(inner), Segment::Key(key)) => {
                let field = inner.get().field(key)?;
                Located { ty: &field.ty, field: Some(field) }
            }
            (Shape::Map(value), Segment::Key(_)) => Located { ty: value, field: None },
            (Shape::List(element), Segment::Index(_)) => Located { ty: element, field: None },
            _ => return None,
        };
    }
    Some(found)
}

impl StructType {
    /// The field of this JSON name, matched exactly.
    pub fn field(&self, json_name: &str) -> Option<&Field> {
        let index = self.fields.binary_search_by(|field| field.json_name.cmp(json_name)).ok()?;
        self.fields.get(index)
    }

    /// All fields, sorted by JSON name.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The type as Go's `reflect` prints it: `v1.PodSpec`.
    pub fn go_type(&self) -> String {
        format!("{}.{}", version(self.go_package), self.go_name)
    }
}

/// The name of a Go package: the last part of its path.
fn version(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

impl Type {
    /// The type as Go's `reflect` prints it, without the pointer: `[]v1.PersistentVolumeAccessMode`.
    pub fn go_type(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 4);
        let mut rest = self.text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '/'))).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            match name {
                "" => {}
                "bool" | "byte" | "int32" | "int64" | "map" | "string" => {
                    out.push_str(if name == "byte" { "uint8" } else { name });
                }
                "quantity" => out.push_str("resource.Quantity"),
                "intorstring" => out.push_str("intstr.IntOrString"),
                "time" => out.push_str("v1.Time"),
                "microtime" => out.push_str("v1.MicroTime"),
                "raw" => out.push_str("runtime.RawExtension"),
                _ => match name.split_once('.') {
                    Some((package, name)) => out.extend([version(package), ".", name]),
                    None => out.extend([version(self.package), ".", name]),
                },
            }
            // What separates names: brackets and stars.
            let next = after.chars().next().map_or(0, char::len_utf8);
            let (separator, remaining) = after.split_at(next);
            out.push_str(separator);
            rest = remaining;
        }
        out
    }
}

#[cfg(test)]
mod tests;
