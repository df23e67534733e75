"""What the cities, apps and features of the simulated services are called."""

from __future__ import annotations

CITIES = (
    "sao_paulo", "rio_de_janeiro", "belo_horizonte", "brasilia", "salvador", "fortaleza", "curitiba", "recife",
    "porto_alegre", "goiania", "belem", "manaus", "campinas", "natal", "florianopolis", "vitoria",
)  # fmt: skip
APPS = ("android", "ios", "web", "partner")

HOUR = "local_hour"
"""The number that a wrong clock moves; every service has it."""
CITY = "requested_city"
"""The category that a new city shows up in; every service has it."""
LANGUAGE = "language"
"""The assistant's category of the language it believes to read."""

_NUMBERS = {
    "eta": ("distance_km", "driver_speed", "queue", "rain_mm", "fare", "stops", "driver_age_days", "battery"),
    "recommender": ("price", "clicks", "views", "basket", "stock", "discount", "item_age_days", "dwell_s"),
    "assistant": (
        "prompt_chars",
        "turns",
        "pages_found",
        "page_score",
        "pause_s",
        "links",
        "user_age_days",
        "typos",
    ),
}
_CATEGORIES = {
    "eta": ("zone", "vehicle", "weather", "road", "payment", "event", "restaurant_type", "driver_tier"),
    "recommender": ("shelf", "brand", "device", "campaign", "payment", "season", "seller_tier", "gender"),
    "assistant": ("topic", "channel", "device", "plan", "tool", "tone", "page_source", "user_tier"),
}
_NUMBER_FORMS = ("{}", "{}_mean_hour", "{}_mean_week", "{}_max_day")
_CATEGORY_FORMS = ("{}", "last_{}", "most_used_{}", "{}_group")
EACH = 30


def names_of(service: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The 30 numbers and 30 categories of a service.

    >>> numbers, categories = names_of("eta")
    >>> numbers[:3], len(numbers), len(categories)
    (('local_hour', 'distance_km', 'driver_speed'), 30, 30)
    """
    numbers = (HOUR, *(form.format(of) for form in _NUMBER_FORMS for of in _NUMBERS[service]))
    first = (CITY, LANGUAGE) if service == "assistant" else (CITY,)
    categories = (*first, *(form.format(of) for form in _CATEGORY_FORMS for of in _CATEGORIES[service]))
    return numbers[:EACH], categories[:EACH]
