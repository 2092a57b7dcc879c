"""The environment that settings come from. A secret may stand in a file, as containers and systemd hand it over."""

from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping


class _Files(FileAwareMapping):
    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.strip() if self.env.get(f"{key}_FILE") else value


class Environment(FileAwareEnv):
    """Reads NAME, or the file that NAME_FILE names, which goes before it.

    The line break at the end of a file, which editors and `echo` leave there, is no part of the value.
    """

    ENVIRON = _Files()
