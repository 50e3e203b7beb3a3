-- Steps and stages.

-- Let a step wait for its function's turn; the current stage is done when it is done, too.
local function add_step(job, spec)
  local step = cjson.decode(spec)
  local name = step['function']
  call('HSET', part(job, 'open'), step.id, '')
  call('SADD', part(job, 'functions'), name)
  call('RPUSH', ready(job, name), spec)
  enter_queue(job, name)
end

-- What is left to do, and with it the job's share, changes with its stages only: a queue adds up the shares.
local function make_ready(job, specs)
  call('HSET', record(job), 'version', VERSION, 'share', choose_share(job))
  for _, spec in ipairs(specs) do add_step(job, spec) end
end

local function start_stage(job, stage)
  call('HSET', record(job), 'stage', stage.name, 'stage_at', now())
  make_ready(job, stage.steps)
end

-- Records of version 1 have one list of ready steps, of which some are in the streams already: the others get in line.
local function adopt_ready(job)
  local specs = call('LRANGE', part(job, 'ready'), 0, -1)
  if #specs == 0 then return end
  call('DEL', part(job, 'ready'))
  make_ready(job, specs)
end

-- An entry counts only while its step is open and waits for this very entry, not for one of an earlier run.
local function is_open(entry)
  adopt_ready(entry.job)
  return call('HGET', part(entry.job, 'open'), entry.step) == entry.entry
end

-- Forget what is still to do. Entries in the streams are dropped when they are read: their steps are no longer open.
local function clear_steps(job)
  for _, name in ipairs(call('SMEMBERS', part(job, 'functions'))) do
    leave_queue(job, name)
    call('DEL', ready(job, name))
  end
  call('DEL', part(job, 'stages'), part(job, 'functions'), part(job, 'ready'), part(job, 'open'), part(job, 'held'))
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

-- What is known to the notification alone, the files of the result that were fetched, both as flat lists, and the time.
local function private_values(job)
  return { call('HGETALL', part(job, 'private')), call('HGETALL', part(job, 'fetched')), now() }
end

-- The job goes on as its plan says. Its type in the record stays: it is what was requested, and what a repeat names.
local function change_job(job, changed)
  call('HSET', record(job), 'params', changed.params, 'failure_stages', cjson.encode(changed.failure_stages),
    'discard_stages', cjson.encode(changed.discard_stages))
end

-- Read entries of a function's stream that nobody has read yet, for an adapter.
local function read_entries(name, owner, count)
  local answer = call('XREADGROUP', 'GROUP', GROUP, owner, 'COUNT', count, 'STREAMS', stream(name), '>')
  return answer and answer[1][2] or {}
end
