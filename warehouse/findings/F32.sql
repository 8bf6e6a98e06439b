-- title: Gallery and map: what can be shown of each record?
-- base: published records of dialogues, sessions, map entries and alternatives that may be shown on a map at least by
--   country; from a phone: a map precision other than none was agreed
-- measure: one row a record: kind, country, code, year, topics, kinds of participants, kinds of outputs
-- small cells: that a record exists is a public act. From a phone, only kind and country are shown when the extract
--   shows no more: the stated risk is high, unknown or not answered, all its barriers are of the family "context", or
--   its country is blank there because few records come from it
-- source: findings.md F32, rules R2, R6 and R7; instruments.md 3.3 and 3.6
-- Quotes, titles of outputs and links are free text or can identify: they are shown only after a person has cleared
-- them, and nothing has been cleared yet, so that none is here. Names of organisations and persons are identifiers and
-- never in a snapshot. `lat` and `lon` are a point inside the country (its reference point), never a place of a record.
WITH kinds AS (
    SELECT DISTINCT form_id FROM ops.columns
    WHERE concept = 'event.code' OR concept LIKE 'entry.%' OR concept = 'alt.title'),
open_records AS (
    SELECT r.*, CASE WHEN w.whole AND w.placed THEN 1 ELSE 0 END AS whole
    FROM concepts.records r JOIN kinds k ON k.form_id = r.form_id
    JOIN concepts.shown w ON w.form_id = r.form_id AND w.submission_id = r.submission_id
    WHERE r.published_record AND coalesce(r.record_kind, 'full') <> 'update'
    AND r.country IS NOT NULL
    AND (r.is_import OR coalesce(r.consent_map, 'none') <> 'none')),
shown AS (SELECT *, count(*) OVER (PARTITION BY country) AS records_in_country FROM open_records),
said AS (
    SELECT form_id, submission_id,
        string_agg(CASE WHEN concept = 'event.topics' THEN value END, ' ' ORDER BY value) AS topics,
        string_agg(CASE WHEN concept = 'event.participant_kinds' THEN value END, ' ' ORDER BY value)
            AS participant_kinds
    FROM concepts.answers WHERE concept IN ('event.topics', 'event.participant_kinds')
    GROUP BY form_id, submission_id),
made AS (
    SELECT dialogue, string_agg(CASE WHEN n = 1 THEN type ELSE concat(type, ' (', n, ')') END, ' ' ORDER BY type)
        AS outputs
    FROM (SELECT o.dialogue, o.type, count(*) AS n FROM concepts.dialogue_outputs o
        JOIN concepts.shown t ON t.form_id = o.form_id AND t.submission_id = o.submission_id
        WHERE o.published_base AND (o.is_import OR (o.k = 5 AND t.whole AND t.placed))
        GROUP BY o.dialogue, o.type) by_type
    GROUP BY dialogue)
SELECT s.form_id AS kind, s.country, coalesce(c.name, s.country) AS country_name, c.lat, c.lon,
    CASE WHEN s.whole = 1 THEN s.dialogue_code END AS code,
    CASE WHEN s.whole = 1 THEN CAST(year(s.date_start) AS INTEGER) END AS year,
    CASE WHEN s.whole = 1 THEN a.topics END AS topics,
    CASE WHEN s.whole = 1 THEN a.participant_kinds END AS participant_kinds,
    CASE WHEN s.whole = 1 THEN m.outputs END AS outputs,
    CASE WHEN s.is_import THEN 'published page' ELSE 'phone' END AS origin,
    s.records_in_country
FROM shown s
LEFT JOIN said a ON a.form_id = s.form_id AND a.submission_id = s.submission_id
LEFT JOIN made m
    ON m.dialogue = CASE WHEN s.record_kind = 'full' THEN coalesce(s.dialogue_code, s.submission_id)
        ELSE concat(s.form_id, ' ', s.submission_id) END
LEFT JOIN concepts.countries c ON c.country = s.country
ORDER BY s.country, s.form_id, code NULLS LAST, topics, participant_kinds, origin
