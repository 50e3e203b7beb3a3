-- What is kept, and for how long: dead letters, and the list of jobs. Called once an hour (adapter/steps/retention.py).

local DEAD_AT_ONCE = 50
local JOBS_AT_ONCE = 100

local function has_ended(job) return call('HEXISTS', record(job), 'ended_at') == 1 end

-- What a dead letter is about, in a word: a job's id, a queue, a statement's id.
local function subject(fields)
  if fields.kind == 'job' then return fields.job end
  if fields.kind ~= 'statement' then return fields.queue or '' end
  local valid, statement = pcall(cjson.decode, fields.statement)
  return valid and type(statement) == 'table' and tostring(statement.id or '') or ''
end

-- Its job's record no longer names a dead letter that is gone. False: the job has not ended, or a newer version wrote
-- its record; then the letter stays.
local function release(job, letter)
  local found = call('HMGET', record(job), 'version', 'dead_letters')
  if call('EXISTS', record(job)) == 0 then return true end
  if tonumber(found[1] or 1) > VERSION or not has_ended(job) then return false end
  local others = {}
  for other in string.gmatch(found[2] or '', '%S+') do
    if other ~= letter then others[#others + 1] = other end
  end
  if #others > 0 then
    call('HSET', record(job), 'dead_letters', table.concat(others, ' '))
  else
    call('HDEL', record(job), 'dead_letters')
  end
  return true
end

-- Remove dead letters that are older than ttl_s, beginning behind one of them. Returns the last that was looked at, or ''
-- if there are no more; then of each that was removed its kind, what it is about, and its id.
local function trim_dead(after, ttl_s)
  local last = string.format('%.0f', (now() - ttl_s) * 1000)
  local first = after == '' and '-' or '(' .. after
  local letters = call('XRANGE', prefix .. 'dead', first, last, 'COUNT', DEAD_AT_ONCE)
  local answer = { #letters == DEAD_AT_ONCE and letters[#letters][1] or '' }
  for _, letter in ipairs(letters) do
    local id, fields = letter[1], {}
    for i = 1, #letter[2], 2 do fields[letter[2][i]] = letter[2][i + 1] end
    if fields.kind ~= 'job' or release(fields.job, id) then
      call('XDEL', prefix .. 'dead', id)
      for _, value in ipairs({ fields.kind or '', subject(fields), id }) do answer[#answer + 1] = value end
    end
  end
  return answer
end

-- Remove jobs that ended longer than ttl_s ago, whatever was set when they ended; those that have not ended stay.
-- Returns how many were looked at, and how many of them are gone.
local function trim_jobs(skip, ttl_s)
  local old = call('ZRANGEBYSCORE', prefix .. 'jobs', '-inf', now() - ttl_s, 'LIMIT', skip, JOBS_AT_ONCE)
  local gone = 0
  for _, job in ipairs(old) do
    local is_ours = tonumber(call('HGET', record(job), 'version') or 1) <= VERSION
    if call('EXISTS', record(job)) == 0 or is_ours and has_ended(job) then
      call('DEL', record(job), part(job, 'log'), attempts(job), part(job, 'private'), part(job, 'fetched'))
      call('ZREM', prefix .. 'jobs', job)
      gone = gone + 1
    end
  end
  return { #old, gone }
end
