-- The way of messages from one of Pod's queues through an adapter's processing list, each step as one script.
-- The keys are described in adapter/redis/keys.py.
--
--   KEYS[1]  Pod's queue
--   KEYS[2]  the processing list
--   KEYS[3]  the places of the messages that are in a processing list
--   KEYS[4]  another list, for some operations
--   ARGV[1]  the operation, one of the functions of `operations` below
--   ARGV[2…] its arguments, named in processing_list.py

local queue, own, places = KEYS[1], KEYS[2], KEYS[3]
local LAST = 'last'
local HEAD_BYTES = 1000
local call = redis.call

-- Number a message that leaves the queue: by the time in µs, so that numbers go on after the server has lost its data,
-- but never twice the same nor back, whatever the clock does. A message that was numbered before keeps its number.
local function number(raw)
  local time = call('TIME')
  local now_us = time[1] * 1000000 + time[2]
  local position = math.max(tonumber(call('HGET', places, LAST) or 0) + 1, now_us)
  if call('HSETNX', places, redis.sha1hex(raw), string.format('%.0f %.0f', position, now_us)) == 1 then
    call('HSET', places, LAST, string.format('%.0f', position))
  end
end

-- The position of a message and its time of arrival. One that an older version has moved has no number: it is older
-- than all that have one.
local function place_of(digest)
  local place = call('HGET', places, digest)
  if not place then
    local time = call('TIME')
    place = string.format('0 %.0f', time[1] * 1000000 + time[2])
    call('HSET', places, digest, place)
  end
  return place
end

local function is_last(digest)
  local raw = call('LINDEX', own, -1)
  return raw and redis.sha1hex(raw) == digest
end

local operations = {}

-- Arguments: how many messages and how many bytes to move at most, but at least one message. Returns how many were.
function operations.fetch()
  local moved, bytes = 0, 0
  while moved < tonumber(ARGV[2]) and bytes < tonumber(ARGV[3]) do
    local raw = call('LMOVE', queue, own, 'RIGHT', 'LEFT')
    if not raw then break end
    number(raw)
    moved, bytes = moved + 1, bytes + #raw
  end
  return moved
end

-- Arguments: how many messages and how many bytes to return at most. Returns for each, oldest first: the message, its
-- digest, its size and its place. Of a message that exceeds the limit alone, only the beginning is returned.
function operations.oldest()
  local answers, bytes, limit = {}, 0, tonumber(ARGV[3])
  for i = 1, tonumber(ARGV[2]) do
    local raw = call('LINDEX', own, -i)
    if not raw then break end
    bytes = bytes + #raw
    if bytes > limit and i > 1 then break end
    local digest = redis.sha1hex(raw)
    local shown = bytes > limit and string.sub(raw, 1, HEAD_BYTES) or raw
    answers[i] = { shown, digest, #raw, place_of(digest) }
  end
  return answers
end

-- Arguments: the digests of the oldest messages, in order. One that is not there was taken over by another adapter.
function operations.remove()
  for i = 2, #ARGV do
    if is_last(ARGV[i]) then
      call('RPOP', own)
      call('HDEL', places, ARGV[i])
    end
  end
end

-- Argument: the digest of the oldest message, which goes to the list KEYS[4].
function operations.set_aside()
  if is_last(ARGV[2]) then
    call('LMOVE', own, KEYS[4], 'RIGHT', 'LEFT')
    call('HDEL', places, ARGV[2])
  end
end

-- Argument: how many messages to take over from the processing list KEYS[4] at most. Returns how many were.
function operations.take_over()
  local moved = 0
  while moved < tonumber(ARGV[2]) and call('LMOVE', KEYS[4], own, 'RIGHT', 'LEFT') do moved = moved + 1 end
  return moved
end

return operations[ARGV[1]]()
