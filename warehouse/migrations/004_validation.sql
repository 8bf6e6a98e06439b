-- What each rule did with each batch, and what became of each correction of the ledger.

-- One row a rule and landed batch. `state`: evaluated, failed to run, not decidable (`reason` says why not).
-- violations: rows that break it; submissions: how many they belong to; judged: rows that it looked at.
CREATE TABLE ops.rule_results (
    form_id VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, rule VARCHAR NOT NULL, action VARCHAR NOT NULL,
    path VARCHAR NOT NULL, state VARCHAR NOT NULL, violations BIGINT NOT NULL, submissions BIGINT NOT NULL,
    judged BIGINT NOT NULL, reason VARCHAR NOT NULL
);

-- The ledger corrections/<form_id>.csv as it was last replayed (docs/corrections.md). `state`: applied, at the source,
-- conflict, no place, no batch, superseded, undone, kept, waiting. Values are answers: they reach no snapshot.
CREATE TABLE ops.corrections (
    form_id VARCHAR NOT NULL, submission_id VARCHAR NOT NULL, id VARCHAR NOT NULL, row VARCHAR NOT NULL,
    path VARCHAR NOT NULL, issue VARCHAR NOT NULL, old_value VARCHAR NOT NULL, new_value VARCHAR NOT NULL,
    change_type VARCHAR NOT NULL, corrected_by VARCHAR NOT NULL, corrected_at TIMESTAMPTZ NOT NULL,
    why VARCHAR NOT NULL, undoes VARCHAR NOT NULL, state VARCHAR NOT NULL, batch_id VARCHAR NOT NULL
);

-- Which entries of the ledger the current version of a submission was landed with (no row: with none), and the ids of
-- those that changed it.
CREATE TABLE ops.corrected (
    form_id VARCHAR NOT NULL, submission_id VARCHAR NOT NULL, digest VARCHAR NOT NULL, applied VARCHAR NOT NULL
);
-- The corrections that had changed the submission when somebody decided on it: a decision stands for that content only.
ALTER TABLE ops.decisions ADD COLUMN corrections VARCHAR DEFAULT '';

-- A hash of the answers of each version, by which duplicates are found without reading what was accepted before. NULL
-- when the answers were taken away, and for versions of before.
ALTER TABLE ops.version_rows ADD COLUMN fingerprint UBIGINT;
CREATE OR REPLACE VIEW ops.versions AS
    SELECT * EXCLUDE (fingerprint) REPLACE (coalesce(instance_id, submission_id) AS instance_id) FROM ops.version_rows;
CREATE VIEW ops.fingerprints AS
    SELECT form_id, submission_id, fingerprint, submitted_at FROM ops.version_rows
    WHERE valid_to IS NULL AND state IN ('accepted', 'held') AND fingerprint IS NOT NULL;
