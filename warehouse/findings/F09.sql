-- title: Which recommendations recur, in how many countries?
-- base: countries with at least one published dialogue, or with at least 10 published groups that answered
-- measure: countries in which a dialogue makes the recommendation or at least 5 groups choose it; then dialogues and
--   groups, never added together
-- small cells: dialogues from published pages are shown as "x of n" (public acts), never as a percentage; of those
--   recorded by phone and of groups, counts under k are hidden (k = 5; 10 at a stated risk that is not low or moderate)
-- source: findings.md F09, rules R2, R3, R5 and R6
-- `dialogues_base` are dialogues that made none or at least one coded recommendation. `not_stated` are pages that do
-- not say, or say that there are some without naming them; `no_answer` phones that did not. Groups: the latest record
-- of each group code. A hidden figure is NULL.
WITH recs AS (
    SELECT r.rec, d.dialogue, d.country, d.is_import
    FROM concepts.dialogue_recs r JOIN concepts.dialogues d ON d.dialogue = r.dialogue WHERE d.published_base),
base AS (
    SELECT dialogue, country, is_import, k FROM concepts.dialogues
    WHERE published_base AND (has_recs = 'no' OR dialogue IN (SELECT dialogue FROM recs))),
grouped AS (
    SELECT r.form_id, r.submission_id, r.country, r.k
    FROM concepts.groups r WHERE r.published_base AND EXISTS (
        SELECT 1 FROM concepts.answers a
        WHERE a.concept = 'rec.type' AND a.form_id = r.form_id AND a.submission_id = r.submission_id)),
chosen AS (
    SELECT a.value AS rec, g.country, count(*) AS n
    FROM concepts.answers a JOIN grouped g ON g.form_id = a.form_id AND g.submission_id = a.submission_id
    WHERE a.concept = 'rec.type' GROUP BY a.value, g.country),
asked AS (
    SELECT
        (SELECT count(DISTINCT country) FROM (
            SELECT country FROM concepts.dialogues WHERE published_base
            UNION ALL
            SELECT country FROM grouped GROUP BY country HAVING count(*) >= 10) both_kinds) AS base,
        (SELECT count(*) FROM base) AS dialogues_base,
        (SELECT count(*) FROM base WHERE is_import) AS import_base,
        (SELECT count(*) FROM base WHERE NOT is_import) AS phone_base,
        (SELECT coalesce(max(k), 5) FROM base WHERE NOT is_import) AS k,
        (SELECT count(*) FROM grouped) AS groups_base,
        (SELECT coalesce(max(k), 5) FROM grouped) AS groups_k,
        (SELECT count(*) FROM concepts.dialogues WHERE published_base AND is_import
            AND dialogue NOT IN (SELECT dialogue FROM base)) AS not_stated,
        (SELECT count(*) FROM concepts.dialogues WHERE published_base AND NOT is_import
            AND dialogue NOT IN (SELECT dialogue FROM base)) AS no_answer),
said AS (
    SELECT rec, count(*) AS n,
        sum(CASE WHEN is_import THEN 1 ELSE 0 END) AS imports,
        sum(CASE WHEN is_import THEN 0 ELSE 1 END) AS phones
    FROM recs GROUP BY rec),
picked AS (SELECT rec, sum(n) AS n FROM chosen GROUP BY rec),
cells AS (
    SELECT a.*, c.rec, coalesce(s.n, 0) AS dialogues, coalesce(s.imports, 0) AS imports,
        coalesce(s.phones, 0) AS phones, coalesce(p.n, 0) AS groups
    FROM asked a LEFT JOIN (SELECT rec FROM said UNION SELECT rec FROM picked) c ON a.base > 0
    LEFT JOIN said s ON s.rec = c.rec LEFT JOIN picked p ON p.rec = c.rec),
