"""Built-in tasks: importing this package registers every one below it.

A folder is a family. A new task is one file in it, ``tasks/<family>/<task>.py``, and its second
solver, ``tests/solvers/<task>.py``. What several tasks of a family share is a module beside them:
``reproduce/rearrangement.py``, for example. The file has:

- a frozen dataclass of settings, each with a ``#:`` line, checked in ``__post_init__``; it is
  registered by ``register_task``, and states ``family``, ``axis``, ``version = 1`` and ``lengths``;
- a docstring: one sentence with the source and its section, a line such as ``a b | -> b a``, the
  layout (channels, scored steps, T), what is drawn uniformly and what is not, how and why the
  source's definition differs, where sequences are few, and a drawn example, run as a doctest;
- ``draw`` (no loop over sequences), ``oracle`` (from inputs alone, not by way of ``draw``),
  ``chance`` (by formula), ``sources``, ``demand``;
- ``shortcuts``, with the reason, if a read-out without memory or a linear one beats chance by the
  task's nature; ``edits``, if not every step may be replaced by that of another sequence;
  ``sources_that_matter``, ``collision_entropy`` where short sequences come again, and
  ``few_sequences``, where they must be said.

Symbols stand on ``ntmbench.data.symbols.SymbolTask``, vectors of bits on
``ntmbench.data.vectors.VectorTask``. The solver is plain Python, written from the docstring alone.

``pytest tests/tasks -k <task>`` runs the conformance kit and the solver, ``python -m tests.golden``
adds the hash of the data, and ``python -m ntmbench.tasks <task>`` shows an example.
"""

from ntmbench.discovery import import_modules

import_modules(__name__, __path__[0])
