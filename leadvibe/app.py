"""The composition root: settings in, a wired application out."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from flask import Flask, request
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from leadvibe import api, web
from leadvibe.dialects import nexus, octanist
from leadvibe.http import (
    assets,
    auditing,
    compression,
    csrf,
    headers,
    measuring,
    principal,
    rate_limits,
    request_id,
    streams,
    surfaces,
    transaction,
)
from leadvibe.http.errors import json_error
from leadvibe.http.rate_limits import RateLimiter
from leadvibe.http.turnstile import Turnstile
from leadvibe.identity.queries import has_members
from leadvibe.identity.remembered import CHANGED
from leadvibe.identity.security import Hashing, Security
from leadvibe.identity.types import KeyBy, LimitMode, Rate, RequestLimit
from leadvibe.lib.db import OUTAGES, db, is_outage, reset
from leadvibe.lib.errors import LeadvibeError, UnavailableError
from leadvibe.lib.idle_connections import pool_events
from leadvibe.lib.listening import Listener
from leadvibe.lib.outbound import Outbound
from leadvibe.lib.resources import resource_folder
from leadvibe.lib.sealing import Sealer
from leadvibe.lib.token_bucket import TokenBuckets, impatient_client
from leadvibe.notifications.mailer import Mailer
from leadvibe.notifications.senders import PostOffice
from leadvibe.notifications.transports.email import MailServer
from leadvibe.notifications.unsubscribing import KEY_PURPOSE
from leadvibe.settings import Settings
from leadvibe.web.errors import is_page, render_error

# More would not make two cores quicker, and PostgreSQL pays for each; threads that only hold a
# stream open need none.
MOST_CONNECTIONS = 20
# Own transactions (the count of failed sign-ins) come beside the request's.
SPARE_CONNECTIONS = 5
SECONDS_FOR_A_CONNECTION = 10
BROKER_TIMEOUT_SECONDS = 2.0
MULTIPART_OVERHEAD_BYTES = 1024 * 1024
ANNOUNCE_AGAIN_SECONDS = 30
CONNECTION_LOST_STATES = ("08", "57P")  # connection exceptions, and the server ending sessions
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"

_log = logging.getLogger(__name__)


def create_app(settings: Settings, *, hashing: Hashing | None = None) -> Flask:
    """Wire an application. Connects to nothing yet; `hashing` is what tests make cheap."""
    _configure_logging(settings.log_level)
    app = Flask(
        __name__,
        static_folder=resource_folder("static"),
        template_folder=resource_folder("templates"),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config.update(_configuration(settings))
    app.wsgi_app = Turnstile(  # type: ignore[assignment, method-assign]
        _behind_proxies(app, settings.trusted_proxies)
    )
    db.init_app(app)
    app.extensions["leadvibe.redis"] = _broker(settings.redis_url)
    app.extensions["leadvibe.mailer"] = Mailer(_mail_server(settings))
    app.extensions["leadvibe.sealer"] = _sealer(settings)
    app.extensions["leadvibe.senders"] = _post_office(app, settings).senders()
    _register_http(app, settings, hashing or Hashing())
    api.register(app)
    octanist.register(app)
    nexus.register(app)
    web.register(app, session_lifetime=timedelta(days=settings.refresh_token_days))
    _register_errors(app)
    return app


def remember_credentials(app: Flask) -> Listener:
    """Let this process remember credentials, for as long as it hears of their changes.

    For a process that serves many requests, once it will not fork again.
    """
    remembered = principal.remembered_credentials(app)
    listener = Listener(
        app.config["SQLALCHEMY_DATABASE_URI"],
        CHANGED,
        on_hearing=remembered.resume,
        on_notice=remembered.forget,
        on_deaf=remembered.suspend,
    )
    listener.start()
    return listener


def announce_first_run(app: Flask) -> None:
    """Write to the log where to set Leadvibe up, while nobody can sign in yet."""
    with app.app_context():
        try:
            if has_members():
                return
        except (*OUTAGES, ProgrammingError):
            return  # no database, or no tables in it: there is a louder message about that
        if not _is_first_to_announce(app.extensions["leadvibe.redis"]):
            return
        token = principal.security().setup_token
        address = f"{app.config['PUBLIC_URL']}/app/setup?token={token}"
        _log.warning("There is no member yet: open %s to set Leadvibe up", address)


def _is_first_to_announce(broker: Redis) -> bool:
    """Let one of several web processes that start together speak for all."""
    try:
        return bool(broker.set("leadvibe:first-run", 1, nx=True, ex=ANNOUNCE_AGAIN_SECONDS))
    except RedisError:
        return True


def _configuration(settings: Settings) -> dict[str, Any]:
    security = Security(secret_key=settings.secret_key)
    return {
        "SECRET_KEY": security.key("browser session"),
        "PUBLIC_URL": settings.public_url,
        "MAX_UPLOAD_MB": settings.max_upload_mb,
        "MAX_CONTENT_LENGTH": settings.max_upload_mb * 1024 * 1024 + MULTIPART_OVERHEAD_BYTES,
        "PIPELINE_BATCH_SIZE": settings.pipeline_batch_size,
        "AUDIT_RETENTION_DAYS": settings.audit_retention_days,
        "MONTHLY_EVENT_LIMIT": settings.monthly_event_limit,
        "LEADVIBE_HOME": settings.home,
        "SLACK_API_URL": settings.slack_api_url,
        "HUBSPOT_API_URL": settings.hubspot_api_url,
        "ALLOW_PRIVATE_WEBHOOKS": settings.allow_private_webhooks,
        "STREAM_WITHOUT_SIGN_IN": settings.stream_without_sign_in,
        "SESSION_COOKIE_NAME": "leadvibe_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": _is_https(settings),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(settings.web_threads),
    }


def _engine_options(web_threads: int) -> dict[str, Any]:
    # A connection that ends while it is used fails its request, and the pool replaces them all.
    return {
        # What people typed belongs in no log, and errors would repeat it.
        "hide_parameters": True,
        "pool_size": min(web_threads, MOST_CONNECTIONS),
        "max_overflow": SPARE_CONNECTIONS,
        "pool_timeout": SECONDS_FOR_A_CONNECTION,
        # Few are used again and again, and hardly ever asked whether they live.
        "pool_use_lifo": True,
        "pool_events": pool_events(),
        "connect_args": {
            "options": "-c timezone=UTC",
            "application_name": "leadvibe",
            "connect_timeout": SECONDS_FOR_A_CONNECTION,
        },
    }


def _register_http(app: Flask, settings: Settings, hashing: Hashing) -> None:
    """Add what happens around every request. What is registered last is done first at its end."""
    security = Security(
        secret_key=settings.secret_key,
        access_token_minutes=settings.access_token_minutes,
        refresh_token_days=settings.refresh_token_days,
        hashing=hashing,
    )
    compression.register(app)
    request_id.register(app)
    measuring.register(app)
    streams.register(app, threads=settings.web_threads)
    headers.register(app, is_https=_is_https(settings))
    assets.register(app)
    auditing.register(app)
    transaction.register(app)
    principal.register(app, security=security)
    csrf.register(app)
    rate_limits.register(app, _rate_limiter(settings))


def _register_errors(app: Flask) -> None:
    """Give each error to the surface that was asked."""

    @app.errorhandler(LeadvibeError)
    @app.errorhandler(HTTPException)
    def render(error: LeadvibeError | HTTPException) -> Response:
        if surface := surfaces.find(request.path):
            return surface.render_error(error)
        return render_error(error) if is_page(request.path) else json_error(error)

    def render_outage(error: Exception) -> Response:
        if isinstance(error, OUTAGES) and not is_outage(error):
            raise error
        _log.error("the database does not answer: %s", error)
        if _is_connection_lost(error):
            reset()  # what ended this connection has most likely ended the idle ones as well
        return render(UnavailableError("The database does not answer: try again in a moment."))

    for outage in (*OUTAGES, PoolTimeoutError):
        app.register_error_handler(outage, render_outage)


def _is_connection_lost(error: Exception) -> bool:
    """Tell a dead connection from a deadlock, a timeout or a full pool, which leave it alive."""
    if not isinstance(error, OUTAGES):
        return False
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state is None or state.startswith(CONNECTION_LOST_STATES)


def _configure_logging(level: str) -> None:
    root = logging.getLogger()
    root.setLevel(level.upper())
    if any(isinstance(handler, _LogHandler) for handler in root.handlers):
        return
    handler = _LogHandler()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    handler.addFilter(request_id.RequestIdFilter())
    root.addHandler(handler)


class _LogHandler(logging.StreamHandler[Any]):
    """Ours, told from others, so that a second application does not write every line twice."""


def _behind_proxies(app: Flask, count: int) -> Any:
    """Believe what the trusted proxies say about the client, and nobody else."""
    if count == 0:
        return app.wsgi_app
    return ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_port=count)


def _broker(url: str) -> Redis:
    """Return the process's client; it connects when it is first used."""
    return Redis.from_url(
        url, socket_timeout=BROKER_TIMEOUT_SECONDS, socket_connect_timeout=BROKER_TIMEOUT_SECONDS
    )


