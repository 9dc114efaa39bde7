"""The packages, from the four folders of the top level and the folders inside them.

One folder goes elsewhere: Hydra takes launchers from the namespace ``hydra_plugins`` alone.

pyproject.toml can either rename folders or look for the folders inside, not both.
"""

from setuptools import find_namespace_packages, setup

LAUNCHERS = "launchers"
FOLDERS = {
    "ntmbench": "ntmbench",
    "ntmbench.baselines": "baselines",
    "ntmbench.conf": "conf",
    "ntmbench.tasks": "tasks",
    "hydra_plugins.ntmbench": f"ntmbench/{LAUNCHERS}",
}

setup(
    package_dir=FOLDERS,
    packages=[
        *FOLDERS,
        *(
            f"{package}.{inside}"
            for package, folder in FOLDERS.items()
            for inside in find_namespace_packages(folder, exclude=["*__pycache__", LAUNCHERS])
        ),
    ],
)
