-- Every change to jobs and steps that must be atomic, as one script, so that a crash at any moment causes a redelivery
-- and never a loss. The keys are described in adapter/redis/keys.py.
--
--   KEYS[1]  the prefix of every key
--   ARGV[1]  the operation, one of the functions of `operations` below
--   ARGV[2]  its arguments: a JSON object, named in records.py
--
-- Step specs, params, results and problems are JSON text that is passed through unchanged: cjson would turn empty lists
-- into objects and lose digits of long numbers.

-- records.py puts the table STATE before this text: the job states of podjobs/contract/job_states.py, by their names.

-- The state in which a job ends, by the state it is in when its last stage is done.
local END_STATE = {
  [STATE.queued] = STATE.done,
  [STATE.running] = STATE.done,
  [STATE.failing] = STATE.failed,
  [STATE.superseded] = STATE.superseded,
}

local prefix = KEYS[1]
local arguments = cjson.decode(ARGV[2])

local GROUP = 'adapter'
local WAITING = 'waiting'
local LOG_LINES = 1000
local TRIM_AT_ONCE = 100

local call = redis.call

local function now()
  local time = call('TIME')
  return string.format('%d.%03d', time[1], math.floor(time[2] / 1000))
end

local function record(job) return prefix .. 'job:' .. job end
local function part(job, name) return prefix .. 'job:' .. job .. ':' .. name end
local function stream(name) return prefix .. 'steps:' .. name end
local function current(job)
  local about = call('HMGET', record(job), 'type', 'target')
  return prefix .. 'current:' .. about[1] .. ':' .. about[2]
end

local function write_log(job, sentences)
  if #sentences == 0 then return end
  for _, sentence in ipairs(sentences) do call('RPUSH', part(job, 'log'), sentence) end
  call('LTRIM', part(job, 'log'), -LOG_LINES, -1)
end

-- Acknowledge an entry and delete it: it is finished.
local function drop(entry)
  call('XACK', stream(entry['function']), GROUP, entry.entry)
  call('XDEL', stream(entry['function']), entry.entry)
end

-- An entry counts only while its step is open and waits for this very entry, not for one of an earlier run.
local function is_open(entry)
  return call('HGET', part(entry.job, 'open'), entry.step) == entry.entry
end

local function trim_ended(ttl_s)
  local old = call('ZRANGEBYSCORE', prefix .. 'jobs', '-inf', now() - ttl_s, 'LIMIT', 0, TRIM_AT_ONCE)
  for _, job in ipairs(old) do
    if call('EXISTS', record(job)) == 0 then call('ZREM', prefix .. 'jobs', job) end
  end
end

-- Steps

-- Put up to `count` ready steps into their functions' streams.
local function release(job, count)
  for _ = 1, count do
    local spec = call('LPOP', part(job, 'ready'))
    if not spec then return end
    local step = cjson.decode(spec)
    local entry = call('XADD', stream(step['function']), '*', 'job', job, 'step', spec)
    call('HSET', part(job, 'open'), step.id, entry)
  end
end

local function start_stage(job, stage)
  call('HSET', record(job), 'stage', stage.name)
  for _, spec in ipairs(stage.steps) do
    call('RPUSH', part(job, 'ready'), spec)
    call('HSET', part(job, 'open'), cjson.decode(spec).id, '')
  end
  release(job, arguments.window)
end

-- Forget what is still to do. Entries in the streams are dropped when they are read: their steps are no longer open.
local function clear_steps(job)
  call('DEL', part(job, 'stages'), part(job, 'ready'), part(job, 'open'), part(job, 'held'))
end

-- Jobs

local function end_job(job)
  local state = END_STATE[call('HGET', record(job), 'state')]
  clear_steps(job)
  call('DEL', part(job, 'results'))
  call('HSET', record(job), 'state', state, 'ended_at', now())
  call('HDEL', record(job), 'shared', 'failure_stages', 'discard_stages', 'trouble')
  if call('GET', current(job)) == job then call('DEL', current(job)) end
  call('EXPIRE', record(job), arguments.ttl_s)
  call('EXPIRE', part(job, 'log'), arguments.ttl_s)
  call('SREM', prefix .. 'live', job)
  call('ZADD', prefix .. 'jobs', now(), job)
  trim_ended(arguments.ttl_s)
  return state
