-- One event per flight that landed as planned; `value` is the arrival delay in minutes.
-- The partition is the date of the arrival in New York. The dates below depend on the session's time zone,
-- so they only narrow the nights that are read, a day wider on both sides than the event window.
SELECT
    event_id,
    request_id,
    type,
    value,
    time,
    known_at
FROM feedback
WHERE known_at >= {start} AND known_at < {end}
    AND night >= CAST({start} AS DATE) - 1 AND night <= CAST({end} AS DATE) + 1
