"""Publish the notice policy: from configuration and prompt store to the file that the scripts read."""

from datetime import datetime
from pathlib import Path

from ami_bridge.config import Config
from ami_bridge.core.errors import SpoolError
from ami_bridge.core.notice import Policy, Prompt
from ami_bridge.core.policy_json import policy_from_json, policy_to_json
from ami_bridge.prompts import PromptStore, shipped_texts
from ami_bridge.sound import speak
from ami_bridge.spool import Spool, write_durably

__all__ = ["current_policy", "policy", "policy_from_json", "policy_to_json", "publish", "speak_shipped", "store"]


def store(config: Config) -> PromptStore:
    """Return the prompt store that the configuration names."""
    return PromptStore(config.notice.directory, config.notice.played_from)


def policy(config: Config, prompts: tuple[Prompt, ...]) -> Policy:
    """Return all rules and prompts of the exchange."""
    return Policy(exchange=config.exchange.name, days=config.retention.days,
                  floor=config.spool.floor_mb << 20, routes=config.policy_routes(), prompts=prompts)


def current_policy(config: Config) -> Policy:
    """Return the policy with the prompts as they are in the store now."""
    return policy(config, store(config).current())


def publish(config: Config) -> bool:
    """Write ``<spool>/policy.json`` where it is not already so; False when nothing changed or there is no spool yet."""
    spool = Spool(config.spool.directory)
    text = policy_to_json(current_policy(config)).encode()
    try:
        if not spool.root.is_dir() or (spool.policy.is_file() and spool.policy.read_bytes() == text):
            return False
        write_durably(spool.policy, text)
    except OSError as error:
        raise SpoolError(f"the notice policy {spool.policy} cannot be written ({error.strerror})",
                         "Check [spool] directory and who may write there.") from error
    return True


def speak_shipped(config: Config, scratch: Path, now: datetime) -> list[Prompt]:
    """Speak each shipped notice that the store lacks in a configured language, and add it; return the new ones."""
    prompts = store(config)
    there = {(prompt.name, prompt.language) for prompt in prompts.current()}
    missing = [(key, text) for key, text in shipped_texts().items()
               if key not in there and key[1] in config.notice.languages]
    return [prompts.add(speak(text, language, scratch / f"{name}-{language}.wav"), name, language, now)
            for (name, language), text in missing]
