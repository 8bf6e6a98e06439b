-- title: When was it collected?
-- base: accepted submissions that say when they were filled, by form and month
-- measure: accepted, published, published so far
-- small cells: none hidden
-- source: findings.md F01
WITH months AS (
    SELECT form_id, month, count(*) AS accepted,
        CAST(sum(CASE WHEN published_record THEN 1 ELSE 0 END) AS BIGINT) AS published
    FROM concepts.records WHERE month IS NOT NULL GROUP BY form_id, month)
SELECT form_id AS form, month, accepted, published,
    CAST(sum(published) OVER (PARTITION BY form_id ORDER BY month) AS BIGINT) AS published_so_far,
    concat(published, ' published of ', accepted, ' accepted') AS shown
FROM months
ORDER BY form_id, month
