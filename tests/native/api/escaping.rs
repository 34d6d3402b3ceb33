//! Escaping: no name breaks out of a format, and every format preserves the names.
use std::collections::BTreeMap;

use crate::support::Fake;
use crate::support::ask::{ask, text};
use crate::support::ecs::{Ecs, service};
use crate::support::read::{read_metrics, read_tags, read_xml};
use proptest::prelude::*;

/// Names and values with characters that have a meaning in one of the formats.
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
        Ecs::holding(vec![(self.cluster.as_str(), vec![service])]).platform()
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn csv_preserves_the_values_and_holds_no_formula(nasty in any_nasty()) {
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
    fn metrics_preserve_the_values(nasty in any_nasty()) {
        let samples = read_metrics(&text(&ask(&nasty.platform(), "/metrics")));
        let services: Vec<_> = samples.iter().filter(|(name, ..)| name.starts_with("ecs_service_")).collect();
        // Its three counts, its nine states and the information on it.
        prop_assert_eq!(services.len(), 13);
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
    fn no_name_breaks_out_of_a_badge(nasty in any_nasty(), query in nasty_text()) {
        let query = percent_encoding::utf8_percent_encode(&query, percent_encoding::NON_ALPHANUMERIC);
        let svg = text(&ask(&nasty.platform(), &format!("/badge.svg?service={query}")));
        let (elements, texts) = read_xml(&svg);
        let expected = ["svg", "title", "clipPath", "rect", "g", "rect", "rect", "g", "text", "text"];
        prop_assert_eq!(elements, expected);
        prop_assert_eq!(texts.len(), 3);
        prop_assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    }

    #[test]
    fn the_text_table_holds_no_control_character(nasty in any_nasty()) {
        let table = text(&ask(&nasty.platform(), "/list?format=text"));
        prop_assert!(!table.chars().any(|c| c.is_control() && c != '\n'), "{:?}", table);
        prop_assert!(!table.contains(['\u{202e}', '\u{2028}', '\u{feff}']), "{:?}", table);
        prop_assert_eq!(table.matches('\n').count(), 4);
        prop_assert!(table.ends_with(", complete\n"));
    }
}
