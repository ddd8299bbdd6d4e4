"""The audit log: every request, login and change is one JSON line, written before its answer.

Owns the vocabulary (events, standard library only), the line format (line), the segments on disk
(file, segment, log), the rebuildable search index (query, index) and the redaction of commands
(redact). May import policies.model, plane.errors, plane.clock and plane.tasks, never a room that
serves requests. Start reading at events.py, then log.py.
"""
