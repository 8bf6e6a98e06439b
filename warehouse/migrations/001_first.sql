-- The schemas of the warehouse and our own books. Tables of forms are made when they are first landed.
CREATE SCHEMA IF NOT EXISTS accepted;      -- submissions that passed, without identifiers
CREATE SCHEMA IF NOT EXISTS held;          -- submissions kept back until somebody decides
CREATE SCHEMA IF NOT EXISTS identifiers;   -- answers of class "direct"; never in a snapshot
CREATE SCHEMA IF NOT EXISTS concepts;      -- long views across forms
CREATE SCHEMA IF NOT EXISTS findings;      -- results of warehouse/findings/*.sql
CREATE SCHEMA IF NOT EXISTS ops;           -- our own books

-- One row a batch that was landed. pulled = accepted + held + refused + already_known + deleted.
CREATE TABLE ops.runs (
    batch_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, server VARCHAR, origin VARCHAR NOT NULL,
    landed_at TIMESTAMPTZ NOT NULL, pulled BIGINT NOT NULL, accepted BIGINT NOT NULL, held BIGINT NOT NULL,
    refused BIGINT NOT NULL, already_known BIGINT NOT NULL, deleted BIGINT NOT NULL
);

-- What became of each submission: accepted, held, refused, deleted or dropped. Exactly one row each.
CREATE TABLE ops.submissions (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, instance_id VARCHAR NOT NULL, content VARCHAR NOT NULL,
    form_version VARCHAR, submitted_at TIMESTAMPTZ, origin VARCHAR NOT NULL, state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, batch_id VARCHAR NOT NULL
);

-- Submissions that the embedded server itself turned away, by reason: totals since it began.
CREATE TABLE ops.refused_at_server (server VARCHAR NOT NULL, form_id VARCHAR NOT NULL, reason VARCHAR NOT NULL, n BIGINT NOT NULL);

-- Counts of what never lands, without a word of it.
CREATE VIEW ops.refused AS
    SELECT form_id, reason, 'landing' AS refused_by, count(*) AS n FROM ops.submissions WHERE state = 'refused' GROUP BY ALL
    UNION ALL
    SELECT form_id, reason, server AS refused_by, n FROM ops.refused_at_server;

-- Values that could not be read as their type: the raw text is kept.
CREATE TABLE ops.issues (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, row VARCHAR NOT NULL,
    path VARCHAR NOT NULL, kind VARCHAR NOT NULL, raw VARCHAR NOT NULL
);

-- Answers at paths that no known version of the form has.
CREATE TABLE ops.drift (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, row VARCHAR NOT NULL, path VARCHAR NOT NULL, raw VARCHAR NOT NULL
);

-- One row that breaks one rule.
CREATE TABLE ops.violations (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, row VARCHAR NOT NULL,
    path VARCHAR NOT NULL, rule VARCHAR NOT NULL, action VARCHAR NOT NULL
);

-- What each broken rule says, by language, as it was when it was last broken.
CREATE TABLE ops.rules (
    form_id VARCHAR NOT NULL, rule VARCHAR NOT NULL, path VARCHAR NOT NULL, action VARCHAR NOT NULL,
    message JSON NOT NULL, fix VARCHAR NOT NULL
);

-- Imports: the sentence behind each value, how it was coded and by whom.
CREATE TABLE ops.sources (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, row VARCHAR NOT NULL, path VARCHAR NOT NULL,
    how VARCHAR NOT NULL, coded_by VARCHAR NOT NULL, source_sentence VARCHAR NOT NULL, source_ref VARCHAR NOT NULL
);

-- Held submissions that somebody released or dropped, who and why.
CREATE TABLE ops.decisions (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, instance_id VARCHAR NOT NULL, decision VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, decided_by VARCHAR NOT NULL, decided_at TIMESTAMPTZ NOT NULL
);

-- The codebook: every column, every choice, every form version.
CREATE TABLE ops.columns (
    form_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, repeat VARCHAR NOT NULL, column_name VARCHAR NOT NULL,
    path VARCHAR NOT NULL, kind VARCHAR NOT NULL, concept VARCHAR NOT NULL, disclosure VARCHAR NOT NULL,
    hxl VARCHAR NOT NULL, list_name VARCHAR NOT NULL, labels JSON NOT NULL, position INTEGER NOT NULL
);
-- The tables of each form; a table keeps its name for good. `repeat` and `parent` are empty for the main table.
CREATE TABLE ops.tables (
    form_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, repeat VARCHAR NOT NULL, parent VARCHAR NOT NULL
);
CREATE TABLE ops.choices (
    form_id VARCHAR NOT NULL, list_name VARCHAR NOT NULL, choice VARCHAR NOT NULL, labels JSON NOT NULL,
    position INTEGER NOT NULL
);
CREATE TABLE ops.forms (
    form_id VARCHAR NOT NULL, version VARCHAR NOT NULL, title VARCHAR NOT NULL, languages JSON NOT NULL, position INTEGER NOT NULL
);

-- Files that belong to submissions; they lie in the batch folder of that batch.
CREATE TABLE ops.attachments (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, name VARCHAR NOT NULL, size BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL, batch_id VARCHAR NOT NULL
);
