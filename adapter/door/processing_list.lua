-- The way of messages from one of Pod's queues through an adapter's processing list, each step as one script.
-- The keys are described in adapter/redis/keys.py.
--
--   KEYS[1]  Pod's queue
--   KEYS[2]  the processing list
--   KEYS[3]  the places of the messages that are in a processing list
--   KEYS[4]  the adapters that may have a processing list
--   KEYS[5]  another list, for some operations
--   ARGV[1]  the operation, one of the functions of `operations` below
--   ARGV[2]  the adapter
--   ARGV[3…] the operation's arguments, named in processing_list.py

local queue, own, places, doors = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
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

-- Arguments: how many messages and how many bytes to move at most, but at least one message. Returns them, oldest first.
-- They are numbered: by the time in µs, so that numbers go on after the server has lost its data, but never twice the
-- same nor back, whatever the clock does.
function operations.fetch()
  local rows, bytes, limit, time, numbered = {}, 0, tonumber(ARGV[4]), now_us(), {}
  local position = math.max(tonumber(call('HGET', places, LAST) or 0), time - 1)
  while #rows < tonumber(ARGV[3]) and bytes < limit do
    local raw = call('LMOVE', queue, own, 'RIGHT', 'LEFT')
    if not raw then break end
    position, bytes = position + 1, bytes + #raw
    local digest, place = redis.sha1hex(raw), string.format('%.0f %.0f', position, time)
    rows[#rows + 1] = row(raw, digest, place, limit)
    numbered[#numbered + 1], numbered[#numbered + 2] = digest, place
  end
  if #rows > 0 then
    announce()
    call('HSET', places, LAST, string.format('%.0f', position), unpack(numbered))
  end
  return rows
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

-- Argument: the digest of the oldest message, which goes to the list KEYS[5].
function operations.set_aside()
  local raw = call('LINDEX', own, -1)
  if raw and redis.sha1hex(raw) == ARGV[3] then
    call('LMOVE', own, KEYS[5], 'RIGHT', 'LEFT')
    call('HDEL', places, ARGV[3])
  end
end

-- Argument: how many messages to take over from the processing list KEYS[5] at most. Returns how many were.
function operations.take_over()
  local moved = 0
  announce()
  while moved < tonumber(ARGV[3]) and call('LMOVE', KEYS[5], own, 'RIGHT', 'LEFT') do moved = moved + 1 end
  return moved
end

return operations[ARGV[1]]()
