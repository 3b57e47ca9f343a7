"""Links and test names in the documents exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROVEN = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("reliability.md", "security.md")}
SHOWN_BY = re.findall(r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`", "".join(PROVEN.values()))
TABLE = re.compile(r"^\| (?:guarantee|threat) \|.*\n\| --- \|.*\n((?:\|.*\n)+)", re.MULTILINE)


@pytest.mark.parametrize("document", PROVEN)
def test_every_guarantee_names_a_test(document: str) -> None:
    guarantees = "".join(TABLE.findall(PROVEN[document])).splitlines()
    assert len(guarantees) > 20
    assert [line for line in guarantees if "`tests/" not in line.split(" | ")[-1]] == []


@pytest.mark.parametrize(("file", "name"), dict.fromkeys(SHOWN_BY))
def test_named_tests_exist(file: str, name: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert re.search(
        rf"^(async )?def {name}\(|^class {name}\b" if name else r"^ *(async )?def test_", text, re.MULTILINE
    )


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]
)
def test_links_to_files_resolve(name: str) -> None:
    file = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", file.read_text("utf-8"))
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_troubleshooting_quotes_real_texts() -> None:
    """Words in italics are part of a text for members, or of a message in the code."""
    lines = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").splitlines()
    cells = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
    quotes = [quote for cell in cells for quote in re.findall(r"\*([^*]+)\*", cell)]
    files = [*(ROOT / "bot" / "locales" / "en-US").glob("*.ftl"), *(ROOT / "bot").rglob("*.py")]
    texts = "\n".join(file.read_text("utf-8") for file in files)
    assert len(quotes) > 30
    unknown = [quote for quote in quotes if quote not in texts]
    assert unknown == ["The application did not respond"]  # Discord's own


def test_every_setting_is_documented() -> None:
    names = re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    settings = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert len(names) > 20
    assert [name for name in names if f"`{name}`" not in settings] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 100
