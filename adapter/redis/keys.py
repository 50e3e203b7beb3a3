"""Every Redis key in use; steps/lua and statements.lua use the same names.

Those of the jobs' database start with `{podjobs}:`, so that a Redis in cluster mode keeps all of them in one slot,
where one script may change them (docs/decisions/0055); earlier versions wrote `podjobs:` there (earlier_names.py).
In the brokers' databases, which are never in cluster mode, they start with `podjobs:` or with the name of their queue.

In the jobs' database (PODJOBS_REDIS_URL), each behind `{podjobs}:`

    steps:<function>                stream of the steps to do; consumer group `adapter`, created at 0.
                                    An entry: version (of the record, none: 1), job (id), step (StepSpec as JSON).
                                    It is acknowledged and deleted when its step is committed: the stream contains
                                    the steps in work and those between two attempts.
                                    Its owner in the group shows its state: `waiting` (between two attempts),
                                    `returned` (given back by an adapter that stopped),
                                    an adapter's id (that adapter works on it), none (not yet read: nobody leaves
                                    any, but records of version 1 have such).
    turns:<function>                sorted set of the jobs that have ready steps for it, by the time at which the next
                                    one is due on the clock:
    turns:<function>:clock          hash: time, shares (the sum over those jobs), steps (how many are ready)
    turns:<function>:bell           stream of one entry, the latest ring: a job came when none was in the sorted set
    turns:<function>:since          sorted set of the same jobs by the time since which their next step has waited for
                                    its turn (seconds since the epoch): the job came then, or had its latest turn
    job:<id>                        hash: type, target, params (JSON), state (a JobState), stage (name),
                                    version (of the record, steps/versions.py; none: 1),
                                    share (of the turns while it is in a queue), restarts (how often it began anew),
                                    shared (JSON), weight_total, weight_done, accepted_at, started_at,
                                    ended_at (seconds since the epoch),
                                    error (Problem as JSON), trouble (Problem of the latest failed attempt),
                                    unreported (Problem: why the failure could not be reported), missed (JSON: the
                                    steps that did not find the source → their functions),
                                    failure_stages, discard_stages (JSON lists of stages), traceparent (of whoever
                                    requested it, if they have begun a trace). For operators: stage_at
                                    (when the stage began), attempts, retries, worked_s, cpu_s, gb_s, read_bytes,
                                    written_bytes (sums over the attempts that have ended), lost_worked_s, lost_cpu_s,
                                    lost_gb_s (over those among them that failed), media_s, source_bytes (of the
                                    plan: length of what is made, size of the source),
                                    cancelled_by, dead_letters (their entries, with
                                    spaces between). For forecasts: outline (of its plan, steps/outline.py), took_s
                                    and expected_s (of its steps that are done: what they took, and what the rates
                                    let expect). Of jobs that came through the runner API: client (its name),
                                    told (1: the client was told of the end), undelivered (1: all is made, but the
                                    client could not be told)
    job:<id>:private                hash of what only the notification gets to know of such a job: notify_url and token
                                    (secrets), answered_at (when its client was told its id last, seconds since the
                                    epoch). It expires with the record
    job:<id>:fetched                hash: file of its result → when it was fetched to its end, seconds since the epoch;
                                    expires likewise
    client:<client>                 set of the jobs of a client of the runner API that have not ended
    job:<id>:stages                 list of the stages to come, as JSON {name, steps: [StepSpec as JSON text, …]}
    job:<id>:ready:<function>       list of the current stage's StepSpecs that wait for that function's turn
    job:<id>:functions              set of the functions of its steps
    job:<id>:open                   hash: open step of the current stage → its entry's id, empty while it is ready
    job:<id>:held                   hash: open step → seconds for which its function has answered «not now» about it
    job:<id>:results                hash: <action>/<step id> → Result.values as JSON
    job:<id>:attempts               list of the newest 5,000 attempts that have ended, as JSON (steps/history.py)
    job:<id>:log                    list of the newest 1,000 sentences of the job's log
    jobs                            sorted set of job ids by the time they were accepted and, later, ended
    live                            set of the ids of jobs that have not ended
    current:<type>:<target>         string: the id of the job for that target that has not ended
    newest:<type>:<target>          hash that expires: position and job of the newest request for that target
    statements                      stream of the xAPI statements that the LRS does not have yet; consumer group
                                    `adapter`, created at 0. An entry: statement (JSON). It is acknowledged and
                                    deleted when the LRS has it or when it becomes a dead letter. Owners as above.
    page-logouts                    sorted set that expires: logins of the page that were ended before their time
                                    (page/logouts.py), by when they would have ended, in seconds since the epoch
    retention                       string that expires: what is older than it is kept was removed
    dead                            stream of the dead letters: kind `job` (job, type, target, params, step, problem),
                                    kind `message` (queue, raw or raw_base64, problem; of one that is too long: queue,
                                    head_base64, sha1, problem) or kind `statement` (statement, problem)
    running:<function>              hash: entry of the function's stream → the attempt that runs, as JSON
                                    (steps/history.py). It may outlive its adapter until the step is taken over.
    recent:<function>               list of how long its latest 200 attempts took that were successful, in seconds
    totals                          hash: `<state>:<type>` → how many jobs have ended so; `attempts:<function>`,
                                    `retries:<function>` → how many attempts have ended, and of them without success;
                                    `media_s:<type>`, `source_bytes:<type>` → how much the jobs that are done have
                                    processed, as far as their plans say
    rates                           hash: `<function>/<action>:s`, `…:w`, `…:v` → seconds and weights of the steps that
                                    were done, both fading, and the spread of what they took (lua/pace.lua)
    plans:<type>                    list of the outlines of the newest 50 plans
    arrivals                        list of when the newest 200 jobs came, each with its type behind a space
    paused                          hash: function, or `*` for all → {since, by, reason} as JSON: its steps are not
                                    delivered
    revoked                         sorted set of the ids of messages that are not wanted, by when that was said: what
                                    they ask for is cancelled when they come. For a day.
    drains                          hash: adapter → when an operator wanted it to take nothing more
    samples                         stream of one entry a minute, for two days: the numbers of operator/samples.py
    occurrences                     stream of what administrators are to be told by mail (alerts/occurrences.py); at
                                    most 5,000
    lasting                         sorted set of what was told and is not over yet, by when an adapter saw it last, in
                                    seconds since the epoch
    mail-windows                    hash: kind of occurrence → until when nothing is sent about it, and how long that is
    mail-sender                     string that expires: the adapter that sends the mails
    recovery                        string that expires: the work of lost jobs was looked for. It is missing, too, when
                                    Redis has lost its data
    adapter:<adapter>               string: how often that adapter's heart has beaten. It expires, but only to be
                                    cleaned up: an adapter is gone when its heart is not seen to beat for a lease.
    adapters                        sorted set of the adapters by their latest heartbeat, in seconds since the epoch,
                                    by their own clocks; those that were killed leave it after a day
    about:<adapter>                 string that expires, likewise: what the adapter is, as JSON (adapter/about.py)

In the brokers' databases:

    <queue>                         Pod's list of Celery messages
    <queue>:podjobs:<adapter>       processing list: the messages which that adapter is about to store
    <queue>:podjobs-too-long        list of the messages that are too long to be read, for an operator
    podjobs:doors:<queue>           set of the adapters that may have a processing list
    podjobs:places:<queue>          hash: SHA-1 of a message in a processing list → its position in the order of all
                                    messages and its time of arrival in µs; `last` → the latest position
    podjobs:nodes:<queue>           hash that expires: node's name, as Celery's commands see it → adapter, when its
                                    entry is over, and since when it is there (remote_control/roster.lua)
    <uuid>.reply.celery.pidbox      list that expires: Celery's, replies to one of its commands

    _kombu.binding.reply.celery.pidbox, <id>.reply.celery.pidbox
                                    Celery's own: where its workers' answers to `podjobs check` go, for a second

In the database of RQ, beside its own keys: podjobs:rq:<queue>:… (delivery/rq/store.py, podjobs/contract/rq_jobs.py).

When a job ends, its stages, functions, ready, open, held and results are deleted at once; its hash, log, attempts,
private and fetched expire.
"""

