//! The formats of the report: what stands in them, and that no name can break out of them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use std::collections::BTreeMap;

use ecs_status::api::{self, Request};
use ecs_status::config::Config;
use ecs_status::fleet::refresh::Fleet;
use http::Response;
use proptest::prelude::*;
use quick_xml::events::Event;
use serde_json::Value;
use support::Fake;
use support::given::{Given, holding, service};

const TARGETS: &str =
    r#"[{"name":"sydney","region":"ap-southeast-2"},{"name":"dublin","region":"eu-west-1"}]"#;

fn fleet(platform: &Fake, changes: &[(&str, &str)]) -> Fleet<Fake> {
    let complete = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hush-hush-hush-hush"),
        ("AWS_REGION", "us-east-1"),
    ];
    let config = Config::from_lookup(|name| {
        let mut values = changes.iter().chain(&complete);
        let (_, value) = values.find(|(key, _)| *key == name)?;
        Some((*value).to_owned())
    });
    Fleet::new(platform.clone(), config.unwrap())
}

fn get(path: &str) -> Request {
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(p, q)| (p, Some(q.to_owned())));
    Request {
        method: "GET".into(),
        origin: "https://ecs-status.example".into(),
        path: path.into(),
        query,
        id: "r-1".into(),
        ..Request::default()
    }
}

/// One request to a fleet of its own.
fn ask_with(platform: &Fake, changes: &[(&str, &str)], request: &Request) -> Response<Vec<u8>> {
    let fleet = fleet(platform, changes);
    platform.run(api::handle(request, Ok(&fleet), platform))
}

fn ask(platform: &Fake, path: &str) -> Response<Vec<u8>> {
    ask_with(platform, &[], &get(path))
}

fn text(response: &Response<Vec<u8>>) -> String {
    assert_eq!(response.status(), 200, "{response:?}");
    String::from_utf8(response.body().clone()).unwrap()
}

fn given(name: &str, services: Vec<Value>) -> Given {
    Given {
        name: name.into(),
        services,
    }
}

/// Every state, and names that would break a format that does not escape them.
fn nasty() -> Vec<Given> {
    let own = [
        ("owner", "K2"),
        ("environment", "production"),
        ("contact", "k2@example.com"),
    ];
    vec![
        given(
            "web",
            vec![
                service("api", [2, 2, 0], "COMPLETED", &own),
                service("batch", [0, 0, 0], "COMPLETED", &[("owner", "")]),
                service("deploying", [3, 1, 2], "IN_PROGRESS", &[]),
                service("broken", [1, 1, 0], "FAILED", &own[..1]),
                service("lacking", [2, 0, 0], "COMPLETED", &own[..2]),
                service("leaving", [1, 2, 0], "COMPLETED", &[]),
            ],
        ),
        given(
            "<b>\"x\"&amp;</b>",
            vec![
                service(
                    "=HYPERLINK(\"evil.example\",\"x\")",
                    [1, 1, 0],
                    "COMPLETED",
                    &[
                        ("a;b=c\\", "d;e=f\\"),
                        ("owner", "@SUM(1)"),
                        ("Owner", "\u{1b}[31mred\u{1b}[0m"),
                        ("costCentre", "line\r\nbreak,\"quoted\""),
                        ("cost centre", "]]></text><script>alert(1)</script>"),
                    ],
                ),
                service("日本 ☃ \u{202e}txt\u{9b}\t'", [1, 1, 0], "COMPLETED", &[]),
            ],
        ),
    ]
}

const PATHS: [&str; 4] = [
    "/list?format=text",
    "/list?format=csv",
    "/metrics",
    "/badge.svg",
];

#[test]
fn every_format_looks_as_it_should() {
    let platform = holding(nasty());
    for (name, path) in ["text", "csv", "metrics", "badge"].into_iter().zip(PATHS) {
        insta::assert_snapshot!(name, text(&ask(&platform, path)));
    }
    let several = ask_with(
        &platform,
        &[("TARGETS", TARGETS)],
        &get("/list?format=text&owner=K2"),
    );
    insta::assert_snapshot!("text_of_several_targets", text(&several));
}

