"""A storm of faults over the Worker in a real workerd: every answer in it must be right, or say what it is not.

`make soak` for half an hour of it; the tests here are a minute of it, and those of the judge.
"""

import pytest

# What they object to is printed with both sides.
pytest.register_assert_rewrite("soak.reading", "soak.oracle")
