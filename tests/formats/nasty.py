"""Hostile names and tags: each has a meaning in one of the formats."""

from __future__ import annotations

from emulator.emulator import Emulator

NAMES = [
    "<img src=x onerror=alert(1)>", "&amp;", "]]>", '"quoted", with a comma', "'", "back\\slash\\n", "two\nlines", "a\rreturn", "a\ttab",
    "=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "＝1+1", "\x1b[31mred", "{a=\"b\"} 1", "# HELP", "☃ 雪", "\u202eright to left", "n" * 255,
]  # fmt: skip

TAGS = {
    "owner": '=cmd|"/c calc"!A1', "environment": "two\r\nlines", "contact": "a;b=c\\d",
    # Keys that would become the same label name.
    "costCentre": "1", "cost_centre": "2", "Cost Centre": "3", "cost-centre": "4", "COST CENTRE": "5",
    "": "no key", "☃": "snow", "雪": "too", '"': "quote", "\\": "backslash", "a\nb": "line", "1st": "digit", "__name__": "reserved",
    "aws:ecs:serviceName": "x", "le": "+Inf", "target": "not a target", "a=b;c": "d", "k" * 128: "v" * 256, "none": None,
}  # fmt: skip


def nasty(emulator: Emulator) -> None:
    """Adds a service of each name to clusters of the first five names, with all tags on each."""
    for cluster in NAMES[:5]:
        emulator.add_cluster(cluster, tags=TAGS)
        for number, name in enumerate(NAMES):
            emulator.add_service(cluster, name, launch_type="FARGATE", desired=number, running=number // 2, tags=TAGS)