#[test]
fn an_incomplete_fleet_is_marked_in_every_format() {
    let platform = || {
        let mut ecs = support::ecs::Ecs::uniform(2, 1);
        let denied = ("ListServices".to_owned(), "cluster-0001".to_owned());
        ecs.errors.insert(denied, "AccessDeniedException");
        Fake::new(move |request| support::Reply {
            after: std::time::Duration::ZERO,
            sent: ecs.answer(request),
        })
    };
    for path in ["/list", PATHS[0], PATHS[1], PATHS[2], PATHS[3]] {
        let response = ask(&platform(), path);
        assert_eq!(
            response.headers()["x-ecs-status-complete"],
            "false",
            "{path}"
        );
        assert_eq!(response.headers()["cache-control"], "public, max-age=15");
        let whole = ask(&holding(nasty()), path);
        assert_eq!(whole.headers()["x-ecs-status-complete"], "true", "{path}");
    }
    let table = text(&ask(&platform(), PATHS[0]));
    let failure =
        "failure: default us-east-1 cluster-0001 the IAM policy does not allow ecs:ListServices\n";
    assert!(table.ends_with(failure), "{table}");
    assert!(table.contains(", incomplete\n"), "{table}");
    let badge = text(&ask(&platform(), PATHS[3]));
    assert!(badge.contains("1/1 (incomplete)"), "{badge}");
}

#[test]
fn the_parameter_wins_over_accept_and_json_is_the_default() {
    let platform = holding(nasty());
    for (query, accept, content_type) in [
        ("", None, "application/json"),
        ("", Some("*/*"), "application/json"),
        ("", Some("image/png"), "application/json"),
        ("", Some("text/plain"), "text/plain; charset=utf-8"),
        (
            "",
            Some("text/csv"),
            "text/csv; charset=utf-8; header=present",
        ),
        ("?format=json", Some("text/csv"), "application/json"),
        (
            "?format=text",
            Some("text/csv"),
            "text/plain; charset=utf-8",
        ),
    ] {
        let request = Request {
            accept: accept.map(str::to_owned),
            ..get(&format!("/list{query}"))
        };
        let response = ask_with(&platform, &[], &request);
        assert_eq!(
            response.headers()["content-type"],
            content_type,
            "{query} {accept:?}"
        );
        assert_eq!(response.headers()["vary"], "accept");
    }
}

#[test]
fn a_parameter_that_cannot_be_read_is_400_and_says_what_can() {
    let platform = holding(nasty());
    for (path, detail) in [
        ("/list?format=xml", "format is one of json, text, csv."),
        ("/list?format=", "format is one of json, text, csv."),
        (
            "/list?format=csv&format=csv",
            "format is given more than once.",
        ),
        ("/list?unhealthy=yes", "unhealthy is true or false."),
        ("/list?unhealthy", "unhealthy is true or false."),
        (
            "/list?unhealthy=true&unhealthy=true",
            "unhealthy is given more than once.",
        ),
        (
            "/list?missing=team",
            "missing names a tag: one of environment, owner, contact.",
        ),
        (
            "/list?missing=target",
            "missing names a tag: one of environment, owner, contact.",
        ),
        (
            "/list?service=api",
            "\"service\" is no filter key; the valid ones are environment, owner, contact, target, \
             region. The other parameters are format, unhealthy, missing.",
        ),
        (
            "/metrics?format=text",
            "\"format\" is no filter key; the valid ones are environment, owner, contact, target, \
             region. The other parameters are unhealthy, missing.",
        ),
        (
            "/badge.svg?nope=1",
            "\"nope\" is no filter key; the valid ones are environment, owner, contact, target, \
             region. The other parameters are service, unhealthy, missing.",
        ),
    ] {
        let response = ask(&platform, path);
        assert_eq!(response.status(), 400, "{path}");
        let problem: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(problem["detail"], detail, "{path}");
    }
    assert!(
        platform
            .lines()
            .iter()
            .all(|line| !line.contains("awsCall\""))
    );
}

