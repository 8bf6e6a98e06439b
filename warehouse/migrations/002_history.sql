-- What submissions were before: every version that a landing wrote, and the answers of those that were replaced.
CREATE SCHEMA IF NOT EXISTS history;       -- answers of replaced versions, as accepted.* had them; never in a snapshot

-- One row a version of a submission: accepted, held, refused, deleted or dropped. It holds from valid_from (the time of
-- the pull that brought it) until before valid_to; the current version has none. `content` is empty when the answers
-- were taken away because a later version refuses.
CREATE TABLE ops.versions (
    submission_id VARCHAR NOT NULL, form_id VARCHAR NOT NULL, instance_id VARCHAR NOT NULL, content VARCHAR NOT NULL,
    form_version VARCHAR, submitted_at TIMESTAMPTZ, origin VARCHAR NOT NULL, state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, server VARCHAR NOT NULL, review_state VARCHAR NOT NULL,
    edited BOOLEAN NOT NULL, valid_from TIMESTAMPTZ NOT NULL, valid_to TIMESTAMPTZ
);

-- A warehouse from before knows the current version only, and when it was landed. Until then no server that submissions
-- came from knew review states, and an edit was told by its instanceID.
INSERT INTO ops.versions
SELECT s.*, coalesce(r.server, ''), '', s.instance_id <> s.submission_id, coalesce(r.landed_at, now()), NULL
FROM ops.submissions s
LEFT JOIN (SELECT batch_id, any_value(server) AS server, min(landed_at) AS landed_at FROM ops.runs GROUP BY batch_id) r
    ON r.batch_id = s.batch_id;
