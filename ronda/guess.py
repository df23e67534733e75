"""From the names people give to columns to ronda's own: which column of a table is which canonical one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from types import MappingProxyType

from services.columns import FEEDBACK_COLUMNS, REQUEST_COLUMNS

_TIMES = (
    "time timestamp ts request_time requested_at request_timestamp start_time started_at created_at created event_time "
    "event_timestamp logged_at occurred_at datetime date_time at log_time data_hora criado_em"
)
_IDS = (
    "request_id inference_id prediction_id completion_id call_id response_id trace_id span_id log_id uuid id"
)
_REQUESTS = {
    "request_id": _IDS,
    "time": _TIMES,
    "session_id": "session_id conversation_id chat_id thread_id",
    "user_id": "user_id customer_id account_id client_id end_user user uid usuario_id cliente_id",
    "trace_url": "trace_url trace_link",
    "model": "model model_name",
    "model_version": "model_version model_ver version_model model_revision",
    "prompt_name": "prompt_name prompt_template template_name",
    "prompt_version": "prompt_version template_version",
    "adapter": "adapter lora_adapter adapter_name",
    "variant": "variant ab_variant experiment_variant arm",
    "commit_sha": "commit_sha commit git_sha git_commit commit_hash",
    "author": "author deployed_by",
    "approved_by": "approved_by",
    "status": "status status_code http_status response_status",
    "latency_ms": "latency_ms latency duration_ms elapsed_ms response_time_ms latency_millis",
    "first_token_ms": "first_token_ms ttft_ms time_to_first_token_ms ttft",
    "tokens_in": "tokens_in prompt_tokens input_tokens tokens_prompt",
    "tokens_out": "tokens_out completion_tokens output_tokens generated_tokens",
    "cost": "cost cost_usd total_cost spend cost_brl",
    "prediction": "prediction pred predicted y_pred yhat y_hat predicted_value model_output score probability",
    "prompt": "prompt question user_message input_text prompt_text",
    "answer": "answer response completion output_text answer_text reply response_text",
}
_FEEDBACK = {
    "event_id": "event_id feedback_id id uuid",
    "request_id": "request_id inference_id prediction_id completion_id call_id response_id trace_id",
    "type": "type event_type feedback_type event kind event_name signal",
    "value": "value rating score thumb label feedback_value amount",
    "time": _TIMES,
    "known_at": "known_at received_at ingested_at inserted_at recorded_at",
}
SECONDS = MappingProxyType({
    "latency_ms": ("latency_s", "latency_seconds", "duration_s", "duration_seconds", "elapsed_seconds"),
    "first_token_ms": ("ttft_s", "time_to_first_token_s", "time_to_first_token_seconds"),
})  # fmt: skip
"""Columns in seconds: what they become when taken a thousand times."""

_FITS: Mapping[str, frozenset[str]] = {
    "id": frozenset({"number", "category", "other"}),
    "time": frozenset({"time"}),
    "category": frozenset({"category", "number"}),
    "number": frozenset({"number"}),
    "text": frozenset({"category", "other"}),
}
_REQUEST_TABLES = (
    "requests", "request_log", "requests_log", "request", "predictions", "prediction_log", "inferences",
    "inference_log", "calls", "completions", "generations", "logs", "log", "traffic", "requests_raw", "requests_clean",
)  # fmt: skip
_FEEDBACK_WORDS = re.compile(r"feedback|event|rating|thumb|label|outcome|avalia")


def snake(name: str) -> str:
    """A name as small words between underscores.

    >>> snake("requestId"), snake("Tempo de Entrega (min)"), snake("HTTPStatus")
    ('request_id', 'tempo_de_entrega_min', 'http_status')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")


def request_columns(columns: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Canonical column -> column of the table.

    Args:
        columns: column -> number, category, time or other.
        given: what the caller knows already.

    >>> request_columns({"id": "category", "createdAt": "time", "latency_s": "number"}, {})
    {'request_id': 'id', 'time': 'createdAt', 'latency_ms': 'latency_s'}
    """
    aliases = {name: (*_REQUESTS[name].split(), *SECONDS.get(name, ())) for name in _REQUESTS}
    found = _matched(columns, aliases, REQUEST_COLUMNS, given)
    times = [name for name, kind in columns.items() if kind == "time" and name not in found.values()]
    if "time" not in found and len(times) == 1:
        found["time"] = times[0]
    if "time" not in found:  # a time kept as text or as seconds since 1970 is only known by its name
        found |= _matched(columns, {"time": aliases["time"]}, {"time": "category"}, found)
    return {name: found[name] for name in REQUEST_COLUMNS if name in found}


def feedback_columns(columns: Mapping[str, str], request_id: str) -> dict[str, str]:
    """Canonical feedback column -> column of a table; without `request_id` or `time` it is no feedback table.

    >>> feedback_columns({"call": "category", "rating": "number", "at": "time"}, "call")
    {'request_id': 'call', 'value': 'rating', 'time': 'at'}
    """
    aliases = {name: tuple(_FEEDBACK[name].split()) for name in _FEEDBACK}
    aliases["request_id"] = (
        *aliases["request_id"],
        *([snake(request_id)] if snake(request_id) != "id" else []),
    )
    kinds = dict(FEEDBACK_COLUMNS) | {"value": "category"}
    found = _matched(columns, aliases, kinds, {})
    return {name: found[name] for name in FEEDBACK_COLUMNS if name in found}


def request_table(names: Collection[str]) -> str | None:
    """The one table that seems to be the request log; None if none, or several, could be it.

    >>> request_table(["users", "feedback", "request_log"]), request_table(["a", "b"])
    ('request_log', None)
    """
    by_word = {snake(name): name for name in names}
    return next((by_word[word] for word in _REQUEST_TABLES if word in by_word), None)


def sounds_like_feedback(table: str) -> bool:
    """Whether a table's name speaks of what users did.

    >>> sounds_like_feedback("ThumbEvents"), sounds_like_feedback("restaurants")
    (True, False)
    """
    return _FEEDBACK_WORDS.search(snake(table)) is not None


def _matched(
    columns: Mapping[str, str],
    aliases: Mapping[str, tuple[str, ...]],
    kinds: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, str]:
    found = dict(given)
    taken = set(given.values())
    by_word: dict[str, str] = {}
    for name in columns:
        by_word.setdefault(snake(name), name)
    for canonical, words in aliases.items():
        fitting = (
            by_word[word]
            for word in words
            if word in by_word
            and by_word[word] not in taken
            and columns[by_word[word]] in _FITS[kinds[canonical]]
        )
        first = next(fitting, None)
        if first is not None and canonical not in found:
            found[canonical] = first
            taken.add(first)
    return found
