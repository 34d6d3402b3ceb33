//! Patch: services that were read anew take their place in the snapshot of a sweep, in the object and, as it
//! sends them what is new, at its readers.

use std::mem;
use std::rc::Rc;

use super::encoding::{self, DecodeError, PART};
use super::marks::ServicesByCluster;
use super::store::VersionedSnapshot;
use crate::fleet::model::snapshot::{Cluster, Failure, Service, Snapshot};

/// The clusters in which services were read anew, and the version of the snapshot before that.
pub(super) type PatchedClusters = (u64, Vec<String>);

impl VersionedSnapshot {
    /// The part of the snapshot that consists of the clusters in `patched`.
    pub(super) fn part(&self, patched: &[PatchedClusters]) -> Self {
        let mut part = self.clone();
        let is_patched = |cluster: &Rc<Cluster>| {
            let mut patched = patched.iter();
            patched.any(|(_, names)| names.contains(&cluster.cluster_name))
        };
        Rc::make_mut(&mut part.snapshot).clusters.retain(is_patched);
        part
    }

    /// Decodes a snapshot, or a part of one that is the `known` one otherwise.
    ///
    /// # Errors
    /// If the bytes are neither, of this version.
    pub fn decode(bytes: &[u8], known: Option<&Self>) -> Result<Self, DecodeError> {
        let mut newest: Self = encoding::decode(bytes, None)?;
        if !encoding::is_of(bytes, PART) {
            return Ok(newest);
        }
        let known = known.ok_or(DecodeError::Malformed)?;
        let snapshot = Rc::make_mut(&mut newest.snapshot);
        let part = mem::replace(&mut snapshot.clusters, known.snapshot.clusters.clone());
        for new in part {
            if let Ok(index) = place(&snapshot.clusters, &new.cluster_name)
                && let Some(old) = snapshot.clusters.get_mut(index)
            {
                *old = new;
            }
        }
        Ok(newest)
    }
}

impl Snapshot {
    /// Replaces the services that were `read` anew by what was `found` of them. Those that are gone, or
    /// do not run on Fargate any more, leave. Those that could not be read stay as they are; the ones
    /// for which trying again may help, since something failed for their whole cluster, are returned.
    pub(super) fn patch(
        &mut self,
        read: &ServicesByCluster,
        mut found: Self,
    ) -> Vec<(String, String)> {
        let mut unread = Vec::new();
        for (name, services) in read {
            let of_cluster = |failure: &&Failure| {
                let failed = failure.cluster_name.as_ref();
                failed.is_none_or(|failed| failed == name)
            };
            let failures: Vec<&Failure> = found.failures.iter().filter(of_cluster).collect();
            let mut own = failures.iter().map(|failure| &failure.service_name);
            let is_whole = own.all(Option::is_some);
            let new = found
                .clusters
                .iter_mut()
                .find(|new| new.cluster_name == *name)
                .map(Rc::make_mut);
            let (index, mut new) = match (place(&self.clusters, name), new) {
                (Ok(index), new) => (index, new.map(|new| mem::take(&mut new.services))),
                (Err(index), Some(new)) => {
                    let services = mem::take(&mut new.services);
                    self.clusters.insert(index, Rc::new(new.clone()));
                    (index, Some(services))
                }
                (Err(index), None) => (index, None),
            };
            for service in services {
                let new = new.iter_mut().find_map(|new| {
                    let index = new.iter().position(|new| new.service_name == *service)?;
                    Some(new.swap_remove(index))
                });
                let is_own = |failure: &&&Failure| failure.service_name.as_ref() == Some(service);
                let failure = failures.iter().find(is_own).copied();
                if new.is_none() && (failure.is_some() || !is_whole) {
                    if failure.is_none() {
                        unread.push((name.clone(), service.clone()));
                    }
                    continue;
                }
                self.forget(name, service);
                if let Some(failure) = failure
                    && let Err(index) = self.failures.binary_search(failure)
                {
                    self.failures.insert(index, failure.clone());
                }
                let Some(cluster) = self.clusters.get_mut(index).map(Rc::make_mut) else {
                    continue;
                };
                let by_name = |known: &Service| known.service_name.as_str().cmp(service);
                match (cluster.services.binary_search_by(by_name), new) {
                    (Err(index), Some(new)) => cluster.services.insert(index, new),
                    (Ok(index), Some(mut new)) => {
                        if let Some(old) = cluster.services.get_mut(index) {
                            // ECS has refused the tags.
                            if !is_whole && new.tags.is_empty() {
                                new.tags = mem::take(&mut old.tags);
                            }
                            *old = new;
                        }
                    }
                    (Ok(index), None) => drop(cluster.services.remove(index)),
                    (Err(_), None) => {}
                }
            }
            let is_empty = |cluster: &Rc<Cluster>| cluster.services.is_empty();
            if self.clusters.get(index).is_some_and(is_empty) {
                self.clusters.remove(index);
            }
        }
        unread
    }

    /// Whether services of all these clusters are shown.
    pub(super) fn has_clusters(&self, read: &ServicesByCluster) -> bool {
        let mut names = read.iter();
        names.all(|(name, _)| place(&self.clusters, name).is_ok())
    }

    /// Forgets what was said about the reading of a service.
    fn forget(&mut self, cluster: &str, service: &str) {
        self.failures.retain(|failure| {
            failure.cluster_name.as_deref() != Some(cluster)
                || failure.service_name.as_deref() != Some(service)
        });
        self.carried_over
            .retain(|carried| carried.cluster_name != cluster || carried.service_name != service);
    }
}

/// The index of the cluster called `name`, or where it belongs.
fn place(clusters: &[Rc<Cluster>], name: &str) -> Result<usize, usize> {
    clusters.binary_search_by(|cluster| cluster.cluster_name.as_str().cmp(name))
}