#[test]
fn the_parameters_win_over_tags_of_the_same_name() {
    let platform = holding(nasty());
    let changes = [("FILTER_TAGS", "format,service,owner,unhealthy")];
    let answer = |path: &str| ask_with(&platform, &changes, &get(path));
    assert_eq!(answer("/list?format=x").status(), 400);
    assert_eq!(answer("/metrics?format=x").status(), 400);
    assert_eq!(answer("/list?unhealthy=x").status(), 400);
    assert_eq!(answer("/list?missing=format").status(), 200);
    let list = text(&answer("/list?service=api"));
    assert!(list.contains("\"clusters\":[]"), "a tag: {list}");
    assert!(text(&answer("/badge.svg?service=api")).contains("2/2"));
    let problem: Value = serde_json::from_slice(answer("/list?nope").body()).unwrap();
    assert_eq!(
        problem["validKeys"],
        serde_json::json!(["service", "owner", "target", "region"])
    );
}

/// The services' names in a report.
fn names(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    let clusters = report["clusters"].as_array().unwrap().iter();
    clusters
        .flat_map(|cluster| cluster["services"].as_array().unwrap())
        .map(|service| service["serviceName"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn unhealthy_and_missing_narrow_the_report_in_every_format() {
    let platform = holding(nasty());
    let list = |query: &str| names(&text(&ask(&platform, &format!("/list?{query}"))));
    let unhealthy = ["broken", "deploying", "lacking", "leaving"];
    assert_eq!(list("unhealthy=true"), unhealthy);
    assert_eq!(list("unhealthy=false"), list(""));
    assert_eq!(
        list("unhealthy=true&missing=owner"),
        ["deploying", "leaving"]
    );
    assert_eq!(list("missing=environment&owner="), ["batch"]);
    assert_eq!(
        list("missing=contact&missing=environment&owner=K2"),
        ["broken"]
    );
    let metrics = text(&ask(&platform, "/metrics?unhealthy=true"));
    let running = metrics
        .lines()
        .filter(|line| line.starts_with("ecs_service_running_tasks{"));
    assert_eq!(running.count(), unhealthy.len());
    let csv = text(&ask(&platform, "/list?format=csv&unhealthy=true"));
    assert_eq!(csv.lines().count(), 1 + unhealthy.len());
}

#[test]
fn a_badge_says_what_it_counts_and_how_that_does() {
    let platform = holding(nasty());
    for (query, title, colour) in [
        ("service=api", "api: 2/2", "#3a7d0a"),
        ("service=batch", "batch: 0/0", "#3a7d0a"),
        ("service=deploying", "deploying: 1/3", "#8f6a00"),
        ("service=lacking", "lacking: 0/2", "#c2331d"),
        ("service=api&service=broken", "api broken: 3/3", "#c2331d"),
        ("service=nope", "nope: no match", "#666"),
        ("service=API", "API: no match", "#666"),
        (
            "owner=K2&environment=production",
            "K2 production: 2/4",
            "#c2331d",
        ),
        (
            "unhealthy=true&missing=owner",
            "no owner unhealthy: 3/4",
            "#8f6a00",
        ),
        ("owner=", "ecs: 0/0", "#3a7d0a"),
        ("service=%3Cscript%3E", "&lt;script&gt;: no match", "#666"),
    ] {
        let svg = text(&ask(&platform, &format!("/badge.svg?{query}")));
        assert!(
            svg.contains(&format!("<title>{title}</title>")),
            "{query}: {svg}"
        );
        assert!(
            svg.contains(&format!("fill=\"{colour}\"")),
            "{query}: {svg}"
        );
    }
    let long = text(&ask(
        &platform,
        &format!("/badge.svg?service={}", "x".repeat(500)),
    ));
    assert!(long.contains(&format!("<title>{}…: no match</title>", "x".repeat(40))));
}

#[test]
fn metrics_and_the_badge_want_the_token_too() {
    let platform = holding(nasty());
    for path in PATHS {
        let changes = [("LIST_TOKEN", "0123456789abcdef")];
        let request = get(path);
        assert_eq!(
            ask_with(&platform, &changes, &request).status(),
            401,
            "{path}"
        );
        let request = Request {
            authorization: Some("Bearer 0123456789abcdef".into()),
            ..request
        };
        let response = ask_with(&platform, &changes, &request);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["cache-control"], "private, no-store");
    }
}

/// Reads an exposition back: the type of each family, and each sample's labels.
type Samples = Vec<(String, BTreeMap<String, String>, u64)>;

fn read_metrics(text: &str) -> Samples {
    assert!(text.ends_with('\n'));
    let mut samples = Samples::new();
    let mut family = String::new();
    let mut seen = Vec::new();
    // Only a line feed ends a line.
    let mut lines = text.strip_suffix('\n').unwrap().split('\n');
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(
                !words.is_empty() && !seen.contains(&name.to_owned()),
                "{name}"
            );
            name.clone_into(&mut family);
            seen.push(family.clone());
            let kind = if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            };
            assert_eq!(lines.next(), Some(&*format!("# TYPE {name} {kind}")));
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        assert_eq!(name, family);
        let (labels, rest) = read_labels(rest);
        samples.push((
            name.to_owned(),
            labels,
            rest.strip_prefix(' ').unwrap().parse().unwrap(),
        ));
    }
    samples
}

