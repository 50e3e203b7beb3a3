-- A queue as its operator sees it: shared with Pod's workers, or handed back to them.
-- The keys are described in adapter/redis/keys.py.
--
--   KEYS[1]  Pod's queue
--   KEYS[2]  the list of what is left to Pod's workers
--   KEYS[3]  the share: a hash
--   KEYS[4]  there if the queue is handed back
--   ARGV[1]  the operation, one of the functions of `operations` below

local queue, left, share, handed_back = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local call = redis.call

local function now_us()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

-- How long the oldest message has been seen at its place, in µs: as long, nobody has taken one.
local function unread_us()
  local oldest = call('LINDEX', left, -1)
  if not oldest then
    call('HDEL', share, 'oldest', 'oldest_since')
    return 0
  end
  local digest, known = redis.sha1hex(oldest), call('HMGET', share, 'oldest', 'oldest_since')
  if known[1] == digest then return now_us() - known[2] end
  call('HSET', share, 'oldest', digest, 'oldest_since', string.format('%.0f', now_us()))
  return 0
end

local operations = {}

-- Returns numbers as text, in the order of QueueState.
function operations.look()
  local counts = call('HMGET', share, 'taken', 'forwarded')
  return { string.format('%.0f', call('LLEN', queue)), counts[1] or '0', counts[2] or '0',
    string.format('%.0f', call('LLEN', left)), string.format('%.0f', unread_us()), call('GET', handed_back) or '0' }
end

-- From now on nobody moves anything from the queue (processing_list.lua), and what was left to Pod's workers is on it
-- again: it is older than what is there. Returns how much that was.
function operations.hand_back()
  call('SET', handed_back, string.format('%.0f', now_us() / 1000000), 'NX')
  local moved = 0
  while call('LMOVE', left, queue, 'LEFT', 'RIGHT') do moved = moved + 1 end
  return moved
end

-- Returns whether it was handed back.
function operations.take_over() return call('DEL', handed_back) end

return operations[ARGV[1]]()
