//! Which path leads where.

/// A path that has an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Help,
    List,
    Healthz,
}

impl Route {
    pub(super) const ALL: [Self; 3] = [Self::Help, Self::List, Self::Healthz];

    /// The route of exactly this path.
    pub(super) fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.path() == path)
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Help => "/",
            Self::List => "/list",
            Self::Healthz => "/healthz",
        }
    }

    /// What it answers, for the help.
    pub(super) fn summary(self) -> &'static str {
        match self {
            Self::Help => "this help, as text, HTML or JSON by the Accept header",
            Self::List => "all ACTIVE Fargate services, grouped by cluster, as JSON",
            Self::Healthz => "whether the configuration is complete and the AWS keys work",
        }
    }
}
