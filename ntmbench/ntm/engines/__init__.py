"""The engines that can compute an NTM: importing this package registers every one in it.

What an engine needs is imported when it runs, since settings list the engines, and do without
PyTorch. A further engine is one more file; its rank says before which others it is tried.
"""

import importlib
import pkgutil

for _found in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_found.name}")
