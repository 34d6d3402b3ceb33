//! Shared cache: a model of a cache before the API, as RFC 9111 allows it at the worst, and as Cloudflare
//! describes its own ("Workers Cache", configuration).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use ecs_status::api::{Api, Request};
use ecs_status::platform::Clock;
use http::{HeaderMap, StatusCode};

use super::Fake;
use super::objects::Objects;

/// What a cache may do beyond the fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Whether it counts the `Age` of what it receives, as it should (RFC 9111, section 4.2.3).
    pub counts_age: bool,
    /// Whether it serves what is stale while the origin fails, wherever that is not forbidden (section
    /// 4.2.4). Without `stale-if-error` it does so without limit.
    pub serves_stale_on_errors: bool,
}

/// A response as it is stored and passed on.
#[derive(Clone, Debug)]
pub struct Passed {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

struct Stored {
    passed: Passed,
    /// Its age when it was received, and when that was.
    age: Duration,
    at: SystemTime,
}

enum Upstream {
    Origin(Box<Api<Objects>>, fn(&mut HeaderMap)),
    Tier(Box<SharedCache>),
}

/// A shared cache, whose key is the path and the query, as Cloudflare's is.
pub struct SharedCache {
    platform: Fake,
    upstream: Upstream,
    habits: Habits,
    stored: RefCell<BTreeMap<String, Stored>>,
}

impl SharedCache {
    /// A cache before `api`, whose headers `rewrite` changes.
    pub fn before(
        platform: &Fake,
        api: Api<Objects>,
        habits: Habits,
        rewrite: fn(&mut HeaderMap),
    ) -> Self {
        Self::new(platform, Upstream::Origin(Box::new(api), rewrite), habits)
    }

    /// A lower tier, which asks this one.
    pub fn with_lower_tier(self) -> Self {
        let (platform, habits) = (self.platform.clone(), self.habits);
        Self::new(&platform, Upstream::Tier(Box::new(self)), habits)
    }

    fn new(platform: &Fake, upstream: Upstream, habits: Habits) -> Self {
        Self {
            platform: platform.clone(),
            upstream,
            habits,
            stored: RefCell::default(),
        }
    }

    /// The response to a GET request.
    ///
    /// 1. What is fresh is served (section 4.2).
    /// 2. What is stale is served where `stale-while-revalidate` allows it, and revalidated behind the
    ///    response (RFC 5861, section 3).
    /// 3. Otherwise it is revalidated first. A 304 renews it (section 4.3.4), another response takes its
    ///    place, and if the origin fails, it is served where nothing forbids that.
    pub async fn get(&self, request: &Request) -> Passed {
        let key = format!("{}?{:?}", request.path, request.query);
        let now = self.platform.now();
        let known = self.stored.borrow().get(&key).map(|stored| {
            let age = stored.age + now.duration_since(stored.at).unwrap();
            (stored.passed.clone(), age)
        });
        let Some((known, age)) = known else {
            let fetched = self.fetch(request).await;
            return self.keep(&key, fetched);
        };
        let control = Directives::of(&known.headers);
        // (1)
        if age < control.lifetime {
            return aged(known, age);
        }
        let conditional = conditional(request, &known);
        let revalidated = self.fetch(&conditional);
        // (2)
        if control.may_be_stale() && age < control.lifetime + control.stale_while_revalidate {
            let fetched = revalidated.await;
            self.renew(&key, &known, fetched);
            return aged(known, age);
        }
        // (3)
        let fetched = revalidated.await;
        let now = self.platform.now();
        if fetched.status.is_server_error()
            && self.habits.serves_stale_on_errors
            && control.may_be_stale_on_errors(age)
        {
            let later = now.duration_since(self.stored.borrow()[&key].at).unwrap();
            return aged(known, age.max(later));
        }
        self.renew(&key, &known, fetched)
    }

