"""The plan of the house, as data, and tests that the house is built so.

A *room* is a package or a top-level module of nb3d. It stands on a floor and imports only from the floors below.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "nb3d"

# Lowest first. Rooms on one floor do not know each other, but for the topmost floor: the doors of the house.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"version", "engine", "kernels"}),
    frozenset({"ops"}),
    frozenset({"activations", "initializers", "regularizers", "constraints"}),
    frozenset({"layers"}),
    frozenset({"plan", "inspect"}),
    frozenset({"models"}),
    frozenset({"saving"}),
    frozenset({"nb3d", "cli", "config", "backend", "utils"}),
)
# Pairs that would be downward, and yet are not to be: who may not know whom.
STRANGERS = {("layers", "kernels"), ("plan", "layers")}
# Pairs that may know each other only when there is work: the import stands inside a function.
ONLY_LAZILY = {("ops", "kernels")}
# What is not meant by that: names and numbers, no kernel.
PLAIN_DATA = frozenset({"nb3d.kernels.activations", "nb3d.kernels.divisors"})

# The longest matching path counts. NumPy and the standard library serve everywhere.
THIRD_PARTIES: dict[str, frozenset[str]] = {
    "": frozenset(),
    "kernels/cpu": frozenset({"numba", "llvmlite"}),
    "kernels/cuda/device": frozenset({"numba", "llvmlite"}),
    "kernels/cuda/door": frozenset({"numba"}),
    "kernels/cuda/driver": frozenset({"cuda"}),
    "kernels/cuda/assembler": frozenset({"cuda"}),
    "saving": frozenset({"h5py"}),
    "inspect": frozenset({"PIL"}),
}
# Extras: they may be absent, and so are only imported inside functions.
EXTRAS = frozenset({"h5py", "PIL"})

# The only places that say how kernels are compiled.
COMPILERS = {"kernels/cpu/compile.py", "kernels/cuda/door.py"}
JIT_NAMES = frozenset({"jit", "njit", "vectorize", "guvectorize", "stencil", "cfunc"})
JIT_FLAGS = frozenset({"fastmath", "error_model", "boundscheck", "nogil", "nopython"})

MAX_LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported module, ``nb3d.ops.apply`` or ``numpy``, and whether a function does it or the module itself."""

    module: str
    line: int
    lazy: bool


def sources() -> dict[str, str]:
    """Every file of nb3d by its path inside the package."""
    return {str(path.relative_to(PACKAGE).as_posix()): path.read_text("utf8") for path in PACKAGE.rglob("*.py")}


def room_of_file(path: str) -> str:
    """The room that a file belongs to: ``ops/apply.py`` -> ``ops``, ``__init__.py`` -> ``nb3d``."""
    first = path.split("/")[0].removesuffix(".py")
    return {"__init__": "nb3d", "__main__": "cli"}.get(first, first)


def room_of_module(module: str) -> str:
    """The room that an imported module belongs to: ``nb3d.ops.apply`` -> ``ops``; ``nb3d.Model`` -> ``nb3d``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and any(parts[1] in floor for floor in FLOORS) else "nb3d"


def floor_of(room: str) -> int:
    """The floor on which a room stands, 1 the lowest."""
    for number, rooms in enumerate(FLOORS, start=1):
        if room in rooms:
            return number
    raise LookupError(f"The room {room!r} stands on no floor: name it in FLOORS, or move it into a room.")


def imports(path: str, source: str) -> Iterator[Import]:
    """Everything that a file imports, function-level imports included."""
    package = ["nb3d", *path.split("/")[:-1]]

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, lazy) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                origin = ".".join([*base, *([child.module] if child.module else [])])
                if origin == "nb3d":  # `from nb3d import ops` imports the room, not the door
                    yield from (Import(f"nb3d.{alias.name}", child.lineno, lazy) for alias in child.names)
                else:
                    yield Import(origin, child.lineno, lazy)
            elif isinstance(child, ast.Call) and "import_module" in ast.unparse(child.func):
                if child.args and isinstance(child.args[0], ast.Constant):
                    yield Import(str(child.args[0].value), child.lineno, lazy)
                yield from walk(child, lazy)
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, lazy or inside or _is_for_types_only(child))

    yield from walk(ast.parse(source), lazy=False)


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def wrong_floors(files: dict[str, str]) -> list[str]:
    """Imports of nb3d's own rooms that the plan does not allow."""
    wrong = []
    for path, source in files.items():
        room = room_of_file(path)
        for found in imports(path, source):
            if found.module.split(".")[0] != "nb3d":
                continue
            target = room_of_module(found.module)
            if target == room:
                continue
            doors = floor_of(room) == floor_of(target) == len(FLOORS)
            if floor_of(target) >= floor_of(room) and not doors:
                wrong.append(f"{path}:{found.line} {room} imports {found.module}, which is not below it")
            elif (room, target) in STRANGERS:
                wrong.append(f"{path}:{found.line} {room} imports {found.module}; they are strangers")
            elif (room, target) in ONLY_LAZILY and not found.lazy and found.module not in PLAIN_DATA:
                wrong.append(f"{path}:{found.line} {room} imports {found.module} outside a function")
    return wrong


