-- title: What follows a dialogue?
-- base: published dialogues at least 6 (then 12) months old on the date of the data, in which it was answered whether
--   something followed; each dialogue once
-- measure: dialogues with at least one follow-up; dialogues in which a donor made a commitment, and those of them in
--   which funding or a changed practice came under the same code or one that names it as its parent
-- small cells: dialogues from published pages are shown as "x of n" (public acts), a percentage only from 10 on; of
--   those recorded by phone, counts under k are hidden (k = 5; 10 at a stated risk that is not low or moderate)
-- source: findings.md F14, rules R2, R3 and R6
-- `without_date` are published dialogues without a first day: nobody can tell how old they are (R3). What a phone says
-- came of a dialogue from a published page is no public act: it does not count for that dialogue.
WITH ages AS (SELECT 6 AS months UNION ALL SELECT 12),
told AS (SELECT dialogue, type, is_import FROM concepts.dialogue_followups WHERE published_base),
dialogues AS (
    SELECT d.dialogue, d.is_import, d.k, d.date_start, d.has_followups, a.day,
        EXISTS (SELECT 1 FROM told f WHERE f.dialogue = d.dialogue AND (f.is_import OR NOT d.is_import)) AS followed,
        EXISTS (SELECT 1 FROM told f WHERE f.dialogue = d.dialogue AND (f.is_import OR NOT d.is_import)
            AND f.type = 'donor_commitment') AS promised,
        EXISTS (SELECT 1 FROM told f LEFT JOIN concepts.dialogues c ON c.dialogue = f.dialogue
            WHERE (f.dialogue = d.dialogue OR c.parent_code = d.dialogue) AND (f.is_import OR NOT d.is_import)
            AND f.type IN ('funding_received', 'donor_practice_changed')) AS came
    FROM concepts.dialogues d CROSS JOIN concepts.as_of a WHERE d.published_base),
old AS (
    SELECT a.months, d.* FROM ages a JOIN dialogues d
    ON d.date_start IS NOT NULL AND d.date_start <= CASE a.months
        WHEN 6 THEN d.day - INTERVAL 6 MONTH ELSE d.day - INTERVAL 12 MONTH END),
counted AS (
    SELECT a.months,
        count(CASE WHEN o.followed OR o.has_followups IN ('yes', 'no') THEN 1 END) AS base,
        count(CASE WHEN o.is_import AND (o.followed OR o.has_followups IN ('yes', 'no')) THEN 1 END) AS import_base,
        max(CASE WHEN NOT o.is_import THEN o.k END) AS k,
        count(CASE WHEN o.followed THEN 1 END) AS n,
        count(CASE WHEN o.followed AND o.is_import THEN 1 END) AS imports,
        count(CASE WHEN o.promised THEN 1 END) AS promised,
        count(CASE WHEN o.promised AND NOT o.is_import THEN 1 END) AS phone_promised,
        count(CASE WHEN o.promised AND o.came THEN 1 END) AS kept,
        count(CASE WHEN o.promised AND o.came AND NOT o.is_import THEN 1 END) AS phone_kept,
        count(CASE WHEN o.is_import AND NOT o.followed AND o.has_followups IS NULL THEN 1 END) AS not_stated,
        count(CASE WHEN NOT o.is_import AND NOT o.followed AND o.has_followups IS NULL THEN 1 END) AS no_answer
    FROM ages a LEFT JOIN old o ON o.months = a.months GROUP BY a.months),
judged AS (
    SELECT *, base - import_base AS phone_base, n - imports AS phones, CASE
        WHEN base = import_base THEN 0
        WHEN n - imports BETWEEN 1 AND k - 1 THEN 1
        WHEN (base - import_base) - (n - imports) BETWEEN 1 AND k - 1 THEN 1
        WHEN phone_promised BETWEEN 1 AND k - 1 OR phone_kept BETWEEN 1 AND k - 1 THEN 1
        WHEN phone_promised - phone_kept BETWEEN 1 AND k - 1 THEN 1
        ELSE 0 END AS hidden
    FROM counted),
paired AS (
    -- The dialogues of 12 months are among those of 6: if one row is hidden, so is the other.
    SELECT *, max(hidden) OVER () AS hide FROM judged)
SELECT p.months AS at_least_months,
    CASE WHEN p.hide = 0 THEN p.n END AS n,
    p.base,
    CASE WHEN p.hide = 0 THEN p.promised END AS commitments,
    CASE WHEN p.hide = 0 THEN p.kept END AS commitments_kept,
    (SELECT count(*) FROM dialogues WHERE date_start IS NULL) AS without_date,
    p.not_stated, p.no_answer,
    CASE
        WHEN p.base = 0 THEN 'not available'
        WHEN p.hide = 0 AND p.base >= 10 THEN concat(p.n, ' of ', p.base, ' dialogues (',
            CAST(round(100.0 * p.n / nullif(p.base, 0)) AS INTEGER), ' %)')
        WHEN p.hide = 0 THEN concat(p.n, ' of ', p.base, ' dialogues')
        ELSE concat(
            CASE WHEN p.import_base > 0
                THEN concat(p.imports, ' of ', p.import_base, ' dialogues from published pages; ') ELSE '' END,
            CASE WHEN p.phone_base < 10 THEN 'recorded by phone: fewer than 10 dialogues'
                WHEN p.phones BETWEEN 1 AND p.k - 1
                    THEN concat('recorded by phone: <', p.k, ' of ', p.phone_base, ' dialogues')
                ELSE 'recorded by phone: not shown' END)
    END AS shown
FROM paired p
ORDER BY p.months
