"""The history of the tables, for `manage.py migrate`."""

__all__: list[str] = []
