-- How jobs begin, advance and end.

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
  local found = call('HMGET', record(job), 'state', 'discard_stages', 'version')
  local state = found[1]
  if tonumber(found[3] or 1) > VERSION then return false end
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
