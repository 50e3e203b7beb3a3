-- The operations: what records.py calls, and the only part that changes anything by itself.

local operations = relocation

-- Accept jobs. Returns for each: 'accepted' and the id of the job it superseded or '', or 'superseded' and the id of the
-- newer job, or 'joined' and the id of the job in work that is the same, or 'duplicate' and ''.
function operations.accept()
  local answers = {}
  for i, job in ipairs(arguments.jobs) do
    local newer, same = find_newer(job), find_in_flight(job)
    if call('EXISTS', record(job.id)) == 1 then
      answers[i] = { 'duplicate', '' }
    elseif same then
      note_answer(same)
      answers[i] = { 'joined', same }
    elseif newer then
      end_older(job, newer)
      answers[i] = { 'superseded', newer }
    else
      answers[i] = { 'accepted', start_job(job) }
      if was_revoked(job.id) then
        local by = arguments.revocation
        cancel_job(job.id, by.by, by.problem, by.sentence)
      end
    end
  end
  return answers
end

-- Hand steps to an adapter, as entries of the function's stream that it owns: first those that are there already, then
-- those whose turn it is. Returns them and the latest ring of the bell, to listen for the next one. A function that is
-- paused gets none.
function operations.take()
  local name, owner, count = arguments['function'], arguments.owner, arguments.count
  if is_paused(name) then count = 0 end
  local entries = count > 0 and read_entries(name, owner, count) or {}
  local added = 0
  while #entries + added < count do
    local job, step, spec = next_turn(name)
    if not job then break end
    if call('HGET', part(job, 'open'), step) == '' then
      call('HSET', part(job, 'open'), step, call('XADD', stream(name), '*', 'version', VERSION, 'job', job, 'step', spec))
      added = added + 1
    end
  end
  if added > 0 then
    for _, entry in ipairs(read_entries(name, owner, added)) do entries[#entries + 1] = entry end
  end
  local rung = call('XREVRANGE', bell(name), '+', '-', 'COUNT', 1)
  return { entries, rung[1] and rung[1][1] or '0-0' }
end

-- Return what the steps of a batch need at delivery; false for one that is no longer open: its entry is dropped.
function operations.join()
  local answers = {}
  for i, wanted in ipairs(arguments.steps) do
    if is_open(wanted) then
      local found = call('HMGET', record(wanted.job), 'params', 'shared', 'error', 'accepted_at', 'state', 'unreported',
        'traceparent')
      if found[5] == STATE.queued then
        call('HSET', record(wanted.job), 'state', STATE.running, 'started_at', now())
      end
      note_begin(wanted)
      answers[i] = { found[1], found[2], found[3], found[4], needed_results(wanted.job, wanted.needs), found[6], found[7],
        unpack(wanted.private and private_values(wanted.job) or {}) }
    else
      drop(wanted)
      answers[i] = false
    end
  end
  return answers
end

-- Which of these entries wait for a step that is no longer open. Those of a newer version are left alone; nothing changes.
function operations.find_closed()
  local closed = {}
  for _, entry in ipairs(arguments.entries) do
    local version = tonumber(call('HGET', record(entry.job), 'version') or 1)
    if version <= VERSION and call('HGET', part(entry.job, 'open'), entry.step) ~= entry.entry then
      closed[#closed + 1] = entry.entry
    end
  end
  return closed
end

-- A step is done. Returns what became of the job ('duplicate' if the step was not open) and the job's age.
function operations.commit()
  local done = arguments
  local valid = is_open(done)
  drop(done)
  if not valid then return { 'duplicate', '0' } end
  note_end(done, 'done')
  note_pace(done)
  call('HDEL', part(done.job, 'open'), done.step)
  call('HDEL', part(done.job, 'held'), done.step)
  call('HSET', part(done.job, 'results'), done.action .. '/' .. done.step, done.values)
  local weight_done = call('HINCRBYFLOAT', record(done.job), 'weight_done', done.weight)
  call('HDEL', record(done.job), 'trouble')
  write_log(done.job, done.log)
  if done.plan then
    call('HSET', record(done.job), 'shared', done.plan.shared, 'weight_total', weight_done + done.plan.weight)
    if #done.plan.measures > 0 then call('HSET', record(done.job), unpack(done.plan.measures)) end
    call('DEL', part(done.job, 'stages'))
    for _, stage in ipairs(done.plan.stages) do call('RPUSH', part(done.job, 'stages'), stage) end
    note_plan(done.job, done.plan.outline)
    if done.plan.job then change_job(done.job, done.plan.job) end
    -- its client was told of the end, and what follows only looks whether it has fetched the result
    if call('HGET', record(done.job), 'stage') == NOTIFY then call('HSET', record(done.job), 'told', 1) end
  end
  local accepted_at = call('HGET', record(done.job), 'accepted_at')
  return { advance(done.job), tostring(now() - accepted_at) }
end

-- A step has failed for good. A running job goes on with its failure stages, a failing one with those left: its sender is
-- notified even if the report could not be left. A superseded or cancelled one ends.
function operations.fail()
  local failed = arguments
  local valid = is_open(failed)
  drop(failed)
  if not valid then return { 'duplicate' } end
  note_end(failed, 'failed')
  write_log(failed.job, { failed.sentence })
  local found = call('HMGET', record(failed.job), 'state', 'failure_stages', 'client', 'stage')
  if found[1] == STATE.superseded or found[1] == STATE.cancelled then return { end_job(failed.job) } end
  dead_letter_step(failed)
  if found[1] == STATE.failing then
    call('HSET', record(failed.job), 'unreported', failed.problem)
    call('HDEL', part(failed.job, 'open'), failed.step)
    local outcome = advance(failed.job)
    return { outcome == 'continued' and STATE.failing or outcome }
  end
  call('HSET', record(failed.job), 'error', failed.problem)
  local left = cjson.decode(found[2])
  if found[3] and found[4] == NOTIFY then -- all is made, and its client cannot be told: it may still come for it
    call('HSET', record(failed.job), 'undelivered', 1)
    left = {}
  end
  local outcome = divert(failed.job, STATE.failing, left)
  return { outcome == 'continued' and STATE.failing or outcome }
end

-- What the job has so far is of no use to its function: it begins anew, but only so often. Returns 'restarted',
-- 'duplicate', or the state that forbids it.
function operations.restart()
  local step = arguments
  if not is_open(step) then drop(step) return { 'duplicate' } end
  local state = call('HGET', record(step.job), 'state')
  if state ~= STATE.running then return { state } end
  if call('HINCRBY', record(step.job), 'restarts', 1) > step.limit then return { state } end
  drop(step)
  call('DEL', part(step.job, 'results'))
  call('HDEL', record(step.job), 'shared')
  call('HSET', record(step.job), 'weight_total', step.weight, 'weight_done', 0)
  write_log(step.job, { step.sentence })
  divert(step.job, state, { step.first_stage })
  return { 'restarted' }
end

-- An attempt has failed and counts: nobody works on the entry until its next attempt.
function operations.schedule_retry()
  if not is_open(arguments) then drop(arguments) return { 'duplicate' } end
  call('HSET', record(arguments.job), 'trouble', arguments.trouble)
  call('XCLAIM', stream(arguments['function']), GROUP, WAITING, 0, arguments.entry, 'IDLE', 0, 'JUSTID')
  note_end(arguments, 'retried')
  return { 'scheduled' }
end

-- The function is busy and the attempt does not count: the adapter keeps the entry on hold, the count is set back.
-- Returns also how long «not now» has kept this step so far, if that counts.
function operations.hold()
  if not is_open(arguments) then drop(arguments) return { 'duplicate', '0' } end
  call('HSET', record(arguments.job), 'trouble', arguments.trouble)
  call('XCLAIM', stream(arguments['function']), GROUP, arguments.owner, 0, arguments.entry,
    'RETRYCOUNT', arguments.attempts, 'JUSTID')
  note_end(arguments)
  if arguments.counted_s == 0 then return { 'held', '0' } end
  return { 'held', call('HINCRBYFLOAT', part(arguments.job, 'held'), arguments.step, arguments.counted_s) }
end

-- Run anew a job that has failed or was cancelled. Its dead letters are removed; if one is named it has to be there, and
-- the job's record need not. Returns 'accepted', 'gone' (one of them no longer exists) or the state that forbids it.
function operations.replay()
  local job, letter = arguments.job, arguments.dead_letter
  if letter and #call('XRANGE', prefix .. 'dead', letter, letter) == 0 then return { 'gone', '' } end
  local found = call('HMGET', record(job.id), 'state', 'dead_letters')
  local state = found[1]
  if not state and not letter then return { 'gone', '' } end
  if state and state ~= STATE.failed and state ~= STATE.cancelled then return { state, '' } end
  clear_steps(job.id)
  call('DEL', record(job.id), part(job.id, 'results'), part(job.id, 'log'), attempts(job.id), part(job.id, 'fetched'))
  call('PERSIST', part(job.id, 'private'))
  local older = start_job(job)
  if letter then call('XDEL', prefix .. 'dead', letter) end
  for other in string.gmatch(found[2] or '', '%S+') do call('XDEL', prefix .. 'dead', other) end
  return { 'accepted', older }
end

-- An operator does not want a job. Returns 'cancelled', 'gone', or the state that forbids it.
function operations.cancel()
  if call('EXISTS', record(arguments.job)) == 0 then return { 'gone' } end
  local version = tonumber(call('HGET', record(arguments.job), 'version') or 1)
  if version > VERSION then return { 'newer', version } end
  return { cancel_job(arguments.job, arguments.by, arguments.problem, arguments.sentence) or 'cancelled' }
end

-- An operator does not want what a message asks for that is not a job yet, or is one.
function operations.revoke()
  if call('EXISTS', record(arguments.job)) == 1 then return operations.cancel() end
  forget_revoked()
  call('ZADD', prefix .. 'revoked', now(), arguments.job)
  return { 'remembered' }
end

-- A client has fetched a file of a job's result to its end.
function operations.note_fetched()
  if call('EXISTS', record(arguments.job)) == 0 then return { 'gone' } end
  call('HSET', part(arguments.job, 'fetched'), arguments.file, now())
  if call('TTL', record(arguments.job)) > 0 then call('EXPIRE', part(arguments.job, 'fetched'), arguments.ttl_s) end
  return { 'noted' }
end

-- Remove what is older than it is kept; see retention.lua.
function operations.trim_dead() return trim_dead(arguments.after, arguments.dead_ttl_s) end
function operations.trim_jobs() return trim_jobs(arguments.skip, arguments.ttl_s) end

-- Turn an entry that is not a step into a dead letter.
function operations.dead_letter_entry()
  call('XADD', prefix .. 'dead', '*', 'kind', 'message', 'queue', stream(arguments['function']),
    'raw', arguments.raw, 'problem', arguments.problem)
  drop(arguments)
  return { 'dead letter' }
end

for _, entry in ipairs(arguments.steps or { arguments }) do
  local version = newer_version(entry)
  if version then return { 'newer', version } end
end
return operations[ARGV[1]]()
