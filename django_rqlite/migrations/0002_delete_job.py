"""The permission to delete jobs. No table is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("django_rqlite", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="job",
            options={
                "managed": False,
                "default_permissions": ("view", "change", "delete"),
                "base_manager_name": "objects",
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
            },
        ),
    ]
