//! Partition: a group of regions with domains of its own, by the endpoint rule sets of ECS and STS.

/// The domains of a partition.
pub(super) struct Partition {
    /// The start of the names of its regions.
    prefix: &'static str,
    pub(super) domain: &'static str,
    /// The domain of dual-stack endpoints, if there are any.
    pub(super) dual_stack: Option<&'static str>,
}

/// The partitions. The last one has all other regions.
const PARTITIONS: [Partition; 7] = [
    Partition {
        prefix: "cn-",
        domain: "amazonaws.com.cn",
        dual_stack: Some("api.amazonwebservices.com.cn"),
    },
    Partition {
        prefix: "eusc-",
        domain: "amazonaws.eu",
        dual_stack: Some("api.amazonwebservices.eu"),
    },
    Partition {
        prefix: "us-iso-",
        domain: "c2s.ic.gov",
        dual_stack: Some("api.aws.ic.gov"),
    },
    Partition {
        prefix: "us-isob-",
        domain: "sc2s.sgov.gov",
        dual_stack: Some("api.aws.scloud"),
    },
    Partition {
        prefix: "us-isof-",
        domain: "csp.hci.ic.gov",
        dual_stack: None,
    },
    Partition {
        prefix: "eu-isoe-",
        domain: "cloud.adc-e.uk",
        dual_stack: None,
    },
    Partition {
        prefix: "",
        domain: "amazonaws.com",
        dual_stack: Some("api.aws"),
    },
];

/// The partition of `region`.
pub(super) fn of(region: &str) -> Option<&'static Partition> {
    PARTITIONS
        .iter()
        .find(|partition| region.starts_with(partition.prefix))
}

/// The domains of all partitions.
pub(super) fn domains() -> impl Iterator<Item = &'static str> {
    let domains = PARTITIONS
        .iter()
        .flat_map(|p| [Some(p.domain), p.dual_stack]);
    domains.flatten()
}