from collections.abc import Callable

PREFIX = "{podjobs}:"
"""Of the jobs' database. What is in braces decides about the slot of a cluster."""
BROKER_PREFIX = "podjobs:"
NEVER = f"{PREFIX}never"
"""No such key exists. A script that names it beside another one is refused (TRYAGAIN) while the cluster moves the slot:
it would find some of its keys missing that are still, or already, at the other node."""
GROUP = "adapter"
WAITING = "waiting"
"""The owner of entries that nobody works on until their next attempt."""
RETURNED = "returned"
"""The owner of entries that an adapter gave back when it stopped: anyone may claim them at once."""
NOBODY = frozenset({WAITING, RETURNED})
"""Owners that are no adapters."""

JOBS = f"{PREFIX}jobs"
LIVE = f"{PREFIX}live"
DEAD = f"{PREFIX}dead"
RECOVERY = f"{PREFIX}recovery"
RETENTION = f"{PREFIX}retention"
STATEMENTS = f"{PREFIX}statements"
TOTALS = f"{PREFIX}totals"
PAUSED = f"{PREFIX}paused"
ALL_FUNCTIONS = "*"
"""Among the names of functions that are paused."""
REVOKED = f"{PREFIX}revoked"
ADAPTERS = f"{PREFIX}adapters"
DRAINS = f"{PREFIX}drains"
OCCURRENCES = f"{PREFIX}occurrences"
LASTING = f"{PREFIX}lasting"
MAIL_WINDOWS = f"{PREFIX}mail-windows"
MAIL_SENDER = f"{PREFIX}mail-sender"
PAGE_LOGOUTS = f"{PREFIX}page-logouts"
SAMPLES = f"{PREFIX}samples"
RATES = f"{PREFIX}rates"
ARRIVALS = f"{PREFIX}arrivals"


