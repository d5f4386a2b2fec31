"""The demo: one team, three people, one day, on the real path. `manage.py demo` is its door."""
