"""The suite's launchers, which Hydra takes from the namespace ``hydra_plugins`` alone.

setup.py installs this folder as ``hydra_plugins.ntmbench``. Every Hydra application in the same
environment imports its modules, so they import nothing heavy; ``ntmbench.clusters`` does the work.
"""
