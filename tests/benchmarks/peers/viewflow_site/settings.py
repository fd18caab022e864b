"""Django's settings for the application; the database is named by the environment, as psycopg understands it."""

import os

from psycopg.conninfo import conninfo_to_dict

_DATABASE = conninfo_to_dict(os.environ["NIGHT_DATABASE"])

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _DATABASE["dbname"],
        "USER": _DATABASE.get("user", ""),
        "PASSWORD": _DATABASE.get("password", ""),
        "HOST": _DATABASE.get("host", ""),
        "PORT": _DATABASE.get("port", ""),
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "viewflow",
    "viewflow.workflow",
    "tests.benchmarks.peers.viewflow_site",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "no page is served"
USE_TZ = True
# A database of one run: the tables are made as the models stand.
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "viewflow": None, "viewflow_site": None}
