-- title: Which families of barriers are named in dialogues, in how many countries?
-- base: published dialogues in which it was answered whether barriers were named; each dialogue once
-- measure: dialogues that name at least one barrier of the family, and countries with such a dialogue
-- small cells: as F11; the family "context" has k = 10
-- source: findings.md F11, rules R2, R3 and R6
WITH base AS (
    SELECT dialogue, country, is_import, k FROM concepts.dialogues
    WHERE published_base AND has_barriers IN ('yes', 'no')),
asked AS (
    SELECT count(*) AS base,
        coalesce(sum(CASE WHEN is_import THEN 1 ELSE 0 END), 0) AS import_base,
        coalesce(sum(CASE WHEN is_import THEN 0 ELSE 1 END), 0) AS phone_base,
        max(CASE WHEN NOT is_import THEN k END) AS k
    FROM base),
named AS (
    SELECT DISTINCT n.family, b.dialogue, b.country, b.is_import
    FROM concepts.dialogue_barriers n JOIN base b ON b.dialogue = n.dialogue),
counted AS (
    SELECT family, count(*) AS n,
        sum(CASE WHEN is_import THEN 1 ELSE 0 END) AS imports,
        sum(CASE WHEN is_import THEN 0 ELSE 1 END) AS phones,
        count(DISTINCT country) AS countries
    FROM named GROUP BY family),
cells AS (
    SELECT a.base, a.import_base, a.phone_base, c.*, CASE WHEN c.family = 'context' THEN 10 ELSE a.k END AS k
    FROM asked a LEFT JOIN counted c ON a.base > 0),
judged AS (
    SELECT *, CASE
        WHEN phone_base = 0 OR family IS NULL THEN 0
        WHEN family = 'context' AND phones = 0 AND phone_base >= k THEN 0
        WHEN family = 'context' AND (phones < k OR phone_base - phones < k) THEN 1
        WHEN phones BETWEEN 1 AND k - 1 THEN 1
        WHEN phone_base < 10 AND (phone_base - phones BETWEEN 1 AND k - 1) THEN 1
        ELSE 0 END AS hidden
    FROM cells),
paired AS (
    -- One hidden figure alone could be computed from a total elsewhere: the next smallest goes with it.
    SELECT *, CASE WHEN hidden = 0 AND phones > 0 AND sum(hidden) OVER () = 1
        AND row_number() OVER (PARTITION BY hidden, CASE WHEN phones > 0 THEN 1 ELSE 0 END ORDER BY phones, family) = 1
        THEN 1 ELSE hidden END AS hide
    FROM judged)
SELECT family,
    CASE WHEN hide = 0 THEN n END AS n,
    base,
    CASE WHEN hide = 0 THEN countries END AS countries,
    CASE
        WHEN base = 0 THEN 'not available'
        WHEN family IS NULL THEN concat('no barrier named in ', base, ' dialogues')
        WHEN hide = 0 THEN concat(n, ' of ', base, ' dialogues')
        ELSE concat(
            CASE WHEN import_base > 0
                THEN concat(CAST(imports AS BIGINT), ' of ', CAST(import_base AS BIGINT),
                    ' dialogues from published pages; ')
                ELSE '' END,
            CASE WHEN phone_base < 10 THEN 'recorded by phone: fewer than 10 dialogues'
                WHEN phones BETWEEN 1 AND k - 1
                    THEN concat('recorded by phone: <', k, ' of ', CAST(phone_base AS BIGINT), ' dialogues')
                ELSE 'recorded by phone: not shown' END)
    END AS shown
FROM paired
ORDER BY countries DESC NULLS LAST, n DESC NULLS LAST, family
