-- title: Where was it produced?
-- base: outputs of published dialogues and sessions, from published pages, or recorded by phone at a low or moderate
--   stated risk
-- measure: outputs by country and type
-- small cells: none hidden: an output is a public act; records at a high, unknown or unanswered stated risk, with only
--   barriers of the family "context", or from a country that is blank in the extracts, count in F15 only
-- source: findings.md F15, rules R2, R3 and R6; instruments.md 3.3
WITH made AS (
    SELECT o.country, o.type FROM concepts.dialogue_outputs o
    LEFT JOIN concepts.dialogues d ON d.dialogue = o.dialogue
    LEFT JOIN concepts.shown w ON w.form_id = d.form_id AND w.submission_id = d.submission_id
    JOIN concepts.shown t ON t.form_id = o.form_id AND t.submission_id = o.submission_id
    WHERE o.published_base AND (o.is_import OR (o.k = 5 AND t.whole AND t.placed
        AND (d.dialogue IS NULL OR (w.whole AND w.placed))))),
total AS (SELECT count(*) AS base FROM made),
counted AS (SELECT country, type, count(*) AS n FROM made GROUP BY country, type)
SELECT c.country, coalesce(p.name, c.country) AS country_name, c.type, coalesce(l.label, c.type) AS label,
    coalesce(c.n, 0) AS n, t.base,
    CASE WHEN t.base = 0 THEN 'not available' ELSE concat(c.n, ' of ', t.base, ' outputs') END AS shown
FROM total t LEFT JOIN counted c ON t.base > 0
LEFT JOIN concepts.countries p ON p.country = c.country
LEFT JOIN concepts.labels l ON l.concept = 'output.type' AND l.code = c.type
ORDER BY c.country, c.type
