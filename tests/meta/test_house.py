"""The house rules of CONTRIBUTING.md, as tests."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cogs
from bot.models.discord_limits import OWN_COMMANDS
from bot.storage.sqlite import open_database
from tests.bots import make_bot

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FILE_LINES, FUNCTION_LINES = 400, 40
# Joined here, so that this file doesn't contain them either.
REGISTRIES = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
MACHINE_PATH = re.compile(r"(?<![\w.:@~$}/*-])/(?:home|root|Users|work|mnt|tmp)/\w")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def _texts() -> dict[str, str]:
    """Return every text file that git tracks or would add, by path."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    found = {}
    for name in filter(None, listed.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in data:
            found[name] = data.decode()
    return found


TEXTS = _texts()
PYTHON = {name: text for name, text in TEXTS.items() if name.endswith(".py")}
PRODUCT = {name: text for name, text in PYTHON.items() if name.split("/")[0] in {"bot", "cogs", "playground"}}


def _nodes(files: dict[str, str]) -> Iterator[tuple[str, ast.AST]]:
    for name, text in files.items():
        for node in ast.walk(ast.parse(text)):
            yield name, node


def test_files_are_found() -> None:
    assert {"bot/errors.py", "cogs/imagine/command.py", "playground/__main__.py"} <= set(PRODUCT)
    assert {"requirements.lock", "pyproject.toml", "tests/meta/test_house.py"} <= set(TEXTS)


def test_file_length() -> None:
    lengths = {name: len(text.splitlines()) for name, text in PRODUCT.items()}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_migrations_are_numbered_consecutively() -> None:
    """Of two files with one number only one would run; a file that fills a gap later would never run."""
    names = sorted(name for name in TEXTS if name.startswith("bot/storage/migrations/"))
    assert [int(Path(name).name[:4]) for name in names] == [*range(1, len(names) + 1)]


def test_function_length() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, node in _nodes(PYTHON)
        if isinstance(node, Function) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_no_type_ignores() -> None:
    ignored = re.compile(r"#\s*type:\s*ignore|#\s*mypy:")
    assert [name for name, text in PYTHON.items() if ignored.search(text)] == []


def test_each_noqa_states_its_reason() -> None:
    silenced = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)* \(.+\)).*")
    assert [f"{name}: {found[0]}" for name, text in PYTHON.items() for found in silenced.finditer(text)] == []


def test_log_lines_do_not_repeat_the_job_id() -> None:
    twice = re.compile(r"_log\.\w+\(\s*f?\"job (%s|\{)")  # see `bot.log.job_context`
    assert [name for name, text in PRODUCT.items() if twice.search(text)] == []


def test_broad_excepts_only_at_boundaries() -> None:
    wide = [
        f"{name}:{node.lineno}"
        for name, node in _nodes(
            {name: text for name, text in PRODUCT.items() if name[:4] in {"bot/", "cogs"}}
        )
        if isinstance(node, ast.ExceptHandler)
        and not name.startswith("playground/")
        and (node.type is None or re.search(r"\b(Base)?Exception\b", ast.unparse(node.type)))
    ]
    files = {place.partition(":")[0] for place in wide}
    boundaries = {"bot/jobs/runner.py", "bot/maintenance/loop.py", "bot/discord/error_handler.py"}
    assert files <= boundaries | {"bot/storage/sqlite.py", "bot/jobs/lease.py"}
    assert len(wide) == len(files)


def test_no_file_names_a_registry_host() -> None:
    named = re.compile("|".join(map(re.escape, REGISTRIES)))
    assert [name for name, text in TEXTS.items() if named.search(text)] == []


def test_lock_files_contain_only_versions_and_hashes() -> None:
    locks = {name: text for name, text in TEXTS.items() if name.endswith(".lock")}
    assert len(locks) == 4
    line = re.compile(r"[a-z0-9.-]+==[^\s;]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    for name, text in locks.items():
        assert [row for row in text.splitlines() if not line.fullmatch(row)] == [], name


def test_lock_files_agree_on_versions() -> None:
    run, postgres, playground, dev = (
        set(re.findall(r"^[a-z0-9.-]+==\S+", TEXTS[f"requirements{suffix}.lock"], re.MULTILINE))
        for suffix in ("", "-postgres", "-playground", "-dev")
    )
    assert set() < run < postgres < dev
    assert run < playground < dev


def test_statements_are_fixed() -> None:
    """No SQL is put together from values; `pragma` takes no parameters."""
    sql = re.compile(r"\b(select|insert|update|delete|from|where|values|attach|vacuum)\b", re.IGNORECASE)
    calls = [
        (name, node)
        for name, node in _nodes({name: text for name, text in PRODUCT.items() if name.startswith("bot/")})
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"execute", "executemany", "executescript", "execute_fetchall"}
    ]
    assert len(calls) > 10
    built = [
        f"{name}:{node.lineno}"
        for name, node in calls
        if isinstance(node.args[0], ast.JoinedStr | ast.BinOp) and sql.search(ast.unparse(node.args[0]))
    ]
    assert built == []


def test_env_file_stays_out_of_repository_and_image() -> None:
    for name in (".env", "data/bot.db", "data/kept/1.png", "secrets/database_url"):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
        assert ignored.returncode == 0, name
    every, *allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert every == "*"
    shipped = re.compile(r"bot|cogs|requirements[a-z-]*\.lock")
    names = [line.removeprefix("!") for line in allowed if line.startswith("!")]
    names += re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert [name for name in names if not shipped.fullmatch(name)] == []
    assert {"bot", "cogs"} <= {*names}


def test_no_file_names_a_local_path() -> None:
    assert MACHINE_PATH.search("see /home/me")
    checked = {name: text for name, text in TEXTS.items() if not name.startswith(("tests/", "Dockerfile"))}
    assert [name for name, text in checked.items() if MACHINE_PATH.search(text)] == []


def test_public_api_has_docstrings() -> None:
    silent = []
    for name, text in PRODUCT.items():
        if name.startswith(("bot/", "cogs/")):
            tree = ast.parse(text)
            silent += [f"{name}: {each}" for each in ["the module"] if not ast.get_docstring(tree) and text]
            silent += [f"{name}:{node.lineno} {node.name}" for node in _silent(tree)]
    assert silent == []


def _silent(parent: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in parent.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield node
            if isinstance(node, ast.ClassDef):
                yield from _silent(node)


async def test_every_extension_registers_its_commands(tmp_path: Path) -> None:
    async with open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database)
        async with bot:
            for extension in cogs.EXTENSIONS:
                await bot.load_extension(extension)
            models = {name.partition(" ")[0] for name in bot.catalogue.by_command}
            assert "image" in models
            commands = {command.name for command in bot.tree.get_commands()}
            menus = {"Edit image", "Remove image", "Who made this", "Unblock from images"}
            assert commands == OWN_COMMANDS | menus | models
    modules = {f"cogs.{module.name}" for module in pkgutil.iter_modules(cogs.__path__)}
    assert set(cogs.EXTENSIONS) == modules
