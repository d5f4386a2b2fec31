"""What the model need not read: estimates, the cut and its audit sample. Pure; knows no database.

`expand` and `query` are plain Python, and any door may import them. `index` and `rank` need numpy: only what
tasks and commands import may import those, never a view or the API.
"""
