"""nginx with mutual TLS in front of the cluster: the floor of what proxying costs."""

import os
import subprocess
from pathlib import Path

from cluster.build import Say
from cluster.paths import program

_CONFIG = """\
worker_processes 1; daemon off; pid {folder}/nginx.master; error_log {folder}/nginx.errors;
events {{ worker_connections 1024; }}
http {{
  access_log /dev/null; keepalive_requests 10000000;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  upstream api {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/pki/server.crt; ssl_certificate_key {folder}/pki/server.key;
    ssl_client_certificate {folder}/pki/ca.crt; ssl_verify_client on;
    location / {{
      proxy_pass https://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_set_header Impersonate-User $ssl_client_s_dn; proxy_set_header Impersonate-Group admins;
    }}
  }}
}}
"""


def find(tell: Say) -> str | None:
    """Return nginx, installed where root can install it, or None after saying what is missing."""
    if found := program("nginx"):
        return found
    if os.geteuid() == 0 and (apt := program("apt-get")):
        tell("installing nginx (the Debian package nginx-light) ...")
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [apt, "install", "-y", "-q", "--no-install-recommends", "nginx-light"]
        for command in ([apt, "update", "-q"], install):
            subprocess.run(command, capture_output=True, env=env, check=False)
        if found := program("nginx"):
            return found
    tell("no nginx here, so its figure stays empty; on Debian: apt install nginx-light")
    return None


def configure(folder: Path, *, upstream: int, port: int) -> Path:
    """Write the configuration; `folder` has pki/ and takes its logs."""
    path = folder / "nginx.conf"
    path.write_text(_CONFIG.format(folder=folder, upstream=upstream, port=port))
    # The worker gives up root's rights, but has to open its folders for temporary files.
    folder.chmod(0o755)
    return path
