"""`ponte web`: the pages and the API, in this process."""

from ponte_workflow.bootstrap import open_ponte


def web() -> None:
    """Serve the web application until stopped (PONTE_WEB_HOST, PONTE_WEB_PORT)."""
    import uvicorn

    from flows.watching import watched
    from ponte_workflow.server import build, spare_the_collector

    ponte = open_ponte()
    settings = ponte.settings
    app = build(ponte)
    spare_the_collector()
    with watched(ponte):
        uvicorn.run(
            app,
            host=settings.web_host,
            port=settings.web_port,
            log_level="warning",
            access_log=False,  # addresses are nobody's business; Ponte's own traces say who looked at what
            server_header=False,
            # Without a named proxy nobody may say which address a request comes from.
            proxy_headers=bool(settings.web_proxies),
            forwarded_allow_ips=settings.web_proxies or None,
            timeout_graceful_shutdown=15,
        )
