-- title: Which barriers are named in dialogues, in how many countries?
-- base: published dialogues in which it was answered whether barriers were named; each dialogue once
-- measure: dialogues that name the barrier, and countries with such a dialogue
-- small cells: dialogues from published pages are shown as "x of n" (public acts), never as a percentage; of those
--   recorded by phone, counts under k are hidden (k = 5; 10 when a risk was stated as high or unknown or not at all,
--   or for barriers of the family "context")
-- source: findings.md F11, rules R2, R3 and R6
-- `not_stated` and `no_answer` are dialogues outside the base: a page that does not say, a phone that left it blank.
-- `widely` counts dialogues in which most or all shared the barrier, of the `widely_base` that were asked for more
-- detail and answered. A hidden figure is NULL, so that the table can be published as it is.
WITH base AS (
    SELECT dialogue, country, is_import, more_detail, k FROM concepts.dialogues
    WHERE published_base AND has_barriers IN ('yes', 'no')),
asked AS (
    SELECT count(*) AS base,
        coalesce(sum(CASE WHEN is_import THEN 1 ELSE 0 END), 0) AS import_base,
        coalesce(sum(CASE WHEN is_import THEN 0 ELSE 1 END), 0) AS phone_base,
        max(CASE WHEN NOT is_import THEN k END) AS k
    FROM base),
blank AS (
    SELECT coalesce(sum(CASE WHEN is_import THEN 1 ELSE 0 END), 0) AS not_stated,
        coalesce(sum(CASE WHEN is_import THEN 0 ELSE 1 END), 0) AS no_answer
    FROM concepts.dialogues WHERE published_base AND coalesce(has_barriers, '') NOT IN ('yes', 'no')),
named AS (
    SELECT n.barrier, n.family, b.dialogue, b.country, b.is_import,
        max(CASE WHEN b.more_detail = 'yes' THEN n.widely END) AS widely
    FROM concepts.dialogue_barriers n JOIN base b ON b.dialogue = n.dialogue
    GROUP BY n.barrier, n.family, b.dialogue, b.country, b.is_import),
counted AS (
    SELECT barrier, family, count(*) AS n,
        sum(CASE WHEN is_import THEN 1 ELSE 0 END) AS imports,
        sum(CASE WHEN is_import THEN 0 ELSE 1 END) AS phones,
        count(DISTINCT country) AS countries,
        coalesce(sum(widely), 0) AS widely, count(widely) AS widely_base,
        coalesce(sum(CASE WHEN is_import THEN 0 ELSE widely END), 0) AS phone_widely,
        count(CASE WHEN is_import THEN NULL ELSE widely END) AS phone_widely_base
    FROM named GROUP BY barrier, family),
cells AS (
    SELECT a.base, a.import_base, a.phone_base, c.*,
        CASE WHEN c.family = 'context' THEN 10 ELSE a.k END AS k
    FROM asked a LEFT JOIN counted c ON a.base > 0),
judged AS (
    SELECT *, CASE
        WHEN phone_base = 0 OR barrier IS NULL THEN 0
        WHEN family = 'context' AND phones = 0 AND phone_base >= k THEN 0
        WHEN family = 'context' AND (phones < k OR phone_base - phones < k) THEN 1
        WHEN phones BETWEEN 1 AND k - 1 THEN 1
        WHEN phone_base < 10 AND (phone_base - phones BETWEEN 1 AND k - 1) THEN 1
        ELSE 0 END AS hidden
    FROM cells),
paired AS (
    -- One hidden figure alone could be computed from a total elsewhere: the next smallest goes with it.
    SELECT *, CASE WHEN hidden = 0 AND phones > 0 AND sum(hidden) OVER () = 1
        AND row_number() OVER (PARTITION BY hidden, CASE WHEN phones > 0 THEN 1 ELSE 0 END ORDER BY phones, barrier) = 1
        THEN 1 ELSE hidden END AS hide
    FROM judged)
SELECT p.barrier, coalesce(l.label, p.barrier) AS label, p.family,
    CASE WHEN p.hide = 0 THEN p.n END AS n,
    p.base,
    CASE WHEN p.hide = 0 THEN p.countries END AS countries,
    CAST(CASE WHEN p.hide = 0 AND (p.phone_widely_base = 0
            OR ((p.phone_widely = 0 OR p.phone_widely >= p.k)
                AND (p.phone_widely_base = p.phone_widely OR p.phone_widely_base - p.phone_widely >= p.k)))
        THEN p.widely END AS BIGINT) AS widely,
    CASE WHEN p.hide = 0 AND (p.phone_widely_base = 0 OR p.phone_widely_base >= p.k) THEN p.widely_base END
        AS widely_base,
    CAST(b.not_stated AS BIGINT) AS not_stated,
    CAST(b.no_answer AS BIGINT) AS no_answer,
    CASE
        WHEN p.base = 0 THEN 'not available'
        WHEN p.barrier IS NULL THEN concat('no barrier named in ', p.base, ' dialogues')
        WHEN p.hide = 0 THEN concat(p.n, ' of ', p.base, ' dialogues')
        ELSE concat(
            CASE WHEN p.import_base > 0
                THEN concat(CAST(p.imports AS BIGINT), ' of ', CAST(p.import_base AS BIGINT),
                    ' dialogues from published pages; ')
                ELSE '' END,
            CASE WHEN p.phone_base < 10 THEN 'recorded by phone: fewer than 10 dialogues'
                WHEN p.phones BETWEEN 1 AND p.k - 1
                    THEN concat('recorded by phone: <', p.k, ' of ', CAST(p.phone_base AS BIGINT), ' dialogues')
                ELSE 'recorded by phone: not shown' END)
    END AS shown
FROM paired p CROSS JOIN blank b
LEFT JOIN concepts.labels l ON l.concept = 'barrier.type' AND l.code = p.barrier
ORDER BY countries DESC NULLS LAST, n DESC NULLS LAST, p.family, p.barrier
