-- title: In which languages was it produced?
-- base: outputs of published dialogues and sessions whose language is known, each once
-- measure: outputs in the language; beside them, outputs whose language is not known
-- small cells: none hidden: an output is a public act; a percentage only from 10 outputs on
-- source: findings.md F15, rules R2 and R3
-- The row without a language is beside the figure: `not_stated` come from pages, `no_answer` from phones.
WITH made AS (SELECT lang, is_import FROM concepts.dialogue_outputs WHERE published_base),
total AS (
    SELECT count(lang) AS base,
        count(CASE WHEN lang IS NULL AND is_import THEN 1 END) AS not_stated,
        count(CASE WHEN lang IS NULL AND NOT is_import THEN 1 END) AS no_answer
    FROM made),
counted AS (SELECT lang, count(*) AS n FROM made WHERE lang IS NOT NULL GROUP BY lang)
SELECT c.lang AS language, coalesce(l.label, c.lang) AS label, coalesce(c.n, 0) AS n, t.base,
    t.not_stated, t.no_answer,
    CASE WHEN t.base = 0 THEN 'not available'
        WHEN t.base < 10 THEN concat(c.n, ' of ', t.base, ' outputs')
        ELSE concat(c.n, ' of ', t.base, ' outputs (', CAST(round(100.0 * c.n / nullif(t.base, 0)) AS INTEGER), ' %)')
    END AS shown
FROM total t LEFT JOIN counted c ON t.base > 0
LEFT JOIN concepts.labels l ON l.concept = 'output.lang' AND l.code = c.lang
ORDER BY n DESC, c.lang
