"""What a Redis server says of itself: whether it keeps what it accepts. Pure.

It is asked by INFO, since managed servers (ElastiCache, MemoryDB) have no CONFIG. What they do not tell is no fault.
"""

from collections.abc import Mapping
from typing import Any

OLDEST = (6, 2)
"""The first version with LMOVE and BLMOVE. Valkey calls itself 7.2 here."""
KEEPS_ALL = "noeviction"
FULL_SHARE = 0.9
"""Of its memory: with more, an operator is told before it refuses what comes."""
MIB = 1 << 20


def find_faults(info: Mapping[str, Any]) -> list[str]:
    """What an operator has to change, as sentences.

    Args:
        info: the answer to INFO, as redis-py reads it.
    """
    faults = []
    version = str(info.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers and numbers < OLDEST:
        faults.append(f"is version {version}; {'.'.join(map(str, OLDEST))} or newer is needed.")
    policy = info.get("maxmemory_policy", KEEPS_ALL)
    if policy != KEEPS_ALL and info.get("maxmemory", 1):
        faults.append(f"may drop jobs when its memory is full: set its maxmemory-policy, {policy}, to {KEEPS_ALL}.")
    if info.get("role") == "slave":
        faults.append("is a replica, which takes no jobs: name its master, or redis+sentinel://, which finds it.")
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used > FULL_SHARE * most:
        faults.append(
            f"uses {used / most:.0%} of its memory, {most // MIB} MiB, and refuses all that comes when it is full: "
            "raise its maxmemory, or remove what is kept, by `podjobs dead` and PODJOBS_JOB_TTL_S."
        )
    if info.get("aof_last_write_status", "ok") != "ok" or info.get("rdb_last_bgsave_status", "ok") != "ok":
        faults.append("could not write to its disk the last time: see its log, and make room there.")
    return faults


def find_remarks(info: Mapping[str, Any]) -> list[str]:
    """What an operator should know, as parts of a sentence."""
    remarks = []
    if "maxmemory_policy" not in info:
        remarks.append(f"whether its maxmemory-policy is {KEEPS_ALL} is not known, for it does not tell")
    if "aof_enabled" not in info:
        remarks.append("what it keeps on its disk is not known, for it does not tell")
    elif not info["aof_enabled"]:
        remarks.append("what it accepted last is lost if it crashes, for its appendonly is no")
    return remarks