judged AS (
    SELECT *,
        CASE WHEN phones BETWEEN 1 AND k - 1 THEN 1
            WHEN phone_base BETWEEN 1 AND 9 AND phone_base - phones BETWEEN 1 AND k - 1 THEN 1
            ELSE 0 END AS hidden,
        CASE WHEN groups BETWEEN 1 AND groups_k - 1 THEN 1
            WHEN groups_base BETWEEN 1 AND 9 AND groups_base - groups BETWEEN 1 AND groups_k - 1 THEN 1
            ELSE 0 END AS groups_hidden
    FROM cells),
paired AS (
    -- One hidden figure alone could be computed from a total elsewhere: the next smallest goes with it.
    SELECT *,
        CASE WHEN hidden = 0 AND phones > 0 AND sum(hidden) OVER () = 1 AND row_number() OVER (
                PARTITION BY hidden, CASE WHEN phones > 0 THEN 1 ELSE 0 END ORDER BY phones, rec) = 1
            THEN 1 ELSE hidden END AS hide,
        CASE WHEN groups_hidden = 0 AND groups > 0 AND sum(groups_hidden) OVER () = 1 AND row_number() OVER (
                PARTITION BY groups_hidden, CASE WHEN groups > 0 THEN 1 ELSE 0 END ORDER BY groups, rec) = 1
            THEN 1 ELSE groups_hidden END AS groups_hide
    FROM judged),
places AS (
    -- A country counts once. Where a figure is hidden, so are the countries: those of what is shown are not all.
    SELECT rec, count(DISTINCT country) AS countries FROM (
        SELECT rec, country FROM recs
        UNION ALL
        SELECT c.rec, c.country FROM chosen c JOIN asked a ON c.n >= a.groups_k) seen
    GROUP BY rec)
SELECT p.rec AS recommendation, coalesce(l.label, p.rec) AS label,
    CASE WHEN p.hide = 0 AND p.groups_hide = 0 THEN coalesce(c.countries, 0) END AS countries, p.base,
    CASE WHEN p.hide = 0 THEN p.dialogues END AS dialogues, p.dialogues_base,
    CAST(CASE WHEN p.groups_hide = 0 THEN p.groups END AS BIGINT) AS groups, p.groups_base,
    p.not_stated, p.no_answer,
    CASE
        WHEN p.base = 0 THEN 'not available'
        WHEN p.rec IS NULL THEN concat('no recommendation in ', p.dialogues_base, ' dialogues')
        ELSE concat(
            CASE WHEN p.hide = 0 AND p.groups_hide = 0
                THEN concat(coalesce(c.countries, 0), ' of ', p.base, ' countries; ')
                ELSE 'countries: not shown; ' END,
            CASE WHEN p.dialogues_base = 0 THEN 'dialogues: not available'
                WHEN p.hide = 0 THEN concat(p.dialogues, ' of ', p.dialogues_base, ' dialogues')
                WHEN p.phone_base < 10 THEN concat(CAST(p.imports AS BIGINT), ' of ', p.import_base,
                    ' dialogues from published pages, fewer than 10 recorded by phone')
                ELSE concat(CAST(p.imports AS BIGINT), ' of ', p.import_base, ' dialogues from published pages, ',
                    CASE WHEN p.hidden = 1 THEN concat('<', p.k, ' of ', p.phone_base) ELSE 'not shown' END,
                    ' recorded by phone') END,
            CASE WHEN p.groups_base = 0 THEN ''
                WHEN p.groups_hide = 0 THEN concat('; ', CAST(p.groups AS BIGINT), ' of ', p.groups_base, ' groups')
                WHEN p.groups_base < 10 THEN '; fewer than 10 groups'
                ELSE concat('; ', CASE WHEN p.groups_hidden = 1 THEN concat('<', p.groups_k, ' of ', p.groups_base)
                    ELSE 'not shown: some' END, ' groups') END)
    END AS shown
FROM paired p LEFT JOIN places c ON c.rec = p.rec
LEFT JOIN concepts.labels l ON l.concept = 'rec.type' AND l.code = p.rec
ORDER BY countries DESC NULLS LAST, dialogues DESC NULLS LAST, p.rec
