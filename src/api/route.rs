//! Which path leads where.

/// A path that has an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Help,
    List,
    Metrics,
    Badge,
    Healthz,
    OpenApi,
    Docs,
    PageCss,
    PageJs,
    Robots,
    FaviconSvg,
    FaviconIco,
}

impl Route {
    pub(super) const ALL: [Self; 12] = [
        Self::Help,
        Self::List,
        Self::Metrics,
        Self::Badge,
        Self::Healthz,
        Self::OpenApi,
        Self::Docs,
        Self::PageCss,
        Self::PageJs,
        Self::Robots,
        Self::FaviconSvg,
        Self::FaviconIco,
    ];

    /// Those that the help tells of; the others are asked for by browsers and crawlers.
    pub(super) const TOLD: [Self; 7] = [
        Self::Help,
        Self::List,
        Self::Metrics,
        Self::Badge,
        Self::Healthz,
        Self::OpenApi,
        Self::Docs,
    ];

    /// The route of exactly this path.
    pub(super) fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.path() == path)
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Help => "/",
            Self::List => "/list",
            Self::Metrics => "/metrics",
            Self::Badge => "/badge.svg",
            Self::Healthz => "/healthz",
            Self::OpenApi => "/openapi.json",
            Self::Docs => "/docs",
            Self::PageCss => "/page.css",
            Self::PageJs => "/page.js",
            Self::Robots => "/robots.txt",
            Self::FaviconSvg => "/favicon.svg",
            Self::FaviconIco => "/favicon.ico",
        }
    }

    /// What it answers, for the help.
    pub(super) fn summary(self) -> &'static str {
        match self {
            Self::Help => "this help, as text, HTML or JSON by the Accept header",
            Self::List => "all ACTIVE Fargate services, grouped by cluster, as JSON, text or CSV",
            Self::Metrics => "the same for Prometheus",
            Self::Badge => "running and desired tasks as a badge",
            Self::Healthz => "whether the configuration is complete and the AWS keys work",
            Self::OpenApi => "all of this as an OpenAPI description",
            Self::Docs => "that description as a page",
            Self::PageCss | Self::PageJs => "a part of the page at /",
            Self::Robots => "that crawlers find nothing here",
            Self::FaviconSvg | Self::FaviconIco => "the icon",
        }
    }
}
