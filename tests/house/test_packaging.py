"""What is installed, and which part may import which."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

import ntmbench

ROOT = Path(__file__).parents[2]
#: Folders of the source tree, and where their files go in the installed package.
FOLDERS = {
    "ntmbench": "ntmbench",
    "tasks": "ntmbench/tasks",
    "baselines": "ntmbench/baselines",
    "conf": "ntmbench/conf",
}
#: A folder inside one of them that goes elsewhere, where Hydra looks for launchers.
LAUNCHERS = {"ntmbench/launchers": "hydra_plugins/ntmbench"}

# From the ground up. A module may import modules of its own floor and of those below.
FLOORS = (
    "errors data answer task trace provenance registry discovery model engine",
    "plotting",
    "ntm tasks baselines",
    "evaluation training",
    "runs statistics",
    "composition",
    "report",
    "clusters commands bench search testing __main__ archive watch look",
)
#: The launchers, above all of them.
LAUNCHERS_PACKAGE = "hydra_plugins.ntmbench"


def source_files() -> list[Path]:
    """Every file of the package, relative to the root."""
    return sorted(
        path.relative_to(ROOT)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def installed_as(path: Path) -> str:
    for folder, place in (*LAUNCHERS.items(), *FOLDERS.items()):
        if path.is_relative_to(folder):
            return f"{place}/{path.relative_to(folder)}"
    raise ValueError(path)


# --- The wheel. ---


#: Further files that a wheel must hold: of a known folder, and of new ones, without __init__.py.
NESTED = [
    Path("tasks/order/heaps.py"),
    Path("tasks/graphs/paths.py"),
    Path("baselines/memory/dnc/cell.py"),
    Path("conf/a/b.yaml"),
]


#: What a wheel is built from, beside the folders.
SETUP = ("setup.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    # A nested folder is found wherever it is.
    for nested in NESTED:
        (tree / nested).parent.mkdir(parents=True, exist_ok=True)
        (tree / nested).touch()
    for path in (*source_files(), *map(Path, SETUP)):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tree / path)
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(tree)]
    if int(importlib.metadata.version("setuptools").partition(".")[0]) >= 77:
        command.append("--no-isolation")  # an older one is left alone, and a newer one fetched
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "absent from the" not in built.stdout + built.stderr  # setuptools will leave these out
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as file:
        yield file


def test_wheel_holds_the_tree_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {installed_as(path) for path in [*source_files(), *NESTED]}
    assert {name.partition("/")[0] for name in held} == {"ntmbench", "hydra_plugins"}


def test_wheel_is_more_than_code(wheel: zipfile.ZipFile) -> None:
    """The patterns above are not empty."""
    names = wheel.namelist()
    assert {"ntmbench/py.typed", "ntmbench/conf/budget/copy.yaml"} <= set(names)
    assert any(name.endswith(".j2") for name in names)
    assert any("dist-info/licenses/LICENSE" in name for name in names)
    (points,) = (name for name in names if name.endswith("entry_points.txt"))
    assert b"[ntmbench.plugins]" in wheel.read(points)


def test_folders_of_the_core_are_packages() -> None:
    """A family of tasks, a kind of model and a folder of YAML need no such file."""
    folders = {p.parent for p in source_files() if p.suffix == ".py" and p.parts[0] == "ntmbench"}
    assert {p.parent for p in source_files() if p.name == "__init__.py"} >= folders


@pytest.mark.parametrize("package", ["ntmbench.tasks", "ntmbench.baselines"])
def test_every_file_is_imported_whatever_folder_it_is_in(package: str) -> None:
    code = f"import sys, {package}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    inside = {name for name in GRAPH if name.startswith(f"{package}.") and not is_command(name)}
    assert inside <= set(ended.stdout.split())


def test_first_file_of_a_family_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "found_package"
    for file in ("__init__.py", "a.py", "graphs/paths.py", "graphs/deep/b.py", ".tool/copy-1.py"):
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        (package / file).touch()
    (package / "__init__.py").write_text(
        "from ntmbench.discovery import import_modules\nimport_modules(__name__, __path__[0])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    importlib.import_module("found_package")
    found = {name for name in set(sys.modules) - before if name.startswith("found_package")}
    for name in found:
        monkeypatch.delitem(sys.modules, name)
    inside = ("", ".a", ".graphs", ".graphs.paths", ".graphs.deep", ".graphs.deep.b")
    assert found == {f"found_package{name}" for name in inside}


#: Distributions whose name differs from the name that is imported.
DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "hydra": "hydra-core",
    "hydra_plugins": "hydra-submitit-launcher",
}


def test_what_is_imported_is_declared() -> None:
    """It is not merely installed because something else needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    optional = (name for name in extras if name != "test")
    declared = {
        re.split(r"[<>=]", requirement)[0]
        for requirement in chain(project["dependencies"], *(extras[name] for name in optional))
    }
    assert {DISTRIBUTIONS.get(name, name) for name in third_party()} <= declared