def wrong_third_parties(files: dict[str, str]) -> list[str]:
    """Imports of other packages that the plan does not allow, or not there."""
    wrong = []
    for path, source in files.items():
        place = path.removesuffix(".py") + "/"
        nearest = max((key for key in THIRD_PARTIES if place.startswith(f"{key}/") or not key), key=len)
        for found in imports(path, source):
            package = found.module.split(".")[0]
            if package in {"nb3d", "numpy"} or package in sys.stdlib_module_names:
                continue
            if package not in THIRD_PARTIES[nearest]:
                wrong.append(f"{path}:{found.line} imports {package}, which is not allowed there")
            elif package in EXTRAS and not found.lazy:
                wrong.append(f"{path}:{found.line} imports {package}, an extra, outside a function")
    return wrong


def scattered_flags(files: dict[str, str]) -> list[str]:
    """Places other than the compilers that choose a compiler or a flag of one."""
    wrong = []
    for path, source in files.items():
        if path in COMPILERS:
            continue
        for node in ast.walk(ast.parse(source)):
            names: set[str] = set()
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
                names = {alias.name for alias in node.names} & JIT_NAMES
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in {"np", "numpy"}:
                names = {node.attr} & JIT_NAMES
            elif isinstance(node, ast.keyword):
                names = {node.arg or ""} & JIT_FLAGS
            wrong += [f"{path}:{getattr(node, 'lineno', '?')} {name}" for name in sorted(names)]
    return wrong


def too_long(files: dict[str, str]) -> list[str]:
    """Files that hold more than one screenful of ideas."""
    lengths = {path: source.count("\n") for path, source in files.items()}
    return [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MAX_LINES]


def output_of(program: str) -> str:
    """What a program prints in a fresh process."""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def operation_names() -> set[str]:
    """The names of all operations that exist once all of nb3d.ops is imported, wherever they are kept."""
    return set(output_of(LIST_OPERATIONS).split())


def has_reference(operation: str) -> bool:
    """Whether the table knows a reference kernel of an operation."""
    from nb3d.kernels import table

    return operation in table.operations() and "reference" in {
        kernel.name for kernel in table.implementations(operation)
    }


def foreign_modules(program: str) -> set[str]:
    """The packages that a fresh process has loaded, of those that must stay out, when a program has run in it."""
    banned = {"numba", "llvmlite", *EXTRAS}
    report = f"\nimport sys\nprint('loaded:', *({banned!r} & set(sys.modules)))"
    return set(output_of(program + report).rpartition("loaded:")[2].split())


LIST_OPERATIONS = """
import gc, importlib, pkgutil
import nb3d.ops
from nb3d.engine.opgraph import Op
modules = [importlib.import_module(module.name) for module in pkgutil.walk_packages(nb3d.ops.__path__, "nb3d.ops.")]
print(*{thing.name for thing in gc.get_objects() if isinstance(thing, Op)})
"""
GRAPH = """
import nb3d
x = nb3d.Input((8, 8, 8, 2))
y = nb3d.layers.Conv3D(4, 3, padding="same", activation="relu", kernel_regularizer="l2")(x)
y = nb3d.layers.BatchNormalization()(y)
y = nb3d.layers.Concatenate()([x, y])
model = nb3d.Model(x, y)
model.summary(print_fn=lambda line: None)
assert model.layers[1].get_output_at(0) is model.layers[1].output
assert nb3d.Model.from_config(model.get_config()).output_shape == (None, 8, 8, 8, 6)
"""


def test_rooms_import_only_from_the_floors_below() -> None:
    assert wrong_floors(sources()) == []


def test_third_parties_stay_in_their_rooms() -> None:
    assert wrong_third_parties(sources()) == []


def test_building_a_graph_loads_no_compiler_and_no_extra() -> None:
    assert foreign_modules(GRAPH) == set()


def test_importing_nb3d_waits_for_no_file_format_no_plan_and_no_random_numbers() -> None:
    late = {"numpy.random", "nb3d.saving", "nb3d.plan.schedule", "nb3d.kernels.table", "pathlib", "tempfile"}
    loaded = "sorted(set(sys.modules) - already)"
    program = f"import sys, numpy\nalready = set(sys.modules)\nimport nb3d\nprint(*{loaded}, sep='\\n')"
    assert late.isdisjoint(output_of(program).split())


