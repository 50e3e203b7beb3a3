-- Steps and stages.

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

-- Forget what is still to do. Entries in the streams are dropped when they are read: their steps are no longer open.
local function clear_steps(job)
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
