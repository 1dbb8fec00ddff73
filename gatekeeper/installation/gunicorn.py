"""How gunicorn serves Gatekeeper. GUNICORN_CMD_ARGS and the command line have the last word."""

wsgi_app = "gatekeeper.wsgi"
worker_class = "gthread"
workers = 2
threads = 8
# Whose headers count, GATEKEEPER_TRUSTED_PROXIES alone says.
forwarded_allow_ips = ""
# A Unix socket is for the user and the group that serve it: whoever else could write to it could claim
# any address to be a client's.
umask = 0o007
control_socket_disable = True
