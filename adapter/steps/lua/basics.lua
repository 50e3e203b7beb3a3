-- Every change to jobs and steps that must be atomic, as one script, so that a crash at any moment causes a redelivery
-- and never a loss. The keys are described in adapter/redis/keys.py. Its parts, in this order:
--
--   basics.lua       names of keys, the log, entries
--   history.lua      what is noted about attempts and jobs
--   pace.lua         what forecasts learn from
--   turns.lua        whose turn it is
--   steps.lua        steps and stages
--   jobs.lua         how jobs begin, advance and end
--   relocation.lua   what happens when a job's source is gone
--   retention.lua    what is kept, and for how long
--   operations.lua   what records.py calls
--
--   KEYS[1]  the prefix of every key
--   KEYS[2]  a key that never exists, for which a cluster refuses the script while it moves the keys' slot: keys.py
--   ARGV[1]  the operation, one of the functions of `operations` below
--   ARGV[2]  its arguments: a JSON object, named in records.py
--
-- Step specs, params, results and problems are JSON text that is passed through unchanged: cjson would turn empty lists
-- into objects and lose digits of long numbers.

-- records.py puts this before the text: the table STATE, the job states of podjobs/contract/job_states.py by their
-- names; the number VERSION, the version of the records of versions.py; and NOTIFY, the name of a job's last stage.

-- The state in which a job ends, by the state it is in when its last stage is done.
local END_STATE = {
  [STATE.queued] = STATE.done,
  [STATE.running] = STATE.done,
  [STATE.failing] = STATE.failed,
  [STATE.superseded] = STATE.superseded,
  [STATE.cancelled] = STATE.cancelled,
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
local function jobs_of_client(client) return prefix .. 'client:' .. client end
local function running(name) return prefix .. 'running:' .. name end
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
  redis.pcall('HDEL', running(entry['function']), entry.entry) -- a note: see history.lua
end

-- What a newer version has written stays as it is: its step waits for an adapter of that version. Returns that version
-- of an entry or its job's record; nothing if this one knows both.
local function newer_version(entry)
  if not entry.entry then return end
  local stored = entry.job and call('HGET', record(entry.job), 'version')
  local version = math.max(tonumber(stored or 1), entry.version or 1)
  if version <= VERSION then return end
  call('XCLAIM', stream(entry['function']), GROUP, WAITING, 0, entry.entry, 'RETRYCOUNT', 1, 'JUSTID')
  return version
end

local function trim_ended(ttl_s)
  local old = call('ZRANGEBYSCORE', prefix .. 'jobs', '-inf', now() - ttl_s, 'LIMIT', 0, TRIM_AT_ONCE)
  for _, job in ipairs(old) do
    if call('EXISTS', record(job)) == 0 then call('ZREM', prefix .. 'jobs', job) end
  end
end
