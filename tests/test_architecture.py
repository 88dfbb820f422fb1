"""The budgets and the import layers of the design, checked on the syntax tree of every file.

Nothing is imported. A rule that must be broken gets a row in EXCEPTIONS with its reason; that
table may only shrink, and a row that is no longer needed fails too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

Value = TypeVar("Value")

ROOT = Path(__file__).parent.parent
MAX_FILE_LINES, MAX_CLASS_LINES, MAX_BODY_LINES, MAX_PARAMETERS = 400, 250, 40, 7
MAX_EXAMPLE_LINES = 60
NO_TEST_FILE = {"__init__", "__main__", "_version"}

# "rule: place" as in the message of the failing test -> why it must be so.
EXCEPTIONS: dict[str, str] = {}

# A module imports its own layer and those below. The longest prefix wins.
LAYERS = {
    **dict.fromkeys(
        [
            "fastbert.errors",
            "fastbert.labels",
            "fastbert.cache",
            "fastbert.config",
            "fastbert.option_values",
            "fastbert._version",
            "fastbert.display",
        ],
        0,
    ),
    **dict.fromkeys(
        ["fastbert.jsonable", "fastbert.cache", "fastbert.processors", "fastbert.loss_names", "fastbert.placing"],
        0,
    ),
    **dict.fromkeys(["fastbert.data", "fastbert.metrics", "fastbert.decisions"], 1),
    "fastbert.tasks": 2,
    **dict.fromkeys(["fastbert.bundle", "fastbert.exports", "fastbert.layouts", "fastbert.data.databunch"], 3),
    "fastbert.data.holding_out": 3,
    **dict.fromkeys(["fastbert.inference", "fastbert.models", "fastbert.runtime"], 4),
    **dict.fromkeys(["fastbert.training", "fastbert.tuning", "fastbert.export", "fastbert.insight"], 5),
    "fastbert.client": 5,  # below the server, which it must not import
    **dict.fromkeys(
        ["fastbert.inference.torch_backend", "fastbert.inference.embedder", "fastbert.inference.generation"], 5
    ),
    **dict.fromkeys(["fastbert.serving", "fastbert.scaling", "fastbert.sagemaker", "fastbert.compat"], 6),
    **dict.fromkeys(["fastbert.cli", "fastbert.api", "fastbert.estimators", "fastbert.__main__"], 6),
}
# The one arrow that points up: a task computes its loss with torch, inside that function only.
LAZY_UPWARD = {("fastbert.tasks", "fastbert.models.losses")}

# Who may import torch or transformers, directly or through another module. The longest prefix wins.
# never: not at all.   lazy: only inside functions.   free: anywhere.
TORCH = {
    "fastbert": "lazy",
    "fastbert.api": "free",  # the package loads it on first use
    **dict.fromkeys(["fastbert.data", "fastbert.metrics", "fastbert.decisions"], "never"),
    **dict.fromkeys(["fastbert.bundle", "fastbert.exports", "fastbert.processors", "fastbert.inference"], "never"),
    **dict.fromkeys(["fastbert.models", "fastbert.runtime", "fastbert.inference.torch_backend"], "free"),
    **dict.fromkeys(["fastbert.inference.embedder", "fastbert.inference.generation"], "free"),
    **dict.fromkeys(["fastbert.training", "fastbert.tuning", "fastbert.export", "fastbert.insight"], "free"),
    # Exports are explained without torch; only gradients need it.
    **dict.fromkeys([f"fastbert.insight.{name}" for name in ("readings", "explained_outputs", "masking")], "never"),
    **dict.fromkeys([f"fastbert.insight.{name}" for name in ("attribution", "faithfulness", "explanation")], "never"),
    **dict.fromkeys([f"fastbert.insight.{name}" for name in ("explanation_text", "explanation_page")], "never"),
    **dict.fromkeys([f"fastbert.insight.{name}" for name in ("explain", "faithfulness_table", "neighbours")], "lazy"),
    "fastbert.insight.doctor": "never",
    "fastbert.client": "never",
    "fastbert.serving": "never",
    **dict.fromkeys(["fastbert.scaling", "fastbert.sagemaker", "fastbert.compat"], "free"),
}


@dataclass(frozen=True)
class Module:
    """A parsed file. name: dotted, a package goes by its own name ("fastbert.data")."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_source(self) -> bool:
        return self.name.split(".")[0] == "fastbert"

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Import:
    """An imported module. lazy: it happens inside a function."""

    target: str
    lazy: bool


