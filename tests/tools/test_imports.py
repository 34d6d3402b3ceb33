"""`tools/imports.py` on small trees: what counts as an arrow, which arrows it refuses, and which circles it finds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import imports
import pytest
from rust_source import read

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """`tree(**{"aws/mod": "use crate::time;"})`: a directory with these files below src/."""

    def tree(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / "src" / f"{name}.rs"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return tree


def arrows(root: Path) -> list[tuple[str, str, int]]:
    return [(str(arrow.source), str(arrow.target), arrow.line) for arrow in imports.arrows(read(root / "src"))]


def printed(root: Path) -> tuple[str, int]:
    lines, wrong = imports.report(root)
    return "\n".join(lines), wrong


@pytest.mark.parametrize(
    "code",
    [
        "use crate::aws::error::ServiceError;",
        "pub use crate::aws::error::ServiceError;",
        "pub(crate) use crate::aws::error::*;",
        "use crate::aws::error;",
        "use crate::aws::error::{self, ServiceError as Refusal};",
        "use crate::{aws::{error::ServiceError}};",
        "use super::super::aws::error::ServiceError;",
        "fn f() -> crate::aws::error::ServiceError { x }",
        "fn f() { let x: Vec<crate::aws::error::ServiceError>; }",
        "fn f() { use crate::aws::error::ServiceError; }",
        "fn f() { use super::super::aws::error::ServiceError; }",
        "mod inside { use super::super::super::aws::error::ServiceError; }",
        "macro_rules! m { () => { $crate::aws::error::f() } }",
        '#[cfg(target_arch = "wasm32")] use crate::aws::error::ServiceError;',
    ],
)
def test_a_path_of_the_crate_is_an_arrow_to_the_file_of_its_module(tree: Tree, code: str) -> None:
    root = tree(**{"api/list": code, "api/mod": "mod list;", "aws/mod": "pub mod error;", "aws/error": ""})
    assert arrows(root) == [("api/list.rs", "aws/error.rs", 1)]


@pytest.mark.parametrize(
    "code",
    [
        "// use crate::aws::error;",
        "/// [`x`](crate::aws::error)",
        "/* /* nested */ use crate::aws::error; */",
        'const A: &str = "use crate::aws::error;";',
        'const A: &str = r#"" crate::aws::error "#;',
        "const A: char = '\"'; // crate::aws::error::X \"",
        "use serde::Serialize; fn f<'a>(x: &'a str) { other::aws::error::f(x) }",
        "pub(in crate::aws) fn f() {}",
        "mod query;",
        "#[cfg(test)]\nuse crate::aws::error;",
        "#[cfg(test)]\nmod tests { use crate::aws::error; }",
        "#[cfg(test)]\n#[allow(dead_code)]\nfn f<A, B>() { crate::aws::error::f() }",
        "#[cfg(all(test, unix))]\nimpl A { fn f() { crate::aws::error::f() } }",
        "#![cfg(test)]\nuse crate::aws::error;",
        "struct A { #[cfg(test)] a: crate::aws::error::A, b: u8 }",
    ],
)
def test_comments_literals_visibilities_and_tests_are_no_arrows(tree: Tree, code: str) -> None:
    root = tree(**{"api/list": code, "aws/mod": "pub mod error;", "aws/error": ""})
    assert arrows(root) == []


def test_what_follows_a_test_item_still_counts(tree: Tree) -> None:
    code = "#[cfg(test)]\nmod tests { fn f() {} }\n#[cfg(test)]\nuse a::{b};\nuse crate::aws::A;\n#[cfg(not(test))]\nuse crate::time::B;"
    root = tree(**{"api/mod": code, "aws/mod": "", "time": ""})
    assert arrows(root) == [("api/mod.rs", "aws/mod.rs", 5), ("api/mod.rs", "time.rs", 7)]


def test_a_module_in_a_file_of_its_own_that_only_tests_have_is_left_out(tree: Tree) -> None:
    root = tree(**{"aws/mod": "#[cfg(test)]\nmod tests;", "aws/tests": "use crate::api::A;", "api/mod": ""})
    assert arrows(root) == []
    assert printed(root)[1] == 0


def test_an_item_of_the_parent_is_an_arrow_to_its_mod_rs(tree: Tree) -> None:
    root = tree(**{"aws/mod": "mod sts;\nmod xml;\npub use xml::Tag;", "aws/sts": "use super::Tag;", "aws/xml": ""})
    assert arrows(root) == [("aws/mod.rs", "aws/xml.rs", 3), ("aws/sts.rs", "aws/mod.rs", 1)]


def test_a_path_through_an_imported_module_leads_to_the_file_behind_it(tree: Tree) -> None:
    code = "use crate::config;\nfn f() { config::targets::read() }"
    root = tree(**{"api/mod": code, "config/mod": "pub mod targets;", "config/targets": ""})
    assert arrows(root) == [("api/mod.rs", "config/mod.rs", 1), ("api/mod.rs", "config/targets.rs", 2)]


def test_a_binary_is_a_crate_of_its_own_that_names_the_library(tree: Tree) -> None:
    main = "mod platform;\nuse crate::platform::Host;\nuse ecs_status::api::Api;"
    root = tree(**{"bin/lambda/main": main, "bin/lambda/platform": "", "lib": "", "platform": "", "api/mod": ""})
    assert arrows(root) == [("bin/lambda/main.rs", "bin/lambda/platform.rs", 2), ("bin/lambda/main.rs", "api/mod.rs", 3)]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("worker/mod", "api/mod"),
        ("worker/mod", "platform"),
        ("api/mod", "fleet/view/mod"),
        ("api/mod", "aws/mod"),
        ("fleet/view/mod", "fleet/refresh/mod"),
        ("fleet/refresh/mod", "fleet/sweep/mod"),
        ("fleet/sweep/mod", "fleet/model/mod"),
        ("fleet/model/mod", "aws/mod"),
        ("fleet/model/mod", "config/mod"),
        ("config/mod", "aws/mod"),
        ("config/mod", "time"),
        ("aws/mod", "time"),
        ("aws/sts", "aws/mod"),
    ],
)
def test_an_arrow_along_the_order_is_allowed(tree: Tree, source: str, target: str) -> None:
    path = target.removesuffix("/mod").replace("/", "::")
    output, wrong = printed(tree(**{source: f"use crate::{path}::A;", target: ""}))
    assert wrong == 0, output
    assert "2 files, 1 imports: 0 circles, 0 arrows against the order, 0 in no room" in output


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("aws/mod", "fleet/model/mod"),
        ("aws/mod", "config/mod"),
        ("platform", "time"),
        ("platform", "config/mod"),
        ("time", "aws/mod"),
        ("config/mod", "fleet/model/mod"),
        ("config/mod", "api/mod"),
        ("fleet/model/mod", "fleet/sweep/mod"),
        ("fleet/sweep/mod", "fleet/refresh/mod"),
        ("fleet/refresh/mod", "fleet/view/mod"),
        ("fleet/view/mod", "api/mod"),
        ("api/mod", "worker/mod"),
        ("api/mod", "lib"),
        ("api/mod", "fleet/mod"),
    ],
)
def test_an_arrow_against_the_order_is_named_with_its_line(tree: Tree, source: str, target: str) -> None:
    path = target.removesuffix("lib").removesuffix("/mod").replace("/", "::")
    output, wrong = printed(tree(**{source: "\n" + f"use crate::{path}::A;".replace("::::", "::"), target: ""}))
    assert wrong == 1
    assert "Arrows against the order worker, bin → api → fleet::view" in output
    assert f"src/{source}.rs:2 → src/{target}.rs" in output


def test_a_file_in_no_room_is_named(tree: Tree) -> None:
    output, wrong = printed(tree(**{"fleet/mod": "pub mod keeper;", "fleet/keeper": "", "other": "", "api/mod": ""}))
    assert wrong == 2
    assert "Files in no room:\n  src/fleet/keeper.rs\n  src/other.rs" in output


def test_a_circle_is_shown_by_its_shortest_way_and_only_once(tree: Tree) -> None:
    root = tree(
        **{
            "aws/a": "use super::b::B;",
            "aws/b": "use super::c::C;\nuse super::d::D;",
            "aws/c": "use super::a::A;",
            "aws/d": "use super::b::B;",
            "aws/e": "use super::a::A;",
        }
    )
    output, wrong = printed(root)
    assert wrong == 1
    assert output.count("A circle of imports:") == 1
    assert "  src/aws/b.rs:2 → src/aws/d.rs\n  src/aws/d.rs:1 → src/aws/b.rs\n  2 more files" in output
    assert "in circles with these: aws/a.rs, aws/c.rs" in output and "aws/e.rs" not in output


def test_two_circles_are_shown_as_two(tree: Tree) -> None:
    files = {"aws/a": "use super::b::B;", "aws/b": "use super::a::A;", "api/a": "use super::b::B;", "api/b": "use super::a::A;"}
    output, wrong = printed(tree(**files))
    assert (output.count("A circle of imports:"), wrong) == (2, 2)


def test_a_long_file_is_named_and_refuses_nothing(tree: Tree) -> None:
    root = tree(**{"aws/long": "//\n" * 301, "aws/short": "//\n" * 300})
    output, wrong = printed(root)
    assert "Files of more than 300 lines:\n    301  src/aws/long.rs\n" in output and "short.rs" not in output
    assert wrong == 0


def test_a_tree_without_rust_is_refused(tmp_path: Path) -> None:
    assert printed(tmp_path) == (f"No Rust file in {tmp_path / 'src'}", 1)


@pytest.mark.parametrize(("code", "status"), [("use crate::time::A;", 0), ("use crate::api::A;", 1)])
def test_the_exit_status_says_whether_the_order_is_kept(tree: Tree, code: str, status: int) -> None:
    root = tree(**{"aws/mod": code, "api/mod": "", "time": ""})
    command = [sys.executable, "-B", imports.__file__, str(root)]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == status
