//! Makes the page's files smaller before they are embedded: without indentation, empty lines and
//! lines that are a comment. What is left is the same on every edge.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/page");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    for name in ["index.html", "page.css", "page.js"] {
        let text = fs::read_to_string(PathBuf::from("src/page").join(name))?;
        let lines = text.lines().map(str::trim);
        let kept = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        fs::write(out.join(name), kept.collect::<Vec<_>>().join("\n") + "\n")?;
    }
    Ok(())
}
