"""The Fly configs: their keys are Fly's, and what they name is there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest

from bentos.settings import BentoSettings
from dam import routes
from dam.maintenance.settings import MaintenanceSettings
from gallery_api.settings import GallerySettings
from ingest_api.settings import IngestSettings
from orchestrator.settings import OrchestratorSettings

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

ROOT: Final = Path(__file__).parents[2]
SCHEMA: Final = json.loads(Path(__file__).with_name("fly_schema.json").read_text(encoding="utf-8"))
PORTS: Final = {
    "ingest": routes.INGEST_PORT,
    "orchestrator": routes.ORCHESTRATOR_PORT,
    "bento": routes.BENTO_PORT,
    "gallery": routes.GALLERY_PORT,
}
SETTINGS: Final[dict[str, tuple[type[BaseSettings], ...]]] = {
    "ingest": (IngestSettings,),
    "orchestrator": (OrchestratorSettings,),
    "bento": (BentoSettings,),
    "gallery": (GallerySettings, MaintenanceSettings),
}
APPS: Final = sorted(path.parent.name for path in ROOT.glob("fly/*/fly.toml"))
_PROBE: Final = re.compile(rf"({routes.READY}|{routes.READY}\?needed=true)")


def read(app: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "fly" / app / "fly.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("app", APPS)
def test_every_key_is_one_that_fly_documents(app: str) -> None:
    """Fly ignores what it does not know: a misspelt key would be a setting that is not set."""
    jsonschema.Draft202012Validator(SCHEMA).validate(read(app))


def test_a_misspelt_key_would_be_seen() -> None:
    """The schema refuses what it does not know, at any depth."""
    config = read("ingest")
    config["http_service"]["auto_stop_machine"] = "stop"
    with pytest.raises(jsonschema.ValidationError, match="auto_stop_machine"):
        jsonschema.Draft202012Validator(SCHEMA).validate(config)


@pytest.mark.parametrize("app", sorted(PORTS))
def test_ports_and_probes_are_the_services_own(app: str) -> None:
    """What Fly asks is where the service listens, and says whether it can work."""
    config = read(app)
    service = config.get("http_service")
    checks = service["checks"] if service else list(config["checks"].values())
    assert checks
    for check in checks:
        assert _PROBE.fullmatch(check["path"])
        assert (service["internal_port"] if service else check["port"]) == PORTS[app]
    if "metrics" in config:
        assert config["metrics"] == {"port": PORTS[app], "path": routes.METRICS}


@pytest.mark.parametrize("app", sorted(SETTINGS))
def test_every_variable_is_a_setting(app: str) -> None:
    """In the configs and in the Dockerfiles; a typo would silently leave the default."""
    known = {name for kind in SETTINGS[app] for name in variables_of(kind)}
    dockerfile = (ROOT / "fly" / app / "Dockerfile").read_text(encoding="utf-8")
    named = set(read(app).get("env", {})) | set(re.findall(r"\b(DAM_[A-Z_]+)=", dockerfile))
    assert named <= known


def variables_of(kind: type[BaseSettings]) -> set[str]:
    names = {f"DAM_{name.upper()}" for name in kind.model_fields}
    return names | {
        str(field.validation_alias) for field in kind.model_fields.values() if field.validation_alias
    }


def test_apps_reach_each_other_by_their_names() -> None:
    """Over Flycast, which wakes them; and nothing but the gallery is meant for the public."""
    names = {app: read(app)["app"] for app in PORTS}
    for app in PORTS:
        for url in (value for value in read(app).get("env", {}).values() if value.startswith("http")):
            assert url.removeprefix("http://").removesuffix(".flycast") in names.values()
    assert [app for app in PORTS if read(app).get("http_service", {}).get("force_https")] == ["gallery"]


def test_the_autoscaler_asks_for_the_number_that_is_served() -> None:
    """Its query names the orchestrator's own metric, and its app."""
    query = read("autoscaler")["env"]["FAS_PROMETHEUS_QUERY"]
    metrics = (ROOT / "orchestrator" / "metrics.py").read_text(encoding="utf-8")
    found = re.fullmatch(r"max\((\w+)\{app='([\w-]+)',state='ready'\}\)", query)
    assert found
    assert f'"{found[1]}"' in metrics
    assert found[2] == read("orchestrator")["app"] == read("autoscaler")["env"]["FAS_APP_NAME"]
