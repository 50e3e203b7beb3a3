-- How jobs begin, advance and end.

local function end_job(job)
  local found = call('HMGET', record(job), 'state', 'cancelled_by', 'client')
  local state = END_STATE[found[1]]
  if state == STATE.failed and found[2] then state = STATE.cancelled end
  clear_steps(job)
  call('DEL', part(job, 'results'))
  call('HSET', record(job), 'state', state, 'ended_at', now())
  call('HDEL', record(job), 'shared', 'failure_stages', 'discard_stages', 'trouble', 'outline')
  if call('GET', current(job)) == job then call('DEL', current(job)) end
  call('EXPIRE', record(job), arguments.ttl_s)
  call('EXPIRE', part(job, 'log'), arguments.ttl_s)
  call('EXPIRE', attempts(job), arguments.history_ttl_s)
  call('EXPIRE', part(job, 'private'), arguments.ttl_s)
  call('EXPIRE', part(job, 'fetched'), arguments.ttl_s)
  if found[3] then call('SREM', jobs_of_client(found[3]), job) end
  call('SREM', prefix .. 'live', job)
  call('ZADD', prefix .. 'jobs', now(), job)
  note_job_end(job, state)
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

-- The newest request for a job's target. It outlives its job: a message that an adapter left behind when it died may be
-- older, and is taken over long before this expires.
local NEWEST_TTL_S = 86400
local function newest(job) return prefix .. 'newest:' .. job.type .. ':' .. job.target end

-- The job that was accepted although its request is newer than this one's, if there is one.
local function find_newer(job)
  local found = call('HMGET', newest(job), 'position', 'job')
  if job.position and found[1] and tonumber(job.position) < tonumber(found[1]) then return found[2] end
end

-- A request without a position is newer than all before it, but no older than those that come after it.
local function note_newest(job)
  call('HSET', newest(job), 'job', job.id)
  if job.position then call('HSET', newest(job), 'position', job.position) end
  call('EXPIRE', newest(job), NEWEST_TTL_S)
end

-- Whoever requested a job has its id: it is not notified before it has noted that.
local function note_answer(job) call('HSET', part(job, 'private'), 'answered_at', now()) end

-- The job that does the same for the same client, and has not ended: both requests are one. Nothing if there is none, if
-- its client has been told of the end (whatever it does with our answer, it would not be told again), or if it has failed
-- and its failure is being reported.
local function find_in_flight(job)
  local same = job.joins and call('GET', prefix .. 'current:' .. job.type .. ':' .. job.target)
  if not same then return end
  local found = call('HMGET', record(same), 'state', 'told')
  if not found[2] and (found[1] == STATE.queued or found[1] == STATE.running) then return same end
end

-- What is known to the notification alone; see keys.py.
local function keep_private(job)
  if not job.private then return end
  for name, value in pairs(job.private) do call('HSET', part(job.id, 'private'), name, value) end
  note_answer(job.id)
end

local function write_record(job, state)
  local time = now()
  call('HSET', record(job.id), 'type', job.type, 'target', job.target, 'params', job.params, 'state', state,
    'weight_total', job.weight, 'weight_done', 0, 'accepted_at', time,
    'failure_stages', cjson.encode(job.failure_stages), 'discard_stages', cjson.encode(job.discard_stages))
  if job.traceparent then call('HSET', record(job.id), 'traceparent', job.traceparent) end
  if job.client then
    call('HSET', record(job.id), 'client', job.client)
    call('SADD', jobs_of_client(job.client), job.id)
  end
  call('ZADD', prefix .. 'jobs', time, job.id)
end

-- A job that an operator does not want goes on with its failure stages, so that its sender is notified. Returns the state
-- that forbids it, or nothing.
local function cancel_job(job, by, problem, sentence)
  local found = call('HMGET', record(job), 'state', 'failure_stages')
  if found[1] ~= STATE.queued and found[1] ~= STATE.running then return found[1] end
  write_log(job, { sentence })
  call('HSET', record(job), 'error', problem, 'cancelled_by', by)
  divert(job, STATE.failing, cjson.decode(found[2]))
end

-- Start a job and supersede the one that is running for its target. Returns the latter's id, or ''.
local function start_job(job)
  keep_private(job)
  local target = prefix .. 'current:' .. job.type .. ':' .. job.target
  local older = call('GET', target)
  if not (older and older ~= job.id and supersede(older, job.id)) then older = '' end
  -- the record comes last: a script that fails half-way must not leave a job that looks as if it were stored
  call('RPUSH', part(job.id, 'stages'), job.first_stage)
  note_newest(job)
  write_record(job, STATE.queued)
  call('SET', target, job.id)
  call('SADD', prefix .. 'live', job.id)
  note_arrival(job.type)
  advance(job.id)
  return older
end

-- End a job that came too late: it never starts, and its sender is notified of the newer one.
local function end_older(job, newer)
  write_log(job.id, { 'The job is superseded by the job ' .. newer .. ', which was requested later.' })
  write_record(job, STATE.superseded)
  end_job(job.id)
end

local function dead_letter_step(failed)
  local about = call('HMGET', record(failed.job), 'type', 'target', 'params', 'dead_letters')
  local letter = call('XADD', prefix .. 'dead', '*', 'kind', 'job', 'job', failed.job, 'type', about[1],
    'target', about[2], 'params', about[3], 'step', failed.spec, 'problem', failed.problem)
  call('HSET', record(failed.job), 'dead_letters', about[4] and about[4] .. ' ' .. letter or letter)
end
