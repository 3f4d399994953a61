"""The server's own certificate, looked at before anything starts: what is wrong is said by name."""

from __future__ import annotations

import ssl
from pathlib import Path

from geoshare.errors import BadRequest
from geoshare.settings import Settings


def certificate(settings: Settings) -> tuple[Path, Path] | None:
    """Certificate and key that the server speaks TLS with; None where it speaks plain HTTP.

    Raises
    ------
    BadRequest
        naming the setting whose file is missing, cannot be read or does not fit.
    """
    cert, key = settings.tls_certificate, settings.tls_key
    if cert is None and key is None:
        return None
    for name, file in (("tls_certificate", cert), ("tls_key", key)):
        if file is None:
            raise BadRequest(
                f"Setting {name} is missing: a certificate and its key go together", parameter=name
            )
        try:
            file.read_bytes()
        except OSError as error:
            raise BadRequest(f"Setting {name}: {file}: {error.strerror}", parameter=name) from error
    assert cert is not None
    assert key is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # an empty passphrase: without one a locked key would have the process wait for a terminal
        context.load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = f"is not the key of {cert}"
        else:
            why = f"cannot be used with {cert}: {error.reason or error}"
        raise BadRequest(
            f"Setting tls_key: {key} {why}",
            parameter="tls_key",
            allowed="PEM files: the certificate with its chain, and its key without a passphrase",
        ) from error
    return cert, key
