"""docker-compose.yaml against the real compose parser, and its nginx configuration against the real nginx.

Nothing here builds or starts a container.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yaml"
SECRETS = {
    "AIRFLOW_DB_PASSWORD": "the password of Airflow's own database",
    "RONDA_DB_PASSWORD": "the password of ronda's state database",
    "RONDA_HASH_KEY": "that user ids are hashed with",
    "AIRFLOW_JWT_SECRET": "that sign tokens between services",
    "AIRFLOW_API_SECRET": "that sign sessions",
    "AIRFLOW_FERNET_KEY": "that encrypts connections",
}
SERVICES = {
    "postgres",
    "airflow-init",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "pages",
}


def compose(file: Path, *arguments: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """Call the parser itself: the script in the venv's bin folder ends with 0 whatever the parser says."""
    package = importlib.util.find_spec("compose")
    assert package is not None
    assert package.submodule_search_locations is not None
    program = Path(package.submodule_search_locations[0]) / "docker-compose"
    environment = {"PATH": os.environ["PATH"]} | {
        name: f"{name}-value" for name in SECRETS if name != without
    }
    command = [
        str(program),
        "--project-directory",
        str(ROOT),
        "--env-file",
        os.devnull,
        "-f",
        str(file),
        *arguments,
    ]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The whole file as the parser understands it."""
    done = compose(COMPOSE_FILE, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def planted(tmp_path: Path, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """Parse a copy in which one text was replaced."""
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "docker-compose.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return compose(file, "config", "-q")


def test_the_file_is_valid() -> None:
    """The parser accepts the file and has nothing to warn of."""
    done = compose(COMPOSE_FILE, "config", "-q")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    """The validation is a real one: a key that compose does not know fails, by name."""
    done = planted(tmp_path, "    healthcheck:", "    healthchek:")

    assert done.returncode != 0
    assert "additional properties 'healthchek' not allowed" in done.stderr


def test_an_undefined_dependency_is_refused(tmp_path: Path) -> None:
    """A service may not wait for one that is not there."""
    done = planted(tmp_path, "    airflow-init:\n      condition", "    airflow-start:\n      condition")

    assert done.returncode != 0
    assert 'depends on undefined service "airflow-start"' in done.stderr


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_an_unset_secret_is_refused_in_our_words(secret: str) -> None:
    """No secret has a default; a missing one is named, with what to put there."""
    done = compose(COMPOSE_FILE, "config", "-q", without=secret)

    assert done.returncode != 0
    assert f"set {secret}" in done.stderr
    assert SECRETS[secret] in done.stderr


def test_exactly_these_services(project: dict[str, Any]) -> None:
    """PostgreSQL, Airflow's five and the pages; nothing forgotten, nothing extra."""
    assert set(project["services"]) == SERVICES


