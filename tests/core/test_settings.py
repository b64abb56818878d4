import os
import re
import runpy
import subprocess
import sys

import environ
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@pytest.fixture
def load(monkeypatch):
    """Load the settings afresh with these variables; None removes one."""

    def load(**variables):
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return runpy.run_path(str(settings.BASE_DIR / "config" / "settings.py"))

    return load


@pytest.fixture
def manage():
    """Run a command in a process of its own, with the site's settings and these variables."""

    def manage(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"} | variables,
            capture_output=True,
            text=True,
        )

    return manage


def test_it_reads_the_file_that_is_named_unless_the_environment_says_otherwise(manage, tmp_path):
    (tmp_path / "settings").write_text("LOG_LEVEL=chatty\n")
    assert "LOG_LEVEL must be" in manage("check", ENV_FILE=str(tmp_path / "settings"), LOG_LEVEL="").stderr
    assert manage("check", ENV_FILE=str(tmp_path / "settings"), LOG_LEVEL="INFO").returncode == 0


def test_the_tests_know_nothing_of_this_machine_s_settings(manage, tmp_path):
    names = ("API_RATE", "OTJANG_MAX_IMAGES_PER_PRODUCT", "LOG_LEVEL")
    machine = dict.fromkeys(names, "7") | {"ENV_FILE": str(tmp_path / "settings")}
    (tmp_path / "settings").write_text("OTJANG_SAMPLE_SHARE=0.7\n")
    code = "from tests import settings as s; print(s.API_RATE, s.API_MERCHANT_RATE, s.OTJANG_SAMPLE_SHARE)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=os.environ | machine, capture_output=True, text=True
    )
    assert ended.stdout.strip() == "1200/min 6000/min 0.05", ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "yess"),
        ("HTTPS", "2"),
        ("DATABASE_URL", "postgres://localhost/otjang"),
        ("DATABASE_URL", "otjang.sqlite3"),
        ("DATABASE_URL", "mysql://root@localhost"),
        ("DATABASE_URL", "mysql://root@localhost:port/otjang"),
        ("MEDIA_STORAGE", "ftp://files"),
        ("MEDIA_STORAGE", "s3://"),
        ("MEDIA_STORAGE", "s3://images?verify=perhaps"),
        ("MEDIA_SIGNED_URLS", "true"),
        ("TASKS_BACKEND", "django_tasks.backends.immediate.ImmediateBackend"),
        ("CELERY_BROKER_URL", "redis://localhost/0"),
        ("OTJANG_WORKER_QUEUES", "slow"),
        ("OTJANG_WORKER_QUEUES", ","),
        ("CSRF_TRUSTED_ORIGINS", "shop.example"),
        ("LOG_LEVEL", "chatty"),
        ("ALLOWED_HOSTS", "localhost,https://shop.example"),
        ("ALLOWED_HOSTS", "shop.example:8000"),
        ("API_RATE", "1200"),
        ("API_MERCHANT_RATE", "-1/min"),
        ("CACHE_URL", "memcached://localhost"),
        ("CACHE_URL", "redis"),
        ("OTJANG_DAILY_IMAGES", "-1"),
        ("OTJANG_DAILY_BYTES", "1 GB"),
        ("API_ANONYMOUS_RATE", "60/lightyear"),
        ("API_ANONYMOUS_RATE", "0/min"),
        ("DATABASE_URL", "sqlite:////no/such/folder/otjang.sqlite3"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("TIME_ZONE", "Foo/Bar"),
        ("TIME_ZONE", "Asia"),
        ("TIME_ZONE", "../etc/passwd"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_THREADS", "x"),
        ("WEB_QUEUE", "-1"),
        ("WEB_QUEUE_SECONDS", "0"),
        ("OTJANG_MAX_UPLOAD_BYTES", "25 MB"),
        ("OTJANG_MAX_ATTEMPTS", "0"),
        ("OTJANG_TOP_CATEGORY_THRESHOLD", "50"),
        ("OTJANG_TOP_CATEGORY_THRESHOLD", "half"),
    ],
)
def test_it_names_a_wrong_setting(load, name, value):
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} "):
        load(**{name: value})


def test_it_does_not_start_without_a_secret_key(load, tmp_path):
    with pytest.raises(ImproperlyConfigured, match=r"^SECRET_KEY is not set"):
        load(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "missing"))


def test_it_starts_without_a_secret_key_for_development(load, tmp_path):
    assert load(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "missing"), DEBUG="true")["SECRET_KEY"]


def test_it_reads_the_secret_key_from_a_file(load, tmp_path):
    path = tmp_path / "key"
    path.write_text("from a file\n")
    assert load(SECRET_KEY=None, SECRET_KEY_FILE=str(path))["SECRET_KEY"] == "from a file"


