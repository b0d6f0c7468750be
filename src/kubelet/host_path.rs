//! The file systems of the nodes, as far as `hostPath` volumes can tell (`pkg/volume/hostpath`).
//!
//! Rule: a node has the directories of a plain Linux installation, and what `DirectoryOrCreate` and `FileOrCreate`
//! volumes made on it. A hostPath volume without a type is not checked, so its path may be anything.
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::HostPathVolumeSource;

const DIRECTORIES: [&str; 34] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/etc/kubernetes",
    "/etc/ssl",
    "/etc/ssl/certs",
    "/home",
    "/lib",
    "/lib/modules",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/sys/fs/cgroup",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/log",
    "/var/log/containers",
    "/var/log/pods",
    "/var/run",
    "/var/tmp",
];
const FILES: [&str; 9] = [
    "/etc/fstab",
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/resolv.conf",
];
const SOCKETS: [&str; 2] = ["/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"];
const CHARACTER_DEVICES: [&str; 6] = ["/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"];

/// What was made on the nodes.
#[derive(Clone, Debug, Default)]
pub struct HostPaths {
    directories: BTreeMap<String, BTreeSet<String>>,
    files: BTreeMap<String, BTreeSet<String>>,
}

impl HostPaths {
    /// Checks a volume's type on a node, and makes what is to be made (`checkTypeInternal`).
    pub fn check(&mut self, node: &str, source: &HostPathVolumeSource) -> Result<(), String> {
        let path = clean(&source.path);
        let failed = |what: &str| Err(format!("hostPath type check failed: {} is not a {what}", source.path));
        let made = |sets: &BTreeMap<String, BTreeSet<String>>| sets.get(node).is_some_and(|s| s.contains(&path));
        let at = |list: &[&str]| list.contains(&path.as_str());
        let is_directory = at(&DIRECTORIES) || made(&self.directories);
        let is_file = at(&FILES) || made(&self.files);
        let exists = is_directory || is_file || at(&SOCKETS) || at(&CHARACTER_DEVICES);
        match source.type_.as_deref().unwrap_or_default() {
            "" => Ok(()),
            "DirectoryOrCreate" if !exists => {
                let directories = self.directories.entry(node.to_owned()).or_default();
                directories.extend(ancestors(&path).map(str::to_owned));
                Ok(())
            }
            "DirectoryOrCreate" | "Directory" => {
                if is_directory {
                    Ok(())
                } else {
                    failed("directory")
                }
            }
            "FileOrCreate" if !exists => {
                let parent = path.rsplit_once('/').map_or("/", |(p, _)| if p.is_empty() { "/" } else { p });
                let there =
                    DIRECTORIES.contains(&parent) || self.directories.get(node).is_some_and(|d| d.contains(parent));
                if !there {
                    // only the file is created, not the directories it is in
                    return Err(format!("open {}: no such file or directory", source.path));
                }
                self.files.entry(node.to_owned()).or_default().insert(path);
                Ok(())
            }
            "FileOrCreate" | "File" => {
                if is_file {
                    Ok(())
                } else {
                    failed("file")
                }
            }
            "Socket" => {
                if at(&SOCKETS) {
                    Ok(())
                } else {
                    failed("socket file")
                }
            }
            "CharDevice" => {
                if at(&CHARACTER_DEVICES) {
                    Ok(())
                } else {
                    failed("character device")
                }
            }
            "BlockDevice" => failed("block device"),
            other => Err(format!("{other} is an invalid volume type")),
        }
    }
}

/// A path without doubled and trailing slashes.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    format!("/{}", parts.join("/"))
}

/// A path and the directories it is in.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().filter(|(i, c)| *c == '/' && *i > 0).map(|(i, _)| &path[..i]).chain([path])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn source(path: &str, type_: &str) -> HostPathVolumeSource {
        HostPathVolumeSource { path: path.to_owned(), type_: Some(type_.to_owned()) }
    }

    #[test]
    fn directories_that_must_exist_are_those_of_linux_and_those_made_there() {
        let mut paths = HostPaths::default();
        assert!(paths.check("a", &source("/var/log/", "Directory")).is_ok());
        let missing = paths.check("a", &source("/data/x", "Directory"));
        assert_eq!(missing, Err("hostPath type check failed: /data/x is not a directory".to_owned()));
        paths.check("a", &source("/data/x", "DirectoryOrCreate")).unwrap();
        assert!(paths.check("a", &source("/data", "Directory")).is_ok());
        assert!(paths.check("b", &source("/data", "Directory")).is_err());
    }

    #[test]
    fn file_or_create_does_not_make_directories() {
        let mut paths = HostPaths::default();
        let failed = paths.check("a", &source("/data/f", "FileOrCreate"));
        assert_eq!(failed, Err("open /data/f: no such file or directory".to_owned()));
        assert!(paths.check("a", &source("/tmp/f", "FileOrCreate")).is_ok());
        assert!(paths.check("a", &source("/tmp/f", "File")).is_ok());
    }

    #[test]
    fn no_type_checks_nothing() {
        assert!(HostPaths::default().check("a", &source("/no/where", "")).is_ok());
    }
}
