"""Rust source: the modules of src/, and the paths within the crate that each of its files names.

Reads tokens, not a syntax tree: enough to tell `use` and paths from comments, literals and `#[cfg(test)]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LIBRARY = "ecs_status"

# The crate that a module belongs to, and its path there.
Module = tuple[str, ...]


TOKEN = re.compile(
    r"""
    (?P<skip> \s+ | //[^\n]* | [bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:\\.|[^"\\])*"
        | b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])' | '\w+ )
    | (?P<comment> /\*) | (?P<name> (?:r\#)?[^\W\d]\w*) | (?P<other> :: | .)
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING = set("([{"), set(")]}")
ITEMS = {"async", "const", "enum", "extern", "fn", "impl", "mod", "pub", "static", "struct", "trait", "type", "unsafe", "use"}


@dataclass(frozen=True)
class Token:
    text: str
    line: int
    is_name: bool


def tokens(text: str) -> list[Token]:
    """Names and punctuation; comments, literals and lifetimes are left out."""
    found, at, line = [], 0, 1
    while match := TOKEN.match(text, at):
        end = after_comment(text, at) if match["comment"] else match.end()
        if match["name"] or match["other"]:
            found.append(Token(match[0].removeprefix("r#"), line, bool(match["name"])))
        line += text.count("\n", at, end)
        at = end
    return found


def after_comment(text: str, at: int) -> int:
    """The end of a block comment, which may hold others."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(text)


def past_brackets(code: list[Token], at: int) -> int:
    """The index after the bracket that closes the one at `at`."""
    depth = 0
    for index in range(at, len(code)):
        depth += (code[index].text in OPENING) - (code[index].text in CLOSING)
        if depth == 0:
            return index + 1
    return len(code)


def past_item(code: list[Token], at: int) -> int:
    """The index after the item, field or arm at `at`."""
    while at < len(code) and code[at].text == "#":
        at = past_brackets(code, at + 1)
    is_item = at < len(code) and code[at].text in ITEMS
    while at < len(code) and code[at].text not in CLOSING:
        text = code[at].text
        at = past_brackets(code, at) if text in OPENING else at + 1
        if text in ("{", ";") or (text == "," and not is_item):
            return at
    return at


# ---- The modules of a crate


@dataclass
class Source:
    """A file: its module, what it imports from the crate, and the modules that only tests have."""

    path: Path
    module: Module
    code: list[Token]
    tests: set[Module] = field(default_factory=set)


def module_of(path: Path) -> Module:
    """The module of a file, as a path below src/; a binary is a crate of its own."""
    parts = [*path.parts[:-1], path.stem]
    if parts[0] == "bin":
        crate, parts = f"bin::{parts[1]}", parts[2:]
    else:
        crate = "lib"
    if parts and parts[-1] in ("mod", "lib", "main"):
        parts = parts[:-1]
    return (crate, *parts)


def is_test(code: list[Token], at: int) -> bool:
    """Whether an attribute at `at` is `cfg(test)` or `cfg(all(test, …))`."""
    words = [token.text for token in code[at : at + 8]]
    inner = words[2:] if words[1:2] == ["!"] else words[1:]
    return inner[:4] == ["[", "cfg", "(", "test"] or inner[:6] == ["[", "cfg", "(", "all", "(", "test"]


def without_tests(code: list[Token], module: Module) -> tuple[list[Token], set[Module]]:
    """The code that is built, and the modules in other files that only tests have."""
    left: list[Token] = []
    tests: set[Module] = set()
    at = 0
    while at < len(code):
        if code[at].text == "#" and is_test(code, at):
            if code[at + 1].text == "!":
                return [], {module}
            end = past_item(code, at)
            words = [token.text for token in code[at:end]]
            if words[-3:-2] == ["mod"] and words[-1] == ";":
                tests.add((*module, words[-2]))
            at = end
        else:
            left.append(code[at])
            at += 1
    return left, tests


def read(src: Path) -> dict[Module, Source]:
    sources = {}
    for path in sorted(src.rglob("*.rs")):
        module = module_of(path.relative_to(src))
        code, tests = without_tests(tokens(path.read_text(encoding="utf-8")), module)
        sources[module] = Source(path.relative_to(src), module, code, tests)
    only_tests = set().union(*(source.tests for source in sources.values()))
    return {
        module: source
        for module, source in sources.items()
        if not any(module[: len(test)] == test for test in only_tests)
    }


# ---- Paths, and the files that they lead to


def paths(source: Source, modules: dict[Module, Source]) -> Iterator[tuple[Module, int]]:
    """Every path of the crate that the file names, from the crate's root, with its line."""
    code = source.code
    aliases: dict[str, Module] = {}
    # Modules that are written out in the file, with the depth at which each ends.
    inside: list[tuple[str, int]] = []
    depth = at = 0

    def here() -> Module:
        return (*source.module, *(name for name, _ in inside))

    def absolute(names: list[str]) -> Module | None:
        """A path from the root; None where it leads out of the crate."""
        first, rest = names[0], names[1:]
        if first == "crate":
            return (source.module[0], *rest)
        if first == LIBRARY:
            return ("lib", *rest)
        if first in ("self", "super"):
            base = here() if first == "self" else here()[:-1]
            while rest and rest[0] == "super":
                base, rest = base[:-1], rest[1:]
            return (*base, *rest)
        if (*here(), first) in modules:
            return (*here(), *names)
        return (*aliases[first], *rest) if first in aliases else None

    def tree(at: int, before: list[str]) -> Iterator[tuple[list[str], str]]:
        """The paths of a `use` from `at` to its end, each with the name that it gets."""
        names = list(before)
        while code[at].is_name or code[at].text in ("::", "*"):
            if code[at].text == "as":
                yield names, code[at + 1].text
                return
            if code[at].is_name and not (code[at].text == "self" and names):
                names.append(code[at].text)
            at += 1
        if code[at].text != "{":
            yield names, names[-1]
            return
        end = past_brackets(code, at) - 1
        at += 1
        while at < end:
            yield from tree(at, names)
            while at < end and code[at].text != ",":
                at = past_brackets(code, at) if code[at].text == "{" else at + 1
            at += 1

    while at < len(code):
        token, following = code[at], code[at + 1].text if at + 1 < len(code) else ""
        if token.text == "pub" and following == "(":
            # `pub(in crate::fleet)` imports nothing.
            at = past_brackets(code, at + 1)
            continue
        if token.text == "use" and (at == 0 or code[at - 1].text in (*OPENING, *CLOSING, ";", "pub")):
            for names, alias in tree(at + 1, []):
                if path := absolute(names):
                    aliases[alias] = path
                    yield path, token.line
            while code[at].text != ";":
                at += 1
        elif token.text == "mod" and at + 2 < len(code) and code[at + 2].text == "{":
            inside.append((following, depth))
            at += 1
        elif token.is_name and following == "::" and (at == 0 or code[at - 1].text not in ("::", ".")):
            names = [token.text]
            while at + 2 < len(code) and code[at + 1].text == "::" and code[at + 2].is_name:
                names.append(code[at + 2].text)
                at += 2
            if path := absolute(names):
                yield path, token.line
        depth += (code[at].text == "{") - (code[at].text == "}")
        if inside and code[at].text == "}" and inside[-1][1] == depth:
            inside.pop()
        at += 1


def file_of(path: Module, modules: dict[Module, Source]) -> Source | None:
    """The file with the longest module path that the path begins with."""
    for length in range(len(path), 0, -1):
        if source := modules.get(path[:length]):
            return source
    return None
