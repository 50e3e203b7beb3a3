-- The way of messages from one of Pod's queues through an adapter's processing list, each step as one script.
-- The keys are described in adapter/redis/keys.py.
--
--   KEYS[1]  Pod's queue
--   KEYS[2]  the processing list
--   KEYS[3]  the places of the messages that are in a processing list
--   KEYS[4]  the adapters that may have a processing list
--   KEYS[5]  the share: a hash
--   KEYS[6]  the list of what is left to Pod's workers
--   KEYS[7]  there if the queue is handed back to Pod's workers
--   KEYS[8]  how the keys of the videos' sides begin
--   KEYS[9]  another list, for some operations
--   ARGV[1]  the operation, one of the functions of `operations` below
--   ARGV[2]  the adapter
--   ARGV[3…] the operation's arguments, named in processing_list.py

local queue, own, places, doors, share, left, handed_back = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local adapter = ARGV[2]
local LAST = 'last'
local HEAD_BYTES = 1000
local call = redis.call

local function now_us()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

-- What is returned of a message: the message, or only its beginning if it exceeds the limit, its digest, its size and
-- its place.
local function row(raw, digest, place, limit)
  local shown = #raw > limit and string.sub(raw, 1, HEAD_BYTES) or raw
  return { shown, digest, #raw, place }
end

-- The position of a message and its time of arrival. One that an older version has moved has no number: it is older
-- than all that have one.
local function place_of(digest)
  local place = call('HGET', places, digest)
  if not place then
    place = string.format('0 %.0f', now_us())
    call('HSET', places, digest, place)
  end
  return place
end

-- Whoever moves messages into its list says so in the same moment: others look there when it is gone. It may have said
-- so before, but the server may have lost its data since.
local function announce() call('SADD', doors, adapter) end

local operations = {}

-- Move the oldest message to its side, and return both; false if there is none. What was left to Pod's workers is older
-- than what is on the queue: who takes everything takes it first.
local function move_oldest(limit, percent, tasks)
  if percent == 100 then
    return call('LMOVE', left, own, 'RIGHT', 'LEFT') or call('LMOVE', queue, own, 'RIGHT', 'LEFT'), OURS
  end
  local raw = call('LINDEX', queue, -1)
  if not raw then return false end
  local side, is_returned = OURS, false
  if #raw <= limit then side, is_returned = side_of(raw, percent, tasks) end
  -- what was returned is older than what has been left since
  call('LMOVE', queue, side == OURS and own or left, 'RIGHT', is_returned and 'RIGHT' or 'LEFT')
  return raw, side
end

local function count_sides(taken, forwarded)
  if taken > 0 then call('HINCRBY', share, 'taken', taken) end
  if forwarded > 0 then call('HINCRBY', share, 'forwarded', forwarded) end
end

-- Arguments: how many messages and how many bytes to move at most, but at least one message; the share in percent, and
-- the tasks that are known. Returns how many were moved, then those that are ours, oldest first; or -1 if the queue is
-- handed back: whoever has done that can rely on it that nothing leaves the queue any more.
-- They are numbered: by the time in µs, so that numbers go on after the server has lost its data, but never twice the
-- same nor back, whatever the clock does.
function operations.fetch()
  if call('EXISTS', handed_back) == 1 then return { -1 } end
  local answer, moved, bytes, limit, percent = { 0 }, 0, 0, tonumber(ARGV[4]), tonumber(ARGV[5])
  local time, tasks, numbered = now_us(), {}, {}
  for i = 6, #ARGV do tasks[ARGV[i]] = true end
  local position = math.max(tonumber(call('HGET', places, LAST) or 0), time - 1)
  while moved < tonumber(ARGV[3]) and bytes < limit do
    local raw, side = move_oldest(limit, percent, tasks)
    if not raw then break end
    moved, bytes = moved + 1, bytes + #raw
    if side == OURS then
      position = position + 1
      local digest, place = redis.sha1hex(raw), string.format('%.0f %.0f', position, time)
      answer[#answer + 1] = row(raw, digest, place, limit)
      numbered[#numbered + 1], numbered[#numbered + 2] = digest, place
    end
  end
  answer[1] = moved
  if #answer > 1 then
    announce()
    call('HSET', places, LAST, string.format('%.0f', position), unpack(numbered))
  end
  if percent < 100 then count_sides(#answer - 1, moved - #answer + 1) end
  return answer
end

-- Arguments: how many messages and how many bytes to return at most, but at least one message. Returns them, oldest
-- first.
function operations.oldest()
  local rows, bytes, limit = {}, 0, tonumber(ARGV[4])
  for i = 1, tonumber(ARGV[3]) do
    local raw = call('LINDEX', own, -i)
    if not raw then break end
    bytes = bytes + #raw
    if bytes > limit and i > 1 then break end
    local digest = redis.sha1hex(raw)
    rows[i] = row(raw, digest, place_of(digest), limit)
  end
  return rows
end

-- Arguments: the digests of the oldest messages, in order. One that is not there was taken over by another adapter.
function operations.remove()
  local removed = {}
  for i = 3, #ARGV do
    local raw = call('RPOP', own)
    if raw and redis.sha1hex(raw) == ARGV[i] then
      removed[#removed + 1] = ARGV[i]
    elseif raw then
      call('RPUSH', own, raw)
    end
  end
  if #removed > 0 then call('HDEL', places, unpack(removed)) end
end

-- Argument: the digest of the oldest message, which goes to the list KEYS[9].
function operations.set_aside()
  local raw = call('LINDEX', own, -1)
  if raw and redis.sha1hex(raw) == ARGV[3] then
    call('LMOVE', own, KEYS[9], 'RIGHT', 'LEFT')
    call('HDEL', places, ARGV[3])
  end
end

-- Argument: how many messages to take over from the processing list KEYS[9] at most. Returns how many were.
function operations.take_over()
  local moved = 0
  announce()
  while moved < tonumber(ARGV[3]) and call('LMOVE', KEYS[9], own, 'RIGHT', 'LEFT') do moved = moved + 1 end
  return moved
end

-- Put everything back on the queue, older than all that is there, in its order, but for the messages whose digests are
-- the arguments: they are stored. Returns how many are on the queue again.
function operations.put_back()
  local stored, returned = {}, 0
  for i = 3, #ARGV do stored[ARGV[i]] = true end
  while true do
    local raw = call('LINDEX', own, 0)
    if not raw then break end
    local digest = redis.sha1hex(raw)
    if stored[digest] then
      call('LPOP', own)
    else
      call('LMOVE', own, queue, 'LEFT', 'RIGHT')
      returned = returned + 1
    end
    call('HDEL', places, digest)
  end
  call('SREM', doors, adapter)
  return returned
end

return operations[ARGV[1]]()
