//! What fuzzing found worth keeping is looked at again, by the same targets as in `make fuzz`.
#![allow(missing_docs, clippy::panic, clippy::unwrap_used)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

#[test]
fn every_input_that_was_kept_holds() {
    for (name, check) in fuzz::TARGETS {
        let inputs = entries(&fuzz().join("corpus").join(name));
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for input in inputs {
            println!("{}", input.display());
            check(&fs::read(&input).unwrap());
        }
    }
}

#[test]
fn every_target_is_fuzzed_and_every_corpus_is_a_target_s() {
    let known: BTreeSet<String> = fuzz::TARGETS.map(|(name, _)| name.to_owned()).into();
    for directory in ["corpus", "fuzz_targets"] {
        let names = entries(&fuzz().join(directory));
        let names = names
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), known, "{directory}");
    }
}
