-- What the training pipeline has for the same requests. Valid in DuckDB and in PostgreSQL.
SELECT
    request_id,
    time,
    night,
    carrier,
    origin,
    dest,
    distance,
    sched_hour,
    weekday,
    month,
    tailnum,
    seats,
    temp,
    dewp,
    humid,
    wind_dir,
    wind_speed,
    wind_gust,
    precip,
    visib,
    pressure
FROM training_features
WHERE night >= {first_night} AND night <= {last_night}
