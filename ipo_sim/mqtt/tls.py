"""TLS for a connection."""

from __future__ import annotations

import ssl

from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.settings import MqttSettings, TlsSettings


class _Socket(ssl.SSLSocket):
    """Closes itself when the broker is not the one it should be: paho forgets it open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def broker_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """As `tls_context` for the way to the broker; None without TLS."""
    return tls_context(settings.tls) if settings.endpoint().secure else None


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """What to trust and to show, from the files as they are now; ConfigError when one cannot be used."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert is not None:
            context.load_cert_chain(tls.cert, tls.key)
    except OSError as error:
        named = ", ".join(str(path) for path in (tls.ca, tls.cert, tls.key) if path is not None)
        raise ConfigError(f"mqtt tls: cannot use {named}: {error.strerror or error}") from error
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = _Socket
    return context
