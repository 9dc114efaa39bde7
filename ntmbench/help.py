"""What `python -m ntmbench --help` prints: names and settings, read off the files in conf/."""

from __future__ import annotations

import importlib.resources

USAGE = """\
Train, evaluate and compare models on algorithmic memory tasks.

  python -m ntmbench task=copy model=ntm                        train, evaluate, write results/
  python -m ntmbench -m task=copy,recall model=ntm,lstm seed=0,1,2      sweep
  python -m ntmbench model=custom model.target=my_module:MyModel        your own nn.Module
  python -m ntmbench task=recall model=ntm --cfg job            show every setting of a run
  python -m ntmbench.report                                     report over results/
"""


def print_help() -> None:
    """Print usage, choices and settings."""
    conf = importlib.resources.files("ntmbench.conf")
    print(USAGE)
    for group in ("task", "model", "experiment"):
        files = (conf / group).iterdir()
        names = sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))
        if names:
            print(f"{group}= {', '.join(names)}")
    print("(and what installed plug-ins add)\n\nSettings and their defaults, before the recipe of")
    print("a task and model changes them; every one is overridden by name=value:\n")
    text = (conf / "config.yaml").read_text(encoding="utf-8")
    print(text[text.index("seed:") : text.index("\nhydra:")])
