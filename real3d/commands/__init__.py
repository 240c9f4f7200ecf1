"""The subcommands of `real3d`: each a frozen dataclass of options with a `run` that returns a path.

Importing them costs nothing: what needs torch is imported when a command runs.
"""