def _rate_limiter(settings: Settings) -> RateLimiter:
    rate = Rate(settings.rate_limit_rps, settings.rate_limit_burst)
    broker = impatient_client(settings.redis_url)
    limit = RequestLimit(
        LimitMode(settings.rate_limit_mode), KeyBy(settings.rate_limit_key_by), rate
    )
    return RateLimiter(TokenBuckets(broker), limit)


def _sealer(settings: Settings) -> Sealer:
    security = Security(secret_key=settings.secret_key)
    return Sealer(settings.encryption_keys, last_resort=security.key("sealed secrets"))


def _post_office(app: Flask, settings: Settings) -> PostOffice:
    security = Security(secret_key=settings.secret_key)
    return PostOffice(
        outbound=Outbound(allow_private=settings.allow_private_webhooks),
        mailer=app.extensions["leadvibe.mailer"],
        sealer=app.extensions["leadvibe.sealer"],
        public_url=settings.public_url,
        slack_api_url=settings.slack_api_url,
        hubspot_api_url=settings.hubspot_api_url,
        unsubscribe_key=security.key(KEY_PURPOSE),
    )


def _mail_server(settings: Settings) -> MailServer | None:
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return MailServer.at(settings.smtp_url, sender=settings.mail_from)


def _is_https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")
