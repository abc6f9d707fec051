"""Entries of a configuration file for the ways to the units: the broker and the control API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ipo_sim.config.entry import MAX_TEXT, Entry, Text

MQTT_5 = 5


def _version(value: object) -> object:
    return str(value) if value == MQTT_5 and not isinstance(value, bool) else value


class TlsEntry(Entry):
    """Certificates for an `mqtts://` broker: PEM files, their names relative to the configuration file."""

    ca: Text | None = Field(None, description="File of certificates to trust; those of the system by default.")
    cert: Text | None = Field(None, description="File of our own certificate.")
    key: Text | None = Field(None, description="File of the private key of our own certificate.")
    insecure: bool = Field(default=False, description="Trust any broker. For the bench only.")


class MqttEntry(Entry):
    """The MQTT broker; without a URL the daemon brings its own on the loopback interface."""

    url: Text | None = Field(None, description="Address of the broker.", examples=["mqtt://127.0.0.1:1883"])
    prefix: Text = Field("ipo-sim", description="First level or levels of every topic.")
    username: Text | None = Field(None, description="User name for the broker.")
    password: str | None = Field(None, max_length=MAX_TEXT, repr=False, description="Password for the broker.")
    password_file: Text | None = Field(None, description="File whose first line is the password.")
    client_id: Text | None = Field(None, description="Client identifier; ipo-sim-<unit> by default.")
    version: Annotated[Literal["3.1.1", "5"], BeforeValidator(_version)] = Field(
        "3.1.1",
        description="MQTT version.",
        json_schema_extra={"type": ["string", "integer"], "enum": ["3.1.1", "5", 5]},
    )
    keepalive: int = Field(
        30, ge=5, le=65_535, description="Seconds of silence after which either side tests the other."
    )
    connection: Literal["auto", "per-unit", "shared"] = Field(
        "auto", description="One connection for each unit, with its own last will, or one for all."
    )
    tls: TlsEntry | None = Field(None, description="Certificates.")


class HttpEntry(Entry):
    """The control API over HTTP."""

    port: int = Field(ge=0, le=65_535, description="TCP port; 0: any free one.", examples=[8080])
    host: Text = Field("127.0.0.1", description="IP address to listen on; any but a loopback one needs a token.")
    token_file: Text | None = Field(
        None, description="File whose first line is the token that clients have to show, 16 to 512 characters."
    )
