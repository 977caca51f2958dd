"""The databases of ``tests/register``, for services."""

from tests.register.conftest import made_file, register, server, url

__all__ = ["made_file", "register", "server", "url"]
