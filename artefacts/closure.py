"""Proves by reading that a function carries what it imports and the models of the AWS services that it names.

Reading, not importing: an import inside a function body fails in the cloud at night, and is seen here at build time.
Names made at run time (`importlib.import_module(name)`, `client(service)`) are not seen; the import of the handler is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath
from threading import Lock

from artefacts.table import Function
from rotation.errors import Refused

# Functions of boto3, botocore and `rotation.aws_client` whose first argument names a service.
_CLIENT_MAKERS = frozenset({"client", "create_client"})

# CPython 3.11 counts the depth of all parses of a process in one place: two at once may end in a SystemError
# (python/cpython#106905), and zips are built side by side.
_PARSING = Lock()


def check_closure(
    function: Function, sources: Mapping[str, str], tree: Collection[str], packages: AbstractSet[str]
) -> None:
    """Refused `module_missing`, `service_undeclared` or `source_invalid`, naming every offender.

    `sources` are the shipped modules by path, `tree` all files below `rotation/`, `packages` the top-level names of
    the dependencies.
    """
    own = {_module_name(path) for path in sources}
    modules = {_module_name(f"rotation/{file}") for file in tree}
    missing: list[str] = []
    undeclared: list[str] = []
    for path, text in sources.items():
        module = _parsed(path, text)
        missing += [
            f"{path} imports {name}" for name in _imports(module, path, modules) if not _has(name, own, packages)
        ]
        undeclared += [f"{path} asks for {name}" for name in _services(module) - function.all_services]
    if missing:
        raise Refused(
            "module_missing",
            f"the {function.name} function does not carry what it imports: {'; '.join(sorted(missing))}",
            "move the import to the module of the store that needs it, or name it in artefacts/table.py",
        )
    if undeclared:
        raise Refused(
            "service_undeclared",
            f"the {function.name} function would ship without a service's model: {'; '.join(sorted(undeclared))}",
            "name the service in the function's row in artefacts/table.py",
        )


def _parsed(path: str, text: str) -> ast.Module:
    try:
        with _PARSING:
            return ast.parse(text, filename=path)
    except SyntaxError as exc:
        raise Refused("source_invalid", f"{path} does not parse: {exc.msg}, line {exc.lineno}") from exc


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _has(name: str, own: AbstractSet[str], packages: AbstractSet[str]) -> bool:
    top = name.partition(".")[0]
    return name in own if top == "rotation" else top in packages or top in sys.stdlib_module_names


def _imports(module: ast.Module, path: str, modules: AbstractSet[str]) -> Iterator[str]:
    """What is imported at run time; for `from a import b` also `a.b`, where that is one of the tree's `modules`."""
    for node in _runtime_nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, path)
            yield origin
            yield from modules & {f"{origin}.{alias.name}" for alias in node.names}


def _absolute(node: ast.ImportFrom, path: str) -> str:
    if not node.level:
        return node.module or ""
    package = PurePosixPath(path).parts[: -node.level]
    return ".".join((*package, *([node.module] if node.module else [])))


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but the bodies of `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from _runtime_nodes(child)


def _services(module: ast.Module) -> set[str]:
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call) and node.args)
    named = (call.args[0] for call in calls if ast.unparse(call.func).rpartition(".")[2] in _CLIENT_MAKERS)
    return {first.value for first in named if isinstance(first, ast.Constant) and isinstance(first.value, str)}