fn read_labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").unwrap();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(is_name) && !name.is_empty(), "{name}");
        let (mut value, mut end) = (String::new(), None);
        let mut chars = after.char_indices();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' => {
                    end = Some(index);
                    break;
                }
                '\\' => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c}"),
                }),
                c => value.push(c),
            }
        }
        assert!(
            labels.insert(name.to_owned(), value).is_none(),
            "{name} twice"
        );
        rest = &after[end.unwrap() + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix('}').unwrap()),
        }
    }
}

/// Checks that `xml` is well formed, and returns its elements and the text in them.
fn read_xml(xml: &str) -> (Vec<String>, Vec<String>) {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut open, mut elements, mut texts) = (0, Vec::new(), vec![String::new()]);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open += 1;
                elements.push(start.name().as_ref().to_owned());
                start
                    .attributes()
                    .for_each(|attribute| drop(attribute.unwrap()));
                texts.push(String::new());
            }
            Event::Empty(start) => {
                elements.push(start.name().as_ref().to_owned());
                start
                    .attributes()
                    .for_each(|attribute| drop(attribute.unwrap()));
            }
            Event::End(_) => {
                open -= 1;
                texts.push(String::new());
            }
            Event::Text(text) => texts.last_mut().unwrap().push_str(&text),
            Event::GeneralRef(name) => {
                let entity = format!("&{};", &*name);
                let text = quick_xml::escape::unescape(&entity).unwrap();
                texts.last_mut().unwrap().push_str(&text);
            }
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(open, 0);
    texts.retain(|text| !text.trim().is_empty());
    (elements, texts)
}

/// Names and values with what means something in one of the formats.
fn nasty_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        "\"",
        "'",
        ",",
        ";",
        "\\",
        "<",
        ">",
        "&",
        "</text>",
        "]]>",
        "{",
        "}",
        "\u{1b}[2J",
        "\u{0}",
        "\u{7f}",
        "\u{9b}",
        "\u{202e}",
        "\u{2028}",
        "\u{feff}",
        "\u{ffff}",
        "＝",
        " ",
        "\\n",
        "a",
        "é",
        "☃",
        "{{help}}",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat()),
        ".{1,8}",
    ]
}

#[derive(Clone, Debug)]
struct Nasty {
    cluster: String,
    service: String,
    tags: BTreeMap<String, String>,
}

impl Nasty {
    fn platform(&self) -> Fake {
        let tags: Vec<_> = self
            .tags
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let service = service(&self.service, [2, 1, 0], "COMPLETED", &tags);
        holding(vec![given(&self.cluster, vec![service])])
    }
}