@cache
def modules() -> dict[str, Module]:
    """Parse src and tests. The key is the dotted name."""
    found = {}
    for base, folder in ((ROOT / "src", "fastbert"), (ROOT, "tests")):
        for path in sorted((base / folder).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


@cache
def imports(module: Module) -> tuple[Import, ...]:
    """Collect what a module imports, except under `if TYPE_CHECKING:`."""
    found: list[Import] = []
    todo: list[tuple[ast.AST, bool]] = [(module.tree, False)]
    while todo:
        node, lazy = todo.pop()
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            children = list(node.orelse)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            lazy = True
        elif isinstance(node, ast.Import):
            found += [Import(alias.name, lazy) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [Import(target, lazy) for target in _targets(module, node)]
        todo += [(child, lazy) for child in children]
    return tuple(found)


def _targets(module: Module, node: ast.ImportFrom) -> Iterator[str]:
    """Name the modules of `from base import names`: `base.name` where that is a module, else base."""
    base = node.module or ""
    if node.level:
        is_package = module.path.name == "__init__.py"
        parents = module.name.split(".")
        kept = len(parents) - node.level + is_package
        base = ".".join([*parents[:kept], *filter(None, [base])])
    for alias in node.names:
        full = f"{base}.{alias.name}"
        yield full if full in modules() else base


def lookup(table: dict[str, Value], name: str) -> Value | None:
    """Return the value of the longest dotted prefix of a name, or None."""
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((table[prefix] for prefix in prefixes if prefix in table), None)


def layer(name: str) -> int | None:
    """Return the layer of a module, None if it stands in no layer."""
    return 6 if name == "fastbert" else lookup(LAYERS, name)  # not a prefix: a new package must get a row


@cache
def loads_torch(name: str) -> bool:
    """Tell whether importing a module imports torch or transformers."""
    reached, todo = {name}, [name]
    while todo:
        found = todo.pop()
        if found.split(".")[0] in {"torch", "transformers"}:
            return True
        if found in modules():
            parent = found.rpartition(".")[0]  # Python imports the package first
            eager = [one.target for one in imports(modules()[found]) if not one.lazy]
            new = {parent, *eager} - reached
            reached |= new
            todo += new
    return False


def functions(module: Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function with its place, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{module.place}:{node.name}", node


def _lines(first: ast.AST, last: ast.AST) -> int:
    return int(getattr(last, "end_lineno", 0)) - int(getattr(first, "lineno", 0)) + 1


def long_files(module: Module) -> Iterator[tuple[str, str]]:
    count = len(module.path.read_text(encoding="utf-8").splitlines())
    if count > MAX_FILE_LINES:
        yield module.place, f"{count} lines, at most {MAX_FILE_LINES}"


def long_classes(module: Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and _lines(node, node) > MAX_CLASS_LINES:
            yield f"{module.place}:{node.name}", f"{_lines(node, node)} lines, at most {MAX_CLASS_LINES}"


def long_functions(module: Module) -> Iterator[tuple[str, str]]:
    for place, node in functions(module):
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if body and _lines(body[0], body[-1]) > MAX_BODY_LINES:
            yield place, f"body of {_lines(body[0], body[-1])} lines, at most {MAX_BODY_LINES}"


def many_parameters(module: Module) -> Iterator[tuple[str, str]]:
    for place, node in functions(module):
        if module.name == f"fastbert.cli.{node.name}":
            continue  # a command, named like its module, has one parameter for each of its options
        signature = node.args
        names = [one.arg for one in [*signature.posonlyargs, *signature.args, *signature.kwonlyargs]]
        names += [one.arg for one in (signature.vararg, signature.kwarg) if one]
        count = len(names) - (names[:1] in (["self"], ["cls"]))
        if count > MAX_PARAMETERS:
            yield place, f"{count} parameters, at most {MAX_PARAMETERS}"


def prints(module: Module) -> Iterator[tuple[str, str]]:
    if not module.is_source or module.name.startswith("fastbert.cli"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield module.place, f"line {node.lineno}: print is for cli/; log or call a callback"


def missing_tests(module: Module) -> Iterator[tuple[str, str]]:
    if not module.is_source or module.path.stem in NO_TEST_FILE:
        return
    relative = module.path.relative_to(ROOT / "src" / "fastbert")
    expected = ROOT / "tests" / relative.with_name(f"test_{relative.name}")
    if not expected.exists():
        yield module.place, f"has no {expected.relative_to(ROOT).as_posix()}"


def upward_imports(module: Module) -> Iterator[tuple[str, str]]:
    if not module.is_source:
        return
    own = layer(module.name)
    if own is None:
        yield module.place, "stands in no layer; give it a row in LAYERS"
        return
    for found in imports(module):
        other = layer(found.target)
        allowed = found.lazy and any(
            module.name.startswith(source) and found.target == target for source, target in LAZY_UPWARD
        )
        if other is not None and other > own and not allowed:
            yield module.place, f"layer {own} imports {found.target} of layer {other}"


def torch_imports(module: Module) -> Iterator[tuple[str, str]]:
    rule = lookup(TORCH, module.name)
    if rule not in {"lazy", "never"}:
        return
    for found in imports(module):
        direct = found.target.split(".")[0] in {"torch", "transformers"}
        if (not found.lazy and loads_torch(found.target)) or (rule == "never" and direct):
            yield module.place, f"imports torch through {found.target}; the rule for it is '{rule}'"


Rule = Callable[[Module], Iterator[tuple[str, str]]]
RULES: list[Rule] = [
    *(long_files, long_classes, long_functions, many_parameters),
    *(prints, missing_tests, upward_imports, torch_imports),
]


def violations(rule: Rule) -> list[tuple[str, str]]:
    """List "rule: place" with what is wrong there."""
    found = (result for module in modules().values() for result in rule(module))
    return [(f"{rule.__name__}: {place}", what) for place, what in found]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule: Rule) -> None:
    broken = [f"{place}: {what}" for place, what in violations(rule) if place not in EXCEPTIONS]

    assert not broken, "\n" + "\n".join(broken)


def test_every_exception_is_still_needed() -> None:
    needed = {place for rule in RULES for place, _ in violations(rule)}

    assert set(EXCEPTIONS) <= needed


def test_examples_are_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "examples").rglob("*.py")}

    assert {name: count for name, count in lengths.items() if count > MAX_EXAMPLE_LINES} == {}


def _fake(name: str, code: str) -> Module:
    return Module(name, ROOT / "src" / (name.replace(".", "/") + ".py"), ast.parse(code))


@pytest.mark.parametrize(
    ("rule", "name", "code"),
    [
        (long_classes, "fastbert.x", "class A:\n" + "    a = 1\n" * 250),
        (long_functions, "fastbert.x", "def f():\n    'doc'\n" + "    a = 1\n" * 41),
        (many_parameters, "fastbert.x", "def f(a, b, c, /, d, *e, f, g, **h): ..."),
        (many_parameters, "fastbert.cli.x", "def f(a, b, c, d, e, f, g, h): ..."),
        (prints, "fastbert.data.x", "def f(): print(1)"),
        (missing_tests, "fastbert.data.x", ""),
        (upward_imports, "fastbert.data.x", "from fastbert.tasks import base"),
        (upward_imports, "fastbert.data.x", "def f():\n    from .. import tasks"),
        (upward_imports, "fastbert.tasks.x", "import fastbert.models.losses"),
        (upward_imports, "fastbert.newcomer", ""),
        (torch_imports, "fastbert.tasks.x", "import torch.nn"),
        (torch_imports, "fastbert.data.x", "def f():\n    import torch"),
    ],
)
def test_a_broken_rule_is_noticed(rule: Rule, name: str, code: str) -> None:
    assert list(rule(_fake(name, code)))


@pytest.mark.parametrize(
    ("rule", "name", "code"),
    [
        (long_functions, "fastbert.x", "def f():\n    'doc'\n" + "    a = 1\n" * 40),
        (many_parameters, "fastbert.x", "def f(self, a, b, c, d, e, f, g): ..."),
        (many_parameters, "fastbert.cli.x", "def x(a, b, c, d, e, f, g, h): ..."),
        (prints, "fastbert.cli.x", "print(1)"),
        (upward_imports, "fastbert.data.x", "if TYPE_CHECKING:\n    from fastbert.tasks import base"),
        (upward_imports, "fastbert.data.databunch", "from fastbert.tasks import base"),
        (upward_imports, "fastbert.tasks.x", "def f():\n    import fastbert.models.losses"),
        (torch_imports, "fastbert.cli.x", "def f():\n    import torch"),
        (torch_imports, "fastbert.training.x", "import torch"),
    ],
)
def test_a_kept_rule_is_left_alone(rule: Rule, name: str, code: str) -> None:
    assert not list(rule(_fake(name, code)))
