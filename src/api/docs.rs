//! `/docs`: the `OpenAPI` description as a page.

use serde_json::Value;

use super::openapi;
use super::plain::escaped;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>ecs-status: the routes</title>\n\
<link rel=\"icon\" href=\"/favicon.svg\"/>\n<link rel=\"stylesheet\" href=\"/page.css\"/>\n</head>\n\
<body class=\"docs\">\n<main>\n";
const FOOT: &str = "</main>\n</body>\n</html>\n";

/// The page, with the same filter keys as the description. OPTIONS is left out: it is the same
/// everywhere, and the introduction tells of it.
pub(super) fn page(filter_keys: &[String]) -> String {
    let document = serde_json::from_str(&openapi::document(filter_keys)).unwrap_or_default();
    let mut page = Page {
        document: &document,
        html: HEAD.to_owned(),
    };
    page.introduction();
    for (path, item) in entries(member(&document, "/paths")) {
        page.operation(path, member(item, "/get"));
    }
    page.element("h2", "Schemas");
    for (name, schema) in entries(member(&document, "/components/schemas")) {
        page.schema(name, schema);
    }
    page.html.push_str(FOOT);
    page.html
}

/// The members of an object, sorted by name.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What stands at this JSON pointer, if anything.
fn member<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

struct Page<'a> {
    document: &'a Value,
    html: String,
}

impl<'a> Page<'a> {
    fn introduction(&mut self) {
        let info = member(self.document, "/info");
        self.element("h1", text(member(info, "/title")));
        self.paragraph(member(info, "/summary"));
        self.paragraph(member(info, "/description"));
        self.html.push_str(
            "<p>For programs: <a href=\"/openapi.json\">/openapi.json</a>. To the start: <a href=\"/\">/</a>.</p>\n",
        );
    }

    fn operation(&mut self, path: &str, operation: &'a Value) {
        let link = escaped(path);
        self.push(&[
            "<section id=\"",
            &link,
            "\">\n<h2><code>GET <a href=\"",
            &link,
        ]);
        self.push(&["\">", &link, "</a></code></h2>\n"]);
        self.paragraph(member(operation, "/summary"));
        self.paragraph(member(operation, "/description"));
        if member(operation, "/security").is_array() {
            self.paragraph(member(
                self.document,
                "/components/securitySchemes/bearer/description",
            ));
        }
        if member(operation, "/parameters").is_array() {
            self.table(&["Parameter", "Value", "Meaning"]);
            for parameter in items(member(operation, "/parameters")) {
                let parameter = self.resolved(parameter);
                let name = code(text(member(parameter, "/name")));
                let kind = kind(member(parameter, "/schema"));
                self.row(&[
                    &name,
                    &kind,
                    &escaped(text(member(parameter, "/description"))),
                ]);
            }
            self.html.push_str("</table>\n");
        }
        self.table(&["Status", "Meaning", "Headers", "Body"]);
        let mut examples = Vec::new();
        for (status, response) in entries(member(operation, "/responses")) {
            let response = self.resolved(response);
            let names = entries(member(response, "/headers")).map(|(name, _)| code(name));
            let headers: Vec<String> = names.collect();
            let mut bodies = Vec::new();
            for (media_type, content) in entries(member(response, "/content")) {
                bodies.push(format!(
                    "{}: {}",
                    code(media_type),
                    kind(member(content, "/schema"))
                ));
                let example = member(content, "/example");
                if status == "200" && !example.is_null() {
                    examples.push((media_type, example));
                }
            }
            let meaning = escaped(text(member(response, "/description")));
            self.row(&[status, &meaning, &headers.join(", "), &bodies.join("<br/>")]);
        }
        self.html.push_str("</table>\n");
        for (media_type, example) in examples {
            self.push(&["<p>", &code(media_type), ", for example:</p>\n<pre>"]);
            let body = match example {
                Value::String(text) => text.clone(),
                value => format!("{value:#}"),
            };
            self.push(&[&escaped(&body.replace('\r', "")), "</pre>\n"]);
        }
        self.html.push_str("</section>\n");
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        let id = escaped(name);
        self.push(&["<section id=\"", &id, "\">\n<h3>", &id, "</h3>\n"]);
        self.paragraph(member(schema, "/description"));
        if member(schema, "/properties").is_object() {
            self.table(&["Member", "Value", "Meaning"]);
            for (name, property) in entries(member(schema, "/properties")) {
                let required = items(member(schema, "/required")).any(|known| known == name);
                let optional = if required { "" } else { " (optional)" };
                let meaning = escaped(text(member(property, "/description")));
                self.row(&[&(code(name) + optional), &kind(property), &meaning]);
            }
            self.html.push_str("</table>\n");
        }
        self.html.push_str("</section>\n");
    }

    /// What a `$ref` leads to, or `value` itself.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        let pointer = text(member(value, "/$ref")).strip_prefix('#');
        pointer
            .and_then(|pointer| self.document.pointer(pointer))
            .unwrap_or(value)
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.html.push_str(part);
        }
    }

    fn element(&mut self, name: &str, text: &str) {
        self.push(&["<", name, ">", &escaped(text), "</", name, ">\n"]);
    }

    fn paragraph(&mut self, value: &Value) {
        if let Some(text) = value.as_str() {
            self.element("p", text);
        }
    }

    fn table(&mut self, header: &[&str]) {
        self.html.push_str("<table>\n<tr>");
        for name in header {
            self.push(&["<th scope=\"col\">", name, "</th>"]);
        }
        self.html.push_str("</tr>\n");
    }

    /// `cells` are HTML.
    fn row(&mut self, cells: &[&str]) {
        self.html.push_str("<tr>");
        for cell in cells {
            self.push(&["<td>", cell, "</td>"]);
        }
        self.html.push_str("</tr>\n");
    }
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// What values a schema allows, as HTML.
fn kind(schema: &Value) -> String {
    if let Some(name) = text(member(schema, "/$ref")).rsplit('/').next()
        && !name.is_empty()
    {
        let name = escaped(name);
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(value) = member(schema, "/const").as_str() {
        return code(value);
    }
    if member(schema, "/enum").is_array() {
        let values: Vec<String> = items(member(schema, "/enum"))
            .map(|v| code(text(v)))
            .collect();
        return values.join(" or ");
    }
    match member(schema, "/type") {
        Value::String(name) if name == "array" => {
            format!("array of {}", kind(member(schema, "/items")))
        }
        Value::String(name) => escaped(name),
        names => {
            let names: Vec<String> = items(names).map(|name| escaped(text(name))).collect();
            names.join(" or ")
        }
    }
}
