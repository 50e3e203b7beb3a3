"""Law 1, by chance: whatever is killed, stopped, cut off or set back, nothing that was sent is lost or done twice.

Two real adapters and a real Redis; functions that answer well, badly, late or not at all. After each round everything
is healed, and then everything that was sent must end.
"""

import random
import time
from collections import Counter

import pytest

from support.campaign_functions import CampaignFunctions, serving_functions
from support.campaign_lambda import HANG_S, CampaignLambda
from support.campaign_ledger import Ledger
from support.campaign_pools import CampaignPools, queue_addresses
from support.campaign_stack import CampaignStack
from support.processes import wait_for
from support.shifted_clock import OBSTACLE, ShiftedClock

EVENTS = 120
ROUND = 40
DRAIN_LIMIT_S = 120
HARMS = {
    "kill_adapter": 16,
    "stop_adapter": 10,
    "pause_adapter": 14,
    "kill_both_adapters": 3,
    "cut_connections": 16,
    "pause_clients": 10,
    "read_only": 8,
    "out_of_memory": 8,
    "kill_redis": 9,
    "empty_redis": 2,
    "set_clock": 4,
}
"""What happens, and how often."""
HARMS_OF_LAMBDA = {
    "kill_service": 5,
    "stop_service": 5,
    "pause_service": 4,
    "kill_emulator": 10,
    "kill_runtime": 14,
    "pause_runtime": 5,
    "throttle": 10,
}
"""What happens beside it where functions are Lambda's."""
HARMS_OF_WORKERS = {
    "kill_pool": 6,
    "kill_parent": 5,
    "stop_pool": 8,
    "kill_worker": 10,
    "kill_horse": 14,
    "pause_worker": 5,
}
"""What happens beside it where functions are RQ workers."""


class KillCampaign:
    """A long run of random events."""

    def __init__(self, folder, seed, functions, urls, clock, delivery):
        self.chance = random.Random(seed)
        self.functions = functions
        self.ledger = Ledger(random.Random(f"{seed} messages"))
        service = CampaignLambda.made_in(folder, self.chance, urls) if delivery == "lambda" else None
        addresses = {"http": lambda: urls, "rq": queue_addresses, "lambda": lambda: service.addresses}[delivery]()
        self.stack = CampaignStack.made_in(folder, self.chance, addresses, self.ledger.write_off, clock)
        self.harms = self._harms(self.stack, HARMS)
        self.runners = service
        """What runs the functions, if they do not run here."""
        if delivery == "rq":
            self.runners = CampaignPools.made_in(folder, self.chance, urls, self.stack.redis_url)
        if self.runners:
            self.harms |= self._harms(self.runners, HARMS_OF_LAMBDA if service else HARMS_OF_WORKERS)
        self.history = []
        self.counts = Counter()
        self.longest_drain_s = 0.0

    @staticmethod
    def _harms(victim, weights):
        return {kind: (weight, getattr(victim, f"harm_{kind}")) for kind, weight in weights.items()}

    def start(self):
        self.stack.start()
        if self.runners:
            self.runners.start()

    def stop(self):
        if self.runners:
            self.runners.stop()
        self.stack.stop()

    def play_round(self, events):
        """Let so many events happen, heal everything, and check."""
        for _ in range(events):
            self.stack.undo_due()
            if self.runners:
                self.runners.look_after()
            self.ledger.write_messages()
            if self.stack.server.is_running and self.chance.random() < 0.9:
                self.ledger.push(self.stack.server.client)
            kind = self.chance.choices(list(self.harms), [weight for weight, _ in self.harms.values()])[0]
            self.history.append(kind)
            self.counts[kind] += 1
            _, harm = self.harms[kind]
            harm()
            time.sleep(self.chance.choice((0, 0.05, 0.2, 0.5, 0.8)))
        self.drain()

    def drain(self):
        begun = time.monotonic()
        self.stack.heal()
        if self.runners:
            self.runners.heal()
        self.ledger.push(self.stack.server.client)
        wait_for(lambda: not self.ledger.left(self.stack.server.client), DRAIN_LIMIT_S, self.explain)
        self.longest_drain_s = max(self.longest_drain_s, time.monotonic() - begun)
        faults = self.ledger.faults(self.stack.server.client, self.functions) + self.stack.faults()
        if self.runners:
            faults += self.runners.faults()
        assert not faults, "\n".join(faults[:20])
        self.ledger.close_round()

    def explain(self):
        logs = [victim.adapter.said()[-4000:] for victim in self.stack.victims]
        if self.runners:
            logs.append(self.runners.said())
        return "\n".join([*self.ledger.left(self.stack.server.client)[:20], *logs])

    def figures(self):
        repeated = sum(times - 1 for times in self.functions.notified.values())
        return (
            f"{sum(self.counts.values())} events {dict(self.counts)}; sent {dict(self.ledger.sent)}; "
            f"answers {dict(self.functions.outcomes)}; {len(self.functions.notified)} jobs notified, {repeated} "
            f"notifications repeated; {len(self.functions.accepted)} statements accepted; longest drain "
            f"{self.longest_drain_s:.1f} s"
        )


@pytest.mark.slow
@pytest.mark.timeout(0)  # it is as long as it is asked to be; each wait in it has a limit
@pytest.mark.parametrize("delivery", ["http", "rq", "lambda"])
def test_kill_campaign_nothing_is_lost_and_nothing_is_doubled(tmp_path, seed, events, delivery):
    clock = None if OBSTACLE else ShiftedClock.made_in(tmp_path)
    functions = CampaignFunctions(seed, **({"hang_s": HANG_S} if delivery == "lambda" else {}))
    with serving_functions(functions) as urls:
        campaign = KillCampaign(tmp_path, seed, functions, urls, clock, delivery)
        left = events or EVENTS
        try:
            campaign.start()
            while left > 0:
                campaign.play_round(min(left, ROUND))
                left -= ROUND
        except BaseException:
            print(f"--seed {seed} --events {events or EVENTS}; what happened:", *campaign.history, sep="\n  ")  # noqa: T201
            raise
        finally:
            campaign.stop()
            print(campaign.figures())  # noqa: T201
