"""Soak test: faults strike a Worker in workerd, and every answer must be right or state what is wrong with it.

`make soak` runs half an hour; the tests here run a minute and a half, and check the judge.
"""

import pytest

# So that assertions in these modules, too, print both sides.
pytest.register_assert_rewrite("soak.reading", "soak.oracle")
