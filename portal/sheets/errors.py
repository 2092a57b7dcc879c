"""Why a sheet can't be read."""


class UnreadableSheet(ValueError):
    """The sheet as a whole can't be used. The text says what is wrong and what to do, in the user's language."""
