//! Filter: selects the services that a request asks for.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::fleet::model::service_state::ServiceState;
use crate::fleet::model::snapshot::{Cluster, Service};
use crate::fleet::model::tags::Tags;
use crate::fleet::model::values::Values;
use crate::time::since;

/// The keys that are always valid: the place where a service was found, not one of its tags.
pub const PLACES: [&str; 2] = [TARGET, REGION];

const TARGET: &str = "target";
const REGION: &str = "region";

/// Selects services by their tags and by the place where they were found. All keys must match; one
/// of the values of a repeated key is enough. Values are exact and case-sensitive. A service without
/// the tag never matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    places: Vec<(String, Values)>,
    tags: Vec<(String, Values)>,
    /// Only services with one of these names; all if empty.
    pub services: Values,
    /// Only services that have none of these tags, each of which stands here once.
    pub missing: Vec<String>,
    /// Only services that are unhealthy.
    pub unhealthy: bool,
    /// Only services in one of these states, each of which stands here once; all if empty.
    pub states: Vec<ServiceState>,
    /// Only services that were deployed within this time. One in the future counts as now.
    pub deployed: Option<Duration>,
}

/// A key that is not a filter key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey(pub String);

impl Filter {
    /// A filter of decoded key-value pairs. Each key has to be one of [`PLACES`] or of `tags`.
    ///
    /// # Errors
    /// The first key that is neither.
    pub fn new(pairs: Vec<(String, String)>, tags: &[String]) -> Result<Self, UnknownKey> {
        let (mut places, mut wanted_tags) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            let wanted: &mut Vec<(String, Vec<String>)> = if PLACES.contains(&key.as_str()) {
                &mut places
            } else if tags.contains(&key) {
                &mut wanted_tags
            } else {
                return Err(UnknownKey(key));
            };
            match wanted.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => wanted.push((key, vec![value])),
            }
        }
        let sorted = |wanted: Vec<(String, Vec<String>)>| {
            let keys = wanted.into_iter();
            keys.map(|(key, values)| (key, values.into())).collect()
        };
        Ok(Self {
            places: sorted(places),
            tags: sorted(wanted_tags),
            ..Self::default()
        })
    }

    /// The keys of the filter, tags first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.tags
            .iter()
            .chain(&self.places)
            .map(|(key, _)| key.as_str())
    }

    /// The values of the filter, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let values = self.tags.iter().chain(&self.places);
        values
            .flat_map(|(_, values)| values.iter())
            .map(String::as_str)
    }

    /// Whether the tag filters match `tags`.
    #[must_use]
    pub fn matches(&self, tags: &Tags) -> bool {
        self.tags
            .iter()
            .all(|(key, values)| tags.get(key).is_some_and(|value| values.contains(value)))
    }

    /// Whether the place filters match a region of a target.
    #[must_use]
    pub fn matches_place(&self, target: &str, region: &str) -> bool {
        self.places.iter().all(|(key, values)| {
            let place = if key == TARGET { target } else { region };
            values.contains(place)
        })
    }

    fn matches_service(&self, service: &Service, generated_at: SystemTime) -> bool {
        let is_within = |time: Duration| {
            let deployed_at = service.deployed_at;
            deployed_at.is_some_and(|at| since(at, generated_at) <= time)
        };
        self.matches(&service.tags)
            && (self.services.is_empty() || self.services.contains(&service.service_name))
            && !self
                .missing
                .iter()
                .any(|key| service.tags.contains_key(key))
            && (!self.unhealthy || service.state.is_unhealthy())
            && (self.states.is_empty() || self.states.contains(&service.state))
            && self.deployed.is_none_or(is_within)
    }

    /// The matching services as of `generated_at`, under those of `clusters` that have any.
    #[must_use]
    pub fn select<'a>(
        &self,
        clusters: &'a [Rc<Cluster>],
        generated_at: SystemTime,
    ) -> Vec<Selected<'a>> {
        clusters
            .iter()
            .filter(|cluster| self.matches_place(&cluster.target, &cluster.region))
            .filter_map(|cluster| {
                let matching = |service: &&Service| self.matches_service(service, generated_at);
                let services: Vec<_> = cluster.services.iter().filter(matching).collect();
                (!services.is_empty()).then_some(Selected { cluster, services })
            })
            .collect()
    }
}

