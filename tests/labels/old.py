"""The labels' database as it was before there were migrations: two labels of ada, the first one taken back."""

OLD = """
CREATE TABLE label_actions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, undoes INTEGER, time TEXT NOT NULL, annotator TEXT NOT NULL,
    dataset TEXT, request_id TEXT, query TEXT, history TEXT, item_id TEXT, title TEXT, run TEXT,
    probability DOUBLE, log_prob DOUBLE, rank INTEGER, scores TEXT, verdict TEXT, reason TEXT, note TEXT,
    UNIQUE (undoes)
);
CREATE INDEX label_actions_key ON label_actions (request_id, item_id, annotator);
CREATE INDEX label_actions_annotator ON label_actions (annotator);
INSERT INTO label_actions VALUES
    (1, NULL, '2026-01-01T00:00:00.000+00:00', 'ada', 'films', 'r', 'dreams', '["3", "1"]', '7', 'Inception', 'run-1',
     0.25, -1.4, 1, '{"generate": -1.5}', 'good', '', ''),
    (2, 1, '2026-01-01T00:00:01.000+00:00', 'ada', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL),
    (3, NULL, '2026-01-01T00:00:02.000+00:00', 'ada', 'films', 'r', 'dreams', '["3", "1"]', '8', 'Heat', 'run-1',
     NULL, NULL, 2, '{}', 'bad', 'too long', 'two hours');
"""
