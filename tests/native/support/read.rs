//! Readers of every format, which check its form.

use std::collections::BTreeMap;

use quick_xml::events::Event;

/// Samples of an exposition: family, labels, value.
pub type Samples = Vec<(String, BTreeMap<String, String>, u64)>;

/// Reads an exposition, and checks the type of each family.
pub fn read_metrics(text: &str) -> Samples {
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

/// Reads labels up to the closing brace, and returns the rest of the line.
pub fn read_labels(text: &str) -> (BTreeMap<String, String>, &str) {
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
pub fn read_xml(xml: &str) -> (Vec<String>, Vec<String>) {
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

/// Tags from `key=value;…`, where a backslash makes the next character an ordinary one.
pub fn read_tags(cell: &str) -> BTreeMap<String, String> {
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