def test_what_comes_late_is_there_when_it_is_asked_for() -> None:
    ask = "print('saving' in dir(nb3d), nb3d.saving.ModelFileError.__name__, hasattr(nb3d, 'salving'))"
    assert output_of(f"import nb3d\n{ask}").split() == ["True", "ModelFileError", "False"]
    load = "try: nb3d.models.load_model('missing.keras')\nexcept ValueError as error: print(error)"
    assert "there is no such file" in output_of(f"import nb3d\n{load}")


def test_compile_flags_are_stated_in_one_place() -> None:
    assert scattered_flags(sources()) == []


def test_no_file_is_long() -> None:
    assert too_long(sources()) == []


def test_every_operation_has_a_reference_and_a_case() -> None:
    from tests.kernels.cases import EXAMPLES

    names = operation_names()
    assert {"conv3d", "relu", "cast"} <= names
    assert {name for name in names if not has_reference(name)} == set()
    assert names - {example.case.op for example in EXAMPLES} == set()


def test_every_kernel_accepts_a_case() -> None:
    from nb3d.kernels import table
    from tests.kernels.cases import EXAMPLES

    cases = [example.case for example in EXAMPLES]
    idle = [
        f"{kernel.op}:{kernel.name}"
        for name in table.operations()
        for kernel in table.implementations(name)
        if not any(kernel.accepts(case) is None for case in cases if case.op == name)
    ]
    assert idle == []


# What the checks see, given a house that is built wrongly.


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/node.py", "from nb3d.ops.apply import apply"),
        ("engine/node.py", "from nb3d.kernels import table"),
        ("engine/node.py", "def f():\n    import nb3d.models.model"),
        ("engine/node.py", "from ..ops import apply"),
        ("engine/node.py", "from nb3d import Model"),
        ("ops/apply.py", "from nb3d.kernels import table"),
        ("layers/convolution.py", "from nb3d.kernels.table import select"),
        ("plan/plan.py", "from nb3d.layers import Conv3D"),
        ("initializers.py", "import nb3d.regularizers"),
        ("layers/convolution.py", "import importlib\nimportlib.import_module('nb3d.models.model')"),
    ],
)
def test_an_import_upward_is_seen(path: str, source: str) -> None:
    assert len(wrong_floors({path: source})) == 1


def test_an_import_downward_is_not_held_against_a_file() -> None:
    good = {
        "ops/apply.py": "from nb3d.engine.node import Node\ndef f():\n    from nb3d.kernels import table",
        "ops/activations.py": "from nb3d.kernels.activations import Activation",
        "cli.py": "import nb3d\nfrom nb3d.models import load_model",
        "engine/node.py": "from .tensor import KerasTensor",
    }
    assert wrong_floors(good) == []


def test_a_room_on_no_floor_is_seen() -> None:
    with pytest.raises(LookupError, match="cellar"):
        wrong_floors({"cellar/wine.py": "import nb3d.engine"})


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/node.py", "import numba"),
        ("kernels/table.py", "def f():\n    import numba"),
        ("kernels/reference/pooling.py", "from numba import njit"),
        ("models/model.py", "def f():\n    import h5py"),
        ("saving/hdf5.py", "import h5py"),
        ("ops/apply.py", "from scipy import ndimage"),
    ],
)
def test_a_third_party_in_the_wrong_room_is_seen(path: str, source: str) -> None:
    assert len(wrong_third_parties({path: source})) == 1


def test_third_parties_in_their_rooms_are_not_held_against_a_file() -> None:
    good = {
        "kernels/cpu/compile.py": "from numba import njit",
        "saving/hdf5.py": "def f():\n    import h5py",
        "saving/types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import h5py",
    }
    assert wrong_third_parties(good) == []


@pytest.mark.parametrize(
    "source", ["from numba import njit", "import numba\nf = numba.njit(g)", "f = kernel(fastmath=True)(g)"]
)
def test_a_scattered_flag_is_seen(source: str) -> None:
    assert len(scattered_flags({"kernels/cpu/pooling.py": source})) == 1
    assert scattered_flags({"kernels/cpu/compile.py": source}) == []


def test_a_long_file_and_a_loaded_compiler_are_seen() -> None:
    assert too_long({"ops/apply.py": "\n" * (MAX_LINES + 1), "ops/core.py": "\n" * MAX_LINES}) == [
        f"ops/apply.py: {MAX_LINES + 1} lines"
    ]
    assert foreign_modules("import numba") == {"numba", "llvmlite"}
