# One image for every Airflow service of docker-compose.yaml, and for `ronda` alone.
# The official Airflow image is not used: its constraints pin other versions of pandas and SQLAlchemy.
FROM python:3.11-slim-bookworm

# The same uv as the Makefile; all else comes from uv.lock.
RUN pip install --no-cache-dir uv==0.13.9

ENV UV_PROJECT_ENVIRONMENT=/opt/ronda/.venv \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    PATH=/opt/ronda/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1

WORKDIR /opt/ronda

# Dependencies first: a change of code does not fetch them again.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --extra airflow --compile-bytecode --no-cache --no-install-project

COPY . .
RUN uv sync --frozen --no-dev --extra airflow --compile-bytecode --no-cache

# A new named volume takes over the owner of the folder it is mounted on.
RUN useradd --uid 10001 --user-group --create-home ronda \
    && install -d -o ronda -g ronda \
        /srv/ronda /var/lib/ronda/lake /var/lib/ronda/lake/pages /var/lib/ronda/outbox /var/lib/airflow /var/lib/airflow/logs
USER 10001:10001

# Stands in the manifest of every release: docker build --build-arg RONDA_COMMIT=$(git rev-parse HEAD)
ARG RONDA_COMMIT=""
ENV RONDA_COMMIT=$RONDA_COMMIT \
    RONDA_HOME=/srv/ronda \
    RONDA_LAKE=/var/lib/ronda/lake \
    RONDA_OUTBOX=/var/lib/ronda/outbox \
    AIRFLOW_HOME=/var/lib/airflow
WORKDIR /srv/ronda
CMD ["ronda", "--help"]
