-- Where a job's source is now: whoever requested the job is asked, once at a time, while the steps that miss it wait.
-- Source: docs/decisions/0028.

local relocation = {}

-- Longer than any wait: the next sweep takes up an entry with this idle time.
local LONG_IDLE_MS = 30 * 86400000

-- A step does not find the source: it waits, and a step is added that looks into it, unless that is under way.
-- This attempt counts only if it is the one that asks. Returns 'asked', 'waiting', 'duplicate', or 'exhausted': it was
-- the last attempt, and nothing was done.
function relocation.miss_source()
  local missing = arguments
  local job = missing.job
  if not is_open(missing) then drop(missing) return { 'duplicate' } end
  local question = cjson.decode(missing.question)
  local is_asked = call('HEXISTS', part(job, 'open'), question.id) == 1
  if missing.is_last and not is_asked then return { 'exhausted' } end
  local missed = cjson.decode(call('HGET', record(job), 'missed') or '{}')
  missed[missing.step] = missing['function']
  call('HSET', record(job), 'missed', cjson.encode(missed), 'trouble', missing.trouble)
  call('XCLAIM', stream(missing['function']), GROUP, WAITING, 0, missing.entry, 'IDLE', 0,
    'RETRYCOUNT', is_asked and missing.attempt - 1 or missing.attempt, 'JUSTID')
  note_end(missing, 'retried')
  if is_asked then return { 'waiting' } end
  add_step(job, missing.question)
  return { 'asked' }
end

-- The steps that missed the source are due at once, with all their attempts, unless somebody works on them.
local function retry_missed(job)
  for step, name in pairs(cjson.decode(call('HGET', record(job), 'missed') or '{}')) do
    local entry = call('HGET', part(job, 'open'), step)
    if entry and entry ~= '' and #call('XPENDING', stream(name), GROUP, entry, entry, 1, WAITING) > 0 then
      call('XCLAIM', stream(name), GROUP, WAITING, 0, entry, 'IDLE', LONG_IDLE_MS, 'RETRYCOUNT', 0, 'JUSTID')
    end
  end
end

-- The answer: the job goes on elsewhere, goes on as it was, or is cancelled. Returns as `commit` does.
function relocation.relocate()
  local answer = arguments
  local job = answer.job
  local valid = is_open(answer)
  drop(answer)
  if not valid then return { 'duplicate', '0' } end
  note_end(answer, 'done')
  call('HDEL', part(job, 'open'), answer.step)
  call('HDEL', part(job, 'held'), answer.step)
  write_log(job, answer.log)
  local age_s = tostring(now() - call('HGET', record(job), 'accepted_at'))
  if answer.params then
    call('HSET', record(job), 'params', answer.params)
    retry_missed(job)
  end
  call('HDEL', record(job), 'missed')
  if answer.withdraw_stages then return { divert(job, STATE.cancelled, answer.withdraw_stages), age_s } end
  return { advance(job), age_s }
end
