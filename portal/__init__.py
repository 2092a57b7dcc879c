"""The Django project: settings, the platform's client, the sandbox and the process that serves them."""