fn any_nasty() -> impl Strategy<Value = Nasty> {
    let tags = prop::collection::btree_map(nasty_text(), nasty_text(), 0..4);
    (nasty_text(), nasty_text(), tags).prop_map(|(cluster, service, tags)| Nasty {
        cluster,
        service: service.replace('/', "|"),
        tags,
    })
}

/// Tags from `key=value;…`, where a backslash makes the next character an ordinary one.
fn read_tags(cell: &str) -> BTreeMap<String, String> {
    let (mut tags, mut key, mut part) = (BTreeMap::new(), None, String::new());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => part.push(chars.next().unwrap()),
            '=' => key = Some(std::mem::take(&mut part)),
            ';' => drop(tags.insert(key.take().unwrap(), std::mem::take(&mut part))),
            c => part.push(c),
        }
    }
    tags.extend(key.map(|key| (key, part)));
    tags
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn csv_gives_the_values_back_and_no_formula(nasty in any_nasty()) {
        let body = text(&ask(&nasty.platform(), "/list?format=csv"));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), 2);
        for cell in records.iter().flatten() {
            let start = cell.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
            prop_assert!(!start.starts_with(['=', '+', '-', '@']) , "{}", cell);
            prop_assert!(!cell.starts_with(['\t', '\r', '\n']), "{}", cell);
        }
        let cell = |index: usize, value: &str| {
            let cell = &records[1][index];
            cell == value || cell.strip_prefix('\'') == Some(value)
        };
        prop_assert!(cell(2, &nasty.cluster) && cell(3, &nasty.service), "{}", body);
        let tags = &records[1][11];
        let guarded = tags.strip_prefix('\'').unwrap_or(tags);
        prop_assert!(read_tags(tags) == nasty.tags || read_tags(guarded) == nasty.tags, "{}", body);
    }

    #[test]
    fn metrics_give_the_values_back(nasty in any_nasty()) {
        let samples = read_metrics(&text(&ask(&nasty.platform(), "/metrics")));
        let services: Vec<_> = samples.iter().filter(|(name, ..)| name.starts_with("ecs_service_")).collect();
        prop_assert_eq!(services.len(), 4);
        for (name, labels, value) in services {
            prop_assert_eq!((&labels["cluster"], &labels["service"]), (&nasty.cluster, &nasty.service));
            if name == "ecs_service_info" {
                let tags = labels.iter().filter(|(name, _)| name.starts_with("tag_"));
                let mut found: Vec<_> = tags.map(|(_, value)| value).collect();
                let mut expected: Vec<_> = nasty.tags.values().collect();
                found.sort();
                expected.sort();
                prop_assert_eq!((found, *value), (expected, 1));
            }
        }
    }

    #[test]
    fn no_name_breaks_out_of_a_picture_or_a_page(nasty in any_nasty(), query in nasty_text()) {
        let query = percent_encoding::utf8_percent_encode(&query, percent_encoding::NON_ALPHANUMERIC);
        let svg = text(&ask(&nasty.platform(), &format!("/badge.svg?service={query}")));
        let (elements, texts) = read_xml(&svg);
        let expected = ["svg", "title", "clipPath", "rect", "g", "rect", "rect", "g", "text", "text"];
        prop_assert_eq!(elements, expected);
        prop_assert_eq!(texts.len(), 3);
        prop_assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    }

    #[test]
    fn a_terminal_gets_nothing_but_text(nasty in any_nasty()) {
        let table = text(&ask(&nasty.platform(), "/list?format=text"));
        prop_assert!(!table.chars().any(|c| c.is_control() && c != '\n'), "{:?}", table);
        prop_assert!(!table.contains(['\u{202e}', '\u{2028}', '\u{feff}']), "{:?}", table);
        prop_assert_eq!(table.matches('\n').count(), 4);
        prop_assert!(table.ends_with(", complete\n"));
    }
}
