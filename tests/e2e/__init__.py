import pytest

# So that assertions in these modules, too, print both sides.
pytest.register_assert_rewrite("e2e.shape")
