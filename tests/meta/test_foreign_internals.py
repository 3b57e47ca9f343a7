"""The product uses other libraries by their public parts alone; `bot/discord/gateway.py` is the exception."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bot
import cogs
import playground

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
EXCEPTION = "bot.discord.gateway"
NOT_READ = {EXCEPTION, "bot.__main__", "playground.__main__", "playground.shifted_bot"}
OWN = ("bot", "cogs", "playground")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _modules() -> Iterator[ModuleType]:
    for package in (bot, cogs, playground):
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name not in NOT_READ:
                yield importlib.import_module(found.name)


MODULES = {module.__name__: module for module in _modules()}
TREES = {name: ast.parse(inspect.getsource(module)) for name, module in MODULES.items() if module.__file__}
CLASSES = sorted(
    {
        value
        for name, module in MODULES.items()
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == name
    },
    key=lambda owner: f"{owner.__module__}.{owner.__qualname__}",
)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def _is_foreign(owner: type) -> bool:
    top = owner.__module__.partition(".")[0]
    return top not in OWN and top not in sys.stdlib_module_names


def private_accesses(tree: ast.AST) -> list[str]:
    """Private attributes of anything but self, cls, super() and objects of this module's own classes."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    own = {"self", "cls", "super()"} | {node.name for node in classes}
    methods = {each.name for node in classes for each in node.body if isinstance(each, Function)}
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and _is_private(node.attr)
        and node.attr not in methods
        and ast.unparse(node.value) not in own
    ]


def foreign_assignments(tree: ast.AST) -> list[str]:
    """Assignments to attributes of imported modules and classes, and every setattr and delattr."""
    imported = {
        (each.asname or each.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            root = ast.unparse(node).partition(".")[0]
            if root in imported and ast.unparse(node) not in STANDARD_HOOKS:
                found.append(f"{node.lineno}: {ast.unparse(node)} = ...")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"setattr", "delattr"}:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


STANDARD_HOOKS = {"sys.excepthook", "sys.unraisablehook", "threading.excepthook"}
"""Attributes of Python's own modules that are meant to be assigned."""


def is_public(owner: type) -> bool:
    """Whether a package or a module `abc` offers the class, under the class's own name."""
    package = owner.__module__.split(".")
    if any(part.startswith("_") for part in [*package, owner.__name__]):
        return False
    for end in range(len(package), 0, -1):
        module = importlib.import_module(".".join(package[:end]))
        is_interface = hasattr(module, "__path__") or module.__name__.endswith(".abc")
        if is_interface and getattr(module, owner.__name__, None) is owner:
            return True
    return False


def own_private_names(owner: type) -> set[str]:
    """The private names that a class defines or uses by `self`."""
    used = re.findall(r"\b(?:self|cls)\.(_\w+)", inspect.getsource(owner))
    return {name for name in {*vars(owner), *used} if _is_private(name) and not name.startswith("_abc")}


def foreign_private_names(owner: type) -> set[str]:
    """The private names of the libraries' classes that a class inherits from."""
    return {name for base in owner.__mro__[1:] if _is_foreign(base) for name in own_private_names(base)}


def test_no_module_uses_private_attributes_of_other_objects() -> None:
    assert {name: found for name, tree in TREES.items() if (found := private_accesses(tree))} == {}


def test_no_module_patches_another() -> None:
    assert {name: found for name, tree in TREES.items() if (found := foreign_assignments(tree))} == {}


def test_classes_extend_public_classes_only() -> None:
    bases = {base for owner in CLASSES for base in owner.__bases__ if _is_foreign(base)}
    assert {base for base in bases if not is_public(base)} == set()


# Found at import: a bot that another test closes unloads the modules of its cogs.
SHARED = {owner: own_private_names(owner) & foreign_private_names(owner) for owner in CLASSES}


def test_classes_share_no_private_name_with_a_library() -> None:
    assert {owner: names for owner, names in SHARED.items() if names} == {}


def test_checks_find_what_they_forbid() -> None:
    """They find it in the one module that may do it, and in the ways that this product once had."""
    gateway = importlib.import_module(EXCEPTION)
    assert foreign_assignments(ast.parse(inspect.getsource(gateway)))
    assert not is_public(gateway.Gateway.__bases__[0])
    assert own_private_names(gateway.Gateway) & foreign_private_names(gateway.Gateway) == {"_decompressor"}
    assert private_accesses(ast.parse("member._roles"))
    assert private_accesses(ast.parse("self._pool._threads"))
    assert foreign_assignments(ast.parse("import discord\ndiscord.VoiceClient.warn_nacl = False"))
    assert not private_accesses(ast.parse("self._pool"))
