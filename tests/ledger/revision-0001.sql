BEGIN TRANSACTION;
CREATE TABLE artifacts (
	number INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	run TEXT, 
	created TEXT NOT NULL, 
	CONSTRAINT pk_artifacts PRIMARY KEY (number), 
	CONSTRAINT uq_artifacts_digest UNIQUE (digest), 
	CONSTRAINT fk_artifacts_run FOREIGN KEY(run) REFERENCES runs (id)
);
INSERT INTO "artifacts" VALUES(1,'d1','prompt','prompt','baseline-1','2026-03-01T12:00:00Z');
CREATE TABLE predictions (
	scorecard INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	schema_version INTEGER NOT NULL, 
	example TEXT NOT NULL, 
	state TEXT NOT NULL, 
	output TEXT, 
	text TEXT NOT NULL, 
	confidence DOUBLE, 
	seconds DOUBLE NOT NULL, 
	latency DOUBLE, 
	tokens_in BIGINT NOT NULL, 
	tokens_out BIGINT NOT NULL, 
	cost DOUBLE NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_predictions PRIMARY KEY (scorecard, position), 
	CONSTRAINT fk_predictions_scorecard FOREIGN KEY(scorecard) REFERENCES scorecards (number)
);
INSERT INTO "predictions" VALUES(1,0,1,'x','ok','refund','refund',0.875,0.5,NULL,9,2,0.0,NULL);
INSERT INTO "predictions" VALUES(1,1,1,'y','invalid',NULL,'no idea0000',NULL,0.5,NULL,0,0,0.0,NULL);
CREATE TABLE runs (
	number INTEGER NOT NULL, 
	schema_version INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	verb TEXT NOT NULL, 
	started TEXT NOT NULL, 
	finished TEXT, 
	state TEXT NOT NULL, 
	inputs JSON NOT NULL, 
	result JSON NOT NULL, 
	error TEXT, 
	process JSON NOT NULL, 
	CONSTRAINT pk_runs PRIMARY KEY (number), 
	CONSTRAINT uq_runs_id UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,1,'baseline-1','baseline','2026-03-01T12:00:00Z','2026-03-01T12:30:00+00:00','done','{"data": "ab12"}','{"candidates": 2}',NULL,'{"host": "anvil", "pid": 4711, "began": null}');
INSERT INTO "runs" VALUES(2,1,'train-1','train','2026-03-01T12:00:00Z','2026-03-01T12:30:00+00:00','failed','{"data": "ab12"}','{"loss": 0.75}','disk full','{"host": "anvil", "pid": 4711, "began": null}');
CREATE TABLE scorecards (
	number INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	created TEXT NOT NULL, 
	candidate_digest TEXT NOT NULL, 
	eval_set TEXT NOT NULL, 
	record JSON NOT NULL, 
	CONSTRAINT pk_scorecards PRIMARY KEY (number), 
	CONSTRAINT fk_scorecards_run FOREIGN KEY(run) REFERENCES runs (id)
);
INSERT INTO "scorecards" VALUES(1,'baseline-1','2026-03-01T12:30:00+00:00','d1','e1','{"schema_version": 1, "candidate": "prompt", "kind": "prompt", "candidate_digest": "d1", "eval_set": "e1", "eval_version": 1, "rows": 2, "metrics": {"primary": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 2}, "ece": {"value": null, "low": null, "high": null, "n": 2}}, "slices": {"night\u001a0000": {"accuracy": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 2}}}, "labels": {"a": {"support": 2, "precision": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 2}, "recall": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 2}}}, "confusion_labels": ["a", "b"], "confusion": [[1, 0, 1], [0, 0, 0]], "states": {"ok": 1, "invalid": 1}, "cost": 0.5, "cost_per_success": null, "seconds": 1.5, "tokens_in": 10, "tokens_out": 2, "memory": 5000000000}');
CREATE TABLE tunesmith_ledger (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT tunesmith_ledger_pkc PRIMARY KEY (version_num)
);
INSERT INTO "tunesmith_ledger" VALUES('0001');
CREATE TABLE verdicts (
	number INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	created TEXT NOT NULL, 
	record JSON NOT NULL, 
	receipt TEXT NOT NULL, 
	CONSTRAINT pk_verdicts PRIMARY KEY (number), 
	CONSTRAINT fk_verdicts_run FOREIGN KEY(run) REFERENCES runs (id)
);
INSERT INTO "verdicts" VALUES(1,'baseline-1','2026-03-01T12:30:00+00:00','{"schema_version": 1, "verdict": "hold", "candidate": "fine-tune", "baseline": "few-shot", "primary": "accuracy", "reasons": ["the interval of the difference contains 0 \u001a0000"], "comparisons": [{"a": "a", "b": "b", "metric": "accuracy", "difference": 0.1, "low": -0.1, "high": 0.3, "p": 0.2, "n": 9, "a_only": 2, "b_only": 1}], "more_rows": 140}','{}');
CREATE INDEX ix_scorecards_candidate_digest ON scorecards (candidate_digest, eval_set);
COMMIT;
