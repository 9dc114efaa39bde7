"""Built-in models: importing this package registers every one below it."""

from ntmbench.discovery import import_modules

import_modules(__name__, __path__[0])
