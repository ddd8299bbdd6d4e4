"""plane: the access plane through which engineers reach Kubernetes.

The server and the agent. Start reading at proxy/pipeline.py (one kubectl call, top to bottom) and
docs/architecture.md (the map). Only app.py names concrete classes; nobody imports app.
"""

__version__ = "0.1.0"
