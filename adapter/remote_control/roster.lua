-- Which nodes there are for one of Pod's queues: each adapter that reads it is one, under a name of its own.
--
--   KEYS[1]  hash: node's name → adapter, when its entry is over and since when it is there (ms), with spaces between
--   ARGV[1]  the operation: enter or leave
--   ARGV[2]  the adapter
--   ARGV[3]  the name it wants, before the @
--   ARGV[4]  its host, after the @
--   ARGV[5]  for how long the entry holds, in ms

local nodes, operation, adapter, wanted, host, lease_ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local taken, own, since = {}, nil, now
local found = redis.call('HGETALL', nodes)
for i = 1, #found, 2 do
  local name, other, ends, began = found[i], string.match(found[i + 1], '^(%S+) (%d+) (%d+)$')
  -- an entry that ends too late is from before the clock was set back
  if not other or tonumber(ends) < now or tonumber(ends) > now + lease_ms or other == adapter then
    redis.call('HDEL', nodes, name)
    if other == adapter then since = math.min(tonumber(began), now) end
  else
    taken[name] = { other, began }
  end
end
if operation == 'leave' then return {} end

-- the first name that is free: whoever has a number loses it once it can
local number = 1
repeat
  own = wanted .. (number > 1 and '-' .. number or '') .. '@' .. host
  number = number + 1
until not taken[own]
redis.call('HSET', nodes, own, string.format('%s %.0f %.0f', adapter, now + lease_ms, since))
redis.call('PEXPIRE', nodes, 10 * lease_ms)

local rows = { { own, adapter, string.format('%.0f', since) } }
for name, row in pairs(taken) do rows[#rows + 1] = { name, row[1], row[2] } end
return rows
