"""One kubectl call, top to bottom. Read pipeline.py first.

May import kube, identity, upstream, audit, recording and policies. call.py is the request as the
pipeline sees it; authenticate, route and authorize decide; forward.py and stream.py do;
trail.py keeps the evidence; live.py ends what is no longer allowed.
"""
