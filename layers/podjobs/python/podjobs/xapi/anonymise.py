"""Replaces persons with pseudonyms: the same person always gets the same one, which only the key can derive. Pure.

Source: xAPI 1.0.3, part 2, 2.4.2 (actor), 2.4.4.2 (agents as objects), 2.4.6 (context), 2.4.9 (authority).
"""

import hmac
import json
from typing import Any

from podjobs.contract.statements import Statement

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
"""The ways to identify an agent, of which it has exactly one."""
PSEUDONYM_HEX = 40
"""Hex digits of a pseudonym, 160 bits: as many as a SHA-1 has, so that it fits `mbox_sha1sum`."""
AGENT_TYPES = frozenset({"Agent", "Group"})


class Anonymiser:
    """Anonymises statements with one key."""

    def __init__(self, key: str) -> None:
        """Take the key."""
        self._key = key.encode()

    def anonymise(self, statement: Statement) -> Statement:
        """Return a statement in which every agent has a pseudonym; the given one is not changed.

        Args:
            statement: valid; a sub-statement in it is anonymised, too.
        """
        changed = dict(statement)
        for name in ("actor", "authority"):
            if isinstance(changed.get(name), dict):
                changed[name] = self._hide(changed[name])
        target = changed.get("object")
        if isinstance(target, dict):
            kind = target.get("objectType")
            if isinstance(kind, str) and kind in AGENT_TYPES:
                changed["object"] = self._hide(target)
            elif kind == "SubStatement":
                changed["object"] = self.anonymise(target)
        context = changed.get("context")
        if isinstance(context, dict):
            hidden = {name: self._hide(context[name]) for name in ("instructor", "team") if name in context}
            changed["context"] = {**context, **hidden}
        return changed

    def _hide(self, agent: Any) -> Any:
        """An agent or group without its name, identified by its pseudonym; members of a group likewise."""
        if not isinstance(agent, dict):
            return agent
        hidden: dict[str, Any] = {"objectType": agent["objectType"]} if "objectType" in agent else {}
        for name in IDENTIFIERS:
            if name in agent:
                pseudonym = self._pseudonym(name, agent[name])
                hidden |= {"name": pseudonym, "mbox_sha1sum": pseudonym}
        if isinstance(agent.get("member"), list):
            hidden["member"] = [self._hide(member) for member in agent["member"]]
        return hidden

    def _pseudonym(self, name: str, value: Any) -> str:
        # addresses are case-insensitive; an account is identified by its home page and its name
        known = value.lower() if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
        return hmac.digest(self._key, f"{name}:{known}".encode(), "sha256").hex()[:PSEUDONYM_HEX]
