-- title: What was produced?
-- base: outputs of published dialogues and sessions, each once
-- measure: outputs of the type; those of them that are public
-- small cells: none hidden: an output is a public act; a percentage only from 10 outputs on
-- source: findings.md F15, rules R2 and R3
-- An output that the record and a later update both tell (same type and title) counts once. `public_base` are
-- outputs for which it was answered whether they are public. Titles and links are free text: not here.
WITH made AS (SELECT type, country, is_import, is_public FROM concepts.dialogue_outputs WHERE published_base),
total AS (SELECT count(*) AS base FROM made),
counted AS (
    SELECT type, count(*) AS n, count(DISTINCT country) AS countries,
        count(CASE WHEN is_public = 'yes' THEN 1 END) AS public,
        count(CASE WHEN is_public IN ('yes', 'no') THEN 1 END) AS public_base,
        count(CASE WHEN is_public IS NULL AND is_import THEN 1 END) AS not_stated,
        count(CASE WHEN is_public IS NULL AND NOT is_import THEN 1 END) AS no_answer
    FROM made GROUP BY type)
SELECT c.type, coalesce(l.label, c.type) AS label, coalesce(c.n, 0) AS n, t.base,
    coalesce(c.countries, 0) AS countries, coalesce(c.public, 0) AS public, coalesce(c.public_base, 0) AS public_base,
    coalesce(c.not_stated, 0) AS not_stated, coalesce(c.no_answer, 0) AS no_answer,
    CASE WHEN t.base = 0 THEN 'not available'
        WHEN t.base < 10 THEN concat(c.n, ' of ', t.base, ' outputs')
        ELSE concat(c.n, ' of ', t.base, ' outputs (', CAST(round(100.0 * c.n / nullif(t.base, 0)) AS INTEGER), ' %)')
    END AS shown
FROM total t LEFT JOIN counted c ON t.base > 0
LEFT JOIN concepts.labels l ON l.concept = 'output.type' AND l.code = c.type
ORDER BY n DESC, c.type
