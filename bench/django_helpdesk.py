"""django-helpdesk reading a mailbox, in its own environment.

`python -P bench/django_helpdesk.py DATA_FOLDER PORT USER PASSWORD`. A folder name on standard input makes it read that
folder once by its `get_email`; the answer is a line of JSON with the seconds this took and the number of tickets.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def configure(data: Path) -> None:
    """Django with what django-helpdesk needs: SQLite in WAL, receipts rendered and handed to a dummy backend."""
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="bench",
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
            "django.contrib.sites", "django.contrib.humanize", "django.contrib.admin", "rest_framework", "helpdesk",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(data / "helpdesk.sqlite3"),
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"},
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        DEFAULT_FROM_EMAIL="cs@akseleran.example",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SITE_ID=1,
        USE_TZ=True,
        MEDIA_ROOT=str(data / "media"),
        MEDIA_URL="/media/",
        HELPDESK_TEAMS_MODE_ENABLED=False,
    )  # fmt: skip
    django.setup()


def main() -> None:
    """Serves orders until standard input closes."""
    data = Path(sys.argv[1])
    configure(data)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from helpdesk.models import Queue, Ticket

    queue = Queue.objects.create(
        title="Pengaduan", slug="pengaduan", email_address="cs@akseleran.example", allow_email_submission=True,
        allow_public_submission=True, email_box_type="imap", email_box_host="127.0.0.1",
        email_box_port=int(sys.argv[2]), email_box_user=sys.argv[3], email_box_pass=sys.argv[4], email_box_interval=0,
        logging_type="none",
    )  # fmt: skip
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        Queue.objects.filter(pk=queue.pk).update(email_box_imap_folder=line.strip(), email_box_last_check=None)
        began = time.perf_counter()
        call_command("get_email", quiet=True)
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "tickets": Ticket.objects.count()}), flush=True)


if __name__ == "__main__":
    main()