end

-- Go on to the next stage once the current one is done.
local function advance(job)
  if call('HLEN', part(job, 'open')) > 0 then return 'continued' end
  local stage = call('LPOP', part(job, 'stages'))
  if not stage then return end_job(job) end
  start_stage(job, cjson.decode(stage))
  return 'continued'
end

-- Replace everything that is still to do by other stages.
local function divert(job, state, stages)
  clear_steps(job)
  call('HSET', record(job), 'state', state)
  call('HDEL', record(job), 'trouble')
  for _, stage in ipairs(stages) do call('RPUSH', part(job, 'stages'), stage) end
  return advance(job)
end

local function supersede(job, newer)
  local found = call('HMGET', record(job), 'state', 'discard_stages')
  local state = found[1]
  if state ~= STATE.queued and state ~= STATE.running and state ~= STATE.failing then return false end
  write_log(job, { 'The job was superseded by the newer job ' .. newer .. ' for the same target.' })
  divert(job, STATE.superseded, cjson.decode(found[2]))
  return true
end

-- Start a job and supersede the one that is running for its target. Returns the latter's id, or ''.
local function start_job(job)
  local target = prefix .. 'current:' .. job.type .. ':' .. job.target
  local older = call('GET', target)
  if not (older and older ~= job.id and supersede(older, job.id)) then older = '' end
  local time = now()
  -- the record comes last: a script that fails half-way must not leave a job that looks as if it were stored
  call('RPUSH', part(job.id, 'stages'), job.first_stage)
  call('HSET', record(job.id), 'type', job.type, 'target', job.target, 'params', job.params, 'state', STATE.queued,
    'weight_total', job.weight, 'weight_done', 0, 'accepted_at', time,
    'failure_stages', cjson.encode(job.failure_stages), 'discard_stages', cjson.encode(job.discard_stages))
  call('SET', target, job.id)
  call('ZADD', prefix .. 'jobs', time, job.id)
  call('SADD', prefix .. 'live', job.id)
  advance(job.id)
  return older
end

local function dead_letter_step(failed)
  local about = call('HMGET', record(failed.job), 'type', 'target', 'params')
  call('XADD', prefix .. 'dead', '*', 'kind', 'job', 'job', failed.job, 'type', about[1], 'target', about[2],
    'params', about[3], 'step', failed.spec, 'problem', failed.problem)
end

