-- title: How much was collected?
-- base: all submissions, by form
-- measure: received, refused (before or at landing), held by validation, accepted, internal only, published
-- small cells: none hidden; refusals are counted by form only
-- source: findings.md F01
-- `published` and `internal_only` divide what is accepted and counts for findings (R1): published is what stands in the
-- extracts; a record at a very serious stated risk, or in whose place another of its dialogue stands, is internal.
-- `without_date` are accepted submissions that do not say when they were filled: F01_month leaves them out.
WITH received AS (
    SELECT form_id,
        sum(n) AS received,
        sum(CASE WHEN state = 'refused' THEN n ELSE 0 END) AS refused,
        sum(CASE WHEN state = 'held' THEN n ELSE 0 END) AS held,
        sum(CASE WHEN state = 'accepted' THEN n ELSE 0 END) AS accepted,
        sum(CASE WHEN state IN ('deleted', 'dropped') THEN n ELSE 0 END) AS deleted_or_dropped
    FROM ops.received GROUP BY form_id),
records AS (
    SELECT form_id,
        sum(CASE WHEN published_record THEN 1 ELSE 0 END) AS published,
        sum(CASE WHEN internal_base AND NOT published_record THEN 1 ELSE 0 END) AS internal_only,
        sum(CASE WHEN month IS NULL THEN 1 ELSE 0 END) AS without_date
    FROM concepts.records GROUP BY form_id)
SELECT r.form_id AS form,
    CAST(r.received AS BIGINT) AS received,
    CAST(r.refused AS BIGINT) AS refused,
    CAST(r.held AS BIGINT) AS held,
    CAST(r.deleted_or_dropped AS BIGINT) AS deleted_or_dropped,
    CAST(r.accepted AS BIGINT) AS accepted,
    CAST(coalesce(c.internal_only, 0) AS BIGINT) AS internal_only,
    CAST(coalesce(c.published, 0) AS BIGINT) AS published,
    CAST(coalesce(c.without_date, 0) AS BIGINT) AS without_date,
    concat(CAST(coalesce(c.published, 0) AS BIGINT), ' published of ', CAST(r.accepted AS BIGINT), ' accepted of ',
        CAST(r.received AS BIGINT), ' received') AS shown
FROM received r LEFT JOIN records c ON c.form_id = r.form_id
ORDER BY r.form_id
