//! Page: joins its scripts into one `/page.js`. Lines that are comments, and empty ones, are left out of
//! it and of the style sheet. All else is embedded as it is written: small minifiers corrupt valid
//! scripts (`a + +b` becomes `a++b`), and correct ones bring dozens of crates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PAGE: &str = "src/page";

/// The scripts in the order in which they run: each may use those before it while it loads.
const SCRIPTS: [&str; 20] = [
    "dom.js",
    "storage.js",
    "theme.js",
    "states.js",
    "model.js",
    "filter.js",
    "address.js",
    "chips.js",
    "rows.js",
    "chunks.js",
    "clusters.js",
    "totals.js",
    "draw.js",
    "announce.js",
    "token.js",
    "fetch_report.js",
    "refresh.js",
    "status.js",
    "events.js",
    "main.js",
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={PAGE}");
    let page = Path::new(PAGE);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::copy(page.join("index.html"), out.join("index.html"))?;
    let css = without_comments(&fs::read_to_string(page.join("page.css"))?);
    fs::write(out.join("page.css"), css)?;
    fs::write(out.join("page.js"), script(&page.join("js"))?)
}

/// Joins the scripts into one, in which they share their names. A script that is missing here or in
/// the directory is an error.
fn script(directory: &Path) -> io::Result<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // Editors leave files of their own beside the scripts.
        if path.extension().is_some_and(|extension| extension == "js") {
            found.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    let listed = SCRIPTS.map(str::to_owned).into();
    if let Some(name) = found.symmetric_difference(&listed).next() {
        return Err(io::Error::other(format!(
            "{name} is not both in {} and in SCRIPTS of build.rs",
            directory.display()
        )));
    }
    let mut script = "'use strict';\n".to_owned();
    for name in SCRIPTS {
        let source = fs::read_to_string(directory.join(name))?;
        // In such a template, a line that looks like a comment would be text.
        if let Some(line) = source.lines().find(|l| l.matches('`').count() % 2 == 1) {
            return Err(io::Error::other(format!(
                "{name}: a template literal must begin and end in one line: {line}"
            )));
        }
        script.push_str(&without_comments(&source));
    }
    Ok(script)
}

/// `source` without the lines that hold nothing but a comment, and without empty ones.
fn without_comments(source: &str) -> String {
    let mut rest = String::new();
    for line in source.lines() {
        let text = line.trim();
        let is_comment = text.starts_with("//")
            || text.starts_with("/*") && text.find("*/") == Some(text.len() - 2);
        if !text.is_empty() && !is_comment {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    rest
}
