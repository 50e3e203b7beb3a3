-- All that must happen at once to jobs and steps, as one script, so that a crash at any moment leaves a redelivery
-- and never a loss. The keys are described in keys.py.
--
--   KEYS[1]  the prefix of every key
--   ARGV[1]  the operation, one of the functions of `operations` at the end
--   ARGV[2]  its arguments: a JSON object, named in records.py
--
-- Step specs, params, results and problems are JSON text that is passed through untouched: cjson would turn empty
-- lists into objects and cut long numbers.

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

-- Acknowledge an entry and delete it: it is done with.
local function drop(entry)
  call('XACK', stream(entry['function']), GROUP, entry.entry)
  call('XDEL', stream(entry['function']), entry.entry)
end

-- An entry counts only while its step is open and waits for this very entry, not one of an earlier run.
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

-- Forget what is still to do. Entries in the streams are dropped when they come up: they are not open any more.
local function clear_steps(job)
  call('DEL', part(job, 'stages'), part(job, 'ready'), part(job, 'open'))
end

-- Jobs

local FINAL_STATE = { queued = 'done', running = 'done', failing = 'failed', superseded = 'superseded' }

local function end_job(job)
  local state = FINAL_STATE[call('HGET', record(job), 'state')]
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

-- Go on to the next stage when the current one is done.
local function advance(job)
  if call('HLEN', part(job, 'open')) > 0 then return 'continued' end
  local stage = call('LPOP', part(job, 'stages'))
  if not stage then return end_job(job) end
  start_stage(job, cjson.decode(stage))
  return 'continued'
end

-- Put other stages in the place of everything that is still to do.
local function divert(job, state, stages)
  clear_steps(job)
  call('HSET', record(job), 'state', state)
  call('HDEL', record(job), 'trouble')
  for _, stage in ipairs(stages) do call('RPUSH', part(job, 'stages'), stage) end
  return advance(job)
end

local function supersede(job, newer)
  local found = call('HMGET', record(job), 'state', 'discard_stages')
  if found[1] ~= 'queued' and found[1] ~= 'running' and found[1] ~= 'failing' then return false end
  write_log(job, { 'The job was superseded by the newer job ' .. newer .. ' for the same target.' })
  divert(job, 'superseded', cjson.decode(found[2]))
  return true
end

-- Start a job and supersede the one that runs for its target. Returns that one's id, or ''.
local function start_job(job)
  local target = prefix .. 'current:' .. job.type .. ':' .. job.target
  local older = call('GET', target)
  if not (older and older ~= job.id and supersede(older, job.id)) then older = '' end
  local time = now()
  -- the record last: a script that fails half-way leaves no job that looks as if it were stored
  call('RPUSH', part(job.id, 'stages'), job.first_stage)
  call('HSET', record(job.id), 'type', job.type, 'target', job.target, 'params', job.params, 'state', 'queued',
    'weight_total', job.weight, 'weight_done', 0, 'accepted_at', time,
    'failure_stages', cjson.encode(job.failure_stages), 'discard_stages', cjson.encode(job.discard_stages))
  call('SET', target, job.id)
  call('ZADD', prefix .. 'jobs', time, job.id)
  call('SADD', prefix .. 'live', job.id)
  advance(job.id)
  return older
end

local function bury_step(failed)
  local about = call('HMGET', record(failed.job), 'type', 'target', 'params')
  call('XADD', prefix .. 'dead', '*', 'kind', 'job', 'job', failed.job, 'type', about[1], 'target', about[2],
    'params', about[3], 'step', failed.spec, 'problem', failed.problem)
end

-- Results of the actions a step needs, as a flat list: <action>/<step id>, values, …
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

-- Take jobs in. Returns for each: 'accepted' or 'duplicate', and the id of the job it superseded or ''.
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

-- Give what the steps of a batch need at delivery, false for one that is not open any more: its entry is dropped.
function operations.join()
  local answers = {}
  for i, wanted in ipairs(arguments.steps) do
    if is_open(wanted) then
      local found = call('HMGET', record(wanted.job), 'params', 'shared', 'error', 'accepted_at', 'state')
      if found[5] == 'queued' then call('HSET', record(wanted.job), 'state', 'running', 'started_at', now()) end
      answers[i] = { found[1], found[2], found[3], found[4], needed_results(wanted.job, wanted.needs) }
    else
      drop(wanted)
      answers[i] = false
    end
  end
  return answers
end

-- A step is done. Returns what became of the job ('duplicate' when the step was not open) and the job's age.
function operations.commit()
  local done = arguments
  local valid = is_open(done)
  drop(done)
  if not valid then return { 'duplicate', '0' } end
  call('HDEL', part(done.job, 'open'), done.step)
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

-- A step failed for good. A running job turns to its failure stages; a failing or superseded one ends.
function operations.fail()
  local failed = arguments
  local valid = is_open(failed)
  drop(failed)
  if not valid then return { 'duplicate' } end
  write_log(failed.job, { failed.sentence })
  local found = call('HMGET', record(failed.job), 'state', 'failure_stages')
  if found[1] == 'superseded' then return { end_job(failed.job) } end
  bury_step(failed)
  if found[1] == 'failing' then return { end_job(failed.job) } end
  call('HSET', record(failed.job), 'error', failed.problem)
  local outcome = divert(failed.job, 'failing', cjson.decode(found[2]))
  return { outcome == 'continued' and 'failing' or outcome }
end

-- An attempt did not succeed and counts: nobody owns the entry until its next one is due.
function operations.schedule_retry()
  if not is_open(arguments) then drop(arguments) return { 'duplicate' } end
  call('HSET', record(arguments.job), 'trouble', arguments.trouble)
  call('XCLAIM', stream(arguments['function']), GROUP, WAITING, 0, arguments.entry, 'IDLE', 0, 'JUSTID')
  return { 'scheduled' }
end

-- An attempt does not count, the function had no time: the adapter keeps the entry, the attempt is put back.
function operations.hold()
  if not is_open(arguments) then drop(arguments) return { 'duplicate' } end
  call('HSET', record(arguments.job), 'trouble', arguments.trouble)
  call('XCLAIM', stream(arguments['function']), GROUP, arguments.owner, 0, arguments.entry,
    'RETRYCOUNT', arguments.attempts, 'JUSTID')
  return { 'held' }
end

-- Run a failed job anew. Returns 'accepted', 'gone' (no such dead entry any more) or the state that forbids it.
function operations.replay()
  local job = arguments.job
  if #call('XRANGE', prefix .. 'dead', arguments.dead_entry, arguments.dead_entry) == 0 then return { 'gone', '' } end
  local state = call('HGET', record(job.id), 'state')
  if state and state ~= 'failed' then return { state, '' } end
  clear_steps(job.id)
  call('DEL', record(job.id), part(job.id, 'results'), part(job.id, 'log'))
  local older = start_job(job)
  call('XDEL', prefix .. 'dead', arguments.dead_entry)
  return { 'accepted', older }
end

-- Put aside an entry that is no step.
function operations.bury_entry()
  call('XADD', prefix .. 'dead', '*', 'kind', 'message', 'queue', stream(arguments['function']),
    'raw', arguments.raw, 'problem', arguments.problem)
  drop(arguments)
  return { 'buried' }
end

return operations[ARGV[1]]()