def test_it_starts_with_every_line_of_the_example(load, tmp_path, monkeypatch):
    example = (settings.BASE_DIR / ".env.example").read_text()
    path = tmp_path / ".env"
    path.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE))
    assigned = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", assigned)
    environ.Env.read_env(path)
    assigned.pop("SECRET_KEY")  # is everybody's own
    (settings.BASE_DIR / "var").is_dir() or assigned.pop("DATABASE_URL")  # `make setup` makes the folder

    defaults = load(**dict.fromkeys(assigned))
    values = load(**assigned)

    assert {name for name in values if name.isupper() and values[name] != defaults[name]} == set()


def test_the_example_has_every_setting():
    example = (settings.BASE_DIR / ".env.example").read_text()
    source = "".join((settings.BASE_DIR / "config" / name).read_text() for name in ("settings.py", "environment.py"))
    read = set(re.findall(r'(?:env\.\w+|text|integer)\(\s*"([A-Z_]+)"', source))
    assert read == set(re.findall(r"^#([A-Z_]+)=", example, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["var", "media"])
def test_it_counts_relative_paths_from_its_own_folder(load, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    assert load(MEDIA_ROOT=name)["MEDIA_ROOT"] == settings.BASE_DIR / name


def test_it_says_one_sentence_instead_of_a_traceback(manage):
    result = manage("check", LOG_LEVEL="chatty")
    assert result.returncode == 1
    assert result.stderr.startswith("Otjang cannot start: LOG_LEVEL ")
    assert "Traceback" not in result.stderr


def test_it_talks_to_mysql_strictly_and_reads_committed_rows(load):
    database = load(DATABASE_URL="mysql://merchant:p%40ss@db.example:3307/otjang")["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.mysql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 3307, "otjang")
    assert database["PASSWORD"] == "p@ss"
    assert database["CONN_MAX_AGE"] > 0
    assert database["OPTIONS"]["charset"] == "utf8mb4"
    assert database["OPTIONS"]["isolation_level"] == "read committed"
    assert "STRICT_TRANS_TABLES" in database["OPTIONS"]["init_command"]
    assert "time_zone='+00:00'" in database["OPTIONS"]["init_command"]


def test_it_reaches_mysql_through_a_socket(load):
    database = load(DATABASE_URL="mysql://root@/otjang?unix_socket=/run/mysqld/mysqld.sock")["DATABASES"]["default"]
    assert database["HOST"] == ""
    assert database["OPTIONS"]["unix_socket"] == "/run/mysqld/mysqld.sock"
    assert database["OPTIONS"]["charset"] == "utf8mb4"


def test_it_takes_sqlite_locks_at_the_start_of_a_transaction(load):
    database = load(DATABASE_URL="sqlite:////tmp/merchant.sqlite3")["DATABASES"]["default"]
    assert database["NAME"] == "/tmp/merchant.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] == 20
    assert "WAL" in database["OPTIONS"]["init_command"]


def test_it_keeps_uploads_in_s3_when_told(load):
    storage = load(MEDIA_STORAGE="s3://images/merchant?region_name=ap-northeast-2")["STORAGES"]["default"]
    assert storage["BACKEND"] == "storages.backends.s3.S3Storage"
    assert storage["OPTIONS"]["bucket_name"] == "images"
    assert storage["OPTIONS"]["location"] == "merchant"
    assert storage["OPTIONS"]["region_name"] == "ap-northeast-2"


def test_it_lets_one_image_too_many_reach_its_own_refusal(load):
    values = load(OTJANG_MAX_IMAGES_PER_PRODUCT="500")
    assert values["DATA_UPLOAD_MAX_NUMBER_FILES"] > 501


@pytest.mark.parametrize("behind_proxy", ["true", "false"])
def test_it_trusts_a_proxys_header_only_when_told(load, behind_proxy):
    values = load(BEHIND_PROXY=behind_proxy)
    assert bool(values["SECURE_PROXY_SSL_HEADER"]) == (behind_proxy == "true")


def test_it_passes_the_deployment_check_with_the_documented_settings(manage, monkeypatch):
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)  # tests in a browser need it
    result = manage(
        "check", "--deploy", HTTPS="true", SECRET_KEY="k3" * 5 + "abcdefghijklmnopqrstuvwxyz0123456789-_AB+!"
    )
    assert result.returncode == 0, result.stderr
    assert "security." not in result.stderr


def test_it_says_that_static_files_were_not_collected(manage, tmp_path):
    result = manage("check", STATIC_COLLECTED="true", STATIC_ROOT=str(tmp_path))
    assert result.returncode == 1
    assert "otjang.E004" in result.stderr


def test_it_says_that_there_are_no_weights(manage, tmp_path):
    result = manage("check", WEIGHTS=str(tmp_path))
    assert result.returncode == 0
    assert "otjang.W001" in result.stderr
