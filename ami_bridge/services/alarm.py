"""Telling a human: by the log always, by a program and by mail where the configuration says so."""

import logging
import os
import signal
import smtplib
import subprocess
from collections.abc import Callable, Sequence
from email.message import EmailMessage

from ami_bridge.config.model import Alarm as Settings
from ami_bridge.core.alarms import Alarm, Name

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that the program, and each answer of the mail server, may take."""

OURS = "AMI_BRIDGE__"
"""What the environment's names of settings begin with: some are secrets, and no business of the program's."""


class Telling:
    """Tells alarms. ``exchange`` names the machine. Nothing raises: what could not be sent is logged."""

    def __init__(self, settings: Settings, exchange: str) -> None:
        self._settings = settings
        self._exchange = exchange

    def log(self, alarm: Alarm) -> None:
        """Log an alarm. Quick."""
        log.critical("%s", alarm, extra={"action": "alarm", "alarm": alarm.name.value})

    def send(self, alarm: Alarm) -> None:
        """Hand an alarm to the program and to the mail server, where there are any. Blocking, a minute at most."""
        if self._settings.command:
            self._try("program", alarm, self._run)
        if self._settings.mail_to:
            self._try("mail", alarm, self._mail)

    def ended(self, name: Name) -> None:
        """Log that an alarm is over. Quick."""
        log.warning("The alarm %s is over", name, extra={"action": "alarm_ended", "alarm": name.value})

    def _try(self, way: str, alarm: Alarm, send: Callable[[Alarm], None]) -> None:
        try:
            send(alarm)
        except (OSError, smtplib.SMTPException, subprocess.SubprocessError, ValueError) as error:
            log.error("The alarm's %s failed: %s", way, _reason(error),
                      extra={"action": "alarm_untold", "alarm": alarm.name.value})

    def _run(self, alarm: Alarm) -> None:
        run_program(self._settings.command, self._words(alarm), alarm.name)

    def _mail(self, alarm: Alarm) -> None:
        mail = EmailMessage()
        mail["Subject"] = f"[ami-bridge {self._exchange}] {alarm.name}"
        mail["From"], mail["To"] = self._settings.mail_from, self._settings.mail_to
        mail.set_content(self._words(alarm))
        with smtplib.SMTP(self._settings.mail_host, self._settings.mail_port, timeout=PATIENCE) as server:
            server.send_message(mail)

    def _words(self, alarm: Alarm) -> str:
        return f"ami-bridge on {self._exchange}: {alarm.name}\n\n{alarm.sentence}.\n{alarm.remedy}\n"


def run_program(command: Sequence[str], words: str, name: str, patience: float = PATIENCE) -> None:
    """Run a program with ``words`` on its standard input; OSError or SubprocessError when it fails or takes too long.

    It is a process group of its own, so that nothing of it is left when its time is over.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(OURS) and key != "NOTIFY_SOCKET"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=environment | {"AMI_BRIDGE_ALARM": name}, start_new_session=True) as program:
        try:
            program.communicate(words.encode(), timeout=patience)
        except BaseException:
            os.killpg(program.pid, signal.SIGKILL)
            raise
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command[0])


def _reason(error: Exception) -> str:
    """Return why, without the words of a mail server that might repeat an address."""
    match error:
        case subprocess.CalledProcessError():
            return f"it ended with {error.returncode}"
        case subprocess.TimeoutExpired():
            return f"it took longer than {error.timeout:.0f} s"
        case smtplib.SMTPResponseException():
            return f"the mail server answered {error.smtp_code}"
        case OSError(strerror=str() as said):
            return said
    return type(error).__name__