def _key(beginning: str, ending: str = "") -> Callable[[str], str]:
    """Names a key: what is between its beginning and its ending is given."""
    return lambda name: f"{beginning}{name}{ending}"


steps = _key(f"{PREFIX}steps:")
"""The stream of a function's steps."""
turns = _key(f"{PREFIX}turns:")
"""The sorted set of the jobs that wait for a function's turns."""
turns_clock = _key(f"{PREFIX}turns:", ":clock")
"""The clock of a function's turns."""
turns_bell = _key(f"{PREFIX}turns:", ":bell")
"""The bell that is rung for a function's turns."""
turns_since = _key(f"{PREFIX}turns:", ":since")
"""The sorted set of the times since which the jobs wait for a function's turns."""
job = _key(f"{PREFIX}job:")
"""A job's record."""
job_log = _key(f"{PREFIX}job:", ":log")
"""A job's log."""
job_attempts = _key(f"{PREFIX}job:", ":attempts")
"""The list of a job's attempts."""
job_private = _key(f"{PREFIX}job:", ":private")
"""The hash of what only the notification gets to know of a job."""
job_fetched = _key(f"{PREFIX}job:", ":fetched")
"""The hash of the files of a job's result that were fetched."""
client_jobs = _key(f"{PREFIX}client:")
"""The set of a client's jobs that have not ended."""
running = _key(f"{PREFIX}running:")
"""The hash of a function's attempts that run."""
plans = _key(f"{PREFIX}plans:")
"""The list of the outlines of a job type's newest plans."""
recent = _key(f"{PREFIX}recent:")
"""The list of how long a function's latest attempts took."""
about = _key(f"{PREFIX}about:")
"""What an adapter says of itself."""
heartbeat = _key(f"{PREFIX}adapter:")
"""An adapter's heartbeat."""
doors = _key(f"{BROKER_PREFIX}doors:")
"""The set of the adapters that may have a processing list."""
places = _key(f"{BROKER_PREFIX}places:")
"""The hash of the places of the messages that are in a processing list."""
nodes = _key(f"{BROKER_PREFIX}nodes:")
"""The hash of the nodes that Celery's commands see for a queue."""
too_long = _key("", ":podjobs-too-long")
"""The list of the messages that are too long to be read."""
left_to_pod = _key("", "-pod")
"""The list of the messages that are left to Pod's workers: they read it like a queue."""
share = _key(f"{BROKER_PREFIX}share:")
"""The hash that counts whose messages are."""
side = _key(f"{BROKER_PREFIX}side:", ":")
"""The beginning of the keys that say whose the requests for a video are."""
handed_back = _key(f"{BROKER_PREFIX}handed-back:")
"""The key that keeps adapters from reading a queue."""


def processing(queue: str, adapter_id: str) -> str:
    """Name the list of the messages that an adapter is about to store."""
    return f"{queue}:podjobs:{adapter_id}"