def test_airflow_services_share_secrets_and_places(project: dict[str, Any]) -> None:
    """One environment for all five, or they refuse each other's tokens; each secret comes from outside."""
    airflow = {
        name: service["environment"] for name, service in project["services"].items() if "airflow" in name
    }
    assert len(airflow) == 5

    first = airflow["airflow-scheduler"]
    assert all(environment == first for environment in airflow.values())
    assert first["RONDA_STATE"] == "postgresql://ronda:RONDA_DB_PASSWORD-value@postgres/ronda"
    assert first["RONDA_LAKE"] == "/var/lib/ronda/lake"
    assert first["RONDA_HOME"] == "/srv/ronda"
    assert first["RONDA_HASH_KEY"] == "RONDA_HASH_KEY-value"
    assert first["RONDA_OUTBOX"] == "/var/lib/ronda/outbox"
    assert first["RONDA_SLACK_TOKEN"] == ""  # the one secret that may be missing: messages are then files
    assert first["DO_NOT_TRACK"] == "1"
    assert first["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert first["AIRFLOW__API_AUTH__JWT_SECRET"] == "AIRFLOW_JWT_SECRET-value"


def test_the_pool_of_the_tasks_is_made(project: dict[str, Any]) -> None:
    """Tasks ask for a pool, and what runs before everything else makes it: Airflow never says that one is missing."""
    init = project["services"]["airflow-init"]

    assert init["environment"]["RONDA_POOL"] == "ronda"
    assert init["command"][:2] == ["bash", "-euc"]
    assert init["command"][2].startswith("airflow db migrate; airflow pools set ronda 2 ")


def test_what_is_written_outlives_its_container(project: dict[str, Any]) -> None:
    """Lake, pages and unsent messages are volumes, whose owner the image has set; the home can only be read."""
    volumes = project["services"]["airflow-scheduler"]["volumes"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    written = {each["target"]: each["source"] for each in volumes if not each.get("read_only")}
    assert written == {
        "/var/lib/ronda/lake": "lake",
        "/var/lib/ronda/lake/pages": "pages",
        "/var/lib/ronda/outbox": "outbox",
        "/var/lib/airflow": "airflow-home",
        "/var/lib/airflow/logs": "airflow-logs",
    }
    assert all(f" {folder}" in dockerfile for folder in written)
    assert {each["target"] for each in volumes} - set(written) == {"/srv/ronda/services", "/srv/ronda/sql"}


def test_images_are_pinned_and_ports_are_local(project: dict[str, Any]) -> None:
    """No image floats, nothing listens beyond this machine, no health check needs curl."""
    for name, service in project["services"].items():
        tag = service["image"].partition(":")[2]
        assert tag not in {"", "latest"}, name
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", [])), name
        assert "curl" not in json.dumps(service.get("healthcheck", {})), name
        assert name == "airflow-init" or service["healthcheck"]["test"], name


def test_pages_sees_the_pages_only(project: dict[str, Any]) -> None:
    """nginx mounts one volume, cannot write to it, and is not root."""
    pages = project["services"]["pages"]

    assert pages["user"] == "10001:10001"
    assert [(volume["source"], volume["read_only"]) for volume in pages["volumes"]] == [("pages", True)]


def test_image_is_not_root_and_has_the_same_user() -> None:
    """The last USER of the Dockerfile is the one who may read the pages, and uv is the Makefile's."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    users = [line for line in dockerfile.splitlines() if line.startswith("USER")]
    assert users == ["USER 10001:10001"]
    version = makefile.partition("UV_VERSION := ")[2].partition("\n")[0]
    assert f"uv=={version}" in dockerfile


@pytest.fixture
def pages_port(project: dict[str, Any], tmp_path: Path) -> Iterator[int]:
    """The compose file's nginx configuration, served by a real nginx from a folder with one page."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    folder = tmp_path / "pages"
    (folder / "flood").mkdir(parents=True)
    (folder / "index.html").write_text("<p>all quiet</p>", encoding="utf-8")
    (folder / "flood" / "2024-05-01.html").write_text("<p>a night</p>", encoding="utf-8")
    (folder / ".hidden").write_text("not for you", encoding="utf-8")
    server = project["configs"]["pages-nginx"]["content"].replace("$$", "$")
    assert "listen 8080;" in server
    assert "root /srv/pages;" in server
    server = server.replace("listen 8080;", f"listen 127.0.0.1:{port};").replace("/srv/pages", str(folder))
    running = _start_nginx(tmp_path, server)
    _wait_for(port)
    yield port
    running.terminate()
    running.wait(10)


def _start_nginx(folder: Path, server: str) -> subprocess.Popen[bytes]:
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""  # pytest's folders are readable by their owner only
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; types {{ text/html html; }}\n{temporary}"
        f"scgi_temp_path {folder}/scgi;\n{server}\n}}\n",
        encoding="utf-8",
    )
    return subprocess.Popen(["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nginx did not start listening within 5 seconds")


def ask(port: int, path: str, method: str = "GET") -> http.client.HTTPResponse:
    """One request; the body can still be read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    return connection.getresponse()


@pytest.mark.needs("nginx")
def test_pages_are_served_behind_a_policy(pages_port: int) -> None:
    """A page comes with a policy that cuts off network and cookies; so does an error."""
    page = ask(pages_port, "/flood/2024-05-01.html")

    assert page.status == 200
    assert page.read() == b"<p>a night</p>"
    assert page.headers.get_content_type() == "text/html"
    for answer in (page, ask(pages_port, "/nothing.html")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("sandbox allow-scripts")
        assert "default-src 'none'" in policy
        assert "allow-same-origin" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.needs("nginx")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/healthz", 204),
        ("GET", "/flood/", 403),  # no listing of a folder
        ("GET", "/.hidden", 403),
        ("GET", "/../nginx.conf", 400),
        ("POST", "/", 403),
        ("PUT", "/new.html", 403),
    ],
)
def test_pages_answers_reading_only(pages_port: int, method: str, path: str, status: int) -> None:
    """Pages can be read and nothing else: no listing, no hidden file, no way out, no writing."""
    assert ask(pages_port, path, method).status == status
