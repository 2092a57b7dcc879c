"""The Django project: settings, the platform's client, the sandbox and the process that serves them."""

__version__ = "1.1.0"
"""Of the portal as a whole; CHANGELOG.md says what changed in each."""
