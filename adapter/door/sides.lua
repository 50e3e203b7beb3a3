-- Whose a message is while the adapters take only a share of a queue: ours, or that of Pod's own workers.
--
--   SHARE[1]  the hash of the share        SHARE[2]  how the keys of the videos' sides begin
--
-- The n-th video is ours if n·share/100 passes a whole number: any 100 in a row contain exactly `share`. The number is
-- counted in Redis, so that it is exact with several adapters, and goes on after their restart.
--
-- A video that is requested again stays where it was, and is not counted: else the older request could be done by one
-- side after the newer one by the other, and overwrite its result.

local SHARE = { KEYS[5], KEYS[8] }
local OURS, PODS = 'ours', 'pod'
-- As long as the newest request of a video is known (steps/lua/jobs.lua).
local SIDE_TTL_S = 86400

local function next_side(share)
  local number = redis.call('HINCRBY', SHARE[1], 'counted', 1)
  return math.floor(number * share / 100) > math.floor((number - 1) * share / 100) and OURS or PODS
end

-- The headers of a Celery message; nil if it is none.
local function read_headers(raw)
  local is_json, message = pcall(cjson.decode, raw)
  if is_json and type(message) == 'table' and type(message.headers) == 'table' then return message.headers end
end

-- Pod's tasks about videos have its number as their first argument. The arguments themselves are in base64; beside them
-- Celery writes how they look in Python, a tuple or a list.
local function video_of(headers)
  return type(headers.argsrepr) == 'string' and string.match(headers.argsrepr, '^[%(%[](%d+)[,%)%]]')
end

-- Whose a message is, and whether it was somebody's before. Arguments: the message, the share in percent, the tasks that
-- we know as a set.
local function side_of(raw, share, tasks)
  local headers = read_headers(raw)
  -- kombu would drop it; here it becomes a dead letter
  if not headers then return OURS end
  -- one of Pod's workers had it and gave it back, to the queue that it came from at first
  if headers.redelivered == true then return PODS, true end
  if not tasks[headers.task] then return PODS end
  local video = video_of(headers)
  if not video then return next_side(share) end
  local key = SHARE[2] .. headers.task .. ':' .. video
  local side = redis.call('GET', key) or next_side(share)
  redis.call('SET', key, side, 'EX', SIDE_TTL_S)
  return side
end