def third_party() -> set[str]:
    """The top-level packages that the suite's own code imports from elsewhere."""
    found: set[str] = set()
    for path in source_files():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    return found - sys.stdlib_module_names - {"ntmbench"}


def test_top_level_is_as_designed() -> None:
    needed = {*FOLDERS, *SETUP, "tests"}
    assert needed <= {path.name for path in ROOT.iterdir()}
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return  # other files cannot be told from those that belong to it
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in tracked if not name.startswith(".")} <= {*needed, "results"}


@pytest.mark.parametrize("name", ntmbench.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(ntmbench, name).__name__ == name


# --- Imports. ---


class Imports(ast.NodeVisitor):
    """Collects the suite's modules that a module imports anywhere, except for types alone."""

    def __init__(self, module: str, package: str, modules: set[str]) -> None:
        self.module, self.package, self.modules = module, package, modules
        self.found: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names if alias.name in self.modules}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            above = self.package.split(".")[: len(self.package.split(".")) - node.level + 1]
            base = ".".join([*above, base]) if base else ".".join(above)
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            if whole in self.modules:
                self.found.add(whole)
            elif base in self.modules:
                self.found.add(base)


def imports() -> dict[str, set[str]]:
    """Every module of the suite, with the modules of the suite that it imports."""
    files = {}
    for path in source_files():
        if path.suffix == ".py":
            name = installed_as(path).removesuffix(".py").replace("/", ".")
            files[name.removesuffix(".__init__")] = path
    graph = {}
    for module, path in files.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        visitor = Imports(module, package, set(files))
        visitor.visit(ast.parse((ROOT / path).read_text()))
        graph[module] = visitor.found
    return graph


GRAPH = imports()


def is_command(module: str) -> bool:
    """Whether it is what ``python -m`` runs of a package, and nothing imports."""
    return module.endswith(".__main__")


def floor_of(module: str) -> int:
    """The floor of a module, by the first name below ``ntmbench``; -1 if it has none."""
    if module.startswith(LAUNCHERS_PACKAGE) or is_command(module):
        return len(FLOORS)
    floors = {name: number for number, names in enumerate(FLOORS) for name in names.split()}
    return floors.get(module.split(".")[1], -1)


def is_code(module: str) -> bool:
    """Whether it is neither the package itself, which imports lazily, nor a folder of YAML."""
    return module != "ntmbench" and not module.startswith("ntmbench.conf")


def test_every_module_has_a_floor() -> None:
    assert not [module for module in GRAPH if is_code(module) and floor_of(module) < 0]


def test_no_import_runs_upward() -> None:
    upward = [
        f"{module} imports {imported}"
        for module, found in GRAPH.items()
        for imported in found
        if is_code(module) and is_code(imported) and floor_of(imported) > floor_of(module)
    ]
    assert not upward


def test_no_circle() -> None:
    TopologicalSorter(GRAPH).prepare()  # raises CycleError


def test_tasks_and_baselines_have_no_private_door() -> None:
    """The core reaches them through the registry, as it would a third party's."""
    brought = ("ntmbench.tasks", "ntmbench.baselines")
    assert not [
        f"{module} imports {imported}"
        for module, found in GRAPH.items()
        for imported in found
        if imported.startswith(brought) and not module.startswith(brought)
    ]
    for path in source_files():
        if path.parts[0] == "ntmbench" and path.suffix == ".py":
            text = (ROOT / path).read_text().replace("python -m ntmbench.tasks", "")  # a command
            assert not [name for name in brought if name in text], path


def test_the_graph_is_not_empty() -> None:
    assert "ntmbench.task" in GRAPH["ntmbench.tasks.reproduce.copy"]
    recurrent = "ntmbench.baselines.recurrent"
    assert f"{recurrent}.lstm" in GRAPH[f"{recurrent}.seq2seq"]
    assert "ntmbench.commands.application" in GRAPH["ntmbench.__main__"]
    assert not GRAPH["ntmbench"]


def test_help_loads_what_it_tells_of_and_no_more() -> None:
    """Models need PyTorch, whose import takes about a second."""
    code = (
        "import sys; from ntmbench.commands.help import print_help; print_help(); "
        "sys.exit(bool({'hydra', 'pandas', 'matplotlib', 'rich'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.returncode == 0
    for told in (
        b"task.item_length=3",
        b"Vectors of an item, from 1 to 100000.",
        b"model=oracle (a control)",
    ):
        assert told in ended.stdout


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, ntmbench; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_training_imports_no_sympy() -> None:
    """PyTorch imports it for some calls, and it delays the start of every run."""
    code = (
        "import sys; from ntmbench import NTM, TrainSettings, make_task, train; "
        "task = make_task('copy', max_length=3); "
        "model = NTM(task.input_width, task.output_width, memory_slots=8); "
        "train(model, task, TrainSettings(sequences=8, batch_size=4, validate_every=8)); "
        "sys.exit('sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
