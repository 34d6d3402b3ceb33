//! Page: joins its scripts into one `/page.js`, without the comment at the head of each. All else is
//! embedded as it is written: small minifiers corrupt valid scripts (`a + +b` becomes `a++b`), and
//! correct ones bring dozens of crates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PAGE: &str = "src/page";

/// The scripts in the order in which they run: each may use those before it while it loads.
const SCRIPTS: [&str; 19] = [
    "dom.js",
    "storage.js",
    "theme.js",
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
    for name in ["index.html", "page.css"] {
        fs::copy(page.join(name), out.join(name))?;
    }
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
        script.push('\n');
        script.push_str(without_head(&fs::read_to_string(directory.join(name))?));
    }
    Ok(script)
}

/// `script` without the lines of comment, and the empty lines, that it begins with. Nothing before the
/// first statement can be inside of a string or of a template.
fn without_head(script: &str) -> &str {
    let mut rest = script;
    while let Some((line, below)) = rest.split_once('\n') {
        if !line.is_empty() && !line.starts_with("//") {
            break;
        }
        rest = below;
    }
    rest
}