/// A cluster and those of its services that match, at least one.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Selected<'a> {
    pub cluster: &'a Cluster,
    pub services: Vec<&'a Service>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::UNIX_EPOCH;

    fn valid() -> Vec<String> {
        ["environment", "owner", "contact"]
            .map(String::from)
            .to_vec()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect()
    }

    fn service(name: &str, running_count: u32, tags: &[(&str, &str)]) -> Service {
        Service {
            service_name: name.into(),
            desired_count: 1,
            running_count,
            state: if running_count == 1 {
                ServiceState::Healthy
            } else {
                ServiceState::Short
            },
            tags: pairs(tags).into_iter().collect(),
            ..Service::default()
        }
    }

    fn cluster(services: Vec<Service>) -> Rc<Cluster> {
        Rc::new(Cluster {
            cluster_name: "web".into(),
            target: "default".into(),
            region: "us-east-1".into(),
            capacity_providers: Vec::new(),
            tags: Tags::default(),
            services,
        })
    }

    fn matches(query: &[(&str, &str)], tags: &[(&str, &str)]) -> bool {
        Filter::new(pairs(query), &valid())
            .unwrap()
            .matches(&pairs(tags).into_iter().collect())
    }

    #[test]
    fn different_keys_must_all_match() {
        let query = [("owner", "K2"), ("environment", "production")];
        assert!(matches(
            &query,
            &[("owner", "K2"), ("environment", "production"), ("x", "y")]
        ));
        assert!(!matches(
            &query,
            &[("owner", "K2"), ("environment", "staging")]
        ));
        assert!(!matches(&query, &[("owner", "K2")]));
    }

    #[test]
    fn one_value_of_a_repeated_key_is_enough() {
        let query = [("owner", "K2"), ("owner", "F1")];
        assert!(matches(&query, &[("owner", "F1")]));
        assert!(!matches(&query, &[("owner", "K3")]));
    }

    #[test]
    fn values_are_exact_and_case_sensitive() {
        for value in ["k2", "K2 ", "K", "K22", ""] {
            assert!(
                !matches(&[("owner", "K2")], &[("owner", value)]),
                "{value:?}"
            );
        }
    }

    #[test]
    fn an_empty_value_matches_an_empty_tag_and_not_a_missing_one() {
        assert!(matches(&[("owner", "")], &[("owner", "")]));
        assert!(!matches(&[("owner", "")], &[]));
    }

    #[test]
    fn an_unknown_key_is_refused_even_if_only_its_case_differs() {
        for key in ["nope", "Owner", ""] {
            assert_eq!(
                Filter::new(pairs(&[(key, "x")]), &valid()),
                Err(UnknownKey(key.into()))
            );
        }
    }

    #[test]
    fn keys_and_values_list_tags_first() {
        let query = [("region", "r"), ("owner", "K2"), ("owner", "F1")];
        let filter = Filter::new(pairs(&query), &valid()).unwrap();
        assert_eq!(filter.keys().collect::<Vec<_>>(), ["owner", "region"]);
        assert_eq!(filter.values().collect::<Vec<_>>(), ["K2", "F1", "r"]);
    }

    #[test]
    fn a_service_was_deployed_within_a_time_before_the_report() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let filter = |seconds| Filter {
            deployed: Some(Duration::from_secs(seconds)),
            ..Filter::default()
        };
        let deployed = |deployed_at| Service {
            deployed_at,
            ..service("api", 1, &[])
        };
        for (deployed_at, within, found) in [
            (Some(at(1_000)), 60, true),
            (Some(at(940)), 60, true),
            (Some(at(939)), 60, false),
            (Some(at(2_000)), 60, true),
            (None, 60, false),
        ] {
            let clusters = [cluster(vec![deployed(deployed_at)])];
            let selected = filter(within).select(&clusters, at(1_000));
            assert_eq!(selected.len() == 1, found, "{deployed_at:?}");
        }
    }

    #[test]
    fn a_service_is_in_one_of_the_states() {
        let clusters = [cluster(vec![
            service("api", 1, &[]),
            service("web", 0, &[]),
        ])];
        let count = |states: &[ServiceState]| {
            let filter = Filter {
                states: states.to_vec(),
                ..Filter::default()
            };
            let selected = filter.select(&clusters, UNIX_EPOCH).into_iter();
            selected.flat_map(|selected| selected.services).count()
        };
        assert_eq!(count(&[]), 2);
        assert_eq!(count(&[ServiceState::Short]), 1);
        assert_eq!(count(&[ServiceState::Short, ServiceState::Healthy]), 2);
        assert_eq!(count(&[ServiceState::Failing]), 0);
    }

    #[test]
    fn a_missing_tag_is_absent_and_not_empty() {
        let services = vec![
            service("bare", 1, &[]),
            service("empty", 0, &[("owner", "")]),
            service("short", 0, &[("contact", "k2")]),
        ];
        let clusters = [cluster(services)];
        let found = |filter: Filter| -> Vec<String> {
            let selected = filter.select(&clusters, UNIX_EPOCH).into_iter();
            selected
                .flat_map(|selected| selected.services)
                .map(|service| service.service_name.clone())
                .collect()
        };
        let missing = |keys: &[&str], unhealthy, services: &[&str]| Filter {
            missing: keys.iter().map(|&key| key.to_owned()).collect(),
            services: Values::from(
                services
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect::<Vec<_>>(),
            ),
            unhealthy,
            ..Filter::default()
        };
        assert_eq!(found(missing(&["owner"], false, &[])), ["bare", "short"]);
        assert_eq!(found(missing(&["owner", "contact"], false, &[])), ["bare"]);
        assert_eq!(found(missing(&["owner"], true, &[])), ["short"]);
        assert_eq!(found(missing(&[], true, &[])), ["empty", "short"]);
        assert_eq!(found(missing(&[], false, &["bare", "Bare"])), ["bare"]);
    }

    proptest! {
        #[test]
        fn adding_a_key_narrows_and_adding_a_value_widens(
            tags in prop::collection::btree_map("environment|owner|contact", "[ab]?", 0..4),
            query in prop::collection::vec(("environment|owner", "[ab]?"), 0..4),
            value in "[ab]?",
        ) {
            let filter = |query: Vec<(String, String)>| Filter::new(query, &valid()).unwrap();
            let tags: Tags = tags.into_iter().collect();
            let before = filter(query.clone()).matches(&tags);
            let narrowed = [query.clone(), vec![("contact".to_owned(), value.clone())]].concat();
            prop_assert!(before || !filter(narrowed).matches(&tags));
            if let Some((key, _)) = query.first() {
                let widened = [query.clone(), vec![(key.clone(), value)]].concat();
                prop_assert!(!before || filter(widened).matches(&tags));
            }
        }
    }
}
