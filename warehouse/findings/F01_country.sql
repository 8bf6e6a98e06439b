-- title: Where was it collected?
-- base: accepted submissions, by form and country
-- measure: accepted, internal only, published
-- small cells: none hidden: that something was collected in a country is not a fact about a group
-- source: findings.md F01
SELECT form_id AS form,
    coalesce(country, 'not stated') AS country,
    count(*) AS accepted,
    CAST(sum(CASE WHEN internal_base AND NOT published_record THEN 1 ELSE 0 END) AS BIGINT) AS internal_only,
    CAST(sum(CASE WHEN published_record THEN 1 ELSE 0 END) AS BIGINT) AS published,
    concat(CAST(sum(CASE WHEN published_record THEN 1 ELSE 0 END) AS BIGINT), ' published of ', count(*), ' accepted')
        AS shown
FROM concepts.records
GROUP BY form_id, coalesce(country, 'not stated')
ORDER BY form_id, coalesce(country, 'not stated')
