"""Who counts: the bases of findings as views over `concepts.raw_records` and `concepts.answers`.

Rules R1 (which records), R2 (each dialogue and group once) of findings.md, and k by stated risk of instruments.md 3.3.
`published_base` is what figures may count; a record at a very serious stated risk is in none: any figure under ten such
records can be differenced. `published_record` is what of it may appear on its own: each dialogue once.
"""

from __future__ import annotations

from typing import Final

#: Run in this order.
BASES: Final = (
    """
    CREATE VIEW concepts.records AS
    SELECT *, published_base AND NOT replaced AS published_record
    FROM (SELECT *,
        -- A later full record of the same dialogue stands in its place; a phone never takes that of a published page,
        -- because a code can be typed on any phone, and whoever typed it may not have agreed to be published.
        coalesce(dialogue_code IS NOT NULL AND record_kind = 'full' AND row_number() OVER (
            PARTITION BY dialogue_code, record_kind
            ORDER BY is_import AND published_base DESC, submitted_at DESC NULLS LAST, submission_id DESC) > 1,
            false) AS replaced
    FROM (SELECT r.*, strftime(r.date_filled, '%Y-%m') AS month,
        coalesce(origin = 'import' AND consent_basis = 'public_source', false) AS is_import,
        -- Landed and not deleted. A form without a gate asks for no consent: it lands, and is never published.
        coalesce(TRY_CAST(gate AS DOUBLE) = 1, true) AND coalesce(final_choice, '') <> 'delete' AS internal_base,
        coalesce(
            TRY_CAST(gate AS DOUBLE) = 1 AND coalesce(final_choice, '') <> 'delete'
            AND ((consent_publish = 'yes' AND final_choice = 'as_agreed' AND coalesce(risk, '') <> 'severe')
                 OR (consent_basis = 'public_source' AND origin = 'import')), false) AS published_base,
        CASE WHEN risk IN ('low', 'moderate') THEN 5 ELSE 10 END AS k
    FROM concepts.raw_records r))
    """,
    # How much of a published record is shown, in extracts and findings alike: what one hides the other must not tell.
    """
    CREATE VIEW concepts.shown AS
    WITH context AS (
        SELECT form_id, submission_id FROM (
            SELECT a.form_id, a.submission_id, a.concept FROM concepts.answers a
            LEFT JOIN concepts.barriers b ON b.barrier = a.value
            WHERE a.concept IN ('barrier.type', 'barrier.set_access', 'barrier.set_grant')
            GROUP BY ALL HAVING count(*) = count(CASE WHEN b.family = 'context' THEN 1 END)) GROUP BY ALL),
    places AS (
        SELECT *, row_number() OVER w AS place, min(n) OVER (PARTITION BY form_id) AS least,
            coalesce(sum(n) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS pool
        FROM (SELECT form_id, country, count(*) AS n FROM concepts.records
            WHERE published_record AND NOT is_import AND country IS NOT NULL GROUP BY ALL)
        WINDOW w AS (PARTITION BY form_id ORDER BY n, country))
    SELECT r.form_id, r.submission_id,
        r.is_import OR (coalesce(r.risk, '') IN ('low', 'moderate') AND c.submission_id IS NULL) AS whole,
        r.is_import OR NOT coalesce(p.least < 5 AND (p.n < 5 OR p.pool < 5 OR p.place <= 2), false) AS placed
    FROM concepts.records r
    LEFT JOIN context c ON c.form_id = r.form_id AND c.submission_id = r.submission_id
    LEFT JOIN places p ON p.form_id = r.form_id AND p.country = r.country
    WHERE r.published_record
    """,
    # The date of the data: ages are counted to the day of the last submission, because nothing later was reported.
    "CREATE VIEW concepts.as_of AS SELECT CAST(max(submitted_at) AS DATE) AS day FROM concepts.raw_records",
    """
    CREATE VIEW concepts.dialogues AS
    SELECT coalesce(dialogue_code, submission_id) AS dialogue, * FROM concepts.records
    WHERE record_kind = 'full' AND internal_base AND NOT replaced
    """,
    # Records of forms about one group: the latest of each group code.
    """
    CREATE VIEW concepts.groups AS
    SELECT * EXCLUDE (telling) FROM (
        SELECT r.*, a.value AS group_code, row_number() OVER (
            PARTITION BY r.form_id, coalesce(a.value, r.submission_id)
            ORDER BY r.submitted_at DESC NULLS LAST, r.submission_id DESC) AS telling
        FROM concepts.records r
        LEFT JOIN concepts.answers a
          ON a.concept = 'org.group_code' AND a.form_id = r.form_id AND a.submission_id = r.submission_id AND a.row = ''
        WHERE r.internal_base
          AND r.form_id IN (SELECT form_id FROM ops.columns WHERE concept = 'org.group_code'))
    WHERE telling = 1
    """,
    # Which submissions speak for a dialogue: its full record, and updates for what came out of it and after it. A
    # session (an event of a form that knows no updates) speaks for itself, and only of what came out and after.
    """
    CREATE VIEW concepts.dialogue_parts AS
    SELECT dialogue, form_id, submission_id, 'full' AS part, submitted_at, country, is_import, published_base, k
    FROM concepts.dialogues
    UNION ALL
    SELECT d.dialogue, u.form_id, u.submission_id, 'update', u.submitted_at, d.country, d.is_import AND u.is_import,
        d.published_base AND u.published_base, greatest(d.k, u.k)
    FROM concepts.records u JOIN concepts.dialogues d ON d.dialogue_code = u.dialogue_code
    WHERE u.record_kind = 'update' AND u.internal_base
    UNION ALL
    SELECT concat(s.form_id, ' ', s.submission_id), s.form_id, s.submission_id, 'session', s.submitted_at, s.country,
        s.is_import, s.published_base, s.k
    FROM concepts.records s
    WHERE s.internal_base AND s.form_id IN (SELECT form_id FROM ops.columns WHERE concept = 'event.code')
      AND s.form_id NOT IN (SELECT form_id FROM ops.columns WHERE concept = 'meta.record_kind')
    """,
    # Each barrier once a dialogue and phase; the widest sharing that was said of it.
    """
    CREATE VIEW concepts.dialogue_barriers AS
    WITH named AS (
        SELECT form_id, table_name, submission_id, row,
            max(CASE WHEN concept = 'barrier.type' THEN value END) AS barrier,
            max(CASE WHEN concept = 'barrier.phase' THEN value END) AS phase,
            max(CASE WHEN concept = 'barrier.shared_level' THEN value END) AS shared_level
        FROM concepts.answers WHERE concept IN ('barrier.type', 'barrier.phase', 'barrier.shared_level')
        GROUP BY form_id, table_name, submission_id, row)
    SELECT p.dialogue, p.country, p.is_import, p.published_base, p.k, n.barrier, b.family, n.phase,
        max(CASE WHEN n.shared_level IN ('most', 'all') THEN 1 WHEN n.shared_level IS NOT NULL THEN 0 END) AS widely
    FROM named n JOIN concepts.dialogue_parts p
      ON p.form_id = n.form_id AND p.submission_id = n.submission_id AND p.part = 'full'
    LEFT JOIN concepts.barriers b ON b.barrier = n.barrier
    WHERE n.barrier IS NOT NULL AND n.barrier <> 'none'
    GROUP BY p.dialogue, p.country, p.is_import, p.published_base, p.k, n.barrier, b.family, n.phase
    """,
    """
    CREATE VIEW concepts.dialogue_recs AS
    SELECT DISTINCT p.dialogue, p.country, p.is_import, p.published_base, p.k, a.value AS rec
    FROM concepts.answers a JOIN concepts.dialogue_parts p
      ON p.form_id = a.form_id AND p.submission_id = a.submission_id AND p.part = 'full'
    WHERE a.concept = 'rec.type'
    """,
    # Same type and title, told by the full record and again by an update, is one output. A blank title is no title.
    """
    CREATE VIEW concepts.dialogue_outputs AS
    WITH made AS (
        SELECT form_id, table_name, submission_id, row, min(position) AS position,
            max(CASE WHEN concept = 'output.type' THEN value END) AS type,
            max(CASE WHEN concept = 'output.lang' THEN value END) AS lang,
            max(CASE WHEN concept = 'output.title' THEN value END) AS title,
            max(CASE WHEN concept = 'output.is_public' THEN value END) AS is_public
        FROM concepts.answers
        WHERE concept IN ('output.type', 'output.lang', 'output.title', 'output.is_public') AND row <> ''
        GROUP BY form_id, table_name, submission_id, row),
    told AS (
        SELECT p.dialogue, p.form_id, p.submission_id, p.country, p.is_import, p.published_base, p.k,
            m.type, m.lang, m.title, m.is_public,
            row_number() OVER (
                PARTITION BY p.dialogue, m.type,
                    coalesce(lower(trim(m.title)), concat(m.submission_id, ' ', m.row))
                ORDER BY p.published_base DESC, p.part, p.submitted_at, m.submission_id, m.position) AS telling
        FROM made m JOIN concepts.dialogue_parts p ON p.form_id = m.form_id AND p.submission_id = m.submission_id
        WHERE m.type IS NOT NULL)
    SELECT * EXCLUDE (telling) FROM told WHERE telling = 1
    """,
    # Same type and date is one follow-up. A blank date is no date.
    """
    CREATE VIEW concepts.dialogue_followups AS
    WITH came AS (
        SELECT form_id, table_name, submission_id, row,
            max(CASE WHEN concept = 'followup.type' THEN value END) AS type,
            max(CASE WHEN concept = 'followup.date' THEN day END) AS day
        FROM concepts.answers WHERE concept IN ('followup.type', 'followup.date') AND row <> ''
        GROUP BY form_id, table_name, submission_id, row)
    SELECT p.dialogue, p.country, max(p.is_import) AS is_import, max(p.published_base) AS published_base,
        max(p.k) AS k, c.type, c.day
    FROM came c JOIN concepts.dialogue_parts p ON p.form_id = c.form_id AND p.submission_id = c.submission_id
    WHERE c.type IS NOT NULL
    GROUP BY p.dialogue, p.country, c.type, c.day,
        CASE WHEN c.day IS NULL THEN concat(c.submission_id, ' ', c.row) END
    """,
)
