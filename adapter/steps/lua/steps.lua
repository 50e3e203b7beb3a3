-- Steps and stages.

-- Let steps of the current stage wait for their functions' turns to take them.
local function make_ready(job, specs)
  local functions, known = {}, {}
  for _, spec in ipairs(specs) do
    local step = cjson.decode(spec)
    local name = step['function']
    call('RPUSH', ready(job, name), spec)
    call('HSET', part(job, 'open'), step.id, '')
    if not known[name] then
      known[name] = true
      functions[#functions + 1] = name
    end
  end
  call('HSET', record(job), 'version', VERSION, 'functions', cjson.encode(functions), 'share', choose_share(job))
  for _, name in ipairs(functions) do enter_queue(job, name) end
end

local function start_stage(job, stage)
  call('HSET', record(job), 'stage', stage.name)
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
  for _, name in ipairs(cjson.decode(call('HGET', record(job), 'functions') or '[]')) do
    leave_queue(job, name)
    call('DEL', ready(job, name))
  end
  call('DEL', part(job, 'stages'), part(job, 'ready'), part(job, 'open'), part(job, 'held'))
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

-- Read entries of a function's stream that nobody has read yet, for an adapter.
local function read_entries(name, owner, count)
  local answer = call('XREADGROUP', 'GROUP', GROUP, owner, 'COUNT', count, 'STREAMS', stream(name), '>')
  return answer and answer[1][2] or {}
end
