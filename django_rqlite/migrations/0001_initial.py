"""Permissions only: the models are unmanaged, so no table is made."""

from django.db import migrations, models

IN_REDIS = {
    "managed": False,
    "default_permissions": ("view", "change"),
    "base_manager_name": "objects",
}


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[("id", models.TextField(primary_key=True, serialize=False, verbose_name="ID"))],
            options={"verbose_name": "job", "verbose_name_plural": "jobs", **IN_REDIS},
        ),
        migrations.CreateModel(
            name="Queue",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False, verbose_name="name"))
            ],
            options={"verbose_name": "queue", "verbose_name_plural": "queues", **IN_REDIS},
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False, verbose_name="name"))
            ],
            options={"verbose_name": "worker", "verbose_name_plural": "workers", **IN_REDIS},
        ),
    ]
