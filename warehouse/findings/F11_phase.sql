-- title: At which moment are the named barriers met?
-- base: barriers named in published dialogues, each once a dialogue and phase, for which the phase is stated
-- measure: barriers named for the phase; beside them, those whose phase is not known
-- small cells: barriers from published pages are shown as "x of n"; of those recorded by phone, counts under k are
--   hidden (k = 5; 10 when a risk was stated as high or unknown or not at all)
-- source: findings.md F11, rules R2, R3 and R6
-- The row `unknown` is beside the figure, not in it: `not_stated` comes from pages that do not say, `no_answer` from
-- phones. `dialogues` is the number of dialogues behind the base of F11.
WITH asked AS (
    SELECT dialogue, is_import, k FROM concepts.dialogues WHERE published_base AND has_barriers IN ('yes', 'no')),
named AS (
    SELECT DISTINCT n.dialogue, n.barrier, n.phase, a.is_import, a.k
    FROM concepts.dialogue_barriers n JOIN asked a ON a.dialogue = n.dialogue
    WHERE a.is_import OR coalesce(n.family, '') <> 'context'),
totals AS (
    SELECT (SELECT count(*) FROM asked) AS dialogues,
        (SELECT max(CASE WHEN NOT is_import THEN k END) FROM asked) AS k,
        coalesce(sum(CASE WHEN phase IS NOT NULL THEN 1 ELSE 0 END), 0) AS base,
        coalesce(sum(CASE WHEN phase IS NOT NULL AND is_import THEN 1 ELSE 0 END), 0) AS import_base,
        coalesce(sum(CASE WHEN phase IS NULL AND is_import THEN 1 ELSE 0 END), 0) AS not_stated,
        coalesce(sum(CASE WHEN phase IS NULL AND NOT is_import THEN 1 ELSE 0 END), 0) AS no_answer
    FROM named),
phases AS (
    SELECT 1 AS place, 'access' AS phase UNION ALL SELECT 2, 'during' UNION ALL SELECT 3, 'after'
    UNION ALL SELECT 4, 'unknown'),
counted AS (
    SELECT p.place, p.phase, count(n.barrier) AS n,
        coalesce(sum(CASE WHEN n.is_import THEN 1 ELSE 0 END), 0) AS imports,
        coalesce(sum(CASE WHEN NOT n.is_import THEN 1 ELSE 0 END), 0) AS phones
    FROM phases p LEFT JOIN named n ON coalesce(n.phase, 'unknown') = p.phase
    GROUP BY p.place, p.phase),
judged AS (
    SELECT c.*, t.*, t.base - t.import_base AS phone_base,
        CASE WHEN c.phones BETWEEN 1 AND t.k - 1 THEN 1 ELSE 0 END AS hidden
    FROM counted c CROSS JOIN totals t),
paired AS (
    -- One hidden figure alone could be computed from the others and their sum: the next smallest goes with it, a zero
    -- where there is nothing else.
    SELECT *, CASE WHEN hidden = 0 AND sum(hidden) OVER () = 1
        AND row_number() OVER (PARTITION BY hidden ORDER BY CASE WHEN phones > 0 THEN 0 ELSE 1 END, phones, place) = 1
        THEN 1 ELSE hidden END AS hide,
        max(hidden) OVER () AS any_hidden
    FROM judged)
SELECT j.phase, coalesce(l.label, 'Not stated or not answered') AS label,
    CASE WHEN j.hide = 0 THEN j.n END AS n,
    CAST(CASE WHEN j.any_hidden = 0 THEN j.base END AS BIGINT) AS base,
    j.dialogues,
    CAST(j.not_stated AS BIGINT) AS not_stated,
    CAST(CASE WHEN j.any_hidden = 0 THEN j.no_answer END AS BIGINT) AS no_answer,
    CASE
        WHEN j.dialogues = 0 THEN 'not available'
        WHEN j.hide = 1 THEN concat(CAST(j.imports AS BIGINT), ' from published pages; recorded by phone: ',
            CASE WHEN j.hidden = 1 THEN concat('<', j.k) ELSE 'not shown' END)
        WHEN j.phase = 'unknown' AND j.any_hidden = 1 THEN concat(j.n, ' barriers, phase not known')
        WHEN j.phase = 'unknown' THEN concat(CAST(j.not_stated AS BIGINT), ' not stated in the source, ',
            CAST(j.no_answer AS BIGINT), ' no answer')
        WHEN j.any_hidden = 1 THEN concat(j.n, ' barriers')
        WHEN j.base = 0 THEN 'not available'
        ELSE concat(j.n, ' of ', CAST(j.base AS BIGINT), ' barriers named')
    END AS shown
FROM paired j LEFT JOIN concepts.labels l ON l.concept = 'barrier.phase' AND l.code = j.phase
ORDER BY j.place
