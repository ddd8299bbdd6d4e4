"""Recordings: every exec and attach as asciicast v2 with a JSON sidecar, kept like the audit log.

Owns the format (asciicast, pure), what is kept of a stream (content), the writer (header, recorder,
castfile, sidecar) and the reader (archive). May import plane.audit.file, plane.clock and
plane.errors, never a room that serves requests. Start reading at recorder.py.
"""
