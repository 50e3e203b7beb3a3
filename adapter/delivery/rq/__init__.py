"""Delivery over RQ, for plain servers: a step becomes a job on its function's queue, and a worker pulls it.

    jobs       what an RQ job contains, and how RQ's answer is read                   pure
    sightings  which jobs are well, judged by what several looks have shown           pure
    store      the commands to Redis (rq.lua)
    delivery   adds jobs, waits for their answers, looks after them

Nothing here imports RQ, which knows no asyncio: what is written is what RQ writes, and a test compares both.
"""