    async fn fetch(&self, request: &Request) -> Passed {
        match &self.upstream {
            Upstream::Tier(upper) => Box::pin(upper.get(request)).await,
            Upstream::Origin(api, rewrite) => {
                let response = api.handle(request, &self.platform).await;
                let (mut parts, body) = response.into_parts();
                rewrite(&mut parts.headers);
                Passed {
                    status: parts.status,
                    headers: parts.headers,
                    body: body.to_vec(),
                }
            }
        }
    }

    /// Takes the response to a conditional request for what is `known`.
    fn renew(&self, key: &str, known: &Passed, fetched: Passed) -> Passed {
        if fetched.status != StatusCode::NOT_MODIFIED {
            return self.keep(key, fetched);
        }
        let mut renewed = known.clone();
        for (name, value) in &fetched.headers {
            renewed.headers.insert(name, value.clone());
        }
        self.keep(key, renewed)
    }

    /// Stores a response if it may be stored (section 3), and returns it. An error takes nothing's place.
    fn keep(&self, key: &str, passed: Passed) -> Passed {
        let control = Directives::of(&passed.headers);
        if passed.status == StatusCode::OK && !control.is_forbidden {
            let age = if self.habits.counts_age {
                age_of(&passed.headers)
            } else {
                Duration::ZERO
            };
            let stored = Stored {
                passed: passed.clone(),
                age,
                at: self.platform.now(),
            };
            self.stored.borrow_mut().insert(key.to_owned(), stored);
        }
        passed
    }

    /// The responses that are stored, in this tier and those above it.
    pub fn stored(&self) -> Vec<Passed> {
        let mut all: Vec<_> = match &self.upstream {
            Upstream::Tier(upper) => upper.stored(),
            Upstream::Origin(..) => Vec::new(),
        };
        all.extend(self.stored.borrow().values().map(|s| s.passed.clone()));
        all
    }
}

/// `Cache-Control`, as a shared cache reads it.
struct Directives {
    is_forbidden: bool,
    lifetime: Duration,
    must_revalidate: bool,
    stale_while_revalidate: Duration,
    stale_if_error: Option<Duration>,
}

impl Directives {
    fn of(headers: &HeaderMap) -> Self {
        let text = headers["cache-control"].to_str().unwrap();
        let named = |name: &str| {
            let mut directives = text.split(',').map(str::trim);
            directives.find_map(|directive| {
                let (known, value) = directive.split_once('=').unwrap_or((directive, "0"));
                let seconds = || Duration::from_secs(value.parse().unwrap());
                (known == name).then(seconds)
            })
        };
        let shared = named("s-maxage");
        Self {
            is_forbidden: named("no-store").is_some() || named("private").is_some(),
            lifetime: shared.or_else(|| named("max-age")).unwrap_or_default(),
            // `s-maxage` includes what `proxy-revalidate` means (section 5.2.2.10).
            must_revalidate: shared.is_some()
                || named("must-revalidate").is_some()
                || named("proxy-revalidate").is_some(),
            stale_while_revalidate: named("stale-while-revalidate").unwrap_or_default(),
            stale_if_error: named("stale-if-error"),
        }
    }

    fn may_be_stale(&self) -> bool {
        !self.must_revalidate
    }

    fn may_be_stale_on_errors(&self, age: Duration) -> bool {
        let limit = self.stale_if_error.map(|limit| self.lifetime + limit);
        self.may_be_stale() && limit.is_none_or(|limit| age < limit)
    }
}

/// The request that revalidates `known`.
fn conditional(request: &Request, known: &Passed) -> Request {
    let etag = known.headers.get("etag");
    Request {
        if_none_match: etag.map(|etag| etag.to_str().unwrap().to_owned()),
        ..request.clone()
    }
}

fn age_of(headers: &HeaderMap) -> Duration {
    let seconds = headers["age"].to_str().unwrap().parse();
    Duration::from_secs(seconds.unwrap())
}

fn aged(mut passed: Passed, age: Duration) -> Passed {
    passed.headers.insert("age", age.as_secs().into());
    passed
}
