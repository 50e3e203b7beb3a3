"""Steps whose function is reached through proxies, such as Knative's: what costs an attempt, and what does not."""

from aiohttp import web

from support.proxy_answers import SEEN, UNSEEN
from support.step_function import plan_of


def answers_of(texts):
    return [web.Response(status=status, text=text) for status, text in texts.values()]


async def test_dispatch_while_the_function_starts_from_zero_costs_no_step_an_attempt(
    records, make_job, function, start, wait_state
):
    function.answers = [plan_of(len(UNSEEN)), *answers_of(UNSEEN)]
    await records.accept([make_job()])
    await start(concurrency=len(UNSEEN))
    await wait_state("done")
    assert function.attempts == [1] * (1 + 2 * len(UNSEEN))


async def test_dispatch_answer_of_a_proxy_whose_pod_may_have_died_of_the_step_costs_it_an_attempt(
    records, make_job, function, start, wait_state
):
    function.answers = [plan_of(len(SEEN)), *answers_of(SEEN)]
    await records.accept([make_job()])
    await start(concurrency=len(SEEN))
    await wait_state("done")
    assert sorted(function.attempts) == [1] * (1 + len(SEEN)) + [2] * len(SEEN)
