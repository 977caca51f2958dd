"""The databases of ``tests/register``, for services."""

from tests.register.conftest import made_file, server, url

__all__ = ["made_file", "server", "url"]
