//! wasm-bindgen: the command as worker-build calls it, over the library that does the work.
//!
//! An argument that is not known here is an error: a newer worker-build may mean something by it.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut bindgen = Bindgen::new();
    let mut out_dir = None;
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} has no value"))
        };
        match argument.as_str() {
            "--version" => {
                println!("wasm-bindgen {}", wasm_bindgen_shared::version());
                return Ok(());
            }
            "--out-dir" => out_dir = Some(PathBuf::from(value()?)),
            "--out-name" => {
                bindgen.out_name(&value()?);
            }
            "--target" => {
                let target = value()?;
                if target != "module" {
                    bail!("the target {target} is not known to tools/bindgen");
                }
                bindgen.module(true)?;
            }
            "--no-typescript" => {
                bindgen.typescript(false);
            }
            "--experimental-reset-state-function" => {
                bindgen.reset_state_function(true);
            }
            "--force-enable-abort-handler" => {
                bindgen.force_enable_abort_handler(true);
            }
            input if !input.starts_with('-') => {
                bindgen.input_path(input);
            }
            other => bail!("the argument {other} is not known to tools/bindgen"),
        }
    }
    // The command's default, which differs from the library's.
    bindgen.omit_default_module_path(false);
    bindgen.generate(out_dir.context("--out-dir is missing")?)
}