-- The results of the actions that a step needs, as a flat list: <action>/<step id>, values, …
local function needed_results(job, needs)
  if #needs == 0 then return {} end
  local wanted, found = {}, {}
  for _, action in ipairs(needs) do wanted[action] = true end
  local all = call('HGETALL', part(job, 'results'))
  for i = 1, #all, 2 do
    if wanted[string.match(all[i], '^[^/]*')] then
      found[#found + 1] = all[i]
      found[#found + 1] = all[i + 1]
    end
  end
  return found
end

local operations = {}

-- Accept jobs. Returns for each: 'accepted' or 'duplicate', and the id of the job it superseded or ''.
function operations.accept()
  local answers = {}
  for i, job in ipairs(arguments.jobs) do
    if call('EXISTS', record(job.id)) == 1 then
      answers[i] = { 'duplicate', '' }
    else
      answers[i] = { 'accepted', start_job(job) }
    end
  end
  return answers
end

-- Return what the steps of a batch need at delivery; false for one that is no longer open: its entry is dropped.
function operations.join()
  local answers = {}
  for i, wanted in ipairs(arguments.steps) do
    if is_open(wanted) then
      local found = call('HMGET', record(wanted.job), 'params', 'shared', 'error', 'accepted_at', 'state')
      if found[5] == STATE.queued then
        call('HSET', record(wanted.job), 'state', STATE.running, 'started_at', now())
      end
      answers[i] = { found[1], found[2], found[3], found[4], needed_results(wanted.job, wanted.needs) }
    else
      drop(wanted)
      answers[i] = false
    end
  end
  return answers
end

-- A step is done. Returns what became of the job ('duplicate' if the step was not open) and the job's age.
function operations.commit()
  local done = arguments
  local valid = is_open(done)
  drop(done)
  if not valid then return { 'duplicate', '0' } end
  call('HDEL', part(done.job, 'open'), done.step)
  call('HDEL', part(done.job, 'held'), done.step)
  call('HSET', part(done.job, 'results'), done.action .. '/' .. done.step, done.values)
  local weight_done = call('HINCRBYFLOAT', record(done.job), 'weight_done', done.weight)
  call('HDEL', record(done.job), 'trouble')
  write_log(done.job, done.log)
  if done.plan then
    call('HSET', record(done.job), 'shared', done.plan.shared, 'weight_total', weight_done + done.plan.weight)
    call('DEL', part(done.job, 'stages'))
    for _, stage in ipairs(done.plan.stages) do call('RPUSH', part(done.job, 'stages'), stage) end
  end
  release(done.job, 1)
  local accepted_at = call('HGET', record(done.job), 'accepted_at')
  return { advance(done.job), tostring(now() - accepted_at) }
end

-- A step has failed for good. A running job goes on with its failure stages; a failing or superseded one ends.
function operations.fail()
  local failed = arguments
  local valid = is_open(failed)
  drop(failed)
  if not valid then return { 'duplicate' } end
  write_log(failed.job, { failed.sentence })
  local found = call('HMGET', record(failed.job), 'state', 'failure_stages')
  if found[1] == STATE.superseded then return { end_job(failed.job) } end
  dead_letter_step(failed)
  if found[1] == STATE.failing then return { end_job(failed.job) } end
  call('HSET', record(failed.job), 'error', failed.problem)
  local outcome = divert(failed.job, STATE.failing, cjson.decode(found[2]))
  return { outcome == 'continued' and STATE.failing or outcome }
end

-- An attempt has failed and counts: nobody works on the entry until its next attempt.
function operations.schedule_retry()
  if not is_open(arguments) then drop(arguments) return { 'duplicate' } end
  call('HSET', record(arguments.job), 'trouble', arguments.trouble)
  call('XCLAIM', stream(arguments['function']), GROUP, WAITING, 0, arguments.entry, 'IDLE', 0, 'JUSTID')
  return { 'scheduled' }
end

-- The function is busy and the attempt does not count: the adapter keeps the entry on hold, the count is set back.
-- Returns also how long «not now» has kept this step so far, if that counts.
function operations.hold()
  if not is_open(arguments) then drop(arguments) return { 'duplicate', '0' } end
  call('HSET', record(arguments.job), 'trouble', arguments.trouble)
  call('XCLAIM', stream(arguments['function']), GROUP, arguments.owner, 0, arguments.entry,
    'RETRYCOUNT', arguments.attempts, 'JUSTID')
  if arguments.counted_s == 0 then return { 'held', '0' } end
  return { 'held', call('HINCRBYFLOAT', part(arguments.job, 'held'), arguments.step, arguments.counted_s) }
end

-- Run a failed job anew. Returns 'accepted', 'gone' (the dead letter no longer exists) or the state that forbids it.
function operations.replay()
  local job = arguments.job
  if #call('XRANGE', prefix .. 'dead', arguments.dead_letter, arguments.dead_letter) == 0 then return { 'gone', '' } end
  local state = call('HGET', record(job.id), 'state')
  if state and state ~= STATE.failed then return { state, '' } end
  clear_steps(job.id)
  call('DEL', record(job.id), part(job.id, 'results'), part(job.id, 'log'))
  local older = start_job(job)
  call('XDEL', prefix .. 'dead', arguments.dead_letter)
  return { 'accepted', older }
end

-- Turn an entry that is not a step into a dead letter.
function operations.dead_letter_entry()
  call('XADD', prefix .. 'dead', '*', 'kind', 'message', 'queue', stream(arguments['function']),
    'raw', arguments.raw, 'problem', arguments.problem)
  drop(arguments)
  return { 'dead letter' }
end

return operations[ARGV[1]]()
