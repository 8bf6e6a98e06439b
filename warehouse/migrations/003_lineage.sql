-- Questions over all versions of a form, aliases for statistics packages, times of answering, and one book less.

-- Earlier paths of the question that share its column, and a name of at most 32 characters that stays.
ALTER TABLE ops.columns ADD COLUMN was JSON DEFAULT '[]';
ALTER TABLE ops.columns ADD COLUMN alias VARCHAR DEFAULT '';

-- What each version of a form did to each question (docs/lineage.md).
CREATE TABLE ops.lineage (
    form_id VARCHAR NOT NULL, position INTEGER NOT NULL, version VARCHAR NOT NULL, path VARCHAR NOT NULL,
    fate VARCHAR NOT NULL, was VARCHAR NOT NULL, detail VARCHAR NOT NULL, because VARCHAR NOT NULL
);

-- Audit files of phones: when each question was on the screen. No answer and no place of theirs comes along.
CREATE TABLE ops.audit (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, n INTEGER NOT NULL, event VARCHAR NOT NULL,
    path VARCHAR NOT NULL, row VARCHAR NOT NULL, began TIMESTAMPTZ, ended TIMESTAMPTZ, seconds DOUBLE
);

-- Versions in half the bytes: no instanceID where it is the id of the submission (its first edition), the beginning of
-- the hash of the content (it tells versions apart, and nothing else), and what is current as a view instead of a second copy.
CREATE TABLE ops.version_rows (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, instance_id VARCHAR, content UBIGINT,
    form_version VARCHAR, submitted_at TIMESTAMPTZ, origin VARCHAR NOT NULL, state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, server VARCHAR NOT NULL, review_state VARCHAR NOT NULL,
    edited BOOLEAN NOT NULL, valid_from TIMESTAMPTZ NOT NULL, valid_to TIMESTAMPTZ
);
INSERT INTO ops.version_rows
    SELECT * REPLACE (nullif(instance_id, submission_id) AS instance_id, TRY_CAST('0x' || content[:16] AS UBIGINT) AS content)
    FROM ops.versions;
DROP VIEW ops.refused;
DROP TABLE ops.submissions;
DROP TABLE ops.versions;
-- One row a version of a submission (see 002_history.sql). `content` is NULL when the answers were taken away.
CREATE VIEW ops.versions AS
    SELECT * REPLACE (coalesce(instance_id, submission_id) AS instance_id) FROM ops.version_rows;
-- The current version of each submission.
CREATE VIEW ops.submissions AS
    SELECT submission_id, form_id, instance_id, content, form_version, submitted_at, origin, state, reason, batch_id
    FROM ops.versions WHERE valid_to IS NULL;
CREATE VIEW ops.refused AS
    SELECT form_id, reason, 'landing' AS refused_by, count(*) AS n FROM ops.submissions WHERE state = 'refused' GROUP BY ALL
    UNION ALL
    SELECT form_id, reason, server AS refused_by, n FROM ops.refused_at_server;
