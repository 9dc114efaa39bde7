"""The conformance kit: whether a task, a model or an engine keeps the suite's contracts.

For authors of a task, a model or an engine::

    from ntmbench.testing import check_engine, check_model, check_task

    def test_my_task() -> None:
        check_task(make_task("my_task"))

    def test_my_model() -> None:
        check_model("my_model")

Each check raises AssertionError with what it found, or returns nothing. The checks draw their own
data, take about a second each at small sizes, and leave PyTorch's and NumPy's random states alone.
"""

from ntmbench.testing.engines import check_engine
from ntmbench.testing.models import check_model
from ntmbench.testing.tasks import check_task

__all__ = ["check_engine", "check_model", "check_task"]
