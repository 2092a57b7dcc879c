"""Logs: one JSON object a line in production, readable lines while trying out.

Lines carry the request's or the task's id and the order's number. They never carry a phone number, an ID number or
a secret: nothing logs one, and the filter below is the second fence.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
import structlog.tracebacks

_PERSONAL = re.compile(
    r"(?<!\d)(?:(?:(?:[+＋]|[0０]{2})?[8８][6６][ -]?)?[1１][3-9３-９]\d[ .-]?\d{4}[ .-]?\d{4}|\d{17}[\dXx])(?!\d)"
)
_CALLBACK_ADDRESS = re.compile(r"(/callback/)[^/?\s'\"]+")
_TRACEBACK = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # locals hold secrets and numbers
_HARMLESS = frozenset({"order_no", "timestamp", "request_id", "task_id", "child_task_id", "digest"})


def strip_query(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut the query off a request's address: people search for phone numbers."""
    if isinstance(event.get("request"), str):
        event["request"] = event["request"].partition("?")[0]
    return event


def mask_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what looks like a phone number or an ID number, and the secret part of callback addresses."""
    for key, value in event.items():
        if key not in _HARMLESS:
            event[key] = _mask(value)
    return event


def _mask(value: Any) -> Any:
    """Mask texts, also those within lists and dictionaries, as a traceback is."""
    if isinstance(value, str):
        return _PERSONAL.sub("***", _CALLBACK_ADDRESS.sub(r"\1***", value))
    if isinstance(value, Mapping):
        return {key: _mask(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(inner) for inner in value]
    return value


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
            structlog.processors.ExceptionRenderer(_TRACEBACK),
            strip_query,
            mask_personal,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if json_lines
        else [
            strip_query,
            mask_personal,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
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
            "django": {"handlers": [], "propagate": True},  # its own console handler masks nothing
            "django.server": {"handlers": [], "propagate": True},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "apprise": {"level": "CRITICAL"},  # its lines may hold the secrets of addresses
            "django_structlog.celery": {"level": "WARNING"},  # a line for every sweep drowns the others
        },
    }
