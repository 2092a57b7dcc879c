"""Logs: one JSON object a line in production, readable lines while trying out.

Lines carry the request's or the task's id and the order's number. They never carry a phone number, an ID number or
a secret: nothing logs one, and the filter below is the second fence.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_PERSONAL = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|\d{17}[\dXx])(?!\d)")


def mask_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide whatever looks like a phone number or an ID number in a line's texts."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("order_no", "timestamp"):
            event[key] = _PERSONAL.sub("***", value)
    return event


def configure(*, json_lines: bool) -> Mapping[str, Any]:
    """Set structlog up and return Django's LOGGING for it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: list[Any] = (
        [
            structlog.processors.dict_tracebacks,
            mask_personal,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if json_lines
        else [mask_personal, structlog.dev.ConsoleRenderer(colors=False)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django.server": {"handlers": [], "propagate": True},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
