//! Corpora: the inputs in `fuzz/corpus`, checked by the targets of `make fuzz`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fuzz;

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn fuzz_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

#[test]
fn every_input_of_a_corpus_passes_its_target() {
    for (name, check) in fuzz::TARGETS {
        let inputs = entries(&fuzz_directory().join("corpus").join(name));
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for input in inputs {
            println!("{}", input.display());
            check(&fs::read(&input).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_a_fuzz_binary() {
    let known: BTreeSet<String> = fuzz::TARGETS.map(|(name, _)| name.to_owned()).into();
    for directory in ["corpus", "fuzz_targets"] {
        let names = entries(&fuzz_directory().join(directory));
        let names = names
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), known, "{directory}");
    }
}

#[test]
fn every_stored_type_has_an_input_that_decodes() {
    let inputs = entries(&fuzz_directory().join("corpus").join("stored"));
    let inputs = inputs.iter().map(|input| fs::read(input).unwrap());
    let decoded: BTreeSet<u8> = inputs
        .filter_map(|input| fuzz::stored::decodes(&input))
        .collect();
    assert_eq!(decoded, BTreeSet::from(*b"fhsuw"));
}
