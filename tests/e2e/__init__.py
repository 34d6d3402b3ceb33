import pytest

# Their assertions, too, shall say what was expected and what was got.
pytest.register_assert_rewrite("e2e.shape")
