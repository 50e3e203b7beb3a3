-- What forecasts learn from: how fast steps are, what plans look like, when jobs come. No decision depends on it.

local PLANS_KEPT = 50
local ARRIVALS_KEPT = 200
-- How much of the past an attempt replaces: the rates follow some two hundred attempts of an action.
local NEWEST = 0.005
-- A job's own pace counts from so many steps on.
local SURE = 5
-- A step that took longer than so many times what was expected says no more than one that took so long.
local FURTHEST = 3
-- What an adapter needs between two steps of a slot, at most, in seconds; what is longer is a wait.
local BETWEEN = 0.1

local function rates() return prefix .. 'rates' end

-- A step is done: its action's rate is the sum of the seconds by the sum of the weights, both of them fading. The spread
-- is the mean square of what its duration was beside the expected one, the job's own pace considered.
local note_pace = noting(function(done)
  local ended = done.ended
  if not ended then return end
  local name = done['function'] .. '/' .. ended.action
  local seconds, weights, spread = name .. ':s', name .. ':w', name .. ':v'
  local found = call('HMGET', rates(), seconds, weights, spread)
  local s, w, v = tonumber(found[1] or 0), tonumber(found[2] or 0), tonumber(found[3] or 0)
  local taken = tonumber(string.match(done.entry, '^%d+')) / 1000
  local kept = now() - taken - ended.ran_s
  local took = ended.ran_s + math.max(0, math.min(BETWEEN, kept))
  if w > 0 and s > 0 then
    local expected = done.weight * s / w
    local own = call('HMGET', record(done.job), 'took_s', 'expected_s')
    local pace = (tonumber(own[1] or 0) + SURE * expected) / (tonumber(own[2] or 0) + SURE * expected)
    local off = math.min(FURTHEST, took / (expected * pace) - 1)
    v = v + math.max(NEWEST, 1 / (2 + w / done.weight)) * (off * off - v)
    call('HINCRBYFLOAT', record(done.job), 'took_s', took)
    call('HINCRBYFLOAT', record(done.job), 'expected_s', expected)
  end
  call('HSET', rates(), seconds, s * (1 - NEWEST) + took, weights, w * (1 - NEWEST) + done.weight, spread, v)
end)

local note_plan = noting(function(job, outline)
  if not outline then return end
  call('HSET', record(job), 'outline', outline)
  local plans = prefix .. 'plans:' .. call('HGET', record(job), 'type')
  call('LPUSH', plans, outline)
  call('LTRIM', plans, 0, PLANS_KEPT - 1)
end)

local note_arrival = noting(function(type)
  call('LPUSH', prefix .. 'arrivals', now() .. ' ' .. type)
  call('LTRIM', prefix .. 'arrivals', 0, ARRIVALS_KEPT - 1)
end)
