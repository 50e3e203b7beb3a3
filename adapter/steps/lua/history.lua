-- What is noted for those who look: which attempts run, what became of those that have ended, and what they have cost.
-- No decision depends on it, and no change: a script that fails half-way is not undone, so a note that cannot be made,
-- such as of what another version keeps in another form, is left out.

local ATTEMPTS_KEPT = 5000
local RECENT_KEPT = 200
local REVOKED_S = 86400

-- What makes a note, or logs why it cannot.
local function noting(note)
  return function(...)
    local is_noted, fault = pcall(note, ...)
    if is_noted then return end
    redis.log(redis.LOG_WARNING, 'podjobs: a note was not made: ' .. (type(fault) == 'table' and fault.err or tostring(fault)))
  end
end

local function totals() return prefix .. 'totals' end
local function attempts(job) return part(job, 'attempts') end

-- An attempt begins: its step is delivered to its function.
local note_begin = noting(function(step)
  local attempt = { job = step.job, step = step.step, action = step.action, attempt = step.attempt, owner = step.owner,
    since = tonumber(now()) }
  call('HSET', running(step['function']), step.entry, cjson.encode(attempt))
end)

-- Add what an attempt has used to the sums in its job's record.
local function add_up(job, beginning, used)
  for name, value in pairs(used) do
    if value > 0 then call('HINCRBYFLOAT', record(job), beginning .. name, value) end
  end
end

-- An attempt has ended. `step.ended` says what its adapter knows of it; without it, nothing is noted.
local note_end = noting(function(step, outcome)
  call('HDEL', running(step['function']), step.entry)
  local ended = step.ended
  if not ended then return end
  local time = tonumber(now())
  local about = call('HMGET', record(step.job), 'stage', 'stage_at')
  local taken = tonumber(string.match(step.entry, '^%d+')) / 1000
  call('RPUSH', attempts(step.job), cjson.encode({ step.step, step['function'], ended.action, about[1] or '',
    ended.number, outcome, tonumber(about[2] or 0), taken, time - ended.ran_s, time, ended.owner,
    ended.cpu_s, ended.memory_bytes, ended.reason }))
  call('LTRIM', attempts(step.job), -ATTEMPTS_KEPT, -1)
  local used = { worked_s = ended.ran_s, cpu_s = ended.cpu_s, gb_s = ended.memory_bytes / 1e9 * ended.ran_s,
    read_bytes = ended.read_bytes, written_bytes = ended.written_bytes }
  add_up(step.job, '', used)
  call('HINCRBY', record(step.job), 'attempts', 1)
  call('HINCRBY', totals(), 'attempts:' .. step['function'], 1)
  if outcome == 'done' then
    call('LPUSH', prefix .. 'recent:' .. step['function'], ended.ran_s)
    call('LTRIM', prefix .. 'recent:' .. step['function'], 0, RECENT_KEPT - 1)
  else
    add_up(step.job, 'lost_', { worked_s = used.worked_s, cpu_s = used.cpu_s, gb_s = used.gb_s })
    call('HINCRBY', record(step.job), 'retries', 1)
    call('HINCRBY', totals(), 'retries:' .. step['function'], 1)
  end
end)

local note_job_end = noting(function(job, state)
  local about = call('HMGET', record(job), 'type', 'media_s', 'source_bytes')
  local type = about[1] or 'unknown'
  call('HINCRBY', totals(), state .. ':' .. type, 1)
  if state == STATE.done then
    if about[2] then call('HINCRBYFLOAT', totals(), 'media_s:' .. type, about[2]) end
    if about[3] then call('HINCRBYFLOAT', totals(), 'source_bytes:' .. type, about[3]) end
  end
end)

local function forget_revoked() call('ZREMRANGEBYSCORE', prefix .. 'revoked', '-inf', now() - REVOKED_S) end

-- Whether an operator has revoked a message before it became a job.
local function was_revoked(job)
  forget_revoked()
  return call('ZREM', prefix .. 'revoked', job) == 1
end

-- Whether operators have paused a function, or all.
local function is_paused(name)
  return call('HEXISTS', prefix .. 'paused', name) == 1 or call('HEXISTS', prefix .. 'paused', '*') == 1
end
