"""The browser's side: login choice, password form, invite, code and error pages; no JavaScript.

application.py puts every blueprint together, trust.py says what may be believed of a request,
pages.py has the routes, browser.py the cookie and form tokens, page.py the headers of every page.
May import services (identity, api's blueprints, the proxy's pipeline), never the store or an
upstream. Start reading at pages.py, or at kube.py for the proxy as a Quart route.
"""
