"""Commands on configuration files: `check`, `init`, `schema`; and what their units boot to."""
