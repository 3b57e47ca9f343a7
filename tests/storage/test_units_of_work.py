"""Units of work await nothing but their connection: a batch of transactions waits for its slowest member."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENGINE = {"database.py", "sql.py", "sqlite.py", "retrying_database.py"}
TAKE_A_UNIT = {"read", "transaction"}
TAKE_A_UNIT_IN_STORES = {"_read", "_write", "_applies", "_change_job"}
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def product() -> dict[str, ast.Module]:
    files = [file for folder in ("bot", "cogs") for file in (ROOT / folder).rglob("*.py")]
    return {
        str(file.relative_to(ROOT)): ast.parse(file.read_text("utf-8"))
        for file in files
        if file.name not in ENGINE
    }


def takes_connection(function: Function) -> bool:
    return "connection" in [argument.arg for argument in function.args.args]


def uses_connection(node: ast.expr, function: Function) -> bool:
    """Whether this calls or passes the connection, or names the result of such a call."""
    if isinstance(node, ast.Name):
        made = [
            each.value
            for each in ast.walk(function)
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == node.id
        ]
        return bool(made) and all(uses_connection(each, function) for each in made)
    return isinstance(node, ast.Call) and any(
        isinstance(each, ast.Name) and each.id == "connection"
        for each in (*node.args, *(keyword.value for keyword in node.keywords), root(node.func))
    )


def root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def awaited(function: Function) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Await):
            yield node.value
        elif isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async):
            yield node.iter
        elif isinstance(node, ast.AsyncWith):
            yield from (item.context_expr for item in node.items)


def foreign_awaits(tree: ast.AST) -> list[str]:
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for function in ast.walk(tree)
        if isinstance(function, Function) and takes_connection(function)
        for node in awaited(function)
        if not uses_connection(node, function)
    ]


def is_query(unit: ast.expr) -> bool:
    """Whether this is a statement of a file, by its name or in a `partial` with its parameters."""
    if isinstance(unit, ast.Call) and ast.unparse(unit.func) == "partial":
        return is_query(unit.args[0])
    if isinstance(unit, ast.Name):
        return unit.id == "query"  # a parameter of `_change_job`, whose calls are checked too
    return isinstance(unit, ast.Attribute) and ast.unparse(unit.value).endswith("queries")


def unchecked_units(tree: ast.AST, *, is_store: bool) -> list[str]:
    """Return units passed to `read` or `transaction` that are not checked, as they have no `connection`."""
    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and takes_connection(node)
    }
    units = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            (node.func.attr in TAKE_A_UNIT and ast.unparse(node.func.value).endswith("database"))
            or (node.func.attr in TAKE_A_UNIT_IN_STORES and is_store)
        )
    ]
    return [
        f"line {unit.lineno}: {ast.unparse(unit)}"
        for unit in units
        if ast.unparse(unit).removeprefix("self.") not in functions
        and not is_query(unit)
        and not (isinstance(unit, ast.Lambda) and takes_connection(unit) and uses_connection(unit.body, unit))
    ]


def test_units_await_only_their_connection() -> None:
    found = {
        name: foreign_awaits(tree) + unchecked_units(tree, is_store=name.startswith("bot/storage/"))
        for name, tree in product().items()
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_units_of_work_are_found() -> None:
    source = "\n".join(
        ast.unparse(tree) for name, tree in product().items() if name.startswith("bot/storage/")
    )
    assert source.count("_database.transaction(") > 5
    assert source.count("self._write(") > 5


@pytest.mark.parametrize(
    "line",
    [
        "await asyncio.sleep(0)",
        "await other.execute('select 1')",
        "await self.get(job_id)",
        "rows = client.rows()\n    async for row in rows: pass",
        "[row async for row in client.rows()]",
        "async with lock: pass",
    ],
)
def test_foreign_await_is_found(line: str) -> None:
    assert foreign_awaits(ast.parse(f"async def work(connection):\n    {line}"))


@pytest.mark.parametrize(
    "line",
    ["await connection.execute('')", "await queries.get(connection, a=1)", "await helper(self, connection)"],
)
def test_await_of_the_connection_is_allowed(line: str) -> None:
    assert not foreign_awaits(ast.parse(f"async def work(connection):\n    {line}"))


@pytest.mark.parametrize(
    "unit",
    [
        "work",
        "partial(work, 1)",
        "partial(getattr(self, 'work'))",
        "lambda c: queries.get(c)",
        "lambda connection: other()",
    ],
)
def test_unit_that_cannot_be_checked_is_found(unit: str) -> None:
    assert unchecked_units(ast.parse(f"self._database.transaction({unit})"), is_store=False)
    assert unchecked_units(ast.parse(f"self._write({unit}, job_id=job_id)"), is_store=True)
