"""The files for containers, systemd and CI name only what exists, and agree with each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.config import Config

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = sorted(file.name for file in ROOT.glob("compose*.yaml"))


def read_yaml(name: str) -> Any:
    return YAML(typ="safe").load(ROOT / name)


def bots(name: str) -> list[dict[str, Any]]:
    """Return the services of a compose file that run the image."""
    return [each for each in read_yaml(name)["services"].values() if each.get("image") == "imagine-bot"]


def mounted(service: dict[str, Any]) -> list[str]:
    return [volume.partition(":")[0] for volume in service.get("volumes", [])]


def operations() -> str:
    return (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_the_image_contains_what_docker_can_see() -> None:
    copied = re.findall(r"^COPY ([^-]\S*) \S+$", DOCKERFILE, re.MULTILINE)
    visible = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert sorted(copied) == sorted(visible)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_image_installs_exact_versions_as_another_user_than_root() -> None:
    assert "--require-hashes" in DOCKERFILE
    user = DOCKERFILE.index("\nUSER 1000\n")
    assert "\nRUN " not in DOCKERFILE[user:]
    assert "useradd --uid 1000 " in DOCKERFILE


@pytest.mark.parametrize("name", COMPOSE)
def test_bots_can_do_no_more_than_they_need(name: str) -> None:
    assert bots(name)
    for bot in bots(name):
        assert (bot["read_only"], bot["cap_drop"], bot["init"]) == (True, ["ALL"], True)
        assert bot["security_opt"] == ["no-new-privileges:true"]
        assert bot["tmpfs"].startswith("/tmp:")  # noqa: S108 (in the container)
        assert bot["stop_grace_period"] == "30s"  # three times what a stop takes
        assert [volume for volume in bot["volumes"] if not volume.endswith(":/app/data")] == []


@pytest.mark.parametrize("name", COMPOSE)
def test_bots_get_settings_that_exist(name: str) -> None:
    for bot in bots(name):
        names = {each.removesuffix("_FILE").lower() for each in bot["environment"]}
        assert names <= Config.model_fields.keys()
        assert {"health_port", "health_host"} <= names  # for the health check and Prometheus


@pytest.mark.parametrize("name", COMPOSE)
def test_mounted_files_exist(name: str) -> None:
    for service in read_yaml(name)["services"].values():
        files = [source for source in mounted(service) if source.startswith(".")]
        assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("name", COMPOSE)
def test_ports_are_published_to_this_machine_only(name: str) -> None:
    ports = [port for each in read_yaml(name)["services"].values() for port in each.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", COMPOSE)
def test_services_survive_a_restart_and_logs_do_not_fill_the_disk(name: str) -> None:
    for service in read_yaml(name)["services"].values():
        assert (service["restart"], service["logging"]) == ("unless-stopped", {"driver": "local"})


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_names_agree(name: str) -> None:
    """Services use only volumes and secrets that the file declares, and it declares no others."""
    file = read_yaml(name)
    services = file["services"].values()
    named = {source for each in services for source in mounted(each) if not source.startswith(".")}
    assert named == file.get("volumes", {}).keys()
    assert {secret for each in services for secret in each.get("secrets", [])} == file.get(
        "secrets", {}
    ).keys()


def test_prometheus_asks_every_bot() -> None:
    (job,) = read_yaml("deploy/prometheus.yml")["scrape_configs"]
    services = read_yaml("compose.postgres.yaml")["services"]
    names = [name for name, each in services.items() if each["image"] == "imagine-bot"]
    targets = [f"{name}:{services[name]['environment']['HEALTH_PORT']}" for name in names]
    assert len(targets) == 2
    assert job["static_configs"] == [{"targets": targets}]
    assert f'up{{job="{job["job_name"]}"}}' in (ROOT / "docs" / "alerts.yml").read_text("utf-8")


def test_each_shard_is_in_one_bot() -> None:
    settings = [bot["environment"] for bot in bots("compose.postgres.yaml")]
    count = len(settings)
    assert {each["SHARD_COUNT"] for each in settings} == {f"{count}"}
    assert sorted(each["SHARD_IDS"] for each in settings) == [f"{number}" for number in range(count)]
    volumes = [source for bot in bots("compose.postgres.yaml") for source in mounted(bot)]
    assert len(set(volumes)) == count


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    services = read_yaml("compose.postgres.yaml")["services"]
    (source,) = read_yaml("deploy/grafana/datasources/prometheus.yml")["datasources"]
    assert source["url"].removeprefix("http://").partition(":")[0] in services
    (provider,) = read_yaml("deploy/grafana/dashboards/imagine-bot.yml")["providers"]
    folders = [volume.split(":")[1] for volume in services["grafana"]["volumes"]]
    assert f"{provider['options']['path']}/imagine-bot.json" in folders


def test_database_and_bot_get_the_same_login() -> None:
    """The documented commands write the password and the address that the services read."""
    services = read_yaml("compose.postgres.yaml")["services"]
    login = services["postgres"]["environment"]
    url = f"postgresql+asyncpg://{login['POSTGRES_USER']}:$(cat secrets/postgres_password)@postgres/"
    assert f'echo "{url}{login["POSTGRES_DB"]}" > secrets/database_url' in operations()
    for secret in read_yaml("compose.postgres.yaml")["secrets"].values():
        assert f" > {secret['file'].removeprefix('./')}" in operations()


def test_the_systemd_unit_runs_the_checkout() -> None:
    text = (ROOT / "deploy" / "imagine-bot.service").read_text("utf-8")
    unit = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    folder = unit["WorkingDirectory"]
    assert unit["ExecStart"] == f"{folder}/.venv/bin/python -m bot"
    assert unit["ReadWritePaths"] == f"{folder}/data"
    assert f"git clone <address of this repository> {folder}" in operations()
    assert f"useradd --system --home-dir {folder}" in operations()
    assert unit["User"] in operations()


def test_pre_commit_runs_the_linters_of_make_test() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile.partition("\ntest:")[2].partition("pytest")[0]
    commands = re.findall(r"^\t\$\(RUN\)(.+)$", recipe, re.MULTILINE)
    (local,) = read_yaml(".pre-commit-config.yaml")["repos"]
    hooks = [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]]
    assert len(commands) == len(hooks) > 5
    assert [hook for hook, command in zip(hooks, commands, strict=True) if not command.startswith(hook)] == []


def test_the_workflow_runs_ci_and_builds_the_image() -> None:
    jobs = read_yaml(".github/workflows/ci.yml")["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert ".ci/run" in commands
    assert "docker compose build" in commands
    actions = [step["uses"] for step in steps if "uses" in step]
    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []
